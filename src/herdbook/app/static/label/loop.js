// The loop of a tracklet: images of consecutive frames that lie side by side on one sheet.

const LEAST_FPS = 4;

export class Loop {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    /** @type {ImageBitmap | null} */ this.image = null;
    this.rate = LEAST_FPS;
    this.began = 0;
    this.shown = -1;
    this.on = false;
    this.still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  }

  /** @param {ImageBitmap | null} image @param {number} fps of the movie @param {number} seconds that the loop lasts at most */
  show(image, fps, seconds = 3) {
    this.image = image;
    this.shown = -1;
    this.began = performance.now();
    const context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    if (!image) {
      context.clearRect(0, 0, this.canvas.width, this.canvas.height);
      return;
    }
    const count = Math.round(image.width / image.height);
    this.rate = Math.max(LEAST_FPS, Math.min(fps, count / seconds));
    [this.canvas.width, this.canvas.height] = [image.height, image.height];
    this.draw(0);
    if (!this.on && !this.still) {
      this.on = true;
      requestAnimationFrame(() => this.step());
    }
  }

  stop() {
    this.on = false;
  }

  /** Stop, or go on; who wants less motion starts it so. */
  pause() {
    this.still = this.on;
    this.on = !this.on;
    this.began = performance.now();
    if (this.on) this.step();
  }

  step() {
    if (!this.on) return;
    if (this.image) this.draw(Math.floor(((performance.now() - this.began) / 1000) * this.rate));
    requestAnimationFrame(() => this.step());
  }

  /** @param {number} number */
  draw(number) {
    if (!this.image) return;
    const side = this.image.height;
    const place = number % Math.max(1, Math.round(this.image.width / side));
    if (place === this.shown) return;
    this.shown = place;
    /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d")).drawImage(this.image, place * side, 0, side, side, 0, 0, side, side);
  }
}
