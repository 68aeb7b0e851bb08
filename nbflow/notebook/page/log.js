// The log of the selected node, or of all.

import { painted, segments } from "./ansi.js";
import { clockTime, copyText, make, makeButton, setAttribute, setText } from "./elements.js";
import { VirtualList } from "./list.js";

const LINE_HEIGHT = 18;
const WHO = 24; // characters of a node's name that lines are aligned by
const TIME = 9;

export class LogView {
  constructor(store) {
    this.store = store;
    this.needs = ["log", "selection", "nodes"];
    this.round = -1;
    this.follow = true;
    this.hit = -1; // which of the hits is looked at
    this.wrapped = true;
    this.body = make("div", "nbflow-log", { tabindex: "0", role: "log", "aria-label": "log", "aria-live": "off" });
    this.ruler = make("span", "nbflow-ruler", { "aria-hidden": "true" }, "0".repeat(100));
    this.list = new VirtualList(this.body, LINE_HEIGHT, () => this.makeRow(), (row, index) => this.drawRow(row, index));
    this.widths = new ResizeObserver(([{ contentRect }]) => {
      this.room = contentRect.width;
      this.letter = this.ruler.getBoundingClientRect().width / 100;
      this.measure();
      if (this.follow) this.toEnd();
    });
    this.note = make("div", "nbflow-note");
    this.back = makeButton("↓ newest", "Follow the log", () => this.followOn(), "nbflow-button nbflow-newest");
    this.back.hidden = true;
    this.empty = make("div", "nbflow-none");
    this.makeTools();
    this.element = make("div", "nbflow-log-box", {}, this.tools, this.note, this.empty, make("div", "nbflow-log-frame", {}, this.body, this.back), this.ruler);
    this.body.addEventListener("scroll", () => this.scrolled());
    this.widths.observe(this.body);
  }

  makeTools() {
    const { store } = this;
    this.search = make("input", "nbflow-input nbflow-search", { type: "search", placeholder: "Search log", "aria-label": "search the log" });
    this.search.addEventListener("input", () => this.searched());
    this.search.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.toHit(event.shiftKey ? -1 : 1);
    });
    this.found = make("span", "nbflow-found", { role: "status", "aria-live": "polite" });
    const toggle = (text, title, on, changed) => {
      const box = make("input", "", { type: "checkbox" });
      box.checked = on;
      box.addEventListener("change", () => changed(box.checked));
      return make("label", "nbflow-toggle", { title }, box, text);
    };
    const only = toggle("only matches", "Hide the lines in which the search finds nothing", false, (on) => {
      this.only = on;
      this.searched();
    });
    const times = toggle("time", "Show when each line was written", false, (on) => {
      this.times = on;
      this.measure();
      this.list.draw();
    });
    const wrap = toggle("wrap", "Break long lines", true, (on) => {
      this.wrapped = on;
      this.measure();
      if (this.follow) this.toEnd();
    });
    this.copy = makeButton("Copy", "Copy the lines that are shown", () => this.copied(), "nbflow-tool");
    const save = makeButton("Download", "Save the whole log as a file", () => store.ask("log", "Reading the log …", { node: store.selected }), "nbflow-tool");
    this.tools = make(
      "div", "nbflow-log-tools", { role: "group", "aria-label": "log" },
      this.search, this.found, only, times, wrap, make("span", "nbflow-gap"), this.copy, save,
    );
  }

  draw() {
    if (this.element.hidden) return;
    const { log, ended, finished } = this.store;
    if (this.round !== log.round) {
      this.round = log.round;
      this.follow = true;
      this.hit = -1;
      this.dropped = 0;
    }
    const gone = log.dropped - (this.dropped || 0);
    this.dropped = log.dropped;
    this.measure();
    setText(this.note, this.noteText(log));
    setText(this.empty, log.shown.length ? "" : this.emptyText(log, ended || finished));
    this.body.hidden = !log.shown.length;
    this.setCount(log.rowCount);
    if (gone > 0 && !this.follow) this.list.scrollTo(this.list.top - gone * LINE_HEIGHT);
    if (this.follow) this.toEnd();
    this.tellFound();
  }

  noteText(log) {
    const left = log.skipped + log.dropped;
    return left ? `${left.toLocaleString("en")} earlier lines are not shown here; Download has them all.` : "";
  }

  emptyText(log, ended) {
    if (log.all.length) return "no line matches";
    if (log.problem) return log.problem;
    const node = this.store.nodes.get(this.store.selected);
    const whose = node ? `${node.name} has written` : "nothing was written";
    return node ? `${whose} ${ended ? "no lines" : "no lines yet"}` : `${whose}${ended ? "" : " yet"}`;
  }

  // Whether lines say whose they are.
  get merged() {
    const node = this.store.nodes.get(this.store.selected);
    return !node || !node.pod;
  }

  get prefix() {
    const who = this.merged ? Math.min(this.store.log.who, WHO) + 1 : 0;
    return [this.times ? TIME : 0, who];
  }

  measure() {
    const { room, letter } = this;
    const [time, who] = this.prefix;
    this.body.style.setProperty("--time", `${time}ch`);
    this.body.style.setProperty("--who", `${who}ch`);
    this.body.classList.toggle("nbflow-unwrapped", !this.wrapped);
    const columns = this.wrapped && letter && room > 0 ? Math.max(20, Math.floor(room / letter) - time - who) : 0;
    const { log } = this.store;
    const before = log.columns;
    log.wrap(columns);
    if (before === columns) return;
    this.setCount(log.rowCount);
    if (this.follow) this.toEnd();
  }

  setCount(count) {
    this.body.style.setProperty("--rows", count);
    this.list.setCount(count);
  }

  makeRow() {
    const parts = { time: make("span", "nbflow-when"), who: make("span", "nbflow-who"), text: make("span", "nbflow-text") };
    return { element: make("div", "nbflow-line", {}, ...Object.values(parts)), ...parts };
  }

  drawRow(row, index) {
    const { log } = this.store;
    const [line, part] = log.at(index);
    const key = `${log.columns} ${log.pattern} ${this.times} ${this.merged} ${part}`;
    if (row.line === line && row.key === key) return;
    [row.line, row.key] = [line, key];
    setText(row.time, this.times && !part && line.at ? clockTime(line.at) : "");
    setText(row.who, this.merged && !part ? line.who : "");
    setAttribute(row.who, "title", line.who);
    const from = part * log.columns;
    row.text.replaceChildren(...pieces(line, from, log.columns ? from + log.columns : Infinity, log.pattern));
  }

  searched() {
    this.store.log.search(this.search.value, Boolean(this.only));
    this.hit = -1;
    this.store.touch("log");
    if (this.search.value && !this.only) this.toHit(1);
  }

  tellFound() {
    const { log } = this.store;
    const at = this.hit >= 0 ? `${this.hit + 1} of ` : "";
    setText(this.found, log.pattern ? `${at}${log.hits.length}` : "");
  }

  toHit(way) {
    const { hits, starts } = this.store.log;
    if (!hits.length) return;
    this.hit = this.hit < 0 ? (way > 0 ? 0 : hits.length - 1) : (this.hit + way + hits.length) % hits.length;
    this.follow = false;
    this.list.show(starts[hits[this.hit]]);
    this.tellFound();
  }

  async copied() {
    const { shown } = this.store.log;
    await copyText(shown.map((line) => (this.merged ? `${line.who}: ${line.plain}` : line.plain)).join("\n"));
    this.store.say(`${shown.length.toLocaleString("en")} lines are copied.`);
  }

  followOn() {
    this.follow = true;
    this.toEnd();
  }

  toEnd() {
    this.back.hidden = true;
    this.list.scrollTo(Infinity);
  }

  // The person scrolled, unless it only went where it was sent.
  scrolled() {
    const { count, top, seen, own } = this.list;
    if (top === own) return;
    this.follow = count * LINE_HEIGHT - top - seen < LINE_HEIGHT;
    this.back.hidden = this.follow;
    this.list.own = null;
  }

  close() {
    this.widths.disconnect();
    this.list.close();
  }
}

// The part of a line from one character to another, in its colours, with what the search found marked.
function pieces(line, from, to, pattern) {
  const found = pattern ? marksOf(line.plain.toLowerCase(), pattern, from, to) : [];
  const parts = [];
  let at = 0;
  line.segments ??= segments(line.text);
  for (const { text, style } of line.segments) {
    const [start, end] = [Math.max(at, from), Math.min(at + text.length, to)];
    let cut = start;
    while (cut < end) {
      const mark = found.find(([, last]) => last > cut);
      const inside = mark && mark[0] <= cut;
      const next = Math.min(end, mark ? (inside ? mark[1] : mark[0]) : end);
      const piece = painted(text.slice(cut - at, next - at), style);
      parts.push(inside ? make("mark", "nbflow-mark", {}, piece) : piece);
      cut = next;
    }
    at += text.length;
    if (at >= to) break;
  }
  return parts;
}

function marksOf(text, pattern, from, to) {
  const found = [];
  for (let at = text.indexOf(pattern, Math.max(0, from - pattern.length)); at >= 0 && at < to; at = text.indexOf(pattern, at + pattern.length)) {
    found.push([at, at + pattern.length]);
  }
  return found;
}
