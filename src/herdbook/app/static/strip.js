// The line of time below the picture: blobs against animals in the sampled frames, tracked intervals with handles, and where we are.

import { by, colour, el, fitted } from "./lib/el.js";

export class Strip {
  /** @param {import("./player.js").Player} player @param {(intervals: number[][], rest: boolean) => void} change */
  constructor(player, change) {
    this.player = player;
    this.change = change;
    this.canvas = el("canvas", { tabIndex: 0, role: "slider", "aria-label": "frame", "aria-valuemin": "0" });
    by("strip").append(this.canvas);
    /** @type {any} */ this.counts = null;
    /** @type {number[][]} */ this.intervals = [];
    new ResizeObserver(() => this.paint()).observe(this.canvas);
    this.canvas.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => this.press(event));
    player.watchers.add(() => this.paint());
  }

  /** @param {PointerEvent} event */
  press(event) {
    const movie = this.player.movie;
    if (!movie) return;
    const box = this.canvas.getBoundingClientRect();
    const frame = (/** @type {PointerEvent} */ one) => Math.round(Math.min(1, Math.max(0, (one.clientX - box.left) / box.width)) * (movie.frames - 1));
    const handle = event.clientY - box.top > box.height * 0.62 ? this.handle(event.clientX - box.left, box.width) : null;
    this.canvas.setPointerCapture(event.pointerId);
    const move = (/** @type {PointerEvent} */ one) => {
      if (handle) this.pull(handle, frame(one), false);
      else this.player.go(frame(one), true);
    };
    const end = (/** @type {PointerEvent} */ one) => {
      this.canvas.removeEventListener("pointermove", move);
      if (handle) this.pull(handle, frame(one), true);
      else this.player.go(frame(one));
    };
    if (!handle) move(event);
    this.canvas.addEventListener("pointermove", move);
    this.canvas.addEventListener("pointerup", end, { once: true });
  }

  /** The end of an interval at a place of the strip. @param {number} x @param {number} width @returns {[number, number] | null} */
  handle(x, width) {
    const frames = this.player.movie.frames;
    for (const [k, interval] of this.spans().entries()) {
      for (const side of [0, 1]) if (Math.abs((interval[side] / frames) * width - x) < 8) return [k, side];
    }
    return null;
  }

  spans() {
    return this.intervals.length ? this.intervals : [[0, this.player.movie.frames]];
  }

  /** @param {[number, number]} handle @param {number} frame @param {boolean} rest */
  pull([k, side], frame, rest) {
    const spans = this.spans().map((span) => [...span]);
    const low = side ? spans[k][0] + 1 : k ? spans[k - 1][1] + 1 : 0;
    const high = side ? (k + 1 < spans.length ? spans[k + 1][0] - 1 : this.player.movie.frames) : spans[k][1] - 1;
    spans[k][side] = Math.min(Math.max(side ? frame + 1 : frame, low), high);
    if (side && frame >= this.player.movie.frames - 1) spans[k][1] = Math.min(high, this.player.movie.frames);
    this.set(spans, rest);
    this.player.go(side ? spans[k][1] - 1 : spans[k][0], !rest);
  }

  /** Begin (I) or end (O) the interval at the frame that is shown. @param {number} side */
  mark(side) {
    const frame = this.player.wanted;
    const spans = this.spans().map((span) => [...span]);
    let k = spans.findIndex((span) => frame < span[1]);
    if (k < 0) k = spans.length - 1;
    if (side) spans[k][1] = Math.max(frame + 1, spans[k][0] + 1);
    else spans[k][0] = Math.min(frame, spans[k][1] - 1);
    this.set(spans, true);
  }

  /** @param {number[][]} spans @param {boolean} rest */
  set(spans, rest) {
    const whole = spans.length === 1 && spans[0][0] === 0 && spans[0][1] >= this.player.movie.frames;
    this.intervals = whole ? [] : spans;
    this.paint();
    this.change(this.intervals, rest);
  }

  /** The next sampled frame with another number of blobs than animals. @param {number} way */
  worse(way) {
    if (!this.counts) return null;
    const bad = this.counts.frame.filter((/** @type {number} */ _, /** @type {number} */ k) => this.counts.animals !== null && !this.counts.right[k]);
    const later = bad.filter((/** @type {number} */ frame) => (frame - this.player.wanted) * way > 0);
    return later.length ? (way > 0 ? later[0] : later[later.length - 1]) : (bad[way > 0 ? 0 : bad.length - 1] ?? null);
  }

  /** The next sampled frame. @param {number} way */
  sampled(way) {
    const later = (this.counts?.frame || []).filter((/** @type {number} */ frame) => (frame - this.player.wanted) * way > 0);
    return later.length ? (way > 0 ? later[0] : later[later.length - 1]) : null;
  }

  paint() {
    const movie = this.player.movie;
    const [width, height, ratio] = fitted(this.canvas);
    const context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    context.clearRect(0, 0, width, height);
    if (!movie) return;
    const at = (/** @type {number} */ frame) => (frame / Math.max(1, movie.frames)) * width;
    context.fillStyle = colour("line");
    context.fillRect(0, height * 0.62, width, height * 0.2);
    context.fillStyle = colour("strong");
    for (const [first, end] of this.spans()) {
      context.fillRect(at(first), height * 0.62, at(end) - at(first), height * 0.2);
      for (const edge of [first, end]) context.fillRect(Math.min(width - 4 * ratio, Math.max(0, at(edge) - 2 * ratio)), height * 0.52, 4 * ratio, height * 0.4);
    }
    if (this.counts) this.paintCounts(context, at, width, height);
    context.fillStyle = colour("text");
    context.fillRect(at(Math.max(0, this.player.frame) + 0.5) - ratio, 0, 2 * ratio, height);
    this.canvas.setAttribute("aria-valuemax", String(movie.frames - 1));
    this.canvas.setAttribute("aria-valuenow", String(Math.max(0, this.player.frame)));
  }

  /** Colour and place say the same: fewer below, more above, right in the middle. @param {CanvasRenderingContext2D} context
   *  @param {(frame: number) => number} at @param {number} width @param {number} height */
  paintCounts(context, at, width, height) {
    const { frame, kept, right, animals } = this.counts;
    const wide = Math.max(2, width / Math.max(1, frame.length) - 1);
    frame.forEach((/** @type {number} */ number, /** @type {number} */ k) => {
      const good = animals === null || right[k];
      const more = kept[k] > (animals ?? kept[k]);
      context.fillStyle = kept[k] < 0 ? colour("line") : colour(good ? "right" : more ? "more" : "fewer");
      const [top, tall] = good ? [0.16, 0.2] : more ? [0, 0.36] : [0.3, 0.2];
      context.fillRect(at(number + 0.5) - wide / 2, height * top, wide, height * tall);
    });
  }
}
