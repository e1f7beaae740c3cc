// Watching what a run found: its layers, of which each has a key, the animal that is followed, and the list of doubts.

import { Placer } from "./labels.js";
import { Lanes } from "./lanes.js";
import { by, el, speak } from "./lib/el.js";
import { get } from "./lib/socket.js";
import { glyph, paintWatched } from "./watch_paint.js";

const LAYERS = { names: "names", trails: "trails", outlines: "outlines", sources: "where positions come from", doubts: "doubts" };
const SOURCES = ["single", "resolved", "interpolated", "merged", "corrected"];
// A movie that is followed is shown at least that large, pixels of the screen per pixel of the movie, times the body.
const BODY_SHARE = 0.07;

export class Watch {
  /** @param {import("./view.js").View} view @param {import("./player.js").Player} player @param {HTMLElement} place */
  constructor(view, player, place) {
    this.view = view;
    this.player = player;
    this.on = false;
    /** @type {Record<string, boolean>} */ this.shows = { names: true, trails: true, outlines: true, sources: false, doubts: true };
    /** @type {any} */ this.summary = null;
    /** @type {any} */ this.tracks = null;
    /** @type {Float32Array} */ this.trails = new Float32Array(0);
    this.followed = -1;
    this.asking = "";
    this.placer = new Placer();
    /** @type {Record<string, {box: any, label: any}>} */ this.boxes = {};
    this.lanes = new Lanes(player, (who) => this.follow(this.followed === who ? -1 : who));
    /** @type {{name: string, box: import("./labels.js").Box}[]} */ this.labels = [];
    view.layers.push((context) => this.on && paintWatched(this, context));
    player.arrivals.add((head, parts) => this.take(head, parts));
    this.build(place);
  }

  /** @param {HTMLElement} place */
  build(place) {
    this.boxes = Object.fromEntries(Object.entries(LAYERS).map(([name, text], k) => {
      const box = el("input", { type: "checkbox", id: `layer-${name}`, checked: this.shows[name], on: { change: () => this.layer(name, box.checked) } });
      return [name, { box, label: el("label", { className: "inline" }, box, text, el("kbd", {}, String(k + 1))) }];
    }));
    this.followSelect = el("select", { id: "follow", on: { change: () => this.follow(Number(this.followSelect.value)) } });
    this.note = el("p", { className: "hint", id: "watch-note" });
    this.list = el("ol", { className: "list", id: "doubt-list" });
    const glyphs = SOURCES.map((name, source) => {
      const canvas = el("canvas", { width: 24, height: 24, className: "glyph", "aria-hidden": "true" });
      glyph(canvas.getContext("2d"), source, 12, 12, 6, "#888888", 2);
      return el("span", { className: "inline" }, canvas, name);
    });
    place.replaceChildren(
      this.note,
      el("section", { className: "card", "aria-labelledby": "layers-title" }, el("h2", { id: "layers-title" }, "Shown"), ...Object.values(this.boxes).map(({ label }) => el("div", {}, label)), el("p", { className: "legend" }, ...glyphs)),
      el("section", { className: "card" }, el("label", { className: "inline" }, "follow ", this.followSelect, el("kbd", {}, "K"))),
      el("section", { className: "card", "aria-labelledby": "doubts-title" }, el("h2", { id: "doubts-title" }, "Doubts, most to gain first"), this.list),
    );
  }

  /** @param {boolean} on */
  activate(on) {
    if (on === this.on) return;
    this.on = this.lanes.on = on;
    by("lanes-card").hidden = !on;
    by("samples-card").hidden = on;
    by("worse").hidden = on;
    this.player.extra = on ? { watch: true } : {};
    this.boxes.outlines.box.checked = this.shows.outlines = this.view.showsOutlines;
    this.tracks = null;
    if (on) this.ask();
    this.player.again({}, false);
  }

  /** Another movie is shown. */
  forget() {
    this.summary = null;
    this.tracks = null;
    this.followed = -1;
    if (this.on) this.ask();
  }

  async ask() {
    const movie = this.player.movie?.name;
    if (!movie) return;
    try {
      this.asking = movie;
      const summary = await get(`/api/watch?movie=${encodeURIComponent(movie)}`);
      if (this.player.movie?.name !== movie) return;
      if (summary.fault) throw new Error(summary.fault);
      this.summary = summary;
      this.note.textContent = summary.positions === "smooth" ? "" : "Positions are the centres of blobs: the run has names, and no positions yet.";
    } catch (error) {
      this.summary = null;
      this.note.textContent = /** @type {Error} */ (error).message;
    }
    this.asking = "";
    const names = this.summary?.names || [];
    this.followSelect.replaceChildren(el("option", { value: "-1" }, "nobody"), ...names.map((/** @type {string} */ name, /** @type {number} */ k) => el("option", { value: String(k) }, name)));
    this.followSelect.value = String(this.followed);
    this.showDoubts();
    this.lanes.show(this.summary);
    this.view.paintDrawn();
    document.documentElement.dataset.watched = this.summary ? this.summary.made : "";
  }

  showDoubts() {
    const doubts = this.summary?.doubts || [];
    this.list.replaceChildren(...doubts.map((/** @type {any} */ doubt) => el("li", {}, el("button", { className: "doubt", on: { click: () => this.player.go(doubt.frame) } }, `frame ${doubt.frame}: ${doubt.text}`))));
    if (!doubts.length) this.list.replaceChildren(el("li", { className: "hint" }, "none in this movie"));
  }

  /** What has come with a frame, before it is painted. @param {any} head @param {ArrayBuffer[]} parts */
  take(head, parts) {
    if (!this.on) return;
    this.tracks = head.tracks || null;
    this.trails = new Float32Array(parts[2] || new ArrayBuffer(0));
    if (head.watch_fault) this.note.textContent = head.watch_fault;
    // A run has made new results, or the first ones.
    if (this.tracks && this.tracks.made !== this.summary?.made && !this.asking) this.ask();
    this.centre();
    this.lanes.keep();
    document.documentElement.dataset.tracks = this.tracks ? this.tracks.who.join() : "";
    document.documentElement.dataset.unknown = this.tracks ? String(this.tracks.unknown.length) : "";
  }

  /** The animal that is followed stays in the middle. */
  centre() {
    const place = this.tracks ? this.tracks.who.indexOf(this.followed) : -1;
    if (place < 0) return;
    const view = this.view;
    view.scale = Math.max(view.scale, (view.picture.height * BODY_SHARE) / Math.max(1, this.tracks.radius[place]));
    view.fits = false;
    view.left = view.picture.width / 2 - (this.tracks.x[place] + 0.5) * view.scale;
    view.top = view.picture.height / 2 - (this.tracks.y[place] + 0.5) * view.scale;
  }

  /** @param {number} who */
  follow(who) {
    this.followed = who;
    this.lanes.chosen = who;
    this.followSelect.value = String(who);
    if (this.lanes.found) this.lanes.showNames();
    if (who < 0) this.view.fit();
    else this.centre();
    this.view.paint();
    speak(who < 0 ? "nobody is followed" : `${this.summary.names[who]} is followed`);
    document.documentElement.dataset.followed = String(who);
  }

  /** @param {string} name @param {boolean} [on] */
  layer(name, on = !this.shows[name]) {
    this.shows[name] = on;
    this.boxes[name].box.checked = on;
    speak(`${LAYERS[/** @type {"names"} */ (name)]} ${on ? "shown" : "hidden"}`);
    if (name === "outlines") this.view.showsOutlines = by("outlines").checked = on;
    this.view.paintDrawn();
  }

  /** Go to the next doubt in time, or the one before. @param {number} way */
  nextDoubt(way) {
    const frames = (this.summary?.doubts || []).map((/** @type {any} */ doubt) => doubt.frame).sort((/** @type {number} */ a, /** @type {number} */ b) => a - b);
    const now = this.player.wanted;
    const found = way > 0 ? frames.find((/** @type {number} */ frame) => frame > now) : frames.reverse().find((/** @type {number} */ frame) => frame < now);
    if (found === undefined) speak("no further doubt in this movie");
    else this.player.go(found);
  }

  /** @param {typeof import("./lib/keys.js").bind} bind */
  bindKeys(bind) {
    const on = () => this.on && Boolean(this.player.movie);
    const G = "Watch";
    Object.keys(LAYERS).forEach((name, k) => bind(G, `Digit${k + 1}`, String(k + 1), `${LAYERS[/** @type {"names"} */ (name)]}: show or hide`, () => this.layer(name), on));
    bind(G, "KeyH", "H", "hide outlines, or show them", () => this.layer("outlines"), on);
    bind(G, "KeyN", "N", "next doubt", () => this.nextDoubt(1), on);
    bind(G, "Shift+KeyN", "Shift+N", "the doubt before", () => this.nextDoubt(-1), on);
    const names = () => this.summary?.names.length || 0;
    bind(G, "KeyK", "K", "follow the next animal", () => names() && this.follow(this.followed + 1 < names() ? this.followed + 1 : -1), on);
    bind(G, "KeyJ", "J", "follow the animal before", () => names() && this.follow(this.followed < 0 ? names() - 1 : this.followed - 1), on);
    bind(G, "Equal NumpadAdd", "+", "line of time: a shorter part around this frame", () => this.lanes.zoom(0.5), on);
    bind(G, "Minus NumpadSubtract", "−", "line of time: a longer part", () => this.lanes.zoom(2), on);
  }
}
