// How a person who looks elsewhere hears of the end: the title of the page, and a notification if they want one.

import { SIGNS, makeButton, setText } from "./elements.js";

const LONG = 10000; // ms: shorter runs need no notification
const WANTED = "nbflow-notify";
const shown = new Set(); // runs that the title speaks of
let title = null;

export class Alerts {
  constructor(store) {
    this.store = store;
    this.bell = makeButton("", "", () => this.toggle(), "nbflow-button nbflow-bell");
    this.seen = store.header ? store.finished : null;
    this.watch = () => showTitle();
    document.addEventListener("visibilitychange", this.watch);
    this.drawBell();
  }

  // Called on every message, also while the page is hidden and nothing is drawn.
  hear() {
    const { store } = this;
    if (!store.header) return;
    if (this.seen === false && store.finished) this.end();
    if (this.seen === null || !store.finished) this.seen = store.finished;
    if (!store.finished) shown.add(store);
    showTitle();
    this.bell.hidden = store.finished || typeof Notification === "undefined";
  }

  end() {
    const { header } = this.store;
    this.seen = true;
    const took = (header.finished ?? this.store.now()) - (header.started ?? 0);
    if (!this.wanted || took < LONG || Notification.permission !== "granted") return;
    const note = new Notification(`${SIGNS[header.phase]} ${header.name} ${header.phase}`, { body: header.message, tag: header.name });
    note.onclick = () => window.focus();
  }

  get wanted() {
    try {
      return localStorage.getItem(WANTED) === "yes";
    } catch {
      return this.kept === true;
    }
  }

  async toggle() {
    let want = !this.wanted;
    if (want && Notification.permission !== "granted") want = (await Notification.requestPermission()) === "granted";
    this.kept = want;
    try {
      localStorage.setItem(WANTED, want ? "yes" : "no");
    } catch { /* this page keeps nothing: the choice lasts as long as the view */ }
    if (!want && Notification.permission === "denied") this.store.say("The browser does not allow notifications of this page.");
    this.drawBell();
  }

  drawBell() {
    const { wanted } = this;
    setText(this.bell, wanted ? "✓ Notify" : "Notify");
    this.bell.setAttribute("aria-pressed", String(wanted));
    this.bell.setAttribute("aria-label", "notify me when it ends");
    this.bell.title = wanted ? "The browser will tell you when it ends" : "Let the browser tell me when it ends";
  }

  close() {
    document.removeEventListener("visibilitychange", this.watch);
    shown.delete(this.store);
    showTitle();
  }
}

// While nobody looks at the page its title says how the runs in it stand.
function showTitle() {
  if (document.hidden && shown.size) {
    title ??= document.title;
    const told = [...shown].map(({ header }) => `${SIGNS[header.phase]} ${header.progress || header.phase}`);
    document.title = `${told.slice(0, 3).join(" ")} · ${title}`;
  } else if (title !== null) {
    document.title = title;
    title = null;
    for (const store of shown) if (store.finished) shown.delete(store);
  }
}
