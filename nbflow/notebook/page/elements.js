// Elements and texts, and the signs that every part of the view shows.

export const SIGNS = {
  Pending: "◷", Running: "●", Succeeded: "✔", Skipped: "○", Omitted: "○", Failed: "✖", Error: "⚠",
};
export const WAITS = "ǁ"; // the sign of a suspend node that nobody resumed yet
export const FINISHED = new Set(["Succeeded", "Failed", "Error"]);
const DONE = new Set([...FINISHED, "Skipped", "Omitted"]);

let made = 0;

export function newId() {
  made += 1;
  return `nbflow-${made}-${Math.random().toString(36).slice(2, 8)}`;
}

const FOCUSABLE = new Set(["button", "input", "select", "textarea"]);
// Jupyter leaves keys alone where this stands on the element that has the focus: an element around it is not asked.
export const OWN_KEYS = "data-lm-suppress-shortcuts";

export function make(tag, name, attributes = {}, ...children) {
  const element = document.createElement(tag);
  if (FOCUSABLE.has(tag) || "tabindex" in attributes) element.setAttribute(OWN_KEYS, "true");
  if (name) element.className = name;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

export function makeButton(text, title, clicked, name = "nbflow-button") {
  const button = make("button", name, { type: "button", title }, text);
  button.addEventListener("click", clicked);
  return button;
}

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

export function waits(node) {
  return node.type === "Suspend" && node.phase === "Running";
}

export function signOf(node) {
  return waits(node) ? WAITS : SIGNS[node.phase] || "?";
}

export function isDone(node) {
  return DONE.has(node.phase);
}

export function duration(ms) {
  const all = Math.max(0, Math.floor(ms / 1000));
  if (all < 60) return all ? `${all}s` : "<1s";
  const [days, hours, minutes, seconds] = [
    Math.floor(all / 86400), Math.floor(all / 3600) % 24, Math.floor(all / 60) % 60, all % 60,
  ];
  const two = (number) => String(number).padStart(2, "0");
  if (days) return `${days}d ${hours}h`;
  return hours ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
}

// About how long, in one unit: "42 s", "3 min".
export function about(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const units = [[86400, "d"], [3600, "h"], [60, "min"]];
  const [size, unit] = units.find(([length]) => seconds >= length) || [1, "s"];
  return `${Math.round(seconds / size)} ${unit}`;
}

export function clockTime(ms) {
  return new Date(ms).toLocaleTimeString([], { hour12: false });
}

export function bytes(count) {
  const units = ["B", "KB", "MB", "GB"];
  let size = count;
  let unit = 0;
  for (; size >= 1000 && unit < units.length - 1; unit += 1) size /= 1000;
  return `${unit && size < 10 ? size.toFixed(1) : Math.round(size)} ${units[unit]}`;
}

// Copies a text; pages that are not served over https have no clipboard, but can copy a selection.
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = make("textarea", "", { readonly: "" });
    area.value = text;
    area.style.position = "fixed";
    area.style.opacity = "0";
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}

export function saveFile(name, type, parts) {
  const url = URL.createObjectURL(new Blob(parts, { type }));
  const link = make("a", "", { href: url, download: name.replace(/[/\\]/g, "_") });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60000);
}
