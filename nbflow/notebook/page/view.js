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

// Light or dark, as Jupyter says, else as the system does.
function followTheme(root) {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const look = () => {
    const light = document.body.dataset.jpThemeLight;
    const theme = (light ? light === "false" : system.matches) ? "dark" : "light";
    for (const one of [root, ...root.querySelectorAll(".nbflow-view")]) one.dataset.theme = theme;
  };
  const watcher = new MutationObserver(look);
  watcher.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
  system.addEventListener("change", look);
  look();
  return () => {
    watcher.disconnect();
    system.removeEventListener("change", look);
  };
}

// Hides the snapshot in front ends whose output areas its own rule does not know.
function pairWith(id) {
  const style = document.createElement("style");
  return {
    hide(hidden) {
      setText(style, hidden && id ? `[data-nbflow-snap="${CSS.escape(id)}"]{display:none}` : "");
      if (hidden && id && !style.isConnected) document.head.append(style);
    },
    close: () => style.remove(),
  };
}

export default {
  render({ model, el }) {
    const store = storeOf(model);
    const pair = pairWith(model.get("snapshot_id"));
    const view = model.get("shows") === "list" ? new ListView(store, el) : new RunView(store, el, (name) => store.send({ do: "watch", name }));
    view.onAlive = (alive) => pair.hide(alive);
    pair.hide(store.alive);
    const forget = followTheme(view.root);
    return () => {
      forget();
      pair.close();
      view.close();
    };
  },
};
