// The line of time of each animal: alone, resolved, unknown, hidden. A click goes there.

import { by, colour, el, fitted } from "./lib/el.js";
import { get } from "./lib/socket.js";

// Colour and height say the same; what is lower is less sure.
export const STATES = [
  { name: "single", colour: "#0072b2", tall: 1 },
  { name: "resolved", colour: "#009e73", tall: 0.78 },
  { name: "interpolated", colour: "#e0cf1d", tall: 0.4 },
  { name: "merged", colour: "#d55e00", tall: 0.55 },
  { name: "corrected", colour: "#a020f0", tall: 0.9 },
  { name: "unknown", colour: "#cc79a7", tall: 0.3 },
  { name: "hidden", colour: "", tall: 0.08 },
  { name: "not tracked", colour: "", tall: 0 },
];
const ROW = 18;

export class Lanes {
  /** @param {import("./player.js").Player} player @param {(who: number) => void} choose */
  constructor(player, choose) {
    this.player = player;
    this.choose = choose;
    this.canvas = el("canvas", { role: "img", "aria-label": "line of time of each animal; click to go there" });
    this.names = el("div", { className: "lane-names" });
    this.scroll = el("div", { className: "lanes" }, this.names, this.canvas);
    this.legend = el("p", { className: "legend" }, ...STATES.slice(0, 7).map(({ name, colour: shade, tall }) => {
      const sample = el("span", { className: "sample", "aria-hidden": "true" });
      sample.style.height = `${Math.max(2, 12 * tall)}px`;
      sample.style.background = shade || "currentColor";
      return el("span", { className: "inline" }, sample, name);
    }));
    by("lanes").append(this.scroll, this.legend);
    /** @type {any} */ this.found = null;
    /** @type {any} */ this.summary = null;
    /** The lanes as they were painted last: while a movie plays, only the line that moves is drawn. @type {HTMLCanvasElement} */ this.still = el("canvas");
    this.stale = true;
    this.range = [0, 0];
    this.asked = 0;
    this.chosen = -1;
    this.on = false;
    new ResizeObserver(() => this.ask()).observe(this.canvas);
    this.canvas.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => {
      const move = (/** @type {PointerEvent} */ one) => this.player.go(this.frameAt(one), true);
      this.canvas.setPointerCapture(event.pointerId);
      move(event);
      this.canvas.addEventListener("pointermove", move);
      this.canvas.addEventListener("pointerup", (/** @type {PointerEvent} */ one) => {
        this.canvas.removeEventListener("pointermove", move);
        this.player.go(this.frameAt(one));
      }, { once: true });
    });
  }

  /** @param {{clientX: number}} event */
  frameAt(event) {
    const box = this.canvas.getBoundingClientRect();
    const [first, end] = this.range;
    return Math.min(end - 1, Math.max(first, Math.floor(first + ((event.clientX - box.left) / box.width) * (end - first))));
  }

  /** @param {any} summary of a movie's results, null for none */
  show(summary) {
    this.summary = summary;
    this.found = null;
    this.range = [0, this.player.movie?.frames || 0];
    this.names.replaceChildren();
    this.ask();
  }

  /** Show a part of the movie around the frame, or more of it. @param {number} factor */
  zoom(factor) {
    const frames = this.player.movie.frames;
    const long = Math.min(frames, Math.max(50, Math.round((this.range[1] - this.range[0]) * factor)));
    const first = Math.min(Math.max(0, this.player.wanted - Math.floor(long / 2)), frames - long);
    this.range = [first, first + long];
    this.ask();
  }

  /** The frame must be in the part that is shown. */
  keep() {
    const [first, end] = this.range;
    const frame = this.player.frame;
    if (frame >= 0 && (frame < first || frame >= end)) this.zoom(1);
    else this.paint();
  }

  async ask() {
    if (!this.on || !this.summary || !this.player.movie) {
      this.paint();
      return;
    }
    const number = ++this.asked;
    const [first, end] = this.range;
    try {
      const found = await get(`/api/watch/lanes?movie=${encodeURIComponent(this.summary.movie)}&first=${first}&end=${end}&width=${Math.max(1, this.canvas.clientWidth)}`);
      if (number !== this.asked) return;
      this.found = found;
      this.stale = true;
      this.showNames();
      this.paint();
      document.documentElement.dataset.lanes = `${first}-${end}`;
    } catch {
      // What is wrong is said at the frame.
    }
  }

  showNames() {
    const { who, of } = this.found;
    this.canvas.style.height = `${who.length * ROW}px`;
    if (this.names.childElementCount !== who.length) {
      this.names.replaceChildren(...who.map((/** @type {number} */ number) => el("button", { className: "lane-name", data: { who: String(number) }, title: "follow", on: { click: () => this.choose(number) } }, this.summary.names[number])));
    }
    for (const button of this.names.children) button.setAttribute("aria-pressed", String(Number(button.dataset.who) === this.chosen));
    by("lanes-note").textContent = who.length < of ? `${who.length} of ${of}, those seen most` : "";
  }

  paint() {
    if (!this.on) return;
    const [width, height, ratio] = fitted(this.canvas);
    const context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    context.clearRect(0, 0, width, height);
    if (!this.found || !this.summary) return;
    if (this.stale || this.still.width !== width || this.still.height !== height) {
      [this.still.width, this.still.height] = [width, height];
      this.paintStill(/** @type {CanvasRenderingContext2D} */ (this.still.getContext("2d")), width, ratio);
      this.stale = false;
    }
    context.drawImage(this.still, 0, 0);
    const { first, end } = this.found;
    context.fillStyle = colour("text");
    context.fillRect(((Math.max(0, this.player.frame) + 0.5 - first) / (end - first)) * width - ratio / 2, 0, ratio, height);
  }

  /** @param {CanvasRenderingContext2D} context @param {number} width @param {number} ratio */
  paintStill(context, width, ratio) {
    const { first, end, who, states } = this.found;
    const tall = ROW * ratio;
    states.forEach((/** @type {string} */ line, /** @type {number} */ row) => {
      const wide = width / line.length;
      for (let start = 0; start < line.length; ) {
        let stop = start + 1;
        while (stop < line.length && line[stop] === line[start]) stop++;
        const state = STATES[Number(line[start])];
        const high = Math.max(state.tall ? ratio : 0, state.tall * tall * 0.8);
        context.fillStyle = state.colour || colour("quiet");
        context.fillRect(start * wide, row * tall + tall * 0.9 - high, (stop - start) * wide, high);
        start = stop;
      }
    });
    const at = (/** @type {number} */ frame) => ((frame + 0.5 - first) / (end - first)) * width;
    context.fillStyle = colour("more");
    for (const doubt of this.summary.doubts) {
      const name = this.summary.names.indexOf(doubt.assigned || doubt.name);
      const row = who.indexOf(name);
      if (row < 0 || doubt.frame < first || doubt.frame >= end) continue;
      context.beginPath();
      context.moveTo(at(doubt.frame) - 4 * ratio, row * tall);
      context.lineTo(at(doubt.frame) + 4 * ratio, row * tall);
      context.lineTo(at(doubt.frame), row * tall + 6 * ratio);
      context.fill();
    }
  }
}
