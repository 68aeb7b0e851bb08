// What the page knows of a run, and its talk with the kernel. feed.py says what travels and when.

import { FINISHED } from "./elements.js";

export const MAX_LINES = 2000; // lines of the log that the page keeps
const HELLOS = [0, 300, 1000, 2000, 4000, 8000]; // ms: the first ones may meet a kernel that does not listen yet
const SILENCE = 10000; // ms without an answer until the view calls itself a snapshot
const LAST_LOOKS = [0, 500, 2000, 5000]; // ms after the line broke: a restarting kernel closes it a little later
const PING = 20000; // ms without news until the view asks whether the kernel is still there

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
    this.resuming = false;
    this.heard = 0; // messages received in this page
    this.link = "connecting"; // connecting, live, waiting, gone
    this.lastNews = Date.now();
    const opening = model.get("opening");
    if (opening && opening.header) this.takeState(opening);
    model.on("msg:custom", (message) => this.take(message));
    model.on("comm_live_update", () => this.lookForKernel());
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

  // The front end says that the line to the kernel has opened or broken: only sending shows which.
  lookForKernel() {
    for (const delay of LAST_LOOKS) setTimeout(() => this.link !== "gone" && this.send({ do: "ping" }), delay);
  }

  take(message) {
    this.heard += 1;
    this.lastNews = Date.now();
    this.setLink("live");
    if (message.said !== undefined) {
      this.said = { text: message.said, wrong: Boolean(message.wrong) };
      this.resuming = false;
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
    this.stopping = this.ask("stop", "Asking the workflow to stop …");
  }

  resume() {
    this.resuming = this.ask("resume", "Asking the workflow to go on …");
  }

  ask(verb, text) {
    const sent = this.send({ do: verb });
    this.said = sent ? { text, wrong: false } : null;
    this.tell();
    return sent;
  }

  setLink(link) {
    if (this.link === link) return;
    this.link = link;
    this.tell();
  }

  tell() {
    this.views.forEach((view) => view.schedule());
  }

  get finished() {
    return FINISHED.has(this.header.phase);
  }

  // Whether what is shown may be wrong by now, because no news can come.
  get stale() {
    return !this.finished && (this.ended || this.link === "gone");
  }

  // Whether the view has more to show than the snapshot that is stored in the notebook.
  get alive() {
    return this.header !== null && (this.link !== "gone" || this.heard > 0);
  }
}

const stores = new WeakMap();

export function storeOf(model) {
  if (!stores.has(model)) stores.set(model, new Store(model));
  return stores.get(model);
}
