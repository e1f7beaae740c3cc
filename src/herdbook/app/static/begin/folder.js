// Folders that the page may see, with the movies in them: each with a picture, how long it is and how many frames a second it has.

import { alarm, el } from "../lib/el.js";
import { get } from "../lib/socket.js";

// Movies of which the header is read at the same time.
const AT_ONCE = 2;

/** @typedef {{path: string, name: string, size: number[], fps: number, duration_s: number, fault: string, picture: string}} Movie */

/** @param {string} path */
export function nameOf(path) {
  return path.split("/").filter(Boolean).pop() || path;
}

/** @param {number} seconds */
export function lasting(seconds) {
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours ? `${hours} h ${minutes} min` : minutes ? `${minutes} min ${Math.floor(seconds % 60)} s` : `${seconds.toFixed(1)} s`;
}

/** What the header of a movie tells, in words. @param {Movie} movie */
export function facts(movie) {
  if (movie.fault) return movie.fault;
  const rate = movie.fps ? `${Number(movie.fps.toFixed(2))} frames/s` : "rate not told";
  return `${movie.duration_s ? lasting(movie.duration_s) : "length not told"}, ${rate}, ${movie.size.join(" × ")}`;
}

/** @param {string} coded */
export function pictureOf(coded) {
  return coded ? `data:image/jpeg;base64,${coded}` : "data:,";
}

export class Folder {
  /** @param {(movie: Movie, chosen: boolean) => void} choose @param {(path: string) => boolean} isChosen @param {(folder: string) => void} moved */
  constructor(choose, isChosen, moved) {
    this.choose = choose;
    this.isChosen = isChosen;
    this.moved = moved;
    /** @type {Map<string, Movie>} what is known of movies by path */ this.known = new Map();
    /** @type {string[]} */ this.waiting = [];
    this.reading = 0;
    this.place = el("div", { className: "folder" });
    /** @type {Map<string, {box: any, picture: any, facts: any}>} */ this.tiles = new Map();
  }

  /** @param {string} folder */
  async show(folder) {
    /** @type {any} */ let found;
    try {
      found = await get(`/api/new/folder?dir=${encodeURIComponent(folder)}`);
    } catch (error) {
      alarm(/** @type {Error} */ (error).message);
      return;
    }
    this.waiting = [];
    this.tiles.clear();
    const into = (/** @type {string} */ text, /** @type {string} */ path) => el("li", {}, el("button", { className: "link", on: { click: () => this.show(path) } }, text));
    const all = el("button", { on: { click: () => this.mark(found.movies, true) } }, `Choose all ${found.movies.length}`);
    this.place.replaceChildren(
      el("p", { className: "hint" }, found.folder || "Folders that this page may see", found.cut ? " (a part of it)" : ""),
      el("ul", { className: "list folders" },
        found.folder && into("↑ up", found.above),
        ...found.folders.map((/** @type {string} */ path) => into(`${found.folder ? nameOf(path) : path}/`, path))),
      ...(found.movies.length > 1 ? [all] : []),
      el("ul", { className: "list tiles" }, ...found.movies.map((/** @type {string} */ path) => this.tile(path))),
      ...(found.folder && !found.movies.length ? [el("p", { className: "hint" }, "There are no movies in this folder.")] : []),
    );
    if (found.folder) this.moved(found.folder);
    this.read();
  }

  /** @param {string} path */
  tile(path) {
    const box = el("input", { type: "checkbox", checked: this.isChosen(path), on: { change: () => this.mark([path], box.checked) } });
    const picture = el("img", { alt: "", width: 160, height: 100, src: "data:," });
    const told = el("span", { className: "note" }, "…");
    this.tiles.set(path, { box, picture, facts: told });
    const known = this.known.get(path);
    if (known) this.fill(known);
    else this.waiting.push(path);
    return el("li", { data: { movie: nameOf(path) } }, el("label", { className: "tile" }, picture, el("span", {}, box, " ", nameOf(path)), told));
  }

  /** @param {Movie} movie */
  fill(movie) {
    const tile = this.tiles.get(movie.path);
    if (!tile) return;
    if (movie.picture) tile.picture.src = pictureOf(movie.picture);
    tile.facts.textContent = facts(movie).replace(`${movie.path}: `, "").replace(movie.path, movie.name);
    tile.facts.title = movie.fault;
    tile.facts.classList.toggle("wrong", Boolean(movie.fault));
    tile.box.disabled = Boolean(movie.fault);
    if (movie.fault) tile.box.checked = false;
  }

  /** Read the headers of the movies shown, a few at a time. */
  read() {
    while (this.reading < AT_ONCE && this.waiting.length) {
      const path = /** @type {string} */ (this.waiting.shift());
      this.reading++;
      this.describe(path).finally(() => {
        this.reading--;
        this.read();
      });
    }
  }

  /** What is known of a movie. @param {string} path @returns {Promise<Movie>} */
  async describe(path) {
    const known = this.known.get(path);
    if (known) return known;
    /** @type {Movie} */ let movie;
    try {
      movie = { path, ...(await get(`/api/new/movie?path=${encodeURIComponent(path)}`)) };
    } catch (error) {
      movie = { path, name: nameOf(path), size: [], fps: 0, duration_s: 0, fault: /** @type {Error} */ (error).message, picture: "" };
    }
    this.known.set(path, movie);
    this.fill(movie);
    return movie;
  }

  /** @param {string[]} paths @param {boolean} chosen */
  async mark(paths, chosen) {
    for (const path of paths) {
      const movie = await this.describe(path);
      const tile = this.tiles.get(path);
      if (tile) tile.box.checked = chosen && !movie.fault;
      if (!movie.fault) this.choose(movie, chosen);
    }
  }

  /** A movie is no longer chosen. @param {string} path */
  clear(path) {
    const tile = this.tiles.get(path);
    if (tile) tile.box.checked = false;
  }
}
