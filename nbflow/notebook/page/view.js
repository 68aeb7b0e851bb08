// The live view of a run: what anywidget calls.
//
// One store a model, one set of elements a view: two views of a model follow the same store. Everything that a
// workflow, a log or a person named reaches the page as text (textContent), the graph as parsed SVG.

import { make, setText } from "./elements.js";
import { GraphView } from "./graph.js";
import { HeaderView } from "./header.js";
import { LogView } from "./log.js";
import { NodesView } from "./nodes.js";
import { storeOf } from "./store.js";

class View {
  constructor(store, el) {
    this.store = store;
    this.header = new HeaderView(store);
    this.parts = [this.header, new GraphView(store), new NodesView(store), new LogView(store)];
    const [, graph, nodes, log] = this.parts;
    const middle = make("div", "nbflow-middle", {}, graph.element, nodes.element);
    this.root = make(
      "div", "nbflow-view", { "data-lm-suppress-shortcuts": "true", tabindex: "-1" },
      this.header.element, this.header.message, this.header.said, middle, log.element,
    );
    this.pair = document.createElement("style");
    el.append(this.root);
    this.theme();
    this.watcher = new MutationObserver(() => this.theme());
    this.watcher.observe(document.body, { attributes: true });
    this.clock = setInterval(() => store.header && !store.ended && this.header.tick(), 1000);
    store.views.add(this);
    this.draw();
  }

  schedule() {
    this.frame ??= requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.frame = null;
    this.root.classList.toggle("nbflow-live", this.store.alive);
    this.hideSnapshot(this.store.alive);
    if (this.store.header === null) return;
    this.root.classList.toggle("nbflow-stale", this.store.stale);
    for (const part of this.parts) part.draw();
  }

  // Front ends whose output areas the snapshot's own rule does not know.
  hideSnapshot(hidden) {
    const id = this.store.model.get("snapshot_id");
    const rule = hidden && id ? `[data-nbflow-snap="${CSS.escape(id)}"]{display:none}` : "";
    setText(this.pair, rule);
    if (rule && !this.pair.isConnected) document.head.append(this.pair);
  }

  theme() {
    const light = document.body.dataset.jpThemeLight;
    const dark = light ? light === "false" : matchMedia("(prefers-color-scheme: dark)").matches;
    this.root.dataset.theme = dark ? "dark" : "light";
  }

  close() {
    this.store.views.delete(this);
    this.watcher.disconnect();
    this.pair.remove();
    clearInterval(this.clock);
    cancelAnimationFrame(this.frame);
  }
}

export default {
  render({ model, el }) {
    const view = new View(storeOf(model), el);
    return () => view.close();
  },
};
