// Points set on the picture: by the mouse, or by a cross that arrows move and the space bar sets, so that no mouse is needed.

import { speak } from "./el.js";
import { bind } from "./keys.js";

/** @typedef {[number, number]} Point */

export class Picker {
  /** @param {import("../view.js").View} view */
  constructor(view) {
    this.view = view;
    /** @type {((point: Point) => void) | null} */ this.take = null;
    /** @type {() => void} */ this.left = () => {};
    /** @type {Point | null} */ this.cross = null;
    view.place.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => this.press(event), { capture: true });
    view.layers.push((context) => this.paint(context));
    this.keys();
  }

  get on() {
    return Boolean(this.take);
  }

  /** Hear of each point until `stop`. @param {(point: Point) => void} take @param {() => void} left what is done when it ends */
  start(take, left) {
    this.stop();
    [this.take, this.left] = [take, left];
    this.view.place.classList.add("drawing");
    // Keys belong to the picture from here on, not to the button that was pressed last.
    this.view.place.focus({ preventScroll: true });
    this.view.paintDrawn();
  }

  stop() {
    if (!this.take) return;
    this.take = this.cross = null;
    this.view.place.classList.remove("drawing");
    this.left();
    this.view.paintDrawn();
  }

  /** @param {PointerEvent} event */
  press(event) {
    if (!this.take || event.button !== 0) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    this.cross = null;
    this.take(this.view.from(event));
  }

  /** @param {number} dx @param {number} dy */
  walk(dx, dy) {
    const [x, y] = this.cross || [Math.round(this.view.width / 2), Math.round(this.view.height / 2)];
    this.cross = [Math.min(this.view.width - 1, Math.max(0, x + dx)), Math.min(this.view.height - 1, Math.max(0, y + dy))];
    speak(`x ${this.cross[0]}, y ${this.cross[1]}`);
    this.view.paintDrawn();
  }

  keys() {
    const G = "Clicking on the picture";
    const on = () => this.on;
    for (const [code, dx, dy] of /** @type {[string, number, number][]} */ ([["ArrowLeft", -1, 0], ["ArrowRight", 1, 0], ["ArrowUp", 0, -1], ["ArrowDown", 0, 1]])) {
      bind(G, code, "arrows", "move the cross (Shift: ten pixels)", () => this.walk(dx, dy), on);
      bind(G, `Shift+${code}`, "Shift+arrows", "ten pixels", () => this.walk(10 * dx, 10 * dy), on);
    }
    bind(G, "Space", "Space", "click where the cross is", () => this.cross && this.take?.(this.cross), on);
    bind(G, "Escape", "Esc", "click no more", () => this.stop(), on);
  }

  /** @param {CanvasRenderingContext2D} context */
  paint(context) {
    if (!this.cross) return;
    const ratio = window.devicePixelRatio || 1;
    const [x, y] = this.view.to(...this.cross);
    for (const [wide, ink] of /** @type {[number, string][]} */ ([[3, "black"], [1, "white"]])) {
      context.beginPath();
      for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
        context.moveTo(x + 4 * dx * ratio, y + 4 * dy * ratio);
        context.lineTo(x + 14 * dx * ratio, y + 14 * dy * ratio);
      }
      context.lineWidth = wide * ratio;
      context.strokeStyle = ink;
      context.stroke();
    }
  }
}
