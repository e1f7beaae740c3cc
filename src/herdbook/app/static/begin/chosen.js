// The chosen movies in their order: dragged, or moved by keys; and whether they are one recording.

import { alarm, el, speak } from "../lib/el.js";
import { get } from "../lib/socket.js";
import { facts, nameOf, pictureOf } from "./folder.js";

/** @typedef {import("./folder.js").Movie} Movie */

export class Chosen {
  /** @param {(path: string) => void} dropped a movie is no longer chosen @param {() => void} changed */
  constructor(dropped, changed) {
    this.dropped = dropped;
    this.changed = changed;
    /** @type {Movie[]} */ this.movies = [];
    this.together = false;
    this.list = el("ol", { className: "chosen-movies", "aria-label": "chosen movies" });
    this.seams = el("div", { className: "seams" });
    const kind = (/** @type {boolean} */ together, /** @type {string} */ text) =>
      el("label", {}, el("input", { type: "radio", name: "recording", checked: together === this.together, on: { change: () => this.join(together) } }), ` ${text}`);
    this.kinds = el("fieldset", { className: "choice column", hidden: true }, el("legend", {}, "These movies are"),
      kind(false, "recordings of their own: animals are told apart anew in each"), kind(true, "one recording in parts: the same animals, each movie goes on where the last one ended"));
    this.place = el("div", {}, this.list, this.kinds, this.seams);
    this.show();
  }

  /** @param {boolean} together */
  join(together) {
    this.together = together;
    this.showSeams();
    this.changed();
  }

  /** @param {Movie} movie @param {boolean} chosen */
  set(movie, chosen) {
    const others = this.movies.filter((one) => one.path !== movie.path);
    if (chosen && others.length < this.movies.length) return;
    this.movies = chosen ? [...this.movies, movie] : others;
    this.show();
    this.changed();
  }

  show() {
    this.list.replaceChildren(...this.movies.map((movie, k) => this.row(movie, k)));
    if (!this.movies.length) this.list.append(el("li", { className: "hint" }, "none yet"));
    this.kinds.hidden = this.movies.length < 2;
    this.showSeams();
  }

  /** @param {Movie} movie @param {number} k */
  row(movie, k) {
    const button = (/** @type {string} */ text, /** @type {string} */ what, /** @type {() => void} */ act, off = false) =>
      el("button", { "aria-label": `${what} ${movie.name}`, title: what, disabled: off, on: { click: act } }, text);
    const row = el("li", { draggable: true, tabIndex: 0, className: "chosen-movie", data: { movie: movie.name }, on: {
      keydown: (/** @type {KeyboardEvent} */ event) => {
        const by = event.altKey ? { ArrowUp: -1, ArrowDown: 1 }[event.code] : undefined;
        if (!by) return;
        event.preventDefault();
        this.move(k, k + by);
      },
      dragstart: (/** @type {DragEvent} */ event) => event.dataTransfer?.setData("text/plain", String(k)),
      dragover: (/** @type {DragEvent} */ event) => event.preventDefault(),
      drop: (/** @type {DragEvent} */ event) => {
        event.preventDefault();
        this.move(Number(event.dataTransfer?.getData("text/plain")), k);
      },
    } },
      el("img", { alt: "", width: 72, height: 45, src: pictureOf(movie.picture) }),
      el("span", { className: "grow" }, movie.name, el("br"), el("span", { className: "note" }, facts(movie))),
      button("First frame", "show the first frame of", () => this.look(movie)),
      button("↑", "move up", () => this.move(k, k - 1), k === 0),
      button("↓", "move down", () => this.move(k, k + 1), k === this.movies.length - 1),
      button("Remove", "remove", () => { this.dropped(movie.path); this.set(movie, false); }));
    return row;
  }

  /** @param {number} from @param {number} to */
  move(from, to) {
    if (!this.movies[from] || to < 0 || to >= this.movies.length || from === to) return;
    const [movie] = this.movies.splice(from, 1);
    this.movies.splice(to, 0, movie);
    this.show();
    this.list.children[to].focus();
    speak(`${movie.name} is number ${to + 1}`);
    this.changed();
  }

  /** @param {Movie} movie */
  async look(movie) {
    this.seams.replaceChildren(await this.figure(movie, "first", `first frame of ${movie.name}`));
  }

  /** Where one movie ends and the next begins, side by side: whether the order is right is seen there. */
  async showSeams() {
    this.seams.replaceChildren();
    if (!this.together || this.movies.length < 2) return;
    const order = this.movies.map((movie) => movie.path).join();
    for (const [k, movie] of this.movies.slice(1).entries()) {
      const pair = [await this.figure(this.movies[k], "last", `${this.movies[k].name} ends`), await this.figure(movie, "first", `${movie.name} begins`)];
      // Somebody may have moved on meanwhile.
      if (!this.together || order !== this.movies.map((one) => one.path).join()) return;
      this.seams.append(el("div", { className: "seam" }, ...pair));
    }
  }

  /** @param {Movie} movie @param {string} at @param {string} text */
  async figure(movie, at, text) {
    let picture = "";
    try {
      picture = (await get(`/api/new/movie?path=${encodeURIComponent(movie.path)}&at=${at}`)).picture;
    } catch (error) {
      alarm(`${nameOf(movie.path)}: ${/** @type {Error} */ (error).message}`);
    }
    return el("figure", {}, el("img", { alt: text, width: 240, src: pictureOf(picture) }), el("figcaption", {}, text));
  }
}
