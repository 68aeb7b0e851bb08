// The graph: the drawing of the kernel, recoloured as nodes change.

import { SIGNS, make } from "./elements.js";

export class GraphView {
  constructor(store) {
    this.store = store;
    this.element = make("div", "nbflow-graph", { "aria-label": "graph of the workflow" });
    this.drawn = null;
    this.shapes = new Map();
    this.element.addEventListener("click", (event) => {
      const shape = event.target.closest?.("[data-node]");
      if (shape && store.nodes.has(shape.dataset.node)) store.select(shape.dataset.node);
    });
  }

  draw() {
    const { graph, nodes, places, selected } = this.store;
    if (this.drawn !== graph) this.layOut(graph);
    for (const [drawn, shape] of this.shapes) {
      const id = places[drawn] ?? drawn;
      shape.dataset.node = id;
      const node = nodes.get(id);
      if (node) paint(shape, node);
      shape.classList.toggle("nbflow-known", Boolean(node));
      shape.classList.toggle("nbflow-selected", id === selected && Boolean(node));
    }
  }

  layOut(graph) {
    this.drawn = graph;
    this.shapes.clear();
    const svg = graph.svg && parseSvg(graph.svg);
    if (!svg) {
      this.element.replaceChildren(make("div", "nbflow-none", {}, graph.problem || "no graph"));
      return;
    }
    for (const title of svg.querySelectorAll("title")) title.remove(); // Graphviz's own names
    for (const shape of svg.querySelectorAll("g.node, g.cluster")) this.adopt(shape);
    for (const named of svg.querySelectorAll("[id]")) named.removeAttribute("id"); // ids belong to the whole page
    fit(svg);
    this.element.replaceChildren(svg);
  }

  // The first word of a shape's class is its phase, its id that of its node; a joint of edges has neither.
  adopt(shape) {
    const phase = [...shape.classList].find((name) => name in SIGNS);
    if (!phase) return;
    shape.dataset.phase = phase;
    this.shapes.set(shape.id, shape);
    const link = shape.querySelector("a");
    if (!link) return;
    const tip = link.getAttributeNS("http://www.w3.org/1999/xlink", "title") || "";
    link.replaceWith(...link.childNodes);
    setTip(shape, tip);
  }
}

function setTip(shape, text) {
  const title = document.createElementNS("http://www.w3.org/2000/svg", "title");
  title.textContent = text;
  shape.querySelector("title")?.remove();
  shape.prepend(title);
}

function parseSvg(text) {
  const parsed = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
  return parsed.nodeName === "svg" ? document.importNode(parsed, true) : null;
}

// Small graphs keep a readable size, large ones shrink to the room there is.
function fit(svg) {
  const [, , width, height] = (svg.getAttribute("viewBox") || "0 0 0 0").split(" ").map(Number);
  svg.removeAttribute("width");
  svg.removeAttribute("height");
  svg.style.maxWidth = `${width * 1.5}px`;
  svg.style.maxHeight = `${Math.min(height * 1.5, 420)}px`;
  svg.setAttribute("role", "img");
}

function paint(shape, node) {
  const text = `${node.phase} ${node.message}`;
  if (shape.dataset.painted === text) return;
  shape.dataset.painted = text;
  setTip(shape, `${node.name}\n${node.phase}${node.message ? `: ${node.message}` : ""}`);
  if (shape.dataset.phase === node.phase) return;
  shape.dataset.phase = node.phase;
  const label = shape.querySelector("text");
  if (label) label.textContent = (SIGNS[node.phase] || "?") + label.textContent.slice(1);
}
