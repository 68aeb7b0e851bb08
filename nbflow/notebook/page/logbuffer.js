// The lines of the log that the page keeps, those that a search finds, and the rows they take on the screen.

import { plainText } from "./ansi.js";

export const MAX_LINES = 20000;
const MAX_SIZE = 8000000; // characters

class Line {
  constructor([who, text, at]) {
    this.who = who;
    this.text = text;
    this.at = at;
    this.rows = 1;
  }

  get plain() {
    this.known ??= plainText(this.text);
    return this.known;
  }
}

export class LogBuffer {
  constructor() {
    this.round = 0; // grows when the log begins anew
    this.columns = 0; // characters of a row; 0: a line is a row
    this.pattern = "";
    this.only = false; // show nothing but what the search finds
    this.clear();
  }

  clear() {
    this.all = [];
    this.size = 0;
    this.skipped = 0; // lines left out by the kernel
    this.problem = ""; // why there are no more lines
    this.dropped = 0; // lines that the page no longer keeps
    this.who = 0; // characters of the longest name
    this.round += 1;
    this.arrange();
  }

  take({ reset, skipped, lines, problem = "" }) {
    if (reset) this.clear();
    this.skipped = skipped;
    this.problem = problem || (reset ? "" : this.problem);
    const fresh = lines.map((line) => new Line(line));
    for (const line of fresh) {
      this.all.push(line);
      this.size += line.text.length;
      if (line.who.length > this.who) this.who = line.who.length;
    }
    if (this.drop()) this.arrange();
    else this.append(fresh);
  }

  // Lets go of the oldest lines. True if there were any.
  drop() {
    let count = Math.max(0, this.all.length - MAX_LINES);
    let size = this.size;
    for (let at = 0; at < count; at += 1) size -= this.all[at].text.length;
    for (; size > MAX_SIZE && count < this.all.length - 1; count += 1) size -= this.all[count].text.length;
    if (!count) return false;
    this.all.splice(0, count);
    this.size = size;
    this.dropped += count;
    return true;
  }

  search(pattern, only) {
    this.pattern = pattern.toLowerCase();
    this.only = only;
    this.arrange();
  }

  wrap(columns) {
    if (columns === this.columns) return;
    this.columns = columns;
    this.arrange();
  }

  // From scratch: lines shown, hits among them, and the number of the row each begins at.
  arrange() {
    this.shown = [];
    this.hits = []; // places in `shown`
    this.starts = [0];
    this.append(this.all);
  }

  append(lines) {
    for (const line of lines) {
      const hit = Boolean(this.pattern) && line.plain.toLowerCase().includes(this.pattern);
      if (this.pattern && this.only && !hit) continue;
      if (hit) this.hits.push(this.shown.length);
      line.rows = this.columns ? Math.max(1, Math.ceil(line.plain.length / this.columns)) : 1;
      this.shown.push(line);
      this.starts.push(this.starts[this.starts.length - 1] + line.rows);
    }
  }

  get rowCount() {
    return this.starts[this.starts.length - 1];
  }

  // The line at a row, and which of its rows that is.
  at(row) {
    let [low, high] = [0, this.shown.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.starts[middle] <= row) low = middle;
      else high = middle - 1;
    }
    return [this.shown[low], row - this.starts[low]];
  }
}
