// Everybody in one frame with the names that they have now: a look at all of them tells whether they are right, and one key labels them.

import { alarm, by, el, speak } from "../lib/el.js";
import { get } from "../lib/socket.js";
import { frameAddress } from "./sheets.js";

// Names that are less sure than this are shown, and written only if they are pressed.
const LEAST_SURE = 0.5;
const WIDTH = 1600;

export class Together {
  /** @param {import("./label.js").Label} label @param {HTMLElement} place */
  constructor(label, place) {
    this.label = label;
    this.place = place;
    this.on = false;
    this.frame = 0;
    this.movie = "";
    /** @type {any[]} */ this.animals = [];
  }

  open() {
    const point = this.label.point;
    if (!point) return;
    this.on = true;
    [this.movie, this.frame] = [point.movie, point.frame];
    this.place.hidden = false;
    this.label.body.hidden = true;
    this.show();
  }

  close() {
    this.on = false;
    this.place.hidden = true;
    this.label.body.hidden = false;
    delete document.documentElement.dataset.together;
  }

  async show() {
    try {
      const frame = this.frame;
      const { animals } = await get(`/api/label/everybody?movie=${encodeURIComponent(this.movie)}&frame=${frame}`);
      if (!this.on || frame !== this.frame) return;
      this.animals = animals.map((/** @type {any} */ one) => ({ ...one, chosen: one.how === "left" || (one.how === "run" && one.sure >= LEAST_SURE) }));
      this.draw();
    } catch (error) {
      alarm(/** @type {Error} */ (error).message);
    }
  }

  draw() {
    const width = this.label.player.movie?.width || 1;
    const height = this.label.player.movie?.height || 1;
    const image = el("img", { alt: `frame ${this.frame} with everybody's name`, src: frameAddress({ movie: this.movie, frame: this.frame, x: -1000, y: -1000 }, 10, WIDTH) });
    const buttons = this.animals.map((one) => {
      const text = one.name ? `${one.name}${one.how === "run" ? ` ${Math.round(100 * one.sure)} %` : one.how === "left" ? " (left over)" : ""}` : "?";
      const button = el("button", { disabled: one.how === "label" || !one.name, "aria-pressed": String(one.chosen), title: one.how === "label" ? "labelled" : "press to leave it out, or to take it", on: { click: () => {
        one.chosen = !one.chosen;
        button.setAttribute("aria-pressed", String(one.chosen));
        this.count();
      } } }, text);
      button.style.left = `${(100 * (one.x + 0.5)) / width}%`;
      button.style.top = `${(100 * (one.y + one.reach + 2)) / height}%`;
      return button;
    });
    this.accept = el("button", { className: "main", on: { click: () => this.write() } });
    this.place.replaceChildren(
      el("div", { className: "bar tight" }, el("h2", {}, `Everybody in frame ${this.frame} of ${this.movie}`), this.accept, el("button", { on: { click: () => this.move(1) } }, "Other frame ", el("kbd", {}, "→")), el("button", { on: { click: () => this.close() } }, "Back ", el("kbd", {}, "Esc"))),
      el("p", { className: "hint" }, "Are these names right? Those that are framed are written. Press one to leave it out."),
      el("div", { className: "together" }, image, ...buttons),
    );
    this.count();
    document.documentElement.dataset.together = `${this.movie}/${this.frame}`;
  }

  get chosen() {
    return this.animals.filter((one) => one.chosen && one.name && one.how !== "label");
  }

  count() {
    const many = this.chosen.length;
    this.accept.replaceChildren(many ? `Label these ${many} ` : "Nobody to label ", el("kbd", {}, "E"));
    this.accept.disabled = !many;
  }

  /** Another frame, one second on or back. @param {number} way */
  move(way) {
    const fps = this.label.sheet?.fps || 1;
    this.frame = Math.max(0, this.frame + way * Math.max(1, Math.round(fps)));
    this.show();
  }

  async write() {
    const chosen = this.chosen;
    if (!chosen.length) {
      speak("nobody to label");
      return;
    }
    const answers = chosen.map((one) => ({ movie: this.movie, frame: this.frame, x: one.x, y: one.y, tracklet: one.tracklet, label: one.name }));
    const { label } = this;
    for (const one of answers) label.done.add(`${one.movie}/${one.tracklet}`);
    this.close();
    await label.write(answers, false, () => answers.forEach((one) => label.done.delete(`${one.movie}/${one.tracklet}`)));
    speak(`${answers.length} labels`);
    const shown = label.point;
    if (shown && label.done.has(`${shown.movie}/${shown.tracklet}`)) label.next();
    label.queue = label.queue.filter((one) => !label.done.has(`${one.movie}/${one.tracklet}`));
  }

  /** @param {typeof import("../lib/keys.js").bind} bind */
  bindKeys(bind) {
    const on = () => this.label.on && this.on;
    const G = "Everybody in a frame";
    bind(G, "KeyE Enter NumpadEnter", "E Enter", "label all that are framed", () => this.write(), on);
    bind(G, "Escape", "Esc", "back", () => this.close(), on);
    bind(G, "ArrowRight", "→ ←", "another frame, a second away", () => this.move(1), on);
    bind(G, "ArrowLeft", "→ ←", "", () => this.move(-1), on);
  }
}
