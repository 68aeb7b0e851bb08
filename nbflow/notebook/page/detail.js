// All that is known of the selected node: what went in, what came out, its template.

import { artifactOf } from "./artifact.js";
import { isSame } from "./store.js";
import { clockTime, copyText, duration, make, makeButton, signOf } from "./elements.js";

export class DetailView {
  constructor(store) {
    this.store = store;
    this.needs = ["detail", "selection", "nodes", "link"];
    this.element = make("div", "nbflow-detail", { tabindex: "0" });
  }

  draw() {
    if (this.element.hidden) return;
    const { store } = this;
    const node = store.nodes.get(store.selected);
    const detail = store.detail();
    const key = JSON.stringify([store.selected, node, store.link.state, store.versions.detail]);
    if (key === this.drawn) return;
    this.drawn = key;
    this.element.replaceChildren(...(node ? this.parts(node, detail) : [hint("Select a node in the graph or in the list to see what went in and what came out.")]));
  }

  parts(node, detail) {
    const head = make(
      "div", "nbflow-detail-head", { "data-phase": node.phase },
      make("span", "nbflow-sign", { "aria-hidden": "true" }, signOf(node)),
      make("strong", "", {}, node.name), make("span", "nbflow-fact", {}, `${node.type} · ${node.phase}${when(node)}`),
    );
    if (!detail) {
      const gone = this.store.link.state === "gone";
      return [head, hint(gone ? "The kernel that knows more is gone." : "asking the kernel …")];
    }
    const message = detail.message ? [make("pre", "nbflow-detail-message", {}, detail.message)] : [];
    return [
      head, ...message,
      table("Inputs", [...detail.inputs.map(valueRow), ...detail.input_artifacts.map((one) => this.artifactRow(node, "inputs", one))]),
      table("Outputs", [...detail.outputs.map(valueRow), ...detail.output_artifacts.map((one) => this.artifactRow(node, "outputs", one))]),
      ...(detail.more ? [hint(`and ${detail.more} more parameters`)] : []),
      table("Facts", detail.facts.map(([name, value]) => row(name, value))),
      ...(detail.source ? [source(detail.source)] : []),
    ];
  }

  artifactRow(node, side, artifact) {
    const cell = make("div", "nbflow-artifact", {}, make("span", "nbflow-place", {}, artifact.place || artifact.path || "artifact"));
    const { artifact: shown } = this.store;
    const which = { node: node.id, side, name: artifact.name };
    const buttons = [
      makeButton("Open", `Look at ${artifact.name}`, () => this.store.look(which), "nbflow-tool"),
      makeButton("Save", `Save ${artifact.name} as a file`, () => this.store.ask("artifact", "Reading the artifact …", { ...which, save: true }), "nbflow-tool"),
    ];
    for (const button of buttons) button.disabled = this.store.link.state === "gone";
    cell.append(...buttons);
    if (isSame(shown, which)) cell.append(artifactOf(shown, this.element.closest(".nbflow-view")));
    return row(artifact.name, cell);
  }
}

function when(node) {
  if (!node.started) return "";
  const end = node.finished ? ` · ${duration(node.finished - node.started)}` : "";
  return ` · since ${clockTime(node.started)}${end}`.replace("since", node.finished ? "at" : "since");
}

function valueRow({ name, value, cut }) {
  const more = cut ? ` … (${cut.toLocaleString("en")} more characters)` : "";
  return row(name, make("pre", "nbflow-value", {}, value + more));
}

function row(name, value) {
  return make("tr", "", {}, make("th", "", { scope: "row" }, name), make("td", "", {}, value));
}

function table(title, rows) {
  if (!rows.length) return "";
  return make("section", "", {}, make("h4", "", {}, title), make("table", "nbflow-table", {}, make("tbody", "", {}, ...rows)));
}

function source(text) {
  const copy = makeButton("Copy", "Copy the template", () => copyText(text), "nbflow-tool");
  return make("section", "", {}, make("h4", "", {}, "Template", copy), make("pre", "nbflow-source", {}, text));
}

function hint(text) {
  return make("div", "nbflow-none", {}, text);
}
