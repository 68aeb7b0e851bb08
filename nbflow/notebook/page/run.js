// The view of one run: header, forms, graph and timeline beside the nodes, log and details below.

import { Alerts } from "./alerts.js";
import { ApproveView } from "./approve.js";
import { DetailView } from "./detail.js";
import { OWN_KEYS, make, setText } from "./elements.js";
import { GraphView } from "./graph.js";
import { HeaderView } from "./header.js";
import { LogView } from "./log.js";
import { NodesView } from "./nodes.js";
import { Tabs } from "./tabs.js";
import { TimelineView } from "./timeline.js";

const LARGE = 500; // nodes: from there on the page is drawn less often
const SLOW = 250; // ms
const SLICE = 12; // ms of drawing at a stretch: the rest comes with the next frame

export class RunView {
  // el: where it is put. watch: shows another workflow in its place.
  constructor(store, el, watch) {
    this.store = store;
    this.alerts = new Alerts(store);
    this.header = new HeaderView(store, watch);
    this.header.actions.element.append(this.alerts.bell);
    this.nodes = new NodesView(store);
    this.graph = new GraphView(store, (text) => this.nodes.find(text));
    this.timeline = new TimelineView(store);
    this.log = new LogView(store);
    this.detail = new DetailView(store);
    this.approve = new ApproveView(store);
    this.parts = [this.header, this.approve, this.graph, this.timeline, this.nodes, this.log, this.detail];
    this.drawn = new Map(); // part -> versions of what it was drawn from
    const above = new Tabs("views", [["Graph", this.graph.element], ["Timeline", this.timeline.element]], () => this.drawAll());
    const below = new Tabs("node", [["Log", this.log.element], ["Details", this.detail.element]], () => this.drawAll());
    this.about = make("span", "nbflow-about");
    below.bar.append(this.about);
    this.below = below;
    const pane = make("div", "nbflow-pane", {}, above.bar, this.graph.element, this.timeline.element);
    const middle = make("div", "nbflow-middle", {}, pane, this.nodes.element);
    this.live = make("div", "nbflow-hidden", { role: "status", "aria-live": "polite" });
    this.root = make(
      "section", "nbflow-view", { [OWN_KEYS]: "true", "aria-label": "workflow" },
      ...this.header.parts, this.approve.element, middle, below.bar, this.log.element, this.detail.element, this.live,
    );
    el.append(this.root);
    this.clock = setInterval(() => store.header && this.tick(), 1000);
    store.views.add(this);
    this.drawAll();
  }

  drawAll() {
    this.drawn?.clear();
    if (this.below) this.draw();
  }

  schedule() {
    this.alerts.hear();
    if (this.frame || this.pause) return;
    const wait = this.store.nodes.size > LARGE ? SLOW - (performance.now() - (this.last || 0)) : 0;
    if (wait > 0) this.pause = setTimeout(() => this.draw(), wait);
    else this.frame = requestAnimationFrame(() => this.draw());
  }

  draw() {
    clearTimeout(this.pause);
    cancelAnimationFrame(this.frame);
    this.frame = this.pause = null;
    this.last = performance.now();
    const { store } = this;
    this.root.classList.toggle("nbflow-live", store.alive);
    this.onAlive?.(store.alive);
    if (store.header === null) return;
    this.root.classList.toggle("nbflow-stale", store.stale);
    this.root.setAttribute("aria-label", `workflow ${store.header.name}`);
    const node = store.nodes.get(store.selected);
    setText(this.about, node ? node.name : "all nodes");
    for (const part of this.parts) {
      const versions = part.needs.map((need) => store.versions[need] || 0).join(" ");
      if (this.drawn.get(part) === versions) continue;
      if (performance.now() - this.last > SLICE) {
        this.frame = requestAnimationFrame(() => this.draw());
        return;
      }
      this.drawn.set(part, versions);
      part.draw();
    }
    this.announce();
  }

  // Screen readers hear of the workflow and of what fails, not of every node.
  announce() {
    const { header, nodes } = this.store;
    const failed = [];
    if (nodes.size <= LARGE) {
      for (const node of nodes.values()) if (node.phase === "Failed" || node.phase === "Error") failed.push(`${node.name} ${node.phase}`);
    }
    const text = `${header.name} ${header.phase}${header.suspended ? ", suspended" : ""}${failed.length ? `. ${failed.slice(0, 5).join(", ")}` : ""}`;
    setText(this.live, text);
  }

  tick() {
    if (this.store.ended && this.store.finished) return;
    this.header.tick();
    if (document.hidden) return;
    this.graph.tick();
    this.nodes.tick();
    this.timeline.tick();
  }

  close() {
    this.store.views.delete(this);
    clearInterval(this.clock);
    clearTimeout(this.pause);
    cancelAnimationFrame(this.frame);
    this.alerts.close();
    this.log.close();
    this.graph.zoom.close();
    this.nodes.list.close();
    this.timeline.list.close();
    this.root.remove();
  }
}
