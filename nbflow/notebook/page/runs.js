// The live table of workflows: sorted by any column, searched; a row opens the live view of its run.

import { SIGNS, about, duration, make, makeButton, newId, setAttribute, setText, OWN_KEYS } from "./elements.js";
import { Link } from "./link.js";
import { RunView } from "./run.js";
import { Store } from "./store.js";

const LOOK = 10000; // ms between two words to the kernel that somebody sees the table
const COLUMNS = [
  ["name", "Name", (row) => row.name], ["status", "Status", (row) => row.status],
  ["created", "Age", (row) => -(row.created ?? 0)], ["took", "Duration", (row) => tookOf(row)],
  ["progress", "Progress", (row) => shareOf(row)], ["message", "Message", (row) => row.message],
  ["parameters", "Parameters", (row) => row.parameters],
];

// What the page knows of the list; its views follow it as those of a run follow theirs.
export class ListStore {
  constructor(line) {
    this.line = line;
    this.views = new Set();
    this.rows = new Map();
    this.more = 0;
    this.problem = "";
    this.offset = 0;
    this.stores = new Map(); // name of a run -> its store
    this.lines = new Map(); // name of a run -> those who hear what is told of it
    this.link = new Link(line, (message, buffers) => this.take(message, buffers), () => this.tell());
    this.link.watched = () => this.views.size > 0;
    const opening = line.get("opening");
    if (opening && opening.rows) this.takeRows(opening);
    setInterval(() => this.look(), LOOK);
  }

  get alive() {
    return this.link.state !== "gone" || this.link.count > 0;
  }

  look() {
    const seen = [...this.views].some((view) => view.root.checkVisibility());
    if (seen && !document.hidden && ["live", "waiting"].includes(this.link.state)) this.link.send({ do: "look" });
  }

  take(message, buffers) {
    if (message.run) {
      for (const heard of this.lines.get(message.run) || []) heard(message.told, buffers);
      return;
    }
    if (message.rows) this.takeRows(message);
    if (message.problem !== undefined) this.problem = message.problem;
    this.tell();
  }

  takeRows({ rows, full, gone, more, now, chosen }) {
    this.chosen = chosen;
    if (full) this.rows.clear();
    for (const row of rows) this.rows.set(row.name, row);
    for (const name of gone || []) this.rows.delete(name);
    this.more = more;
    this.offset = now - Date.now();
  }

  // The state of one run, told through the same line.
  storeOf(name) {
    if (!this.stores.has(name)) {
      this.lines.set(name, []);
      const line = {
        get: () => undefined,
        on: (event, heard) => (event === "msg:custom" ? this.lines.get(name).push(heard) : this.line.on(event, heard)),
        send: (message) => this.line.send({ ...message, run: name }),
      };
      this.stores.set(name, new Store(line));
    }
    return this.stores.get(name);
  }

  tell() {
    this.views.forEach((view) => view.schedule());
  }
}

export class ListView {
  constructor(store, el) {
    this.store = store;
    this.by = "created";
    this.down = false;
    this.opened = "";
    this.cells = new Map();
    this.search = make("input", "nbflow-input nbflow-search", { type: "search", placeholder: "Search workflows", "aria-label": "search workflows" });
    this.search.addEventListener("input", () => this.draw());
    this.told = make("span", "nbflow-fact", { role: "status", "aria-live": "polite" });
    this.link = make("span", "nbflow-link");
    const head = make("div", "nbflow-header", {}, make("strong", "", {}, "Workflows"), this.told, make("span", "nbflow-gap"), this.link, this.search);
    this.heads = COLUMNS.map(([key, title]) => {
      const button = makeButton(title, `Sort by ${title.toLowerCase()}`, () => this.sort(key), "nbflow-sort");
      return [key, make("th", "", { scope: "col" }, button), button, title];
    });
    this.body = make("tbody");
    const rows = make("table", "nbflow-runs", {}, make("thead", "", {}, make("tr", "", {}, ...this.heads.map(([, cell]) => cell))), this.body);
    this.empty = make("div", "nbflow-none");
    this.place = make("div", "nbflow-opened");
    const box = make("div", "nbflow-runs-box", { tabindex: "0", role: "region", "aria-label": "workflows" }, rows);
    this.root = make("section", "nbflow-view nbflow-list", { [OWN_KEYS]: "true", "aria-label": "workflows", id: newId() }, head, box, this.empty, this.place);
    this.body.addEventListener("click", (event) => {
      const row = event.target.closest("[data-name]");
      if (row) this.open(row.dataset.name);
    });
    el.append(this.root);
    store.views.add(this);
    this.clock = setInterval(() => !document.hidden && this.draw(), 1000);
    this.draw();
  }

  schedule() {
    this.frame ??= requestAnimationFrame(() => this.draw());
  }

  sort(key) {
    this.down = this.by === key ? !this.down : false;
    this.by = key;
    this.draw();
  }

  draw() {
    this.frame = null;
    const { store } = this;
    this.root.classList.toggle("nbflow-live", store.alive);
    this.onAlive?.(store.alive);
    const shown = this.chosen();
    const { size } = store.rows;
    setText(this.told, shown.length === size ? `${size}${store.more ? ` of ${size + store.more}` : ""}` : `${shown.length} of ${size}`);
    setText(this.link, { connecting: "connecting to the kernel …", waiting: "waiting for the kernel …", gone: "not live any more: run the cell again" }[store.link.state] || "");
    setText(this.empty, store.problem || this.emptyText(size, shown.length));
    for (const [key, cell, button, title] of this.heads) {
      setAttribute(cell, "aria-sort", this.by !== key ? "none" : this.down ? "descending" : "ascending");
      setText(button, this.by === key ? `${title} ${this.down ? "▾" : "▴"}` : title);
    }
    this.drawRows(shown);
  }

  emptyText(size, shown) {
    if (shown) return "";
    return size || this.store.chosen ? "no workflow matches" : "There is no workflow yet: a cell that begins with %%workflow runs one.";
  }

  chosen() {
    const text = this.search.value.trim().toLowerCase();
    const key = COLUMNS.find(([name]) => name === this.by)[2];
    const found = [...this.store.rows.values()].filter(
      (row) => !text || [row.name, row.status, row.message, row.parameters].some((one) => one.toLowerCase().includes(text)),
    );
    const order = (one, other) => (key(one) < key(other) ? -1 : key(one) > key(other) ? 1 : 0);
    found.sort((one, other) => (this.down ? -1 : 1) * (order(one, other) || (one.name < other.name ? -1 : 1)));
    return found;
  }

  drawRows(shown) {
    const before = this.cells;
    this.cells = new Map(shown.map((row) => [row.name, before.get(row.name) || this.makeRow(row.name)]));
    let at = this.body.firstChild;
    for (const row of shown) {
      const parts = this.cells.get(row.name);
      this.drawRow(parts, row);
      if (parts.element === at) at = at.nextSibling;
      else this.body.insertBefore(parts.element, at);
    }
    while (at) {
      const next = at.nextSibling;
      at.remove();
      at = next;
    }
  }

  makeRow(name) {
    const open = makeButton(name, `Show the live view of ${name} below`, () => {}, "nbflow-open");
    const element = make("tr", "", {}, make("td", "", {}, open), ...COLUMNS.slice(1).map(() => make("td")));
    element.dataset.name = name;
    return { element, open, cells: [...element.children] };
  }

  drawRow({ element, open, cells }, row) {
    const now = Date.now() + this.store.offset;
    setAttribute(element, "data-phase", row.phase);
    element.classList.toggle("nbflow-active", row.name === this.opened);
    setAttribute(open, "aria-expanded", String(row.name === this.opened));
    const took = row.started ? duration((row.finished ?? now) - row.started) : "";
    const texts = [`${SIGNS[row.phase] || "?"} ${row.status}`, row.created ? about(now - row.created) : "", took, row.progress, row.message, row.parameters];
    texts.forEach((text, index) => {
      setText(cells[index + 1], text);
      setAttribute(cells[index + 1], "title", text);
    });
  }

  // The live view of a run, below the table; the same row closes it.
  open(name) {
    this.shown?.close();
    this.shown = null;
    this.opened = this.opened === name ? "" : name;
    if (this.opened) {
      this.shown = new RunView(this.store.storeOf(name), this.place, (other) => this.open(other));
      this.shown.root.dataset.theme = this.root.dataset.theme;
    }
    this.draw();
  }

  close() {
    this.shown?.close();
    this.store.views.delete(this);
    clearInterval(this.clock);
    cancelAnimationFrame(this.frame);
    this.root.remove();
  }
}

function tookOf(row) {
  return row.started ? (row.finished ?? Date.now()) - row.started : -1;
}

function shareOf(row) {
  const [done, total] = row.progress.split("/").map(Number);
  return total ? done / total : -1;
}
