// Forms of nodes that wait for somebody: their inputs, choices as lists.

import { make, makeButton, newId } from "./elements.js";

export class ApproveView {
  constructor(store) {
    this.store = store;
    this.needs = ["header", "link"];
    this.forms = new Map(); // id of a node -> its form
    this.element = make("div", "nbflow-forms");
  }

  draw() {
    const { header, finished, ended, link } = this.store;
    const wanted = finished || ended ? [] : header.forms;
    const ids = new Set(wanted.map((form) => form.node));
    for (const [id, form] of this.forms) {
      if (ids.has(id)) continue;
      form.remove();
      this.forms.delete(id);
    }
    for (const form of wanted) {
      if (this.forms.has(form.node)) continue;
      const element = this.make(form);
      this.forms.set(form.node, element);
      this.element.append(element);
    }
    for (const form of this.forms.values()) form.querySelector("fieldset").disabled = link.state === "gone";
  }

  make({ node, name, message, fields }) {
    const heading = newId();
    const inputs = fields.map((field) => [field.name, makeField(field)]);
    const go = make("button", "nbflow-button nbflow-primary", { type: "submit" }, fields.length ? "Submit" : "Resume");
    const reject = makeButton("Reject", "Let the node fail", () => this.reject(node, name, reject));
    const title = make("span", "nbflow-form-title", { id: heading }, `${name} waits for you`);
    const form = make(
      "form", "nbflow-form", { "aria-labelledby": heading },
      make("fieldset", "", {}, title, make("span", "nbflow-form-message", {}, message),
        ...inputs.map(([, [label]]) => label), make("span", "nbflow-form-buttons", {}, go, reject)),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const values = Object.fromEntries(inputs.map(([key, [, input]]) => [key, input.value]));
      this.store.ask("approve", `Letting ${name} go on …`, { node, values });
    });
    return form;
  }

  reject(node, name, button) {
    if (button.dataset.sure) {
      this.store.ask("reject", `Rejecting ${name} …`, { node });
      return;
    }
    button.dataset.sure = "yes";
    button.textContent = "Reject: sure?";
    button.addEventListener("blur", () => {
      delete button.dataset.sure;
      button.textContent = "Reject";
    }, { once: true });
  }
}

function makeField({ name, value, choices, description }) {
  const options = choices.map((choice) => make("option", "", { value: choice }, choice));
  const input = choices.length ? make("select", "nbflow-input", {}, ...options) : make("input", "nbflow-input", { type: "text" });
  input.value = value;
  input.setAttribute("name", name);
  const hint = description ? [make("span", "nbflow-hint", {}, description)] : [];
  return [make("label", "nbflow-field", {}, make("span", "", {}, name), input, ...hint), input];
}
