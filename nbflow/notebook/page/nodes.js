// The nodes as a tree, for the mouse and the keyboard.

import { SIGNS, duration, make, setText } from "./elements.js";

const MAX_ROWS = 500; // rows of the list of nodes
const WAITS = "ǁ"; // the sign of a suspend node that nobody resumed yet

export class NodesView {
  constructor(store) {
    this.store = store;
    this.rows = new Map();
    this.order = "";
    this.all = this.makeRow("");
    this.list = make("div", "nbflow-rows", { role: "tree", "aria-label": "nodes" }, this.all.element);
    this.more = make("div", "nbflow-none");
    this.element = make("div", "nbflow-nodes", {}, this.list, this.more);
    this.list.addEventListener("click", (event) => this.chosen(event.target));
    this.list.addEventListener("keydown", (event) => this.key(event));
  }

  makeRow(id) {
    const parts = {
      sign: make("span", "nbflow-sign", { "aria-hidden": "true" }),
      name: make("span", "nbflow-row-name"),
      fact: make("span", "nbflow-row-fact"),
    };
    const element = make("div", "nbflow-row", { role: "treeitem", tabindex: "-1" }, ...Object.values(parts));
    element.dataset.row = id;
    return { element, ...parts };
  }

  draw() {
    const shown = this.arrange();
    const order = shown.map(([, node]) => node.id).join(" ");
    if (order !== this.order) this.rearrange(shown, order);
    for (const [depth, node] of shown) this.drawRow(this.rows.get(node.id), node, depth);
    const hidden = this.store.nodes.size - shown.length;
    setText(this.more, hidden > 0 ? `and ${hidden} more nodes` : "");
    setText(this.all.name, "All nodes");
    const current = this.store.selected;
    for (const row of [this.all, ...this.rows.values()]) {
      const selected = row.element.dataset.row === current;
      row.element.setAttribute("aria-selected", String(selected));
      row.element.tabIndex = selected ? 0 : -1;
    }
  }

  // Parents before children, in the order the nodes appeared.
  arrange() {
    const { nodes } = this.store;
    const below = new Map();
    for (const node of nodes.values()) {
      const parent = nodes.has(node.parent) && node.parent !== node.id ? node.parent : "";
      if (!below.has(parent)) below.set(parent, []);
      below.get(parent).push(node);
    }
    const found = [];
    const todo = (below.get("") || []).map((node) => [0, node]).reverse();
    while (todo.length && found.length < MAX_ROWS) {
      const [depth, node] = todo.pop();
      found.push([depth, node]);
      for (const child of (below.get(node.id) || []).slice().reverse()) todo.push([depth + 1, child]);
    }
    return found;
  }

  rearrange(shown, order) {
    this.order = order;
    const before = this.rows;
    this.rows = new Map(shown.map(([, node]) => [node.id, before.get(node.id) || this.makeRow(node.id)]));
    this.element.style.setProperty("--rows", this.rows.size + 1);
    this.list.replaceChildren(this.all.element, ...[...this.rows.values()].map((row) => row.element));
  }

  drawRow(row, node, depth) {
    row.element.dataset.phase = node.phase;
    row.element.style.setProperty("--depth", Math.min(depth, 12));
    row.element.setAttribute("aria-level", depth + 1);
    row.element.setAttribute("aria-label", `${node.name}, ${node.phase}`);
    row.element.title = `${node.phase}${node.message ? `: ${node.message}` : ""}`;
    const waits = node.type === "Suspend" && node.phase === "Running";
    setText(row.sign, waits ? WAITS : SIGNS[node.phase] || "?");
    setText(row.name, node.name);
    const took = node.started && node.finished ? duration(node.finished - node.started) : "";
    setText(row.fact, node.message && node.phase !== "Succeeded" ? node.message : took || (waits ? "waits for Resume" : node.phase));
  }

  chosen(target) {
    const row = target.closest("[data-row]");
    if (row) this.store.select(row.dataset.row);
  }

  key(event) {
    const rows = [...this.list.children];
    const at = rows.indexOf(event.target.closest("[data-row]"));
    const moves = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 };
    if (event.key in moves) rows[Math.max(0, Math.min(rows.length - 1, moves[event.key]))]?.focus();
    else if (event.key === "Enter" || event.key === " ") this.chosen(event.target);
    else if (event.key === "Escape" && this.store.selected) this.store.select("");
    else return;
    event.preventDefault();
  }
}
