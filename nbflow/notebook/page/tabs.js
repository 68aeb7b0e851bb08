// Panels of which one is seen, with a tab for each.

import { make, newId } from "./elements.js";

export class Tabs {
  // panels: [[label, element]]. tools: element at the right end of the line of tabs.
  constructor(name, panels, chosen = () => {}) {
    this.chosen = chosen;
    this.tabs = [];
    this.bar = make("div", "nbflow-tabs", { role: "tablist", "aria-label": name });
    this.panels = panels.map(([label, element], index) => {
      const id = newId();
      const tab = make("button", "nbflow-tab", { type: "button", role: "tab", id, "aria-controls": `${id}-panel` }, label);
      tab.addEventListener("click", () => this.choose(index));
      element.setAttribute("role", "tabpanel");
      element.setAttribute("aria-labelledby", id);
      element.id = `${id}-panel`;
      this.tabs.push(tab);
      this.bar.append(tab);
      return element;
    });
    this.bar.addEventListener("keydown", (event) => this.key(event));
    this.choose(0);
  }

  choose(index) {
    this.index = index;
    for (const [at, tab] of this.tabs.entries()) {
      tab.setAttribute("aria-selected", String(at === index));
      tab.tabIndex = at === index ? 0 : -1;
      this.panels[at].hidden = at !== index;
    }
    this.chosen(index);
  }

  key(event) {
    const moves = { ArrowRight: 1, ArrowLeft: -1 };
    if (!(event.key in moves)) return;
    event.preventDefault();
    this.choose((this.index + moves[event.key] + this.tabs.length) % this.tabs.length);
    this.tabs[this.index].focus();
  }
}
