// Montage of a name: a row of images for each tracklet that has it, the odd ones first. A wrong one is seen at once, and pressed to be
// answered again.

import { alarm, el, speak } from "../lib/el.js";
import { decoded, getBinary } from "./sheets.js";

export class Montage {
  /** @param {import("./label.js").Label} label @param {HTMLElement} place */
  constructor(label, place) {
    this.label = label;
    this.place = place;
    this.on = false;
    this.name = "";
  }

  open() {
    const names = this.names;
    if (!names.length) return;
    this.on = true;
    this.place.hidden = false;
    this.label.body.hidden = true;
    this.show(names.includes(this.name) ? this.name : names[0]);
  }

  get names() {
    return (this.label.summary?.names || []).map((/** @type {any} */ one) => one.name);
  }

  close() {
    this.on = false;
    this.place.hidden = true;
    this.label.body.hidden = false;
    delete document.documentElement.dataset.montage;
  }

  /** @param {string} name */
  async show(name) {
    this.name = name;
    try {
      const { head, parts } = await getBinary(`/api/label/montage?name=${encodeURIComponent(name)}`);
      const image = await decoded(parts[0]);
      if (!this.on || this.name !== name) return;
      const high = head.points.length ? image.height / head.points.length : 0;
      const rows = head.points.map((/** @type {import("./sheets.js").Point} */ point, /** @type {number} */ k) => {
        const canvas = el("canvas", { width: image.width, height: high, "aria-hidden": "true" });
        canvas.getContext("2d").drawImage(image, 0, k * high, image.width, high, 0, 0, image.width, high);
        const share = new Map(point.guesses).get(name) || 0;
        const text = `${point.movie}, frames ${point.first} to ${point.last}: ${point.label ? `labelled ${point.label}` : "not labelled"}${share ? `, looks like ${name} with ${Math.round(100 * share)} %` : ""}`;
        return el("button", { className: "montage-row", data: { tracklet: `${point.movie}/${point.tracklet}` }, on: { click: () => this.answer(point) } }, canvas, el("span", {}, text));
      });
      const select = el("select", { id: "montage-name", on: { change: () => this.show(select.value) } }, ...this.names.map((/** @type {string} */ one) => el("option", { value: one, selected: one === name }, one)));
      this.place.replaceChildren(
        el("div", { className: "bar tight" }, el("h2", {}, "Montage, odd ones first"), el("label", { className: "inline" }, "name", select), el("button", { on: { click: () => this.turn(1) } }, "Next name ", el("kbd", {}, "→")), el("button", { on: { click: () => this.close() } }, "Back ", el("kbd", {}, "Esc"))),
        el("p", { className: "hint" }, rows.length ? "Press a row to answer it again." : `Nothing is known to be ${name} yet.`),
        ...rows,
      );
      document.documentElement.dataset.montage = name;
    } catch (error) {
      alarm(/** @type {Error} */ (error).message);
    }
  }

  /** @param {number} way */
  turn(way) {
    const names = this.names;
    this.show(names[(names.indexOf(this.name) + way + names.length) % names.length]);
  }

  /** Show a tracklet of the montage to be answered. @param {import("./sheets.js").Point} point */
  answer(point) {
    this.close();
    const { label } = this;
    if (label.point && label.point.tracklet !== point.tracklet) label.queue.unshift(label.point);
    label.done.delete(`${point.movie}/${point.tracklet}`);
    speak(`frames ${point.first} to ${point.last}`);
    label.show(point);
  }

  /** @param {typeof import("../lib/keys.js").bind} bind */
  bindKeys(bind) {
    const on = () => this.label.on && this.on;
    const G = "Montage";
    bind(G, "Escape KeyV", "Esc V", "back", () => this.close(), on);
    bind(G, "ArrowRight", "→ ←", "another name", () => this.turn(1), on);
    bind(G, "ArrowLeft", "→ ←", "", () => this.turn(-1), on);
  }
}
