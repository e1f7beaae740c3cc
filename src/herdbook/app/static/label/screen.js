// The pictures of the tracklet that is asked about, its loop, and the buttons that answer.

import { el } from "../lib/el.js";
import { leaveToKeys } from "../lib/keys.js";
import { Loop } from "./loop.js";

const HEADS = 5;

export class Screen {
  /** @param {import("./label.js").Label} label @param {HTMLElement} place */
  constructor(label, place) {
    this.label = label;
    place.addEventListener("click", () => leaveToKeys());
    this.words = el("p", { className: "label-words", id: "label-words", role: "status", "aria-live": "polite" });
    /** @type {{canvas: any, note: any, button: any}[]} */ this.heads = Array.from({ length: HEADS }, (_, k) => {
      const [canvas, note] = [el("canvas", { width: 256, height: 288 }), el("span", { className: "note" })];
      const button = el("button", { className: "head", "aria-pressed": "false", title: "leave this image out of the examples, or take it back", on: { click: () => label.leaveOut(k) } }, canvas, note);
      return { canvas, note, button };
    });
    this.loopCanvas = el("canvas", { width: 96, height: 96, role: "img", "aria-label": "the animal moving" });
    this.loopNote = el("span", { className: "note" });
    const tool = (/** @type {string} */ text, /** @type {string} */ key, /** @type {() => void} */ act) => el("button", { on: { click: act } }, `${text} `, el("kbd", {}, key));
    this.body = el("div", {},
      el("div", { className: "bar tight" }, this.words, el("span", { className: "label-typed", id: "label-typed" })),
      el("div", { className: "label-tools" },
        tool("Accept", "Enter", () => label.accept()), tool("Unreadable", "U", () => label.answer({ what: "unreadable" })), tool("No animal", "X", () => label.answer({ what: "nothing" })),
        tool("Several", "M", () => label.answer({ what: "several" })), tool("Skip", "S", () => label.skip()), tool("Undo", "Z", () => label.undo()),
        tool("Everybody", "E", () => label.together.open()), tool("More", "→", () => label.turn(1)), tool("Montage", "V", () => label.montage.open())),
      el("div", { className: "label-heads" }, ...this.heads.map(({ button }) => button), el("div", { className: "loop" }, this.loopCanvas, this.loopNote)),
    );
    this.overlay = el("div", { id: "label-overlay", hidden: true });
    this.empty = el("p", { className: "hint", id: "label-empty", hidden: true });
    place.replaceChildren(this.empty, this.body, this.overlay);
    this.loop = new Loop(this.loopCanvas);
  }

  /** @param {import("./sheets.js").Point} point @param {import("./sheets.js").Sheet} sheet */
  show(point, sheet) {
    const width = sheet.images.length ? sheet.heads.width / sheet.images.length : 1;
    this.heads.forEach(({ canvas, note, button }, k) => {
      const image = sheet.images[k];
      button.hidden = !image;
      if (!image) return;
      [canvas.width, canvas.height] = [width, sheet.heads.height];
      canvas.getContext("2d").drawImage(sheet.heads, k * width, 0, width, sheet.heads.height, 0, 0, width, sheet.heads.height);
      note.textContent = `frame ${image.frame}`;
      button.setAttribute("aria-pressed", String(image.out));
      button.setAttribute("aria-label", `frame ${image.frame}${image.out ? ", left out" : ""}`);
    });
    this.loop.show(sheet.loop, sheet.fps);
    this.loopNote.textContent = `frames ${point.first} to ${point.last}, ${point.seconds} s`;
    const label = point.label ? `, labelled ${point.label}` : point.aside ? ", set aside" : "";
    this.words.textContent = `${point.movie}: ${point.words}${label}`;
  }

  /** @param {string} [fault] */
  showEmpty(fault) {
    if (!fault) return;
    this.empty.replaceChildren(fault, " ", el("button", { className: "main", on: { click: () => this.label.learning.run("before_labels") } }, "Make what labels need"));
  }
}
