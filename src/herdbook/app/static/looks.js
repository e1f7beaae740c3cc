// How one looks at the movie: image, background or difference, outlines, speed, and sampled frames with other numbers of blobs.

import { by, el, speak } from "./lib/el.js";
import { SPEEDS } from "./player.js";

export class Looks {
  /** @param {import("./view.js").View} view @param {import("./player.js").Player} player @param {import("./watch.js").Watch} watch @param {import("./strip.js").Strip} strip */
  constructor(view, player, watch, strip) {
    this.view = view;
    this.player = player;
    this.watch = watch;
    this.strip = strip;
    by("speed").replaceChildren(...SPEEDS.map((speed) => el("option", { value: String(speed), selected: speed === 1 }, `${speed}×`)));
    const on = (/** @type {string} */ id, /** @type {string} */ kind, /** @type {() => void} */ act) => by(id).addEventListener(kind, act);
    on("speed", "change", () => (this.player.speed = Number(by("speed").value)));
    on("outlines", "change", () => this.outlines(by("outlines").checked));
    on("fit", "click", () => this.view.fit());
    on("one", "click", () => this.view.one());
    on("worse", "click", () => this.worse(1));
    for (const radio of document.querySelectorAll("input[name=view]")) radio.addEventListener("change", () => this.look(/** @type {HTMLInputElement} */ (radio).value));
  }

  /** @param {typeof import("./lib/keys.js").bind} bind @param {string} group */
  bindKeys(bind, group) {
    bind(group, "BracketLeft", "[", "slower", () => this.faster(-1));
    bind(group, "BracketRight", "]", "faster", () => this.faster(1));
    bind(group, "KeyF", "F", "whole frame", () => this.view.fit());
    bind(group, "KeyZ", "Z", "one pixel of the movie is one of the screen", () => this.view.one());
    bind(group, "KeyH", "H", "hide outlines, or show them", () => this.outlines(!this.view.showsOutlines));
  }

  /** @param {typeof import("./lib/keys.js").bind} bind */
  bindFindingKeys(bind) {
    const open = () => Boolean(this.player.movie);
    const A = "Find animals";
    bind(A, "KeyB", "B", "background, difference, frame in turn", () => this.look({ image: "background", background: "difference", difference: "image" }[this.player.mode] || "image"), open);
    bind(A, "KeyN", "N", "next sampled frame with another number of blobs than animals", () => this.worse(1), open);
    bind(A, "Shift+KeyN", "Shift+N", "the one before", () => this.worse(-1), open);
    bind(A, "KeyS", "S", "next sampled frame", () => this.jump(this.strip.sampled(1)), open);
    bind(A, "KeyI", "I", "the tracked interval begins here", () => this.strip.mark(0), open);
    bind(A, "KeyO", "O", "the tracked interval ends here", () => this.strip.mark(1), open);
  }

  /** @param {string} mode */
  look(mode) {
    this.player.mode = mode;
    for (const radio of document.querySelectorAll("input[name=view]")) /** @type {HTMLInputElement} */ (radio).checked = /** @type {HTMLInputElement} */ (radio).value === mode;
    this.player.again({}, true);
  }

  /** @param {boolean} on */
  outlines(on) {
    if (this.watch.on) return this.watch.layer("outlines", on);
    this.view.showsOutlines = on;
    by("outlines").checked = on;
    this.view.paintDrawn();
  }

  /** @param {number} by_ */
  faster(by_) {
    const place = Math.min(SPEEDS.length - 1, Math.max(0, SPEEDS.indexOf(this.player.speed) + by_));
    this.player.speed = SPEEDS[place];
    by("speed").value = String(this.player.speed);
    if (this.player.playing) this.player.started = { time: performance.now(), frame: this.player.wanted };
  }

  /** @param {number} way */
  worse(way) {
    const frame = this.strip.worse(way);
    if (frame === null) speak("all sampled frames have as many blobs as animals");
    this.jump(frame);
  }

  /** @param {number | null} frame */
  jump(frame) {
    if (frame !== null) this.player.go(frame);
  }
}
