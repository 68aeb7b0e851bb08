// The line above everything: phase, name, progress, times; below it what there is to say.

import { SIGNS, about, clockTime, duration, make, makeButton, setAttribute, setText } from "./elements.js";
import { ActionsView } from "./actions.js";

const BAD = new Set(["Failed", "Error"]);

export class HeaderView {
  constructor(store, watch) {
    this.store = store;
    this.needs = ["header", "link", "said", "nodes"];
    this.sign = make("span", "nbflow-sign", { "aria-hidden": "true" });
    this.phase = make("span", "nbflow-phase");
    this.badge = make("span", "nbflow-badge", {}, this.sign, this.phase);
    this.name = make("span", "nbflow-name");
    this.target = make("span", "nbflow-target");
    this.bar = make("span", "nbflow-bar-done");
    this.barBox = make("span", "nbflow-bar", { role: "progressbar", "aria-label": "pods done" }, this.bar);
    this.progress = make("span", "nbflow-fact", { title: "pods that succeeded, of all; each attempt is a pod" });
    this.elapsed = make("span", "nbflow-fact", { title: "elapsed time" });
    this.left = make("span", "nbflow-fact nbflow-left");
    this.link = make("span", "nbflow-link");
    this.actions = new ActionsView(store);
    this.element = make(
      "div", "nbflow-header", {},
      this.badge, this.name, this.target, make("span", "nbflow-gap"), this.link, this.barBox, this.progress,
      this.elapsed, this.left, this.actions.element,
    );
    this.why = make("span");
    this.culprit = makeButton("Show it", "Select the node that failed", () => store.select(this.failed), "nbflow-tool");
    this.message = make("div", "nbflow-message", {}, this.why, this.culprit);
    this.said = make("div", "nbflow-said", { role: "status", "aria-live": "polite" });
    this.saidText = make("span");
    this.show = makeButton("Show it here", "Show the new workflow in place of this one", () => watch(store.said.run));
    this.said.append(this.saidText, this.show);
    this.parts = [this.element, this.actions.confirm, this.message, this.said];
  }

  draw() {
    const { header, link, stale } = this.store;
    setAttribute(this.badge, "data-phase", header.phase);
    setText(this.sign, header.suspended ? "ǁ" : SIGNS[header.phase] || "?");
    setText(this.phase, `${stale ? "was " : ""}${header.phase}${header.suspended ? " (Suspended)" : ""}`);
    setText(this.name, header.name);
    setText(this.target, header.target);
    this.drawProgress(header);
    this.tick();
    this.actions.draw();
    setText(this.why, this.store.lost || this.named(header.message));
    this.message.hidden = !this.why.textContent;
    this.culprit.hidden = !this.failed;
    setText(this.saidText, this.saying(link.state));
    this.said.hidden = !this.saidText.textContent;
    this.show.hidden = !this.store.said?.run;
    this.said.classList.toggle("nbflow-wrong", Boolean(this.store.said?.wrong));
  }

  // What was answered to a click, or what the person may do now.
  saying(link) {
    const { header, said, finished, ended } = this.store;
    if (link === "gone" && !finished) {
      return `The kernel that showed this is gone; the workflow does not need it. \`%workflow watch ${header.name}\` shows it again.`;
    }
    if (said?.text) return said.text;
    if (finished || ended) return "";
    return header.held ? "It is suspended: Resume lets it go on." : "";
  }

  // How the line to the kernel is, and how old the news are.
  linkText() {
    const { link, ended, finished } = this.store;
    if (finished && ended) return "";
    const age = Date.now() - link.lastNews;
    const since = link.count ? ` · as of ${clockTime(link.lastNews)}, ${about(age)} ago` : "";
    const words = { connecting: "connecting to the kernel …", waiting: "waiting for the kernel …", gone: "snapshot, not live" };
    if (ended) return `no longer watched${since}`;
    return words[link.state] ? words[link.state] + (link.state === "connecting" ? "" : since) : "";
  }

  // Argo names the child that failed by its id, a person knows its name; of DAGs it says nothing.
  named(message) {
    const { nodes, tree, header } = this.store;
    const child = nodes.get(/^child '([^']+)' failed$/.exec(message)?.[1]);
    const failed = child || (!message && BAD.has(header.phase) && culpritOf(tree));
    this.failed = failed?.id || "";
    if (!failed) return message;
    return `${message || "failed"}: ${failed.name}${failed.message ? `: ${failed.message}` : ""}`;
  }

  drawProgress(header) {
    const [done, total] = (header.progress || "").split("/").map(Number);
    this.barBox.hidden = !total;
    setText(this.progress, total ? `${done}/${total}` : "");
    if (!total) return;
    const over = header.phase === "Succeeded"; // attempts that failed count as pods that are not done
    this.bar.style.width = `${over ? 100 : (100 * done) / total}%`;
    setAttribute(this.bar, "data-phase", header.phase);
    setAttribute(this.barBox, "aria-valuenow", String(done));
    setAttribute(this.barBox, "aria-valuemax", String(total));
  }

  tick() {
    const { header, stale } = this.store;
    setText(this.link, this.linkText());
    if (stale && this.elapsed.textContent) return;
    const { started, finished } = header;
    const took = (finished ?? this.store.now()) - started;
    setText(this.elapsed, started ? duration(took) : "");
    setText(this.left, started && !finished && !stale ? this.leftText(took, header) : "");
  }

  leftText(took, { estimate, earlier }) {
    if (!estimate) return "";
    this.left.title = earlier ? `${earlier} earlier ${earlier === 1 ? "run" : "runs"} took ${duration(estimate * 1000)}` : "";
    const left = estimate * 1000 - took;
    return left > 0 ? `about ${about(left)} left` : `longer than before (${duration(estimate * 1000)})`;
  }
}

// The first node that failed by itself, in what failed with it: not an attempt that was made up for.
function culpritOf(tree) {
  const bad = (id) => !tree.nodes.has(id) || BAD.has(tree.nodes.get(id).phase);
  const whole = (id) => !id || (bad(id) && whole(tree.placed.get(id)));
  return [...tree.nodes.keys()].filter((id) => !tree.children(id).length && whole(id)).map((id) => tree.nodes.get(id))[0];
}
