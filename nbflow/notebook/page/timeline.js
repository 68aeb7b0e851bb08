// When each node ran: the rows of the list of nodes, with a bar each.

import { duration, make, setAttribute, setText, signOf } from "./elements.js";
import { ROW_HEIGHT, VirtualList } from "./list.js";

const TICKS = 5;

export class TimelineView {
  constructor(store) {
    this.store = store;
    this.needs = ["nodes", "selection", "header"];
    this.axis = make("div", "nbflow-axis", { "aria-hidden": "true" });
    this.scroller = make("div", "nbflow-bars", { role: "list", "aria-label": "timeline", tabindex: "0" });
    this.empty = make("div", "nbflow-none");
    this.list = new VirtualList(this.scroller, ROW_HEIGHT, () => this.makeRow(), (row, index) => this.drawRow(row, index));
    this.element = make("div", "nbflow-timeline", {}, this.axis, this.empty, this.scroller);
    this.scroller.addEventListener("click", (event) => {
      const row = event.target.closest("[data-id]");
      if (row) store.select(row.dataset.id);
    });
  }

  makeRow() {
    const parts = {
      sign: make("span", "nbflow-sign", { "aria-hidden": "true" }),
      name: make("span", "nbflow-time-name"),
      bar: make("span", "nbflow-time-bar"),
      took: make("span", "nbflow-time-took"),
    };
    const track = make("span", "nbflow-track", {}, parts.bar, parts.took);
    const label = make("span", "nbflow-time-label", {}, parts.sign, parts.name);
    return { element: make("div", "nbflow-time", { role: "listitem" }, label, track), ...parts };
  }

  draw() {
    if (this.element.hidden) return;
    const { nodes, tree, header } = this.store;
    this.rows = tree.rows().filter(({ id }) => nodes.get(id)?.started);
    this.from = header.started ?? this.store.now();
    this.to = Math.max(header.finished ?? this.store.now(), this.from + 1000);
    setText(this.empty, this.rows.length ? "" : "nothing has started yet");
    this.drawAxis();
    this.list.setCount(this.rows.length);
  }

  drawAxis() {
    const marks = [];
    for (let at = 0; at <= TICKS; at += 1) {
      const mark = make("span", "", {}, at ? duration(((this.to - this.from) * at) / TICKS) : "0s");
      mark.style.left = `${(100 * at) / TICKS}%`;
      marks.push(mark);
    }
    this.axis.replaceChildren(make("div", "nbflow-axis-track", {}, ...marks));
  }

  drawRow(row, index) {
    const { id, depth } = this.rows[index];
    const node = this.store.nodes.get(id);
    const end = node.finished ?? (this.store.stale ? this.store.link.lastNews : this.store.now());
    const share = (time) => Math.max(0, Math.min(100, (100 * (time - this.from)) / (this.to - this.from)));
    const [left, right] = [share(node.started), share(end)];
    row.element.dataset.id = id;
    setAttribute(row.element, "data-phase", node.phase);
    row.element.style.setProperty("--depth", Math.min(depth, 12));
    row.element.classList.toggle("nbflow-active", id === this.store.selected);
    setText(row.sign, signOf(node));
    setText(row.name, node.name);
    setAttribute(row.element, "title", node.name);
    row.bar.style.left = `${left}%`;
    row.bar.style.width = `max(3px, ${right - left}%)`;
    const took = duration(end - node.started);
    setText(row.took, took);
    row.took.style[left > 70 ? "right" : "left"] = left > 70 ? `calc(${100 - left}% + 6px)` : `calc(max(${right}%, ${left}% + 3px) + 6px)`;
    row.took.style[left > 70 ? "left" : "right"] = "auto";
    const begins = duration(node.started - this.from);
    setAttribute(row.element, "aria-label", `${node.name}, ${node.phase}, began after ${begins}, took ${took}`);
  }

  tick() {
    if (!this.store.finished && !this.store.stale) this.draw();
  }
}
