// The line to the kernel: whether it is there, and since when nothing was heard of it.

const HELLOS = [0, 300, 1000, 2000, 4000, 8000]; // ms: the first ones may meet a kernel that does not listen yet
const SILENCE = 10000; // ms without an answer until the view calls itself a snapshot
const LAST_LOOKS = [0, 500, 2000, 5000]; // ms after the line broke: a restarting kernel closes it a little later
const PING = 20000; // ms without news until the view asks whether the kernel is still there
const TICK = 2000;
const SLEPT = 15000; // ms between two ticks that mean that the machine slept

export class Link {
  // line: sends to the kernel and hears from it. heard: gets every message. changed: the state is another.
  constructor(line, heard, changed) {
    this.line = line;
    this.changed = changed;
    this.state = "connecting"; // connecting, live, waiting, gone
    this.count = 0; // messages heard
    this.lastNews = Date.now();
    this.lastTick = Date.now();
    this.watched = () => true; // whether anybody wants to know
    line.on("msg:custom", (message, buffers) => {
      this.count += 1;
      this.lastNews = Date.now();
      this.set("live");
      heard(message, buffers || []);
    });
    line.on("comm_live_update", () => this.lookForKernel());
    this.greet();
    setInterval(() => this.tick(), TICK);
  }

  send(message) {
    try {
      this.line.send(message);
      return true;
    } catch {
      this.set("gone"); // the kernel was restarted: its end of the line is closed
      return false;
    }
  }

  greet() {
    for (const delay of HELLOS) {
      setTimeout(() => this.count === 0 && this.state !== "gone" && this.send({ do: "hello" }), delay);
    }
    setTimeout(() => this.count === 0 && this.set("gone"), SILENCE);
  }

  tick() {
    const now = Date.now();
    const slept = now - this.lastTick > SLEPT;
    this.lastTick = now;
    if (this.state === "gone" || this.state === "connecting" || !this.watched()) return;
    const silent = now - this.lastNews;
    if (silent > 2 * PING && !slept) this.set("waiting");
    if (slept || (silent > PING && now - (this.asked || 0) > PING / 2)) {
      this.asked = now;
      this.send({ do: "ping" });
    }
  }

  // The front end says that the line to the kernel has opened or broken: only sending shows which.
  lookForKernel() {
    for (const delay of LAST_LOOKS) setTimeout(() => this.state !== "gone" && this.send({ do: "ping" }), delay);
  }

  set(state) {
    if (this.state === state) return;
    this.state = state;
    this.changed();
  }
}
