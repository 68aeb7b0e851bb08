// The line above everything: phase, name, progress, buttons; below it what there is to say.

import { FINISHED, SIGNS, duration, make, setText } from "./elements.js";

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
