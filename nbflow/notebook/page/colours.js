// Lines of a log as a terminal would show them.

import { make } from "./elements.js";

// The colours that programs write with escape sequences; other control sequences are left out.
export function coloured(text) {
  if (!text.includes("\u001b")) return [text];
  const parts = [];
  let style = "";
  for (const part of text.split(/(\u001b\[[0-9;?]*[ -/]*[@-~])/)) {
    if (part.startsWith("\u001b")) {
      if (part.endsWith("m")) style = ansi(part.slice(2, -1), style);
    } else if (part) {
      parts.push(style ? make("span", style, {}, part) : part);
    }
  }
  return parts;
}

function ansi(codes, before) {
  let classes = new Set(before.split(" ").filter(Boolean));
  for (const code of codes.split(";").map(Number)) {
    if (code === 0) classes = new Set();
    else if (code === 1) classes.add("nbflow-bold");
    else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97) || code === 39) {
      classes = new Set([...classes].filter((name) => !name.startsWith("nbflow-ansi")));
      if (code !== 39) classes.add(`nbflow-ansi-${code % 10}`);
    }
  }
  return [...classes].join(" ");
}
