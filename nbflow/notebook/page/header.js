// The line above everything: phase, name, progress, buttons; below it what there is to say.

import { SIGNS, duration, make, setText } from "./elements.js";

export class HeaderView {
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
    this.resume = make("button", "nbflow-resume", { type: "button", title: "Let the workflow go on" }, "Resume");
    this.resume.addEventListener("click", () => store.resume());
    this.stop = make("button", "nbflow-stop", { type: "button" }, "Stop");
    this.stop.addEventListener("click", () => store.stop());
    this.element = make(
      "div", "nbflow-header", {},
      this.badge, this.name, make("span", "nbflow-gap"), this.link, this.barBox, this.progress, this.elapsed,
      this.resume, this.stop,
    );
    this.message = make("div", "nbflow-message");
    this.said = make("div", "nbflow-said", { role: "status", "aria-live": "polite" });
  }

  draw() {
    const { header, link, ended, stale } = this.store;
    this.badge.dataset.phase = header.phase;
    setText(this.sign, SIGNS[header.phase] || "?");
    setText(this.phase, `${stale ? "was " : ""}${header.phase}${header.suspended ? " (Suspended)" : ""}`);
    setText(this.name, header.name);
    this.drawProgress(header);
    this.tick();
    const why = { connecting: "connecting to the kernel …", waiting: "waiting for the kernel …" };
    setText(this.link, ended ? "" : link === "gone" ? "snapshot, not live" : why[link] || "");
    this.drawButtons(link);
    setText(this.message, this.store.lost || this.named(header.message));
    setText(this.said, this.saying());
    this.said.classList.toggle("nbflow-wrong", Boolean(this.store.said?.wrong));
  }

  // What was answered to a click, or what the person may do now.
  saying() {
    const { header, link, said, finished } = this.store;
    if (finished) return said?.wrong ? said.text : "";
    if (this.store.ended) return "";
    if (link === "gone") {
      return `The kernel that showed this is gone; the workflow does not need it. \`%workflow watch ${header.name}\` shows it again.`;
    }
    return said?.text || (header.suspended ? "It waits for somebody: Resume lets it go on." : "");
  }

  // Argo names the child that failed by its id; a person knows its name.
  named(message) {
    return message.replace(/^child '([^']+)' failed$/, (whole, id) => {
      const child = this.store.nodes.get(id);
      return child ? `${whole}: ${child.name}${child.message ? `: ${child.message}` : ""}` : whole;
    });
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

  drawButtons(link) {
    const { finished, ended, header } = this.store;
    this.resume.hidden = finished || ended || !header.suspended || link === "gone";
    this.resume.disabled = this.store.resuming || this.store.stopping;
    this.stop.hidden = finished || ended;
    this.stop.disabled = this.store.stopping || link === "gone";
    setText(this.stop, this.store.stopping ? "Stopping …" : "Stop");
    const gone = "The kernel that showed this workflow is gone. Run the cell, or `%workflow stop` in another one.";
    this.stop.title = link === "gone" ? gone : "Stop the workflow: running pods end, exit handlers run";
  }

  tick() {
    if (this.store.stale && this.elapsed.textContent) return;
    const { started, finished } = this.store.header;
    const end = finished ?? Date.now() + this.store.offset;
    setText(this.elapsed, started ? duration(end - started) : "");
  }
}
