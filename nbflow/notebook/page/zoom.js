// Zoom and pan of a drawing, by the mouse, by fingers and by keys.

const CLOSEST = 3; // times the size of the text around
const STEP = 1.25;

export class Zoom {
  // box: what is scrolled. Nothing is drawn before `show`.
  constructor(box) {
    this.box = box;
    this.svg = null;
    this.touched = false; // whether the person has moved it: then it stays
    this.fingers = new Map();
    box.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    box.addEventListener("pointerdown", (event) => this.down(event));
    box.addEventListener("pointermove", (event) => this.drag(event));
    for (const name of ["pointerup", "pointercancel"]) box.addEventListener(name, (event) => this.up(event));
    this.sizes = new ResizeObserver(() => this.svg && !this.touched && this.fit());
    this.sizes.observe(box);
  }

  show(svg, again) {
    const [, , width, height] = (svg.getAttribute("viewBox") || "0 0 1 1").split(" ").map(Number);
    this.svg = svg;
    [this.width, this.height] = [Math.max(width, 1), Math.max(height, 1)];
    if (again && this.touched) this.apply();
    else this.fit();
  }

  // As much as fits; a small graph keeps a readable size, one that is far too tall is as wide as the box.
  fit() {
    this.touched = false;
    const { clientWidth, clientHeight } = this.box;
    if (!clientWidth) return;
    const whole = Math.min((clientWidth - 24) / this.width, (clientHeight - 24) / this.height);
    this.scale = Math.max(Math.min(1.5, whole), 0.05);
    this.x = (clientWidth - this.width * this.scale) / 2;
    this.y = (clientHeight - this.height * this.scale) / 2;
    this.apply();
  }

  by(factor, at) {
    const { clientWidth, clientHeight } = this.box;
    const [x, y] = at || [clientWidth / 2, clientHeight / 2];
    const scale = Math.min(CLOSEST, Math.max(0.05, this.scale * factor));
    this.x = x - ((x - this.x) * scale) / this.scale;
    this.y = y - ((y - this.y) * scale) / this.scale;
    this.scale = scale;
    this.touched = true;
    this.apply();
  }

  move(x, y) {
    this.x += x;
    this.y += y;
    this.touched = true;
    this.apply();
  }

  // Brings a part of the drawing into sight.
  reveal(element) {
    const [box, part] = [this.box.getBoundingClientRect(), element.getBoundingClientRect()];
    const shift = (low, high, from, to) => (from < low ? low - from + 16 : to > high ? high - to - 16 : 0);
    const x = shift(box.left, box.right, part.left, part.right);
    const y = shift(box.top, box.bottom, part.top, part.bottom);
    if (x || y) this.move(x, y);
  }

  apply() {
    const { style } = this.svg;
    style.width = `${this.width * this.scale}px`;
    style.height = `${this.height * this.scale}px`;
    style.transform = `translate(${this.x}px, ${this.y}px)`;
  }

  // The wheel alone belongs to the page: with Ctrl or Cmd, or a pinch, it zooms.
  wheel(event) {
    if (!this.svg || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    const box = this.box.getBoundingClientRect();
    this.by(Math.exp(-event.deltaY / 200), [event.clientX - box.left, event.clientY - box.top]);
  }

  down(event) {
    if (event.button || !this.svg) return;
    this.fingers.set(event.pointerId, [event.clientX, event.clientY]);
    this.moved = 0;
  }

  drag(event) {
    const before = this.fingers.get(event.pointerId);
    if (!before) return;
    const [x, y] = [event.clientX - before[0], event.clientY - before[1]];
    this.moved += Math.abs(x) + Math.abs(y);
    if (this.moved < 4) return;
    if (!this.box.hasPointerCapture(event.pointerId)) this.box.setPointerCapture(event.pointerId);
    if (this.fingers.size === 2) this.pinch(event);
    else this.move(x, y);
    this.fingers.set(event.pointerId, [event.clientX, event.clientY]);
  }

  pinch(event) {
    const [other] = [...this.fingers].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
    const before = this.fingers.get(event.pointerId);
    const length = ([x, y]) => Math.hypot(x - other[0], y - other[1]);
    const box = this.box.getBoundingClientRect();
    this.by(length([event.clientX, event.clientY]) / Math.max(1, length(before)), [other[0] - box.left, other[1] - box.top]);
  }

  up(event) {
    this.fingers.delete(event.pointerId);
  }

  // Whether the click that comes now only ends a drag.
  get dragged() {
    return this.moved >= 4;
  }

  key(event) {
    const keys = { "+": () => this.by(STEP), "=": () => this.by(STEP), "-": () => this.by(1 / STEP), 0: () => this.fit() };
    if (!(event.key in keys)) return false;
    keys[event.key]();
    return true;
  }

  close() {
    this.sizes.disconnect();
  }
}
