// The live view of a run. feed.py says what travels and when; this file draws it.
//
// One store a model, one set of elements a view: two views of a model follow the same store. Everything that a
// workflow, a log or a person named reaches the page as text (textContent), the graph as parsed SVG. It is one
// file because a page gets it as one module.

const SIGNS = {
  Pending: "◷", Running: "●", Succeeded: "✔", Skipped: "○", Omitted: "○", Failed: "✖", Error: "⚠",
};
const FINISHED = new Set(["Succeeded", "Failed", "Error"]);
const MAX_LINES = 2000; // lines of the log that the page keeps
const WHO = 24; // characters of a node's name that lines are aligned by
const MAX_ROWS = 500; // rows of the list of nodes
const HELLOS = [0, 300, 1000, 2000, 4000, 8000]; // ms: the first ones may meet a kernel that does not listen yet
const SILENCE = 10000; // ms without an answer until the view calls itself a snapshot
const PING = 20000; // ms without news until the view asks whether the kernel is still there

// --- what is known ---------------------------------------------------------------------------------------------------

class Store {
  constructor(model) {
    this.model = model;
    this.views = new Set();
    this.header = null;
    this.nodes = new Map();
    this.graph = { svg: "", problem: "" };
    this.places = {}; // id of a shape -> id of the node that took its place
    this.lines = [];
    this.lineCount = 0; // of all lines since the last reset, so that a view knows which are new
    this.logRound = 0; // grows when the log begins anew
    this.skipped = 0;
    this.selected = "";
    this.seq = 0;
    this.offset = 0; // ms that the kernel's clock is ahead of the page's
    this.ended = false;
    this.lost = "";
    this.said = null;
    this.stopping = false;
    this.heard = 0; // messages received in this page
    this.link = "connecting"; // connecting, live, waiting, gone
    this.lastNews = Date.now();
    const opening = model.get("opening");
    if (opening && opening.header) this.takeState(opening);
    model.on("msg:custom", (message) => this.take(message));
    this.greet();
  }

  send(message) {
    try {
      this.model.send(message);
      return true;
    } catch {
      this.setLink("gone"); // the kernel was restarted: its end of the line is closed
      return false;
    }
  }

  greet() {
    for (const delay of HELLOS) {
      setTimeout(() => this.heard === 0 && this.link !== "gone" && this.send({ do: "hello" }), delay);
    }
    setTimeout(() => this.heard === 0 && this.setLink("gone"), SILENCE);
    this.pinger = setInterval(() => this.ping(), PING / 2);
  }

  ping() {
    if (this.ended || this.link === "gone" || this.views.size === 0) return;
    const silent = Date.now() - this.lastNews;
    if (silent > 3 * PING) this.setLink("waiting");
    if (silent > PING) this.send({ do: "ping" });
  }

  take(message) {
    this.heard += 1;
    this.lastNews = Date.now();
    this.setLink("live");
    if (message.said) {
      this.said = { text: message.said, wrong: Boolean(message.wrong) };
      if (message.wrong) this.stopping = false;
    }
    if (message.seq) {
      if (!message.full && message.seq !== this.seq + 1) {
        this.send({ do: "hello" }); // a message was lost on the way
        return;
      }
      this.takeState(message);
    }
    this.tell();
  }

  takeState(message) {
    this.seq = message.seq;
    if (message.now) this.offset = message.now - Date.now();
    this.header = message.header;
    if (message.full) this.nodes = new Map();
    for (const node of message.nodes || []) this.nodes.set(node.id, node);
    if (message.graph) this.takeGraph(message.graph);
    if (message.log) this.takeLog(message.log);
    if (message.ended || message.full) this.ended = Boolean(message.ended);
    if (message.ended) this.lost = message.lost || "";
  }

  takeGraph({ svg, problem, places }) {
    if (svg !== undefined && (svg !== this.graph.svg || problem !== this.graph.problem)) this.graph = { svg, problem };
    this.places = places || {};
  }

  takeLog(log) {
    if (log.of !== this.selected && this.heard) {
      if (!log.reset) return; // lines for the selection before this one
      this.selected = log.of;
    }
    if (log.reset) {
      this.lines = [];
      this.lineCount = 0;
      this.skipped = 0;
      this.logRound += 1;
    }
    this.skipped += log.skipped || 0;
    this.lineCount += log.lines.length;
    this.lines.push(...log.lines);
    if (this.lines.length > MAX_LINES) this.lines.splice(0, this.lines.length - MAX_LINES);
  }

  select(id) {
    this.selected = this.selected === id ? "" : id;
    this.send({ do: "select", node: this.selected });
    this.tell();
  }

  stop() {
    this.stopping = true;
    this.said = { text: "Asking the workflow to stop …", wrong: false };
    if (!this.send({ do: "stop" })) this.stopping = false;
    this.tell();
  }

  setLink(link) {
    if (this.link === link) return;
    this.link = link;
    this.tell();
  }

  tell() {
    this.views.forEach((view) => view.schedule());
  }

  // Whether the view has more to show than the snapshot that is stored in the notebook.
  get alive() {
    return this.header !== null && (this.link !== "gone" || this.heard > 0);
  }
}

const stores = new WeakMap();

function storeOf(model) {
  if (!stores.has(model)) stores.set(model, new Store(model));
  return stores.get(model);
}

// --- drawing ---------------------------------------------------------------------------------------------------------

function make(tag, name, attributes = {}, ...children) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function duration(ms) {
  const all = Math.max(0, Math.floor(ms / 1000));
  if (all < 60) return all ? `${all}s` : "<1s";
  const [hours, minutes, seconds] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
}

class HeaderView {
  constructor(store) {
    this.store = store;
    this.sign = make("span", "nbflow-sign", { "aria-hidden": "true" });
    this.phase = make("span", "nbflow-phase");
    this.badge = make("span", "nbflow-badge", { role: "status" }, this.sign, this.phase);
    this.name = make("span", "nbflow-name");
    this.bar = make("span", "nbflow-bar-done");
    this.barBox = make("span", "nbflow-bar", { role: "progressbar", "aria-label": "pods done" }, this.bar);
    this.progress = make("span", "nbflow-fact");
    this.elapsed = make("span", "nbflow-fact", { title: "elapsed time" });
    this.link = make("span", "nbflow-link");
    this.stop = make("button", "nbflow-stop", { type: "button" }, "Stop");
    this.stop.addEventListener("click", () => store.stop());
    this.element = make(
      "div", "nbflow-header", {},
      this.badge, this.name, make("span", "nbflow-gap"), this.link, this.barBox, this.progress, this.elapsed, this.stop,
    );
    this.message = make("div", "nbflow-message");
    this.said = make("div", "nbflow-said", { role: "status", "aria-live": "polite" });
  }

  draw() {
    const { header, link, ended } = this.store;
    this.badge.dataset.phase = header.phase;
    setText(this.sign, SIGNS[header.phase] || "?");
    setText(this.phase, header.phase);
    setText(this.name, header.name);
    this.drawProgress(header);
    this.tick();
    const why = { connecting: "connecting to the kernel …", waiting: "waiting for the kernel …" };
    setText(this.link, ended ? "" : link === "gone" ? "snapshot, not live" : why[link] || "");
    this.drawStop(FINISHED.has(header.phase), link);
    setText(this.message, this.store.lost || header.message || "");
    const over = FINISHED.has(header.phase) && !this.store.said?.wrong;
    setText(this.said, this.store.said && !over ? this.store.said.text : "");
    this.said.classList.toggle("nbflow-wrong", Boolean(this.store.said?.wrong));
  }

  drawProgress(header) {
    const [done, total] = (header.progress || "").split("/").map(Number);
    this.barBox.hidden = !total;
    setText(this.progress, total ? `${done}/${total}` : "");
    if (!total) return;
    this.bar.style.width = `${(100 * done) / total}%`;
    this.bar.dataset.phase = header.phase;
    this.barBox.setAttribute("aria-valuenow", done);
    this.barBox.setAttribute("aria-valuemax", total);
  }

  drawStop(finished, link) {
    this.stop.hidden = finished;
    this.stop.disabled = this.store.stopping || link === "gone";
    setText(this.stop, this.store.stopping ? "Stopping …" : "Stop");
    const gone = "The kernel that showed this workflow is gone. Run the cell, or `%workflow stop` in another one.";
    this.stop.title = link === "gone" ? gone : "Stop the workflow: running pods end, exit handlers run";
  }

  tick() {
    const { started, finished } = this.store.header;
    const end = finished ?? Date.now() + this.store.offset;
    setText(this.elapsed, started ? duration(end - started) : "");
  }
}

class GraphView {
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

class NodesView {
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
    this.list.replaceChildren(this.all.element, ...[...this.rows.values()].map((row) => row.element));
  }

  drawRow(row, node, depth) {
    row.element.dataset.phase = node.phase;
    row.element.style.setProperty("--depth", Math.min(depth, 12));
    row.element.setAttribute("aria-level", depth + 1);
    row.element.setAttribute("aria-label", `${node.name}, ${node.phase}`);
    row.element.title = `${node.phase}${node.message ? `: ${node.message}` : ""}`;
    setText(row.sign, SIGNS[node.phase] || "?");
    setText(row.name, node.name);
    const took = node.started && node.finished ? duration(node.finished - node.started) : "";
    setText(row.fact, node.message && node.phase !== "Succeeded" ? node.message : took || node.phase);
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

class LogView {
  constructor(store) {
    this.store = store;
    this.round = -1;
    this.count = 0;
    this.who = 0; // the longest name before a line
    this.follow = true;
    this.title = make("span", "nbflow-log-title");
    this.back = make("button", "nbflow-small", { type: "button", hidden: "" }, "↓ newest");
    this.body = make("div", "nbflow-log", { tabindex: "0", role: "log", "aria-label": "log" });
    const head = make("div", "nbflow-log-head", {}, this.title, make("span", "nbflow-gap"), this.back);
    this.element = make("div", "nbflow-log-box", {}, head, this.body);
    this.body.addEventListener("scroll", () => this.scrolled());
    this.back.addEventListener("click", () => {
      this.follow = true;
      this.toEnd();
    });
  }

  draw() {
    const { store } = this;
    const node = store.nodes.get(store.selected);
    const skipped = store.skipped ? ` (${store.skipped} lines left out: the whole log is in run["NODE"].logs)` : "";
    setText(this.title, `Log of ${node ? node.name : "all nodes"}${skipped}`);
    if (this.round !== store.logRound) {
      this.round = store.logRound;
      this.count = 0;
      this.follow = true;
      this.body.replaceChildren();
      this.who = 0;
    }
    const fresh = Math.min(store.lineCount - this.count, store.lines.length);
    this.count = store.lineCount;
    if (fresh > 0) this.append(store.lines.slice(store.lines.length - fresh));
    this.body.classList.toggle("nbflow-empty", store.lineCount === 0);
    this.body.dataset.empty = store.ended ? "no lines" : "no lines yet";
  }

  append(lines) {
    const added = document.createDocumentFragment();
    let longest = this.who;
    for (const [who, text] of lines) {
      longest = Math.max(longest, Math.min(who.length, WHO));
      added.append(this.line(who, text));
    }
    if (longest > this.who) this.body.style.setProperty("--who", `${longest}ch`);
    this.who = longest;
    this.body.append(added);
    for (let extra = this.body.childElementCount - MAX_LINES; extra > 0; extra -= 1) this.body.firstChild.remove();
    if (this.follow) this.toEnd();
  }

  line(who, text) {
    const element = make("div", "nbflow-line");
    if (!this.store.selected || !this.store.nodes.get(this.store.selected)?.pod) {
      element.append(make("span", "nbflow-who", {}, who));
    }
    element.append(...coloured(text));
    return element;
  }

  toEnd() {
    this.body.scrollTop = this.body.scrollHeight;
    this.back.hidden = true;
  }

  scrolled() {
    const below = this.body.scrollHeight - this.body.scrollTop - this.body.clientHeight;
    this.follow = below < 24;
    this.back.hidden = this.follow;
  }
}

// The colours that programs write with escape sequences; other control sequences are left out.
function coloured(text) {
  if (!text.includes("\u001b")) return [text];
  const parts = [];
  let style = "";
  for (const part of text.split(/(\u001b\[[0-9;?]*[ -/]*[@-~])/)) {
    if (part.startsWith("\u001b")) {
      if (part.endsWith("m")) style = ansi(part.slice(2, -1), style);
    } else if (part) {
      parts.push(style ? make("span", style, {}, part) : part);
    }
  }
  return parts;
}

function ansi(codes, before) {
  let classes = new Set(before.split(" ").filter(Boolean));
  for (const code of codes.split(";").map(Number)) {
    if (code === 0) classes = new Set();
    else if (code === 1) classes.add("nbflow-bold");
    else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97) || code === 39) {
      classes = new Set([...classes].filter((name) => !name.startsWith("nbflow-ansi")));
      if (code !== 39) classes.add(`nbflow-ansi-${code % 10}`);
    }
  }
  return [...classes].join(" ");
}

// --- one view --------------------------------------------------------------------------------------------------------

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
    this.root.dataset.link = this.store.link;
    if (this.store.header === null) return;
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
