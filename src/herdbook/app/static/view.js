// The picture and what is drawn on it: two canvases, one view that stays when the frame changes.
// Points are (x, y) in px of the movie, pixel centres at whole numbers; the second canvas is drawn in pixels of the screen.

import { by, colour, fitted } from "./lib/el.js";

/** @typedef {{blob: number, points: Int16Array}} Outline */

/** @param {ArrayBuffer} packed @returns {Outline[]} */
export function unpackOutlines(packed) {
  const numbers = new Int16Array(packed);
  const found = [];
  for (let place = 0; place < numbers.length; ) {
    const count = numbers[place + 1];
    found.push({ blob: numbers[place], points: numbers.subarray(place + 2, place + 2 + 2 * count) });
    place += 2 + 2 * count;
  }
  return found;
}

export class View {
  constructor() {
    this.place = by("view");
    /** @type {HTMLCanvasElement} */ this.picture = by("picture");
    /** @type {HTMLCanvasElement} */ this.drawn = by("drawn");
    this.width = 0;
    this.height = 0;
    /** @type {ImageBitmap | null} */ this.image = null;
    /** @type {{outlines: Outline[], reasons: number[]}} */ this.blobs = { outlines: [], reasons: [] };
    this.scale = 1; // pixels of the screen per pixel of the movie
    this.left = 0;
    this.top = 0;
    this.fits = true;
    /** @type {((context: CanvasRenderingContext2D, view: View) => void)[]} */ this.layers = [];
    this.chosen = -1;
    this.showsOutlines = true;
    new ResizeObserver(() => {
      if (this.fits) this.fit();
      this.paint();
    }).observe(this.place);
    this.listen();
  }

  /** @param {number} width @param {number} height */
  size(width, height) {
    if (width === this.width && height === this.height) return;
    this.width = width;
    this.height = height;
    this.fit();
  }

  fit() {
    const [width, height] = fitted(this.picture);
    this.fits = true;
    this.scale = Math.min(width / Math.max(1, this.width), height / Math.max(1, this.height));
    this.left = (width - this.width * this.scale) / 2;
    this.top = (height - this.height * this.scale) / 2;
    this.paint();
  }

  one() {
    const [width, height, ratio] = fitted(this.picture);
    this.zoom(ratio / this.scale, width / 2, height / 2);
  }

  /** @param {number} factor @param {number} x @param {number} y in pixels of the screen */
  zoom(factor, x, y) {
    const scale = Math.min(60, Math.max(0.02, this.scale * factor));
    this.left = x - ((x - this.left) * scale) / this.scale;
    this.top = y - ((y - this.top) * scale) / this.scale;
    this.scale = scale;
    this.fits = false;
    this.paint();
  }

  /** Place on the screen. @param {number} x @param {number} y @returns {[number, number]} */
  to(x, y) {
    return [this.left + (x + 0.5) * this.scale, this.top + (y + 0.5) * this.scale];
  }

  /** Place in the movie. @param {{clientX: number, clientY: number}} event @returns {[number, number]} */
  from(event) {
    const box = this.picture.getBoundingClientRect();
    const ratio = this.picture.width / Math.max(1, box.width);
    return [((event.clientX - box.left) * ratio - this.left) / this.scale - 0.5, ((event.clientY - box.top) * ratio - this.top) / this.scale - 0.5];
  }

  /** Pixels of the movie that a distance on the screen covers. @param {number} pixels */
  reach(pixels) {
    return (pixels * (window.devicePixelRatio || 1)) / this.scale;
  }

  listen() {
    const at = (/** @type {any} */ event) => {
      const box = this.picture.getBoundingClientRect();
      const ratio = this.picture.width / Math.max(1, box.width);
      return [(event.clientX - box.left) * ratio, (event.clientY - box.top) * ratio];
    };
    this.place.addEventListener(
      "wheel",
      (/** @type {WheelEvent} */ event) => {
        event.preventDefault();
        const [x, y] = at(event);
        this.zoom(Math.exp(-event.deltaY / 400), x, y);
      },
      { passive: false },
    );
    this.place.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => {
      if (event.button > 1 || event.defaultPrevented) return;
      this.place.setPointerCapture(event.pointerId);
      let [x, y] = at(event);
      const move = (/** @type {PointerEvent} */ moved) => {
        const [nx, ny] = at(moved);
        if (nx === x && ny === y) return;
        this.left += nx - x;
        this.top += ny - y;
        [x, y] = [nx, ny];
        this.fits = false;
        this.paint();
      };
      const end = () => {
        this.place.removeEventListener("pointermove", move);
        this.place.removeEventListener("pointerup", end);
        this.place.removeEventListener("pointercancel", end);
      };
      this.place.addEventListener("pointermove", move);
      this.place.addEventListener("pointerup", end);
      this.place.addEventListener("pointercancel", end);
    });
  }

  paint() {
    this.paintPicture();
    this.paintDrawn();
  }

  paintPicture() {
    const [width, height] = fitted(this.picture);
    const context = /** @type {CanvasRenderingContext2D} */ (this.picture.getContext("2d", { alpha: false }));
    context.fillStyle = colour("frame");
    context.fillRect(0, 0, width, height);
    if (!this.image) return;
    context.imageSmoothingEnabled = this.scale < 3;
    context.drawImage(this.image, this.left, this.top, this.width * this.scale, this.height * this.scale);
  }

  paintDrawn() {
    const [width, height] = fitted(this.drawn);
    const context = /** @type {CanvasRenderingContext2D} */ (this.drawn.getContext("2d"));
    context.clearRect(0, 0, width, height);
    if (this.showsOutlines) this.paintOutlines(context);
    for (const layer of this.layers) layer(context, this);
  }

  /** One path for those that are kept and one for those that are dropped: a stroke for each blob takes five times as long. @param {CanvasRenderingContext2D} context */
  paintOutlines(context) {
    const ratio = window.devicePixelRatio || 1;
    for (const kept of [false, true]) {
      context.beginPath();
      for (const { blob, points } of this.blobs.outlines) {
        if (this.blobs.reasons[blob] < 0 === kept) this.trace(context, points);
      }
      context.lineWidth = ratio;
      context.strokeStyle = kept ? "#f0e442" : "#bbbbbb";
      context.setLineDash(kept ? [] : [2 * ratio, 2 * ratio]);
      context.stroke();
    }
    context.setLineDash([]);
    const chosen = this.blobs.outlines.filter((outline) => outline.blob === this.chosen);
    if (!chosen.length) return;
    context.beginPath();
    for (const { points } of chosen) this.trace(context, points);
    context.fillStyle = "rgb(240 228 66 / 35%)";
    context.fill("evenodd");
  }

  /** @param {CanvasRenderingContext2D} context @param {ArrayLike<number>} points */
  trace(context, points) {
    if (points.length === 2) {
      const [x, y] = this.to(points[0], points[1]);
      context.rect(x - this.scale / 2, y - this.scale / 2, this.scale, this.scale);
      return;
    }
    for (let k = 0; k < points.length; k += 2) {
      const [x, y] = this.to(points[k], points[k + 1]);
      if (k) context.lineTo(x, y);
      else context.moveTo(x, y);
    }
    context.closePath();
  }
}
