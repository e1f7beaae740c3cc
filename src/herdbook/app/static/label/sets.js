// Training sets and classifiers of other experiments: compared first, contradictions as pictures, then taken into the draft.

import { alarm, by, el, speak } from "../lib/el.js";
import { post } from "../lib/socket.js";
import { decoded, getBinary } from "./sheets.js";

export class Sets {
  constructor() {
    this.file = el("input", { type: "text", id: "sets-file", "aria-describedby": "sets-hint" });
    this.place = el("details", { className: "card" },
      el("summary", {}, "Images and classifiers of others"),
      el("p", { className: "hint", id: "sets-hint" }, "A training set (.h5), a folder of images, the file of another experiment, or a classifier (.keras); relative to this experiment."),
      el("label", {}, "file or folder ", this.file),
      el("div", { className: "label-round" },
        el("button", { id: "sets-compare", on: { click: () => this.compare() } }, "Compare images…"),
        el("button", { id: "sets-classifier", on: { click: () => this.classifier() } }, "Use the classifier")));
  }

  async classifier() {
    try {
      const { names } = await post("/api/sets/classifier", { file: this.file.value });
      speak(`the classifier knows ${names.join(", ")}; save to use it`);
      document.documentElement.dataset.sets = "classifier";
    } catch (error) {
      alarm(/** @type {Error} */ (error).message);
    }
  }

  /** @param {Record<string, boolean>} [options] */
  async compare(options = {}) {
    const file = this.file.value;
    const asked = new URLSearchParams({ file, ...Object.fromEntries(Object.entries(options).map(([name, on]) => [name, on ? "1" : ""])) });
    try {
      const { head, parts } = await getBinary(`/api/sets/compare?${asked}`);
      await this.show(file, head, parts[0], options);
    } catch (error) {
      alarm(/** @type {Error} */ (error).message);
    }
  }

  /** @param {string} file @param {any} head @param {ArrayBuffer} part @param {Record<string, boolean>} options */
  async show(file, head, part, options) {
    const dialog = by("dialog");
    const image = part.byteLength ? await decoded(part) : null;
    const box = (/** @type {string} */ name, /** @type {string} */ text) => {
      const one = el("input", { type: "checkbox", checked: Boolean(options[name]), id: `sets-${name}`, on: { change: () => { options[name] = one.checked; if (name !== "add_classes") this.compare(options); } } });
      return el("div", {}, el("label", { className: "inline" }, one, text));
    };
    const pictures = head.shown.map((/** @type {string[]} */ labels, /** @type {number} */ k) => {
      const high = /** @type {ImageBitmap} */ (image).height / head.shown.length;
      const wide = /** @type {ImageBitmap} */ (image).width / head.columns;
      return el("figure", { className: "contradiction" }, el("figcaption", {}, head.contradictions[k]),
        ...labels.map((label, place) => {
          const canvas = el("canvas", { width: wide, height: high, role: "img", "aria-label": `labelled ${label}` });
          canvas.getContext("2d").drawImage(image, place * wide, k * high, wide, high, 0, 0, wide, high);
          return el("span", { className: "contradiction-image" }, canvas, label);
        }));
    });
    dialog.setAttribute("aria-label", "Images of others");
    dialog.replaceChildren(
      el("h2", {}, `Images of ${file}`),
      ...[...head.differences, ...head.crops.map((/** @type {string} */ text) => `made in different ways: ${text}`)].map((text) => el("p", {}, text)),
      el("p", {}, `${head.twice ? `${head.twice} images are there twice and kept once. ` : ""}${head.contradictions.length ? `${head.contradictions.length} contradictions:` : "No contradictions."}`),
      ...pictures,
      el("table", {}, el("tbody", {}, el("tr", {}, el("th", {}, "label"), el("th", {}, "images"), el("th", {}, "tracklets")), ...head.labels.map((/** @type {any[]} */ row) => el("tr", {}, ...row.map((cell) => el("td", {}, String(cell))))))),
      box("other_movies", "movies of the same name are different movies"),
      box("leave_out", "leave out all images with contradictory labels"),
      box("add_classes", "keep labels that only one of them has"),
      el("div", { className: "bar" },
        el("button", { className: "main", id: "sets-merge", on: { click: () => this.merge(file, options) } }, "Write the merged set and learn from it"),
        el("button", { on: { click: () => dialog.close() } }, "Leave it")),
    );
    if (!dialog.open) dialog.showModal();
    document.documentElement.dataset.sets = `compared ${head.contradictions.length}`;
  }

  /** @param {string} file @param {Record<string, boolean>} options */
  async merge(file, options) {
    try {
      const { written } = await post("/api/sets/merge", { file, ...options });
      by("dialog").close();
      speak(`${written} is written; save to learn from it`);
      document.documentElement.dataset.sets = `merged ${written}`;
    } catch (error) {
      alarm(/** @type {Error} */ (error).message);
    }
  }
}
