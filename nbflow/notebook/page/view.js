// The live view: what anywidget calls.
//
// One store a model, one set of elements a view: two views of a model follow the same store. Everything that a
// workflow, a log or a person named reaches the page as text (textContent), the graph as parsed SVG.

import { setText } from "./elements.js";
import { RunView } from "./run.js";
import { ListStore, ListView } from "./runs.js";
import { Store } from "./store.js";

const stores = new WeakMap();

function storeOf(model) {
  if (!stores.has(model)) stores.set(model, model.get("shows") === "list" ? new ListStore(model) : new Store(model));
  return stores.get(model);
}

const system = matchMedia("(prefers-color-scheme: dark)");

// As Jupyter, VS Code or Colab say, else as the system does.
function isDark() {
  const { jpThemeLight, vscodeThemeKind } = document.body.dataset;
  if (jpThemeLight) return jpThemeLight === "false";
  if (vscodeThemeKind) return /dark|high-contrast$/.test(vscodeThemeKind);
  const colab = document.documentElement.getAttribute("theme");
  return colab ? colab === "dark" : system.matches;
}

function followTheme(root) {
  const look = () => {
    const theme = isDark() ? "dark" : "light";
    for (const one of [root, ...root.querySelectorAll(".nbflow-view")]) one.dataset.theme = theme;
  };
  const watcher = new MutationObserver(look);
  watcher.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "data-vscode-theme-kind"] });
  watcher.observe(document.documentElement, { attributes: true, attributeFilter: ["theme"] });
  system.addEventListener("change", look);
  look();
  return () => {
    watcher.disconnect();
    system.removeEventListener("change", look);
  };
}

// One of the snapshot and the view is seen, also in front ends whose output areas the snapshot's own rule does not
// know. Where a front end keeps both in documents of their own, both are seen.
function pairWith(id, root) {
  const style = document.createElement("style");
  return {
    show(alive) {
      root.hidden = Boolean(id) && !alive;
      setText(style, alive && id ? `[data-nbflow-snap="${CSS.escape(id)}"]{display:none}` : "");
      if (alive && id && !style.isConnected) document.head.append(style);
    },
    close: () => style.remove(),
  };
}

export default {
  render({ model, el }) {
    const store = storeOf(model);
    const view = model.get("shows") === "list" ? new ListView(store, el) : new RunView(store, el, (name) => store.send({ do: "watch", name }));
    const pair = pairWith(model.get("snapshot_id"), view.root);
    view.onAlive = (alive) => pair.show(alive);
    pair.show(store.alive);
    const forget = followTheme(view.root);
    return () => {
      forget();
      pair.close();
      view.close();
    };
  },
};
