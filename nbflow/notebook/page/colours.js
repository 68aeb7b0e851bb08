// Lines of a log as a terminal would show them.

import { make } from "./elements.js";

const PLAIN = { color: "", marks: [] };
const MARKS = { 1: "bold", 2: "dim", 3: "italic", 4: "underline" };
const STEPS = [0, 95, 135, 175, 215, 255]; // of the colour cube that terminals know

// The colours that programs write with escape sequences; backgrounds and other control sequences are left out.
export function coloured(text) {
  const last = overwritten(text);
  if (!last.includes("\u001b")) return [last];
  const parts = [];
  let style = PLAIN;
  for (const part of last.split(/(\u001b\[[0-9;?]*[ -/]*[@-~])/)) {
    if (part.startsWith("\u001b")) {
      if (part.endsWith("m")) style = changed(style, part.slice(2, -1).split(";").map(Number));
    } else if (part) {
      parts.push(style === PLAIN ? part : painted(style, part));
    }
  }
  return parts;
}

// Progress bars go back to the start of their line: what they wrote last is what is seen.
function overwritten(text) {
  const line = text.replace(/\r+$/, "");
  return line.slice(line.lastIndexOf("\r") + 1);
}

function painted({ color, marks }, text) {
  const named = color && !color.startsWith("rgb") ? [color] : [];
  const element = make("span", [...named, ...marks].map((name) => `nbflow-${name}`).join(" "), {}, text);
  if (color.startsWith("rgb")) element.style.color = color;
  return element;
}

function changed(before, codes) {
  let { color, marks } = before;
  for (let at = 0; at < codes.length; at += 1) {
    const code = codes[at];
    if (code === 0) [color, marks] = ["", []];
    else if (code in MARKS) marks = [...new Set([...marks, MARKS[code]])];
    else if (code === 22) marks = marks.filter((mark) => mark !== "bold" && mark !== "dim");
    else if (code === 23 || code === 24) marks = marks.filter((mark) => mark !== MARKS[code - 20]);
    else if (code === 39) color = "";
    else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) color = `ansi-${code % 10}`;
    else if (code === 38 || code === 48) {
      const [found, length] = extended(codes.slice(at + 1));
      if (code === 38) color = found;
      at += length;
    }
  }
  return color || marks.length ? { color, marks } : PLAIN;
}

// A colour out of 256, or of three bytes; and how many of the codes say so.
function extended([kind, ...codes]) {
  if (kind === 2) return [rgb(codes.slice(0, 3)), 4];
  if (kind !== 5) return ["", 1];
  const [number] = codes;
  if (number < 16) return [`ansi-${number % 8}`, 2];
  if (number >= 232) return [rgb(Array(3).fill(8 + 10 * (number - 232))), 2];
  const cube = number - 16;
  return [rgb([Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6].map((step) => STEPS[step])), 2];
}

function rgb(bytes) {
  return bytes.length === 3 && bytes.every((byte) => byte >= 0 && byte <= 255) ? `rgb(${bytes.join(", ")})` : "";
}
