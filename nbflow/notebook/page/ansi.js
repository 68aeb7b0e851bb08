// Lines of a log as a terminal would show them.

import { make } from "./elements.js";

const PLAIN = { color: "", back: "", marks: [] };
const MARKS = { 1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "inverse", 9: "strike" };
const ENDS = { 22: ["bold", "dim"], 23: ["italic"], 24: ["underline"], 27: ["inverse"], 29: ["strike"] };
const STEPS = [0, 95, 135, 175, 215, 255]; // of the colour cube that terminals know
// Escape sequences: of colours and other controls, of titles and links, and of two characters.
const ESCAPES = /\u001b\[[0-9;:?<=>]*[ -/]*[@-~]|\u001b[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b[ -/]*[0-~]/;
const ALL_ESCAPES = new RegExp(ESCAPES.source, "g");
const KEPT = new RegExp(`(${ESCAPES.source})`);
// Control characters, lone halves of pairs, and the marks that turn the direction of a text around.
// eslint-disable-next-line no-control-regex
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069]/g;
const STRANGE = /[^\u0020-\u007e]/;

// The text without its escape sequences, as it is searched and copied.
export function plainText(text) {
  return STRANGE.test(text) ? visible(overwritten(text).replace(ALL_ESCAPES, "")) : text;
}

// [{text, style}], style null for plain text. The texts make up `plainText`.
export function segments(text) {
  if (!text.includes("\u001b")) return [{ text: plainText(text), style: null }];
  const parts = [];
  let style = PLAIN;
  for (const part of overwritten(text).split(KEPT)) {
    if (part.startsWith("\u001b")) {
      if (/^\u001b\[[0-9;:]*m$/.test(part)) style = changed(style, codesOf(part));
    } else if (part) {
      const last = parts[parts.length - 1];
      if (last && isLike(last.style, style)) last.text += visible(part);
      else parts.push({ text: visible(part), style: style === PLAIN ? null : style });
    }
  }
  return parts;
}

function isLike(one, other) {
  if (!one) return other === PLAIN;
  return one === other || (one.color === other.color && one.back === other.back && `${one.marks}` === `${other.marks}`);
}

export function painted(text, style) {
  if (!style) return document.createTextNode(text);
  const { color, back, marks } = style;
  const names = [...marks];
  if (color && !color.startsWith("rgb")) names.push(color);
  if (back && !back.startsWith("rgb")) names.push(`on-${back}`);
  const element = make("span", names.map((name) => `nbflow-${name}`).join(" "), {}, text);
  if (color.startsWith("rgb")) element.style.color = color;
  if (back.startsWith("rgb")) element.style.backgroundColor = back;
  return element;
}

// Progress bars go back to the start of their line: what they wrote last is what is seen.
function overwritten(text) {
  const line = text.replace(/\r+$/, "");
  return line.slice(line.lastIndexOf("\r") + 1);
}

function visible(text) {
  return text.replace(/\t/g, "    ").replace(CONTROLS, (one) => {
    const code = one.charCodeAt(0);
    return code < 32 ? String.fromCharCode(0x2400 + code) : "�";
  });
}

function codesOf(sequence) {
  return sequence.slice(2, -1).split(/[;:]/).map(Number);
}

function changed(before, codes) {
  let { color, back, marks } = before;
  for (let at = 0; at < codes.length; at += 1) {
    const code = codes[at];
    if (code === 0) [color, back, marks] = ["", "", []];
    else if (code in MARKS) marks = [...new Set([...marks, MARKS[code]])];
    else if (code in ENDS) marks = marks.filter((mark) => !ENDS[code].includes(mark));
    else if (code === 39) color = "";
    else if (code === 49) back = "";
    else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) color = `ansi-${code % 10}`;
    else if ((code >= 40 && code <= 47) || (code >= 100 && code <= 107)) back = `ansi-${code % 10}`;
    else if (code === 38 || code === 48) {
      const [found, length] = extended(codes.slice(at + 1));
      if (code === 38) color = found;
      else back = found;
      at += length;
    }
  }
  return color || back || marks.length ? { color, back, marks } : PLAIN;
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
