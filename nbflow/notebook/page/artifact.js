// What an artifact looks like. Nothing of it may run: whatever it is, it is shown in a frame without any rights.

import { make } from "./elements.js";

const POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; font-src data:; media-src data:";

export function artifactOf({ waiting, html, text }, view) {
  if (waiting) return make("div", "nbflow-preview", {}, "reading …");
  if (!html) return make("pre", "nbflow-value nbflow-preview", { tabindex: "0" }, text || "it is empty");
  const { color, backgroundColor } = getComputedStyle(view);
  const style = `body{margin:8px;font:13px system-ui,sans-serif;color:${color};background:${backgroundColor}}table{border-collapse:collapse}th,td{padding:2px 8px}`;
  const frame = make("iframe", "nbflow-preview nbflow-frame", { sandbox: "", title: "the artifact", referrerpolicy: "no-referrer" });
  frame.srcdoc = `<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${POLICY}"><style>${style}</style>${html}`;
  return frame;
}
