// Elements and texts, and the signs that every part of the view shows.

export const SIGNS = {
  Pending: "◷", Running: "●", Succeeded: "✔", Skipped: "○", Omitted: "○", Failed: "✖", Error: "⚠",
};
export const FINISHED = new Set(["Succeeded", "Failed", "Error"]);

export function make(tag, name, attributes = {}, ...children) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function duration(ms) {
  const all = Math.max(0, Math.floor(ms / 1000));
  if (all < 60) return all ? `${all}s` : "<1s";
  const [hours, minutes, seconds] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
}
