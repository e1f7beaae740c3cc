// Which frame is shown, and asking for it: the latest one while stepping and dragging, all of them in order while playing.

import { by, fitted, speak } from "./lib/el.js";
import { unpackOutlines } from "./view.js";

export const SPEEDS = [0.1, 0.25, 0.5, 1, 2, 4, 8, 16];
// Frames that are asked for ahead of the one that is shown; more on slow lines.
const AHEAD = 3;
// After that long without a move the exact frame is asked for, ms.
const REST_MS = 120;

export class Player {
  /** @param {import("./lib/socket.js").Line} line @param {import("./view.js").View} view */
  constructor(line, view) {
    this.line = line;
    this.view = view;
    /** @type {any} */ this.movie = null;
    this.frame = 0; // the one that is shown
    this.wanted = 0;
    this.seq = 0;
    this.shownSeq = 0;
    this.playedSeq = 0; // all frames of playing have later ones
    this.settingsSeq = 0;
    this.turn = 0; // how often settings were changed here
    this.playing = false;
    this.started = { time: 0, frame: 0 };
    this.next = 0;
    this.speed = 1;
    this.open = 0; // answers of playing that are still to come
    this.mode = "image";
    this.painting = Promise.resolve();
    this.shown = 0;
    /** @type {Set<(head: any) => void>} */ this.watchers = new Set();
    /** Told before a frame is painted. @type {Set<(head: any, parts: ArrayBuffer[]) => void>} */ this.arrivals = new Set();
    /** What else is asked of each frame. @type {Record<string, any>} */ this.extra = {};
    this.rest = 0;
    this.quality = 75;
    this.bytes = 0;
  }

  /** @param {any} movie what the server says of it @param {number} frame */
  show(movie, frame = 0) {
    this.stop();
    this.movie = movie;
    this.view.size(movie.width, movie.height);
    this.frame = -1;
    this.go(frame);
  }

  /** @param {number} frame */
  clamp(frame) {
    return Math.min(Math.max(Math.round(frame), 0), this.movie.frames - 1);
  }

  /** @param {any} more */
  look(more) {
    if (!this.movie) return;
    const [width] = fitted(this.view.picture);
    const wide = Math.min(this.movie.width, Math.ceil(Math.max(width, this.movie.width * this.view.scale) / 160) * 160);
    const look = { type: "look", seq: ++this.seq, movie: this.movie.name, frame: this.wanted, view: this.mode, width: wide, quality: this.quality };
    this.line.say({ ...look, ...this.extra, ...more });
  }

  /** @param {number} frame @param {boolean} [near] */
  go(frame, near = false) {
    if (!this.movie) return;
    this.stop();
    this.wanted = this.clamp(frame);
    clearTimeout(this.rest);
    this.look({ near });
    if (near) this.rest = setTimeout(() => this.look({}), REST_MS);
  }

  /** @param {number} by */
  step(by) {
    this.go(this.wanted + by);
  }

  /** The same frame with other settings. @param {Record<string, any>} [changes] @param {boolean} [image] */
  again(changes, image = false) {
    this.settingsSeq = this.seq + 1;
    if (changes) this.turn++;
    this.look({ changes, turn: this.turn, image: image || this.frame !== this.wanted, along: this.playing });
  }

  play() {
    if (!this.movie || this.playing) return;
    if (this.wanted >= this.movie.frames - 1) this.wanted = 0;
    this.playing = true;
    this.started = { time: performance.now(), frame: this.wanted };
    this.next = this.wanted;
    this.open = 0;
    this.playedSeq = this.seq;
    by("play").textContent = "Pause";
    this.ask();
    if (!this.open) this.stop();
  }

  stop() {
    if (!this.playing) return;
    this.playing = false;
    by("play").textContent = "Play";
    this.wanted = Math.max(0, this.frame);
  }

  /** Every n-th frame at speeds that the movie's rate and the line cannot keep up with. */
  get stride() {
    return Math.max(1, Math.round((this.speed * this.movie.fps) / 30));
  }

  ask() {
    while (this.playing && this.open < AHEAD && this.next + this.stride < this.movie.frames) {
      this.next += this.stride;
      this.open++;
      this.look({ queued: true, frame: this.next });
    }
  }

  /** An answer: messages are painted strictly one after another. @param {import("./lib/socket.js").Message} message */
  take(message) {
    this.painting = this.painting.then(() => this.paint(message)).catch((error) => console.error(error));
  }

  /** @param {import("./lib/socket.js").Message} message */
  async paint({ head, parts }) {
    if (!this.movie || head.movie !== this.movie.name) return;
    const queued = head.queued;
    // Playing may stop, and begin anew, while this one waits or is decoded.
    const outdated = () => (queued ? !this.playing || head.seq <= this.playedSeq : head.seq < this.shownSeq);
    if (outdated()) return;
    if (queued) {
      this.open--;
      this.ask();
      await this.due(head.frame);
      if (outdated()) return;
    } else if (parts[1].byteLength && head.seq < this.seq - 3 && this.shown && performance.now() - this.shown < 100) {
      return; // outdated while dragging
    }
    if (parts[1].byteLength) {
      const image = await createImageBitmap(new Blob([parts[1]], { type: "image/jpeg" }));
      if (outdated()) {
        image.close();
        return;
      }
      this.view.image?.close();
      this.view.image = image;
      this.frame = head.frame;
      if (queued) this.wanted = head.frame;
    } else if (head.frame !== this.frame) {
      return;
    }
    this.shownSeq = Math.max(this.shownSeq, head.seq);
    this.view.blobs = { outlines: unpackOutlines(parts[0]), reasons: head.reasons || [] };
    for (const arrival of this.arrivals) arrival(head, parts);
    this.view.paint();
    this.shown = performance.now();
    this.tell(head);
    // The last one is shown.
    if (queued && !this.open) this.stop();
  }

  /** Wait until a frame of playing is due. @param {number} frame */
  async due(frame) {
    const due = this.started.time + ((frame - this.started.frame) / (this.movie.fps * this.speed)) * 1000;
    const wait = due - performance.now();
    if (wait > 4) await new Promise((resolve) => setTimeout(resolve, wait));
    // Whoever is late does not hurry afterwards.
    else if (wait < -200) this.started = { time: performance.now(), frame };
  }

  /** @param {any} head */
  tell(head) {
    const root = document.documentElement.dataset;
    root.shown = String(head.frame);
    root.seq = String(head.seq);
    root.kept = String(head.kept ?? "");
    root.dropped = String(head.dropped ?? "");
    if (!by("number").dataset.typed) by("number").value = String(head.frame);
    by("clock").textContent = `${clock(head.time)} of ${clock(this.movie.duration)}`;
    this.view.picture.setAttribute("aria-label", head.kept === undefined ? `frame ${head.frame}` : `frame ${head.frame}, ${head.kept} blobs`);
    if (!this.playing) speak(`frame ${head.frame}`);
    for (const watcher of this.watchers) watcher(head);
  }
}

/** @param {number} seconds */
export function clock(seconds) {
  const minutes = Math.floor(seconds / 60);
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${(seconds % 60).toFixed(2).padStart(5, "0")}`;
}
