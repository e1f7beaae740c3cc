// Watching what a run found: names, trails, sources and doubts over the movie. Nothing covers an animal: lines are hair lines, names stand
// beside animals on leaders. Each layer has a key.

import { Placer } from "./labels.js";
import { Lanes } from "./lanes.js";
import { by, el, speak } from "./lib/el.js";
import { get } from "./lib/socket.js";

const LAYERS = { names: "names", trails: "trails", outlines: "outlines", sources: "where positions come from", doubts: "doubts" };
const SOURCES = ["single", "resolved", "interpolated", "merged", "corrected"];
// A movie that is followed is shown at least that large, pixels of the screen per pixel of the movie, times the body.
const BODY_SHARE = 0.07;
// With more names, only those of animals that are followed or in doubt are written, and small numbers of the others are left out.
const MOST_NAMES = 150;

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
    view.layers.push((context) => this.on && this.paint(context));
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

  /** @param {CanvasRenderingContext2D} context */
  paint(context) {
    this.labels = [];
    if (!this.tracks || !this.summary) return;
    const { view, tracks } = this;
    const ratio = window.devicePixelRatio || 1;
    if (this.shows.trails) this.paintTrails(context, ratio);
    const animals = tracks.who.map((/** @type {number} */ who, /** @type {number} */ k) => this.spot(tracks.x[k], tracks.y[k], tracks.radius[k], { who, source: tracks.source[k] }));
    const unknown = tracks.unknown.map((/** @type {number[]} */ [x, y, count, radius]) => this.spot(x, y, radius, { who: -1, count }));
    const doubts = this.shows.doubts ? tracks.doubts.map((/** @type {number[]} */ [number, x, y]) => this.doubt(context, number, x, y, ratio)) : [];
    const spots = [...animals, ...unknown].filter((spot) => spot.seen);
    const taken = spots.map(({ x, y, reach }) => ({ left: x - reach, top: y - reach, right: x + reach, bottom: y + reach }));
    const named = [...doubts.filter((/** @type {any} */ spot) => spot.seen), ...spots.filter((spot) => this.text(spot) !== null)];
    context.font = `${12 * ratio}px system-ui, sans-serif`;
    context.textAlign = "left";
    const items = named.map((spot) => {
      const text = spot.text ?? this.text(spot);
      const wide = (text ? context.measureText(text).width : 0) + (spot.source !== undefined && this.shows.sources ? 14 * ratio : 0);
      return { ...spot, text, width: wide + 8 * ratio, height: 17 * ratio };
    });
    const boxes = this.placer.place(items, view.drawn.width, view.drawn.height, ratio, taken);
    items.forEach((item, k) => this.paintLabel(context, item, boxes[k], ratio));
    this.labels = items.map((item, k) => ({ name: item.text || "", box: boxes[k] }));
  }

  /** @param {number} x @param {number} y @param {number} radius in px of the movie @param {any} more */
  spot(x, y, radius, more) {
    const [sx, sy] = this.view.to(x, y);
    const reach = radius * this.view.scale;
    const { width, height } = this.view.drawn;
    return { key: `${more.who}:${more.doubt ?? (more.who < 0 ? `${Math.round(x / 20)},${Math.round(y / 20)}` : "")}`, x: sx, y: sy, reach, seen: sx > -reach && sy > -reach && sx < width + reach && sy < height + reach, ...more };
  }

  /** What a label says, null for none. @param {any} spot */
  text(spot) {
    if (spot.who < 0) return spot.count > 1 ? `${spot.count}×?` : "?";
    const few = this.tracks.who.length <= MOST_NAMES || spot.who === this.followed;
    if (this.shows.names && few) return this.summary.names[spot.who];
    return this.shows.sources && few ? "" : null;
  }

  /** A ring beyond the animal, and the question. @param {CanvasRenderingContext2D} context @param {number} number @param {number} x @param {number} y @param {number} ratio */
  doubt(context, number, x, y, ratio) {
    const doubt = this.summary.doubts[number];
    const who = this.summary.names.indexOf(doubt?.assigned);
    const place = this.tracks.who.indexOf(who);
    // Where nobody is known, around the whole blob.
    const blob = place < 0 && this.tracks.unknown.find((/** @type {number[]} */ [bx, by_, , reach]) => Math.hypot(bx - x, by_ - y) <= reach);
    if (blob) [x, y] = blob;
    const spot = this.spot(x, y, blob ? blob[3] : place >= 0 ? this.tracks.radius[place] : Math.max(8, ...this.tracks.radius), { who: -2, doubt: number, text: doubt?.text || "in doubt" });
    context.beginPath();
    context.arc(spot.x, spot.y, spot.reach + 5 * ratio, 0, 2 * Math.PI);
    context.setLineDash([4 * ratio, 3 * ratio]);
    hair(context, "#ff8c42", ratio);
    context.setLineDash([]);
    return spot;
  }

  /** Trails end before the animal begins. @param {CanvasRenderingContext2D} context @param {number} ratio */
  paintTrails(context, ratio) {
    const { tracks, trails, view } = this;
    for (let place = 0; place < trails.length; ) {
      const [who, count] = [trails[place], trails[place + 1]];
      const points = trails.subarray(place + 2, place + 2 + 2 * count);
      place += 2 + 2 * count;
      const k = tracks.who.indexOf(who);
      context.beginPath();
      let pen = false;
      for (let p = 0; p < points.length; p += 2) {
        const near = k >= 0 && Math.hypot(points[p] - tracks.x[k], points[p + 1] - tracks.y[k]) < tracks.radius[k];
        const [x, y] = view.to(points[p], points[p + 1]);
        if (near) pen = false;
        else if (pen) context.lineTo(x, y);
        else {
          context.moveTo(x, y);
          pen = true;
        }
      }
      hair(context, this.summary.colours[who], ratio);
    }
  }

  /** @param {CanvasRenderingContext2D} context @param {any} item @param {import("./labels.js").Box} box @param {number} ratio */
  paintLabel(context, item, box, ratio) {
    const shade = item.who >= 0 ? this.summary.colours[item.who] : item.who === -1 ? "#cc79a7" : "#ff8c42";
    const end = [Math.min(box.right, Math.max(box.left, item.x)), Math.min(box.bottom, Math.max(box.top, item.y))];
    const away = Math.hypot(end[0] - item.x, end[1] - item.y);
    if (away > item.reach) {
      context.beginPath();
      context.moveTo(item.x + ((end[0] - item.x) * item.reach) / away, item.y + ((end[1] - item.y) * item.reach) / away);
      context.lineTo(end[0], end[1]);
      hair(context, shade, ratio);
    }
    context.fillStyle = "rgb(16 18 21 / 78%)";
    context.fillRect(box.left, box.top, box.right - box.left, box.bottom - box.top);
    context.fillStyle = shade;
    context.fillRect(box.left, box.top, 3 * ratio, box.bottom - box.top);
    let x = box.left + 6 * ratio;
    if (item.source !== undefined && this.shows.sources) {
      glyph(context, item.source, x + 5 * ratio, (box.top + box.bottom) / 2, 4 * ratio, "#ffffff", ratio);
      x += 14 * ratio;
    }
    context.fillStyle = item.who === this.followed && item.who >= 0 ? "#f0e442" : "#ffffff";
    context.textBaseline = "middle";
    context.fillText(item.text || "", x, (box.top + box.bottom) / 2);
  }
}

/** A line of one pixel that is seen on any ground. @param {CanvasRenderingContext2D} context @param {string} shade @param {number} ratio */
function hair(context, shade, ratio) {
  context.lineWidth = 2.5 * ratio;
  context.strokeStyle = "rgb(0 0 0 / 30%)";
  context.stroke();
  context.lineWidth = ratio;
  context.strokeStyle = shade;
  context.stroke();
}

/** The mark of a source. @param {CanvasRenderingContext2D} context @param {number} source @param {number} x @param {number} y @param {number} size @param {string} shade @param {number} ratio */
function glyph(context, source, x, y, size, shade, ratio) {
  const corners = { 1: [[0, -1.2], [1.2, 0], [0, 1.2], [-1.2, 0]], 3: [[0, -1.1], [1.1, 0.9], [-1.1, 0.9]], 4: [[-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]] }[source];
  context.beginPath();
  if (corners) corners.forEach(([dx, dy], k) => (k ? context.lineTo(x + dx * size, y + dy * size) : context.moveTo(x + dx * size, y + dy * size)));
  else context.arc(x, y, size * 0.9, 0, 2 * Math.PI);
  context.closePath();
  context.lineWidth = 1.4 * ratio;
  context.strokeStyle = context.fillStyle = shade;
  if (source === 2) context.stroke();
  else context.fill();
}
