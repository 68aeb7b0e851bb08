// The nodes as a tree, for the mouse and the keyboard, with a search and a filter.

import { FINISHED, SIGNS, duration, make, newId, setAttribute, setText, signOf, waits } from "./elements.js";
import { ROW_HEIGHT, VirtualList } from "./list.js";

const PHASES = ["Pending", "Running", "Succeeded", "Failed", "Error", "Skipped", "Omitted"];
const ALL = { id: "", depth: 0, kids: false, open: false };

export class NodesView {
  constructor(store) {
    this.store = store;
    this.needs = ["nodes", "selection", "header"];
    this.active = 0; // index of the row that the keyboard is at
    this.prefix = newId();
    this.search = make("input", "nbflow-input nbflow-search", {
      type: "search", placeholder: "Search nodes", "aria-label": "search nodes",
    });
    const options = PHASES.map((phase) => make("option", "", { value: phase }, `${SIGNS[phase]} ${phase}`));
    this.phase = make("select", "nbflow-input", { "aria-label": "phase" }, make("option", "", { value: "" }, "All phases"), ...options);
    this.scroller = make("div", "nbflow-rows", {
      role: "tree", "aria-label": "nodes", tabindex: "0",
    });
    this.empty = make("div", "nbflow-none", { role: "status" });
    this.list = new VirtualList(this.scroller, ROW_HEIGHT, () => this.makeRow(), (row, index) => this.drawRow(row, index));
    const tools = make("div", "nbflow-nodes-tools", {}, this.search, this.phase);
    this.element = make("div", "nbflow-nodes", {}, tools, this.empty, this.scroller);
    for (const [element, kind] of [[this.search, "input"], [this.phase, "change"]]) {
      element.addEventListener(kind, () => this.filter());
    }
    this.scroller.addEventListener("click", (event) => this.clicked(event));
    this.scroller.addEventListener("keydown", (event) => this.key(event));
  }

  filter() {
    this.store.tree.search(this.search.value, this.phase.value);
    this.active = 0;
    this.list.scrollTo(0);
    this.store.touch("nodes");
  }

  // Shows only what has this text in its name.
  find(text) {
    this.search.value = text;
    this.filter();
  }

  makeRow() {
    const parts = {
      fold: make("span", "nbflow-fold", { "aria-hidden": "true" }),
      sign: make("span", "nbflow-sign", { "aria-hidden": "true" }),
      name: make("span", "nbflow-row-name"),
      fact: make("span", "nbflow-row-fact"),
    };
    return { element: make("div", "nbflow-row", { role: "treeitem" }, ...Object.values(parts)), ...parts };
  }

  draw() {
    const { tree, selected } = this.store;
    this.arrange();
    if (this.lastSelected !== selected) {
      this.lastSelected = selected;
      const at = this.rows.findIndex((row) => row.id === selected);
      if (at >= 0) this.move(at);
    }
    this.active = Math.min(this.active, this.rows.length - 1);
    const filtered = tree.filtered;
    setText(this.empty, filtered ? `${tree.hits} of ${tree.nodes.size} nodes` : "");
    this.list.setCount(this.rows.length);
    setAttribute(this.scroller, "aria-activedescendant", `${this.prefix}-${this.active}`);
  }

  arrange() {
    this.rows = [ALL, ...this.store.tree.rows()];
  }

  // The person chose it here: the keyboard is there already.
  select(row) {
    this.lastSelected = row.id;
    this.store.select(row.id);
  }

  drawRow(row, index) {
    const { element } = row;
    const shown = this.rows[index];
    const node = this.store.nodes.get(shown.id);
    element.id = `${this.prefix}-${index}`;
    element.dataset.row = index;
    element.style.setProperty("--depth", Math.min(shown.depth, 12));
    setAttribute(element, "aria-level", String(shown.depth + 1));
    setAttribute(element, "aria-setsize", String(this.rows.length));
    setAttribute(element, "aria-posinset", String(index + 1));
    setAttribute(element, "aria-selected", String(shown.id === this.store.selected));
    element.classList.toggle("nbflow-active", index === this.active);
    if (shown.kids) setAttribute(element, "aria-expanded", String(shown.open));
    else element.removeAttribute("aria-expanded");
    setText(row.fold, shown.kids ? (shown.open ? "▾" : "▸") : "");
    if (node) this.drawNode(row, node, shown);
    else {
      setText(row.name, "All nodes");
      setText(row.fact, "");
      setText(row.sign, "");
      setAttribute(element, "aria-label", "All nodes");
      element.removeAttribute("data-phase");
    }
  }

  drawNode(row, node, shown) {
    const fact = this.fact(node, shown);
    setAttribute(row.element, "data-phase", node.phase);
    setAttribute(row.element, "aria-label", `${node.name}, ${node.phase}${fact && fact !== node.phase ? `, ${fact}` : ""}`);
    setAttribute(row.element, "title", `${node.name}\n${node.phase}${node.message ? `: ${node.message}` : ""}`);
    setText(row.sign, signOf(node));
    setText(row.name, node.name);
    setText(row.fact, fact);
  }

  fact(node, shown) {
    if (shown.kids && !shown.open) {
      const counts = this.store.tree.counts(node.id);
      return PHASES.filter((phase) => counts[phase]).map((phase) => `${SIGNS[phase]} ${counts[phase]}`).join("  ");
    }
    if (waits(node)) return "waits for you";
    if (node.message && node.phase !== "Succeeded") return node.message;
    if (node.started && node.finished) return duration(node.finished - node.started);
    if (node.phase === "Running" && node.started && !this.store.stale) return duration(this.store.now() - node.started);
    return node.phase;
  }

  tick() {
    if (!this.rows || FINISHED.has(this.store.header.phase)) return;
    this.list.draw();
  }

  clicked(event) {
    const element = event.target.closest("[data-row]");
    if (!element) return;
    const index = Number(element.dataset.row);
    const row = this.rows[index];
    this.move(index);
    if (event.target.classList.contains("nbflow-fold") && row.kids) this.toggle(row);
    else this.select(row);
  }

  toggle(row, open) {
    this.store.tree.toggle(row.id, open);
    this.arrange();
    this.store.touch("nodes");
  }

  move(index) {
    this.active = Math.max(0, Math.min(this.rows.length - 1, index));
    this.list.setCount(this.rows.length);
    this.list.show(this.active);
    setAttribute(this.scroller, "aria-activedescendant", `${this.prefix}-${this.active}`);
  }

  key(event) {
    const row = this.rows[this.active];
    const { page } = this.list;
    const moves = {
      ArrowDown: this.active + 1, ArrowUp: this.active - 1, PageDown: this.active + page, PageUp: this.active - page,
      Home: 0, End: this.rows.length - 1,
    };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in moves) this.move(moves[event.key]);
    else if (event.key === "Enter" || event.key === " ") this.select(row);
    else if (event.key === "ArrowRight" && row.kids && !row.open) this.toggle(row, true);
    else if (event.key === "ArrowRight" && row.kids) this.move(this.active + 1);
    else if (event.key === "ArrowLeft" && row.open) this.toggle(row, false);
    else if (event.key === "ArrowLeft") this.moveToParent(row);
    else if (event.key === "Escape" && this.store.selected) this.store.select("");
    else if (event.key === "/") this.search.focus();
    else return;
    event.preventDefault();
  }

  moveToParent(row) {
    const parent = this.store.tree.placed.get(row.id);
    const at = this.rows.findIndex((one) => one.id === parent);
    if (at >= 0) this.move(at);
  }
}
