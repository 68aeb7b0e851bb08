// The graph: the drawing of the kernel, recoloured as nodes change.

import { OWN_KEYS, SIGNS, make, makeButton, setAttribute, setText, signOf } from "./elements.js";
import { Zoom } from "./zoom.js";

const SVG = "http://www.w3.org/2000/svg";
const FOLDS = { open: "⊟", shut: "⊞", more: "⊞" };
const WAYS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };

export class GraphView {
  // find: shows the nodes of a shape that stands for many in the list.
  constructor(store, find) {
    this.store = store;
    this.find = find;
    this.needs = ["graph", "nodes", "selection", "link"];
    this.drawn = null;
    this.still = matchMedia("(prefers-reduced-motion: reduce)");
    this.shapes = new Map(); // id of a shape in the drawing -> its element
    this.box = make("div", "nbflow-canvas", {
      role: "group", "aria-roledescription": "graph",
    });
    this.zoom = new Zoom(this.box);
    const tools = [
      ["+", "zoom in", () => this.zoom.by(1.25)], ["−", "zoom out", () => this.zoom.by(0.8)],
      ["Fit", "fit the graph into the view", () => this.zoom.fit()],
    ].map(([text, title, clicked]) => makeButton(text, title, () => this.zoom.svg && clicked(), "nbflow-tool"));
    this.tools = make("div", "nbflow-tools", { role: "group", "aria-label": "zoom" }, ...tools);
    this.element = make("div", "nbflow-graph", {}, this.box, this.tools);
    this.box.addEventListener("click", (event) => this.clicked(event));
    this.box.addEventListener("dblclick", (event) => this.fold(this.shapeAt(event)));
    this.box.addEventListener("keydown", (event) => this.key(event));
    this.box.addEventListener("focusin", (event) => {
      if (event.target.dataset.node !== undefined && event.target.matches(":focus-visible")) this.zoom.reveal(event.target);
    });
  }

  draw() {
    const { graph, header } = this.store;
    setAttribute(this.box, "aria-label", `graph of ${header.name}`);
    const focused = this.drawn !== graph ? this.layOut(graph) : null;
    for (const [id, shape] of this.shapes) this.paint(shape, this.store.marks[id]);
    const again = focused === null ? null : [...this.shapes.values()].find((shape) => shape.dataset.path === focused);
    if (again) this.focusOn(again);
    if (!this.box.querySelector('[tabindex="0"]')) this.shapes.values().next().value?.setAttribute("tabindex", "0");
  }

  // Draws it anew. Returns the path of the shape that had the focus, null if none had.
  layOut(graph) {
    this.drawn = graph;
    const focused = this.focusedPath();
    const again = this.shapes.size > 0;
    this.shapes.clear();
    const svg = graph.svg && parseSvg(graph.svg);
    this.tools.hidden = !svg;
    if (!svg) {
      this.zoom.svg = null;
      this.box.replaceChildren(make("div", "nbflow-none", {}, graph.problem || "no graph"));
      return null;
    }
    for (const title of svg.querySelectorAll("title")) title.remove(); // Graphviz's own names
    for (const shape of svg.querySelectorAll("g.node, g.cluster")) this.adopt(shape);
    for (const named of svg.querySelectorAll("[id]")) named.removeAttribute("id"); // ids belong to the whole page
    svg.removeAttribute("width");
    svg.removeAttribute("height");
    this.box.replaceChildren(svg);
    this.zoom.show(svg, again);
    for (const [id, shape] of this.shapes) this.addFold(shape, this.store.marks[id]);
    return focused;
  }

  focusedPath() {
    const focused = this.box.contains(document.activeElement) ? document.activeElement : null;
    return focused?.dataset.path ?? null;
  }

  // The first word of a shape's class is its phase, its id that of its mark; a joint of edges has neither.
  adopt(shape) {
    const phase = [...shape.classList].find((name) => name in SIGNS);
    if (!phase) return;
    this.shapes.set(shape.id, shape);
    if (shape.classList.contains("node")) centre(shape);
    shape.setAttribute("role", "button");
    shape.setAttribute("tabindex", "-1");
    shape.setAttribute(OWN_KEYS, "true");
    const link = shape.querySelector("a");
    if (!link) return;
    shape.dataset.tip = link.getAttributeNS("http://www.w3.org/1999/xlink", "title") || "";
    link.replaceWith(...link.childNodes);
  }

  addFold(shape, mark) {
    if (!mark?.fold) return;
    const { right, top } = extent(shape);
    const sign = document.createElementNS(SVG, "text");
    sign.setAttribute("class", "nbflow-fold-sign");
    sign.setAttribute("x", right - 3);
    sign.setAttribute("y", top + 10);
    sign.setAttribute("text-anchor", "end");
    sign.textContent = FOLDS[mark.fold];
    shape.append(sign);
  }

  paint(shape, mark) {
    if (!mark) return;
    const node = this.store.nodes.get(mark.node);
    const phase = mark.many || !node ? mark.phase || "Pending" : node.phase;
    const selected = Boolean(mark.node) && mark.node === this.store.selected;
    const text = JSON.stringify([phase, node?.message, mark, selected]);
    if (shape.dataset.painted === text) return;
    shape.dataset.painted = text;
    shape.dataset.node = mark.node;
    shape.dataset.path = mark.path;
    shape.dataset.phase = phase;
    shape.dataset.fold = mark.fold;
    shape.classList.toggle("nbflow-selected", selected);
    const [label, note] = shape.querySelectorAll("text:not(.nbflow-fold-sign)");
    const sign = node && !mark.many ? signOf(node) : SIGNS[phase];
    if (label) label.textContent = sign + label.textContent.slice(1);
    if (note && mark.note) setText(note, mark.note);
    this.describe(shape, mark, node, phase);
  }

  describe(shape, mark, node, phase) {
    const after = mark.after.length ? `, after ${mark.after.slice(0, 5).join(", ")}` : "";
    const folds = { open: ", open", shut: ", can be opened", more: ", shows more" }[mark.fold] || "";
    const note = mark.many && mark.note ? `, ${mark.note}` : "";
    setAttribute(shape, "aria-label", `${mark.title}, ${phase}${note}${after}${folds}`);
    setAttribute(shape, "aria-pressed", String(shape.classList.contains("nbflow-selected")));
    if (mark.fold) setAttribute(shape, "aria-expanded", String(mark.fold === "open"));
    const title = document.createElementNS(SVG, "title");
    const hint = mark.fold ? `\n(double click or Space ${mark.fold === "open" ? "closes" : "opens"} it)` : "";
    const told = node && !mark.many ? `${node.name}\n${phase}${node.message ? `: ${node.message}` : ""}` : shape.dataset.tip || mark.title;
    title.textContent = told + hint;
    shape.querySelector("title")?.remove();
    shape.prepend(title);
  }

  tick() {
    const still = this.store.stale || this.still.matches;
    this.box.classList.toggle("nbflow-beat", !still && !this.box.classList.contains("nbflow-beat"));
  }

  shapeAt(event) {
    return event.target.closest?.("[data-node]");
  }

  clicked(event) {
    const shape = this.shapeAt(event);
    if (!shape || this.zoom.dragged) return;
    if (event.target.classList.contains("nbflow-fold-sign") || shape.dataset.fold === "more") this.fold(shape);
    else this.select(shape);
  }

  select(shape) {
    this.focusOn(shape);
    const { node } = shape.dataset;
    const mark = this.markOf(shape);
    if (this.store.nodes.has(node)) this.store.select(node);
    else if (mark?.many && shape.dataset.phase !== "Pending") this.find(`${mark.title.replace(/ ×.*$/, "")}(`);
    else if (mark) this.store.say(`${mark.title} has not started${this.store.finished ? "" : " yet"}.`);
  }

  fold(shape) {
    const mark = shape && this.markOf(shape);
    if (!mark?.fold) return;
    if (this.store.link.state === "gone") this.store.say("The kernel that draws the graph is gone, so nothing can be opened here.");
    else this.store.fold(mark);
  }

  markOf(shape) {
    for (const [id, one] of this.shapes) if (one === shape) return this.store.marks[id];
    return undefined;
  }

  focusOn(shape) {
    for (const other of this.box.querySelectorAll('[tabindex="0"]')) other.setAttribute("tabindex", "-1");
    shape.setAttribute("tabindex", "0");
    shape.focus({ preventScroll: true });
  }

  key(event) {
    const shape = this.shapeAt(event);
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (this.zoom.svg && this.zoom.key(event)) event.preventDefault();
    else if (shape) this.keyOn(shape, event);
  }

  keyOn(shape, event) {
    if (event.key in WAYS) {
      const next = this.neighbour(shape, WAYS[event.key]);
      if (next) this.focusOn(next);
    } else if (event.key === "Enter") this.select(shape);
    else if (event.key === " ") {
      if (this.markOf(shape)?.fold) this.fold(shape);
      else this.select(shape);
    } else if (event.key === "Escape") this.store.select("");
    else return;
    event.preventDefault();
  }

  // The nearest shape in that direction.
  neighbour(shape, [right, down]) {
    const middle = (one) => {
      const box = one.getBoundingClientRect();
      return [box.left + box.width / 2, box.top + (one.classList.contains("cluster") ? 8 : box.height / 2)];
    };
    const [x, y] = middle(shape);
    let [best, least] = [null, Infinity];
    for (const other of this.shapes.values()) {
      const [toX, toY] = middle(other);
      const ahead = (toX - x) * right + (toY - y) * down;
      const aside = Math.abs((toX - x) * down) + Math.abs((toY - y) * right);
      if (other !== shape && ahead > 1 && ahead + aside < least) [best, least] = [other, ahead + aside];
    }
    return best;
  }
}

// Where a shape is in the drawing, by what Graphviz wrote: nothing has to be laid out, or even be in the page, for that.
function extent(shape) {
  const outline = shape.querySelector("polygon, path, ellipse");
  const number = (name) => Number(outline.getAttribute(name));
  if (outline.tagName === "ellipse") {
    return { left: number("cx") - number("rx"), right: number("cx") + number("rx"), top: number("cy") - number("ry") };
  }
  const numbers = (outline.getAttribute("points") || outline.getAttribute("d")).match(/-?[\d.]+/g).map(Number);
  const [xs, ys] = [0, 1].map((odd) => numbers.filter((_, index) => index % 2 === odd));
  return { left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys) };
}

// Graphviz placed the texts by the widths of its own font, and they may change: the middle is right for any.
function centre(shape) {
  const { left, right } = extent(shape);
  for (const text of shape.querySelectorAll("text")) {
    text.setAttribute("text-anchor", "middle");
    text.setAttribute("x", (left + right) / 2);
  }
}

function parseSvg(text) {
  const parsed = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
  return parsed.nodeName === "svg" ? document.importNode(parsed, true) : null;
}
