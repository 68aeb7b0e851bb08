// What the page knows of a run. feed.py says what travels and when.

import { FINISHED, saveFile } from "./elements.js";
import { Link } from "./link.js";
import { LogBuffer } from "./logbuffer.js";
import { Tree } from "./tree.js";

const STEADY = 400; // ms in which the numbering may catch up before a message counts as lost

export class Store {
  constructor(line) {
    this.line = line;
    this.views = new Set();
    this.versions = {}; // part of the state -> grows whenever it changes
    this.header = null;
    this.tree = new Tree();
    this.graph = { svg: "", problem: "" };
    this.marks = {}; // id of a shape -> what stands there
    this.log = new LogBuffer();
    this.details = new Map();
    this.artifact = null; // the one that is looked at
    this.files = new Map(); // number -> a file that is on its way
    this.selected = "";
    this.seq = 0;
    this.offset = 0; // ms that the kernel's clock is ahead of the page's
    this.ended = false;
    this.lost = "";
    this.said = null;
    this.asking = ""; // the verb that was asked for and not answered yet
    this.link = new Link(line, (message, buffers) => this.take(message, buffers), () => this.touch("link"));
    this.link.watched = () => this.views.size > 0;
    const opening = line.get("opening");
    if (opening && opening.header) this.takeState(opening);
  }

  get nodes() {
    return this.tree.nodes;
  }

  send(message) {
    return this.link.send(message);
  }

  touch(...parts) {
    for (const part of parts) this.versions[part] = (this.versions[part] || 0) + 1;
    this.views.forEach((view) => view.schedule());
  }

  take(message, buffers) {
    if (message.said !== undefined) this.takeAnswer(message);
    if (message.detail) this.takeDetail(message.detail);
    if (message.artifact) this.takeArtifact(message.artifact);
    if (message.file) this.files.set(message.file.number, { ...message.file, parts: [] });
    if (message.chunk) this.takeChunk(message.chunk, buffers);
    if (message.pong && message.seq > this.seq) this.catchUp(message.seq);
    if (message.header) {
      if (!message.full && message.seq !== this.seq + 1) this.send({ do: "hello" }); // a message was lost on the way
      else this.takeState(message);
    }
  }

  catchUp(seq) {
    setTimeout(() => this.seq < seq && this.send({ do: "hello" }), STEADY);
  }

  takeState(message) {
    this.seq = message.seq;
    if (message.now) this.offset = message.now - Date.now();
    if (message.full && this.header && this.header.name !== message.header.name) this.forget();
    const went = this.header !== null && !this.finished;
    this.header = message.header;
    if (went && this.finished && this.said && !this.said.wrong && !this.said.run) this.said = null; // it is out of date
    this.touch("header", "said");
    if (message.full) {
      this.tree.clear();
      this.details.clear();
    }
    if (message.nodes || message.full) this.takeNodes(message.nodes || []);
    if (message.graph) this.takeGraph(message.graph, message.full);
    if (message.log) this.takeLog(message.log);
    if (message.ended || message.full) this.ended = Boolean(message.ended);
    this.lost = message.ended ? message.lost || "" : "";
  }

  // Another workflow is shown from now on.
  forget() {
    this.selected = "";
    this.said = null;
    this.artifact = null;
    this.tree.toggled.clear();
    this.touch("selection", "detail");
  }

  takeNodes(nodes) {
    for (const node of nodes) {
      this.tree.put(node);
      if (this.details.delete(node.id) && node.id === this.selected) this.send({ do: "detail", node: node.id });
    }
    this.touch("nodes");
  }

  takeGraph({ svg, problem, marks }, full) {
    const drawn = svg !== undefined && (svg !== this.graph.svg || problem !== this.graph.problem);
    if (drawn) this.graph = { svg, problem };
    this.marks = svg === undefined && !full ? { ...this.marks, ...marks } : marks || {};
    this.touch("graph");
  }

  takeLog(log) {
    if (log.of !== this.selected && this.link.count) {
      if (!log.reset) return; // lines for the selection before this one
      this.selected = log.of;
      this.touch("selection");
    }
    this.log.take(log);
    this.touch("log");
  }

  takeAnswer({ said, wrong, about, run }) {
    this.said = { text: said, wrong: Boolean(wrong), run: run || "" };
    if (about?.do === this.asking) this.asking = "";
    if (wrong && isSame(this.artifact, about)) this.artifact = { ...about, text: said };
    this.touch("said", "detail");
  }

  takeDetail(detail) {
    this.details.set(detail.node, detail);
    this.touch("detail");
  }

  takeArtifact(artifact) {
    if (!isSame(this.artifact, artifact)) return; // another is wanted by now
    this.artifact = artifact;
    this.touch("detail");
  }

  takeChunk({ number, last }, buffers) {
    const file = this.files.get(number);
    if (!file) return;
    if (buffers[0]?.byteLength) file.parts.push(buffers[0]);
    if (!last) {
      this.send({ do: "more", number });
      return;
    }
    this.files.delete(number);
    saveFile(file.name, file.type, file.parts);
    this.say(`${file.name} is saved where the browser puts downloads.`);
  }

  select(id) {
    if (this.selected === id) return;
    this.selected = id;
    this.artifact = null;
    if (id) this.tree.reveal(id);
    this.send({ do: "select", node: id });
    this.touch("selection", "nodes", "log");
  }

  // What is known of the selected node; asked for if that was not done yet.
  detail() {
    const id = this.selected;
    if (id && !this.details.has(id)) {
      this.details.set(id, null);
      this.send({ do: "detail", node: id });
    }
    return this.details.get(id) || null;
  }

  look(which) {
    this.artifact = { ...which, waiting: true };
    this.send({ do: "artifact", ...which });
    this.touch("detail");
  }

  fold(mark) {
    this.send({ do: "fold", path: mark.path, fold: mark.fold });
  }

  ask(verb, text, more = {}) {
    if (!this.send({ do: verb, ...more })) return;
    this.asking = verb;
    this.say(text);
  }

  say(text) {
    this.said = { text, wrong: false, run: "" };
    this.touch("said");
  }

  can(verb) {
    return this.finished && this.header.can.includes(verb);
  }

  // Now, by the kernel's clock.
  now() {
    return Date.now() + this.offset;
  }

  get finished() {
    return this.header !== null && FINISHED.has(this.header.phase);
  }

  // Whether what is shown may be wrong by now, because no news can come.
  get stale() {
    return !this.finished && (this.ended || this.link.state === "gone");
  }

  // Whether the view has more to show than the snapshot that is stored in the notebook.
  get alive() {
    return this.header !== null && (this.link.state !== "gone" || this.link.count > 0);
  }
}

// Whether two speak of the same artifact.
export function isSame(one, other) {
  return Boolean(one && other) && one.node === other.node && one.side === other.side && one.name === other.name;
}
