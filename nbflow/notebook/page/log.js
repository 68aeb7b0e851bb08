// The log of the selected node, or of all.

import { coloured } from "./colours.js";
import { make, setText } from "./elements.js";
import { MAX_LINES } from "./store.js";

const WHO = 24; // characters of a node's name that lines are aligned by

export class LogView {
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
    const skipped = store.skipped ? ` (${store.skipped} lines left out: \`%workflow logs ${store.header.name}\` has all)` : "";
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
