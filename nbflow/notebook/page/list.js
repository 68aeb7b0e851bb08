// A list of any length, of which only the rows that are seen exist.

export const ROW_HEIGHT = 24; // pixels of a row in the lists of nodes
const SPARE = 6; // rows drawn above and below what is seen

export class VirtualList {
  // height: of a row, in pixels. makeRow: an element and what belongs to it. drawRow: fills one for an index.
  constructor(scroller, height, makeRow, drawRow) {
    this.scroller = scroller;
    this.height = height;
    this.makeRow = makeRow;
    this.drawRow = drawRow;
    this.count = 0;
    this.rows = new Map(); // index -> row
    this.spare = [];
    this.body = document.createElement("div");
    this.body.className = "nbflow-virtual";
    this.body.setAttribute("role", "presentation");
    scroller.append(this.body);
    this.top = 0; // kept, since asking the page for it would make it lay everything out
    this.seen = 0;
    scroller.addEventListener("scroll", () => {
      this.top = scroller.scrollTop;
      this.draw();
    });
    this.sizes = new ResizeObserver(([{ contentRect }]) => {
      this.seen = contentRect.height;
      this.top = scroller.scrollTop; // the page is laid out by now
      this.draw();
    });
    this.sizes.observe(scroller);
  }

  setCount(count) {
    if (count !== this.count) {
      this.count = count;
      this.body.style.height = `${count * this.height}px`;
    }
    this.draw();
  }

  draw() {
    const { top, seen } = this;
    const first = Math.max(0, Math.floor(top / this.height) - SPARE);
    const last = seen ? Math.min(this.count, Math.ceil((top + seen) / this.height) + SPARE) : 0;
    for (const [index, row] of this.rows) {
      if (index < first || index >= last) {
        this.rows.delete(index);
        this.spare.push(row);
        row.element.remove();
      }
    }
    for (let index = first; index < last; index += 1) {
      if (!this.rows.has(index)) this.rows.set(index, this.newRow(index));
      this.drawRow(this.rows.get(index), index);
    }
  }

  newRow(index) {
    const row = this.spare.pop() || this.makeRow();
    row.element.style.transform = `translateY(${index * this.height}px)`;
    let next = null; // the page has them in order: who selects, copies or listens goes by that
    let nearest = Infinity;
    for (const [at, other] of this.rows) if (at > index && at < nearest) [nearest, next] = [at, other.element];
    this.body.insertBefore(row.element, next);
    return row;
  }

  show(index) {
    const top = index * this.height;
    if (top < this.top) this.scrollTo(top);
    else if (top + this.height > this.top + this.seen) this.scrollTo(top + this.height - this.seen);
  }

  scrollTo(top) {
    this.scroller.scrollTop = Math.max(0, Math.min(top, this.count * this.height));
    this.top = this.scroller.scrollTop; // as far as it goes
    this.own = this.top;
    this.draw();
  }

  get page() {
    return Math.max(1, Math.floor(this.seen / this.height) - 1);
  }

  close() {
    this.sizes.disconnect();
  }
}
