// The nodes as a tree, and the part of it that is to be seen: what is open, what a search finds.

const MANY = 50; // children: more are shut until somebody opens them

export class Tree {
  constructor() {
    this.clear();
    this.toggled = new Map(); // id -> open or shut, where a person chose
    this.text = "";
    this.phase = "";
  }

  clear() {
    this.nodes = new Map();
    this.below = new Map(); // id of a parent -> ids; "" for what has none
    this.placed = new Map(); // id -> id of the parent it is filed under
    this.dirty = true;
  }

  put(node) {
    const before = this.nodes.get(node.id);
    this.nodes.set(node.id, node);
    if (!before || before.parent !== node.parent) this.file(node);
    if (this.filtered) this.dirty = true;
  }

  file(node) {
    const old = this.placed.get(node.id);
    if (old !== undefined) this.below.set(old, this.below.get(old).filter((id) => id !== node.id));
    const parent = node.parent === node.id ? "" : node.parent;
    if (!this.below.has(parent)) this.below.set(parent, []);
    this.below.get(parent).push(node.id);
    this.placed.set(node.id, parent);
    this.dirty = true;
  }

  get filtered() {
    return Boolean(this.text || this.phase);
  }

  children(id) {
    return this.below.get(id) || [];
  }

  isOpen(id) {
    return this.toggled.get(id) ?? (this.placed.get(id) === "" || this.children(id).length <= MANY);
  }

  toggle(id, open = !this.isOpen(id)) {
    this.toggled.set(id, open);
    this.dirty = true;
  }

  search(text, phase) {
    this.text = text.trim().toLowerCase();
    this.phase = phase;
    this.dirty = true;
  }

  // Opens whatever a node is inside of.
  reveal(id) {
    const seen = new Set();
    for (let at = this.placed.get(id); at && !seen.has(at); at = this.placed.get(at)) {
      seen.add(at);
      if (!this.isOpen(at)) this.toggle(at, true);
    }
  }

  // [{id, depth, kids, open}], parents before their children, in the order the nodes appeared.
  rows() {
    if (!this.dirty) return this.cached;
    this.dirty = false;
    const wanted = this.filtered ? this.matching() : null;
    const roots = [...this.children("")];
    for (const [parent, ids] of this.below) if (parent && !this.nodes.has(parent)) roots.push(...ids);
    const found = [];
    const seen = new Set();
    const todo = roots.reverse().map((id) => [id, 0]);
    while (todo.length) {
      const [id, depth] = todo.pop();
      if (seen.has(id) || (wanted && !wanted.has(id))) continue;
      seen.add(id);
      const kids = this.children(id);
      const open = kids.length > 0 && (wanted ? true : this.isOpen(id));
      found.push({ id, depth, kids: kids.length > 0, open });
      if (open) for (let at = kids.length - 1; at >= 0; at -= 1) todo.push([kids[at], depth + 1]);
    }
    this.cached = found;
    return found;
  }

  // What the search finds, and what stands above it.
  matching() {
    const wanted = new Set();
    this.hits = 0;
    for (const node of this.nodes.values()) {
      if (!this.isHit(node)) continue;
      this.hits += 1;
      for (let at = node.id; at && !wanted.has(at); at = this.placed.get(at)) wanted.add(at);
    }
    return wanted;
  }

  isHit(node) {
    if (this.phase && node.phase !== this.phase) return false;
    return !this.text || [node.name, node.template, node.message].some((one) => one.toLowerCase().includes(this.text));
  }

  // How many of the pods inside are in which phase.
  counts(id) {
    const found = {};
    const todo = [...this.children(id)];
    const seen = new Set();
    while (todo.length) {
      const one = todo.pop();
      if (seen.has(one)) continue;
      seen.add(one);
      const kids = this.children(one);
      const node = this.nodes.get(one);
      if (kids.length) todo.push(...kids);
      else if (node) found[node.phase] = (found[node.phase] || 0) + 1;
    }
    return found;
  }
}
