// Pointing at animals: a click asks who one is, a pull with Shift or a set cross says where one is.

import { alarm, speak } from "../lib/el.js";
import { Picker } from "../lib/picker.js";
import { post } from "../lib/socket.js";
import { dot } from "./marks.js";

export class Pointing {
  /** @param {import("./review.js").Review} review */
  constructor(review) {
    this.review = review;
    this.view = review.view;
    this.player = review.player;
    this.picker = new Picker(review.view);
    /** @type {[number, number] | undefined} */ this.pulled = undefined;
    review.view.place.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => this.press(event), { capture: true });
  }

  /** A click on the picture sets where the animal in question is; the cross that arrows move does, too. */
  move() {
    const { asked, state } = this.review;
    const name = asked?.name;
    if (!name || !state.individuals.includes(name)) return;
    this.review.loop.stop();
    this.review.told.textContent = `Click where ${name} is in frame ${this.player.frame}, or set the cross with arrows and the space bar.`;
    this.picker.start(([x, y]) => {
      this.picker.stop();
      this.correct(name, x, y);
    }, () => {});
  }

  /** @param {string} individual @param {number} x @param {number} y */
  async correct(individual, x, y) {
    try {
      await post("/api/review/answer", { correction: { movie: this.player.movie.name, frame: this.player.frame, individual, x, y } });
      speak(`${individual} was moved`);
    } catch (error) {
      alarm(/** @type {Error} */ (error).message);
    }
  }

  /** A click on an animal asks who it is from here on; pulled with Shift, it is moved. @param {PointerEvent} event */
  press(event) {
    const { review } = this;
    if (!review.doubting || this.picker.on || event.button !== 0 || !review.watch.tracks || !review.state) return;
    const found = this.hit(event);
    if (!found) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    this.review.loop.stop();
    if (event.shiftKey && found.name) this.pull(found.name, event);
    else this.review.about(found);
  }

  /** The animal at a place, known or not. @param {{clientX: number, clientY: number}} event */
  hit(event) {
    const { tracks, summary } = this.review.watch;
    const [x, y] = this.view.from(event);
    const known = tracks.who.map((/** @type {number} */ who, /** @type {number} */ k) => ({ name: summary.names[who], x: tracks.x[k], y: tracks.y[k], reach: tracks.radius[k] }));
    const unknown = tracks.unknown.map((/** @type {number[]} */ [ux, uy, , reach]) => ({ name: "", x: ux, y: uy, reach }));
    return [...known, ...unknown]
      .map((one) => ({ ...one, away: Math.hypot(one.x - x, one.y - y) }))
      .filter((one) => one.away < Math.max(one.reach, this.view.reach(8)))
      .sort((a, b) => a.away - b.away)[0];
  }

  /** @param {string} name @param {PointerEvent} event */
  pull(name, event) {
    this.pulled = this.view.from(event);
    this.view.place.setPointerCapture(event.pointerId);
    const move = (/** @type {PointerEvent} */ moved) => {
      this.pulled = this.view.from(moved);
      this.view.paintDrawn();
    };
    this.view.place.addEventListener("pointermove", move);
    this.view.place.addEventListener("pointerup", (/** @type {PointerEvent} */ end) => {
      this.view.place.removeEventListener("pointermove", move);
      this.pulled = undefined;
      this.view.paintDrawn();
      this.correct(name, ...this.view.from(end));
    }, { once: true });
  }

  /** @param {CanvasRenderingContext2D} context @param {number} ratio */
  paint(context, ratio) {
    if (this.pulled) dot(context, this.view, this.pulled[0], this.pulled[1], ratio);
  }
}
