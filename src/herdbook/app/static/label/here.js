// A click on an animal in Watch: who is it? The names appear beside it, the most likely one first, and one press writes a label.

import { alarm, el, speak } from "../lib/el.js";
import { get, post } from "../lib/socket.js";

// Names that are shown at once; the others follow below. Movements of the mouse below this, px of the screen, are none.
const DIGITS = 9;
const STILL_PX = 4;

export class Here {
  /** @param {import("./label.js").Label} label @param {import("../watch.js").Watch} watch */
  constructor(label, watch) {
    this.label = label;
    this.watch = watch;
    this.box = el("div", { className: "label-here", id: "label-here", hidden: true, role: "group", "aria-label": "name of this animal" });
    /** @type {any} */ this.point = null;
    this.down = [NaN, NaN];
    const place = watch.view.place;
    place.append(this.box);
    place.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => {
      if (!this.box.hidden && !this.box.contains(/** @type {Node} */ (event.target))) this.close();
      if (event.button === 0 && !this.box.contains(/** @type {Node} */ (event.target))) this.down = [event.clientX, event.clientY];
    });
    place.addEventListener("pointerup", (/** @type {PointerEvent} */ event) => {
      if (watch.on && watch.tracks && Math.hypot(event.clientX - this.down[0], event.clientY - this.down[1]) < STILL_PX) this.ask(event);
      this.down = [NaN, NaN];
    });
    this.box.addEventListener("pointerdown", (/** @type {Event} */ event) => event.stopPropagation());
  }

  /** @param {PointerEvent} event */
  async ask(event) {
    const [x, y] = this.watch.view.from(event);
    const { player } = this.watch;
    const box = this.watch.view.place.getBoundingClientRect();
    const [left, top] = [event.clientX - box.left, event.clientY - box.top];
    player.stop();
    try {
      const { point } = await get(`/api/label/at?movie=${encodeURIComponent(player.movie.name)}&frame=${player.frame}&x=${x.toFixed(2)}&y=${y.toFixed(2)}`);
      this.show(point, left, top);
    } catch (error) {
      // Nobody is there, several are, or the animals have no names.
      speak(/** @type {Error} */ (error).message);
      document.documentElement.dataset.here = "";
    }
  }

  /** @param {any} point @param {number} left @param {number} top */
  show(point, left, top) {
    this.point = point;
    const chips = point.guesses.map((/** @type {[string, number]} */ [name, share], /** @type {number} */ k) =>
      el("button", { className: k ? "name-chip" : "name-chip first", on: { click: () => this.answer(name) } }, el("span", { className: "chip-line" }, k < DIGITS ? el("kbd", {}, String(k + 1)) : null, el("span", { className: "chip-name" }, name)), share > 0.02 ? el("span", { className: "note" }, `${Math.round(100 * share)} %`) : null));
    this.box.replaceChildren(el("p", {}, point.label ? `Labelled ${point.label}. Who is it?` : "Who is it?"), el("div", { className: "name-chips" }, ...chips), el("p", { className: "hint" }, "Esc: leave it"));
    this.box.hidden = false;
    const { clientWidth, clientHeight } = this.watch.view.place;
    this.box.style.left = `${Math.max(4, Math.min(left + 16, clientWidth - 288))}px`;
    this.box.style.top = `${Math.max(4, Math.min(top - 20, clientHeight - this.box.offsetHeight - 4))}px`;
    document.documentElement.dataset.here = `${point.movie}/${point.tracklet}`;
  }

  /** @param {string} name */
  async answer(name) {
    const { movie, frame, x, y, tracklet, label } = this.point;
    this.close();
    if (label === name) return;
    try {
      await post("/api/label/answer", { answers: [{ movie, frame, x, y, tracklet, label: name }], instead: Boolean(label), tab: this.label.own });
      speak(`labelled ${name}`);
      document.documentElement.dataset.here = name;
    } catch (error) {
      alarm(/** @type {Error} */ (error).message);
    }
  }

  close() {
    this.box.hidden = true;
    this.point = null;
  }

  /** @param {typeof import("../lib/keys.js").bind} bind */
  bindKeys(bind) {
    const on = () => this.watch.on && Boolean(this.point);
    const G = "Watch: a click on an animal";
    bind(G, "Enter NumpadEnter", "Enter", "it has the most likely name", () => this.answer(this.point.guesses[0][0]), on);
    const digits = Array.from({ length: DIGITS }, (_, k) => `Digit${k + 1}`).join(" ");
    bind(G, digits, "1 to 9", "it has the name with this number", (event) => this.answerNumber(Number(event.code.slice(-1))), on);
    bind(G, "Escape", "Esc", "leave it", () => this.close(), on);
  }

  /** @param {number} digit */
  answerNumber(digit) {
    const guess = this.point.guesses[digit - 1];
    if (guess) this.answer(guess[0]);
  }
}
