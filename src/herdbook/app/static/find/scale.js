// The scale: two points of a known distance, or three on the rim of a circle of a known width.

import { el, speak } from "../lib/el.js";

/** @typedef {import("../lib/picker.js").Point} Point */

const KINDS = /** @type {const} */ ({ points: { clicks: 2, size: "length", words: "two points", asks: "their distance (mm)" }, circle: { clicks: 3, size: "diameter", words: "a circle", asks: "its diameter (mm)" } });

/** The circle through three points: centre and radius; null if they lie on a line. @param {Point[]} points @returns {[number, number, number] | null} */
export function circleThrough([[ax, ay], [bx, by], [cx, cy]]) {
  const twice = 2 * (ax * (by - cy) + bx * (cy - ay) + cx * (ay - by));
  if (Math.abs(twice) < 1e-6) return null;
  const [a, b, c] = [ax * ax + ay * ay, bx * bx + by * by, cx * cx + cy * cy];
  const x = (a * (by - cy) + b * (cy - ay) + c * (ay - by)) / twice;
  const y = (a * (cx - bx) + b * (ax - cx) + c * (bx - ax)) / twice;
  return [x, y, Math.hypot(ax - x, ay - y)];
}

export class Scale {
  /** @param {import("../view.js").View} view @param {import("../lib/picker.js").Picker} picker @param {(changes: Record<string, any>, rest: boolean) => void} change */
  constructor(view, picker, change) {
    this.view = view;
    this.picker = picker;
    this.change = change;
    /** @type {"points" | "circle" | ""} */ this.kind = "";
    /** @type {Point[]} */ this.points = [];
    /** @type {any} */ this.scale = null;
    const tool = (/** @type {"points" | "circle"} */ kind) => el("button", { "aria-pressed": "false", data: { scale: kind }, on: { click: () => this.begin(kind) } }, KINDS[kind].words);
    this.tools = { points: tool("points"), circle: tool("circle") };
    this.label = el("span", {}, KINDS.points.asks);
    this.size = el("input", { type: "number", min: 0, step: "any", id: "scale-size", on: { change: () => this.tell() } });
    this.drop = el("button", { hidden: true, on: { click: () => this.remove() } }, "Remove");
    this.note = el("p", { className: "hint", role: "status" });
    this.place = el("div", {}, el("div", { className: "tools" }, this.tools.points, this.tools.circle, this.drop), el("label", { className: "inline" }, this.label, this.size), this.note);
    view.layers.push((context) => this.paint(context));
    this.show(null);
  }

  /** @param {any} scale the section of the experiment file, null without one */
  show(scale) {
    // What is being clicked here is not in the file yet.
    if (this.picker.on && this.kind) return;
    this.scale = scale;
    const kind = scale?.points ? "points" : scale?.circle ? "circle" : "";
    if (kind || !scale) [this.kind, this.points] = [kind, kind ? scale[kind] : this.points.length === (this.kind && KINDS[this.kind].clicks) ? this.points : []];
    if (kind && document.activeElement !== this.size) this.size.value = String(scale[KINDS[kind].size]);
    this.drop.hidden = !scale;
    this.tellScale();
    this.view.paintDrawn();
  }

  /** @param {"points" | "circle"} kind */
  begin(kind) {
    this.picker.stop();
    [this.kind, this.points] = [kind, []];
    this.label.textContent = KINDS[kind].asks;
    this.tools[kind].setAttribute("aria-pressed", "true");
    this.note.textContent = kind === "points" ? "Click both points." : "Click three points on the rim.";
    this.picker.start((point) => this.set(point), () => {
      for (const button of Object.values(this.tools)) button.setAttribute("aria-pressed", "false");
    });
  }

  /** @param {Point} point */
  set([x, y]) {
    if (!this.kind) return;
    this.points.push([Math.round(10 * x) / 10, Math.round(10 * y) / 10]);
    speak(`point ${this.points.length}`);
    this.view.paintDrawn();
    if (this.points.length < KINDS[this.kind].clicks) return;
    this.picker.stop();
    if (this.size.value === "") {
      this.note.textContent = `Give ${KINDS[this.kind].asks}.`;
      this.size.focus();
    } else {
      this.tell();
    }
  }

  tell() {
    const size = Number(this.size.value);
    if (!this.kind || this.points.length < KINDS[this.kind].clicks || !(size > 0)) return;
    this.change({ scale: { [this.kind]: this.points, [KINDS[this.kind].size]: size } }, true);
  }

  remove() {
    [this.kind, this.points] = ["", []];
    this.change({ scale: null }, true);
  }

  /** Length of the points, or width of the circle, px. */
  get pixels() {
    if (!this.kind || this.points.length < KINDS[this.kind].clicks) return NaN;
    if (this.kind === "points") return Math.hypot(this.points[0][0] - this.points[1][0], this.points[0][1] - this.points[1][1]);
    return 2 * (circleThrough(this.points)?.[2] ?? NaN);
  }

  tellScale() {
    const value = this.scale?.px_per_mm ?? this.pixels / Number(this.size.value || NaN);
    this.note.textContent = this.scale && value > 0 ? `${Number(value.toPrecision(4))} px are 1 mm.` : "None: lengths in the tables are in px.";
  }

  /** @param {CanvasRenderingContext2D} context */
  paint(context) {
    if (!this.points.length) return;
    const ratio = window.devicePixelRatio || 1;
    const places = this.points.map((point) => this.view.to(...point));
    context.beginPath();
    if (this.kind === "points" && places.length === 2) {
      context.moveTo(...places[0]);
      context.lineTo(...places[1]);
    } else if (this.kind === "circle" && places.length >= 3) {
      const found = circleThrough(this.points);
      if (found) context.arc(...this.view.to(found[0], found[1]), found[2] * this.view.scale, 0, 7);
    }
    for (const [x, y] of places) {
      context.moveTo(x - 6 * ratio, y);
      context.lineTo(x + 6 * ratio, y);
      context.moveTo(x, y - 6 * ratio);
      context.lineTo(x, y + 6 * ratio);
    }
    for (const [wide, ink] of /** @type {[number, string][]} */ ([[3, "black"], [1, "#cc79a7"]])) {
      context.lineWidth = wide * ratio;
      context.strokeStyle = ink;
      context.stroke();
    }
  }
}
