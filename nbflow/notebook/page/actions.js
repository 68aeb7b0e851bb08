// The buttons of a workflow. What cannot be undone is asked for twice.

import { make, makeButton, setText } from "./elements.js";

const VERBS = {
  resume: {
    label: "Resume", title: "Let the workflow go on", doing: "Asking the workflow to go on …",
    when: (store) => !store.finished && store.header.held,
  },
  suspend: {
    label: "Suspend", title: "Start no more nodes for now", doing: "Asking the workflow to wait …",
    when: (store) => !store.finished && !store.header.held && !store.header.shutdown,
  },
  stop: {
    label: "Stop", title: "End it: running pods end, exit handlers run", doing: "Asking the workflow to stop …",
    sure: (name) => `Stop ${name}? Running pods end, then exit handlers run.`,
    when: (store) => !store.finished && !store.header.shutdown,
  },
  terminate: {
    label: "Terminate", title: "End it at once, without exit handlers", doing: "Asking the workflow to terminate …",
    sure: (name) => `Terminate ${name}? Running pods end at once, exit handlers do not run.`,
    when: (store) => !store.finished && store.header.shutdown !== "Terminate",
  },
  retry: {
    label: "Retry", title: "Run what failed once more, in this workflow", doing: "Asking for a retry …",
    sure: (name) => `Retry ${name}? What failed runs again; logs and outputs of the failed pods go.`,
    when: (store) => store.can("retry") && store.header.phase !== "Succeeded",
  },
  resubmit: {
    label: "Resubmit", title: "Run all of it once more, as a new workflow", doing: "Submitting it again …",
    when: (store) => store.can("resubmit"),
  },
};

export class ActionsView {
  constructor(store) {
    this.store = store;
    this.buttons = Object.entries(VERBS).map(([verb, { label, title }]) => {
      const button = makeButton(label, title, () => this.clicked(verb), `nbflow-button nbflow-${verb}`);
      return [verb, button];
    });
    const all = this.buttons.map(([, button]) => button);
    this.element = make("span", "nbflow-actions", { role: "group", "aria-label": "actions" }, ...all);
    this.question = make("span", "nbflow-question");
    this.yes = makeButton("", "", () => this.answer(true), "nbflow-button nbflow-danger");
    this.no = makeButton("Cancel", "", () => this.answer(false));
    const group = { role: "group", "aria-label": "please confirm", hidden: "" };
    this.confirm = make("div", "nbflow-confirm", group, this.question, this.yes, this.no);
    this.confirm.addEventListener("keydown", (event) => event.key === "Escape" && this.answer(false));
  }

  draw() {
    const { store } = this;
    const gone = store.link.state === "gone";
    for (const [verb, button] of this.buttons) {
      const { label, title, when } = VERBS[verb];
      button.hidden = (store.ended && !store.finished) || !when(store);
      button.disabled = gone || store.asking === verb;
      button.title = gone ? `The kernel that showed this workflow is gone: \`%workflow ${verb} ${store.header.name}\`` : title;
      setText(button, store.asking === verb ? `${label} …` : label);
    }
    if (this.pending && (gone || !VERBS[this.pending].when(store))) this.answer(false);
  }

  clicked(verb) {
    const { sure } = VERBS[verb];
    if (!sure) {
      this.ask(verb);
      return;
    }
    this.pending = verb;
    setText(this.question, sure(this.store.header.name));
    setText(this.yes, VERBS[verb].label);
    this.confirm.hidden = false;
    this.no.focus();
  }

  answer(yes) {
    const verb = this.pending;
    this.pending = "";
    this.confirm.hidden = true;
    this.buttons.find(([one]) => one === verb)?.[1].focus();
    if (yes && verb) this.ask(verb);
  }

  ask(verb) {
    this.store.ask(verb, VERBS[verb].doing);
  }
}
