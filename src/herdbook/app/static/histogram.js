// How large the blobs of the sampled frames are, on a logarithmic scale, with the smallest and largest area as two handles.

import { by, colour, el, fitted } from "./lib/el.js";

const BINS = 60;
const MOST = 1e6; // px

export class Histogram {
  /** @param {(area: number[], rest: boolean) => void} change */
  constructor(change) {
    this.change = change;
    this.canvas = el("canvas", { role: "img", "aria-label": "areas of blobs" });
    by("histogram").append(this.canvas);
    /** @type {[number, number]} */ this.area = [1, MOST];
    this.kept = new Array(BINS).fill(0);
    this.dropped = new Array(BINS).fill(0);
    this.most = 1e5;
    new ResizeObserver(() => this.paint()).observe(this.canvas);
    this.canvas.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => this.drag(event));
  }

  /** @param {Int32Array} areas @param {Int8Array} reasons */
  show(areas, reasons) {
    let largest = 1000;
    for (const area of areas) largest = Math.max(largest, area * 3);
    this.most = Math.min(MOST, Math.max(largest, this.area[0] * 3));
    this.kept.fill(0);
    this.dropped.fill(0);
    for (let k = 0; k < areas.length; k++) {
      const bin = Math.min(BINS - 1, Math.floor((Math.log(areas[k]) / Math.log(this.most)) * BINS));
      (reasons[k] < 0 ? this.kept : this.dropped)[bin]++;
    }
    const kept = this.kept.reduce((sum, n) => sum + n, 0);
    by("areas-note").textContent = areas.length ? `${kept} kept, ${areas.length - kept} dropped` : "";
    this.canvas.setAttribute("aria-label", `areas of ${areas.length} blobs; ${kept} are between ${this.area[0]} and ${this.area[1]} px`);
    this.paint();
  }

  /** @param {[number, number]} area */
  set(area) {
    this.area = area;
    this.paint();
  }

  /** @param {number} area @param {number} width */
  at(area, width) {
    return Math.min(1, Math.log(Math.max(1, area)) / Math.log(this.most)) * width;
  }

  /** @param {PointerEvent} event */
  drag(event) {
    const box = this.canvas.getBoundingClientRect();
    const place = (/** @type {PointerEvent} */ one) => Math.round(this.most ** Math.min(1, Math.max(0, (one.clientX - box.left) / box.width)));
    const x = event.clientX - box.left;
    const handle = Math.abs(x - this.at(this.area[0], box.width)) <= Math.abs(x - this.at(this.area[1], box.width)) ? 0 : 1;
    this.canvas.setPointerCapture(event.pointerId);
    const move = (/** @type {PointerEvent} */ one) => {
      const area = /** @type {[number, number]} */ ([...this.area]);
      area[handle] = handle ? Math.max(place(one), area[0]) : Math.min(place(one), area[1]);
      this.set(area);
      this.change(area, false);
    };
    const end = () => {
      this.canvas.removeEventListener("pointermove", move);
      this.change(this.area, true);
    };
    move(event);
    this.canvas.addEventListener("pointermove", move);
    this.canvas.addEventListener("pointerup", end, { once: true });
  }

  paint() {
    const [width, height, ratio] = fitted(this.canvas);
    const context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    context.clearRect(0, 0, width, height);
    const floor = height - 20 * ratio;
    const top = Math.max(1, ...this.kept.map((n, k) => Math.sqrt(n + this.dropped[k])));
    for (let k = 0; k < BINS; k++) {
      // By the square root: a few animals are seen beside thousands of specks.
      const all = (Math.sqrt(this.kept[k] + this.dropped[k]) / top) * (floor - 4);
      const kept = (Math.sqrt(this.kept[k]) / top) * (floor - 4);
      const [x, wide] = [(k * width) / BINS, width / BINS - 1];
      context.fillStyle = colour("line");
      context.fillRect(x, floor - all, wide, all);
      context.fillStyle = colour("strong");
      context.fillRect(x, floor - kept, wide, kept);
    }
    context.fillStyle = colour("quiet");
    context.font = `${12 * ratio}px system-ui, sans-serif`;
    for (let area = 10; area <= this.most; area *= 10) {
      const x = this.at(area, width);
      context.fillRect(x, floor, ratio, 4 * ratio);
      context.textAlign = x > width - 40 * ratio ? "right" : "center";
      context.fillText(area >= 1000 ? `${area / 1000}k px` : `${area} px`, x, height - 4 * ratio);
    }
    context.fillStyle = colour("text");
    for (const area of this.area) {
      const x = Math.min(width - ratio, this.at(area, width));
      context.fillRect(x - ratio, 0, 2 * ratio, floor);
      context.beginPath();
      context.arc(x, 7 * ratio, 6 * ratio, 0, 7);
      context.fill();
    }
  }
}
