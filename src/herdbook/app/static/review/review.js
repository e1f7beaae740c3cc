// Reviewing: doubts one after another, most to gain first. An answer is a fact on the disk; who is who is found again at once.

import { alarm, by } from "../lib/el.js";
import { get, post } from "../lib/socket.js";
import { Answers } from "./answers.js";
import { bindReviewKeys } from "./keys.js";
import { Loop } from "./loop.js";
import { percent, ring } from "./marks.js";
import { NameChoice } from "./names.js";
import { Panel } from "./panel.js";
import { Pointing } from "./pointing.js";
import { Validate } from "./validate.js";

export class Review {
  /** @param {import("../view.js").View} view @param {import("../player.js").Player} player @param {import("../watch.js").Watch} watch @param {HTMLElement} place
   *  @param {(movie: string, frame?: number) => Promise<void>} showMovie @param {() => void} open shows the tab */
  constructor(view, player, watch, place, showMovie, open) {
    this.view = view;
    this.player = player;
    this.watch = watch;
    this.showMovie = showMovie;
    this.open = open;
    this.on = false;
    this.mode = "doubts";
    /** @type {any} */ this.state = null;
    /** The question that is asked: a doubt, or who an animal is that was clicked. @type {any} */ this.asked = null;
    /** @type {Set<string>} */ this.skipped = new Set();
    this.left = /** @type {number | null} */ (null);
    this.waiting = 0;
    this.loop = new Loop(player, view);
    this.pointing = new Pointing(this);
    this.answers = new Answers(this);
    this.names = new NameChoice("who", (name) => this.answers.is(name));
    this.validate = new Validate(this);
    view.layers.push((context) => this.paint(context));
    this.panel = new Panel(this, place);
  }

  /** @param {typeof import("../lib/keys.js").bind} bind */
  bindKeys(bind) {
    bindReviewKeys(this, bind);
  }

  get doubting() {
    return this.on && this.mode === "doubts";
  }

  /** @param {boolean} on */
  activate(on) {
    if (on === this.on) return;
    this.on = on;
    if (!on) {
      this.loop.stop();
      this.pointing.picker.stop();
      this.view.paintDrawn();
      return;
    }
    if (this.mode === "doubts") {
      post("/api/review/prepare", {}).catch((error) => alarm(error.message));
      this.ask();
    } else this.validate.begin();
  }

  /** Whether names are drawn over the movie: not while random positions are judged, for they would tell too much. */
  get watches() {
    return this.mode === "doubts";
  }

  /** @param {string} mode */
  choose(mode) {
    this.mode = mode;
    this.panel.doubts.hidden = mode !== "doubts";
    this.validate.place.hidden = mode === "doubts";
    this.loop.stop();
    this.on = false;
    this.watch.activate(this.watches);
    this.activate(true);
  }

  async ask() {
    try {
      this.take(await get("/api/review"));
      if (!this.asked && this.doubting) this.next();
    } catch (error) {
      alarm(/** @type {Error} */ (error).message);
    }
  }

  /** Another experiment, or another movie by hand. */
  forget() {
    if (this.asked && this.asked.movie !== this.player.movie?.name) this.loop.on = false;
  }

  /** What the server tells all tabs. @param {any} news */
  hear(news) {
    if (news.fault && !news.questions) {
      this.waiting = 0;
      if (this.on) alarm(news.fault);
      return;
    }
    this.take(news);
    if (news.refused) alarm(`The last answer was not kept, for it contradicts what is known:\n${news.refused}`);
    const share = news.left === null || news.left === undefined ? "" : ` Expected to be wrong still: ${percent(news.left)}${this.left === null || this.left === news.left ? "" : ` (before: ${percent(this.left)})`}.`;
    if (news.changed !== null && news.changed !== undefined) {
      this.waiting = 0;
      this.panel.told.textContent = `${news.changed ? `This answer changed ${news.changed.toLocaleString("en")} frames.` : "This answer changed no name; where it is about places in a contact, positions follow with the next run."}${share}`;
      this.panel.told.title = `${news.seconds} s`;
      document.documentElement.dataset.renamed = `${news.changed}:${news.steps}`;
      document.documentElement.dataset.renamedSeconds = String(news.seconds);
      // What is shown are names of before.
      if (this.on || this.watch.on) this.player.again({}, false);
    } else if (news.corrected) this.panel.told.textContent = "The position is kept, and counts from the next run on.";
    else if (share && !this.waiting) this.panel.told.textContent = share.trim();
    if (news.left !== undefined) this.left = news.left;
    document.documentElement.dataset.reviewLeft = String(news.left ?? "");
    // Whoever has stopped the loop to look around is not led away.
    if (this.doubting && this.loop.on && this.asked?.doubt && !this.current()) this.next();
  }

  /** @param {any} state */
  take(state) {
    this.panel.note.hidden = !state.fault;
    this.panel.note.textContent = state.fault || "";
    this.panel.doubts.hidden = Boolean(state.fault) || this.mode !== "doubts";
    if (state.fault) return;
    this.state = state;
    by("review-undo").disabled = !state.steps;
    document.documentElement.dataset.questions = String(state.count);
    document.documentElement.dataset.reviewSteps = String(state.steps);
    this.panel.showList();
  }

  /** @param {any} one */
  key(one) {
    return `${one.movie} ${one.frame} ${Math.round(one.x)},${Math.round(one.y)} ${one.name} ${one.assigned}`;
  }

  /** Where the question that is asked stands in the list, -1 if it is answered. */
  get at() {
    return this.asked?.doubt ? this.state.questions.findIndex((/** @type {any} */ one) => this.key(one) === this.key(this.asked)) : -1;
  }

  current() {
    return this.at >= 0;
  }

  /** The next question that was not skipped, or the one before. @param {number} way */
  next(way = 1) {
    const all = this.state?.questions || [];
    if (!all.length) {
      this.asked = null;
      this.loop.stop();
      this.panel.question.textContent = "No doubt is left.";
      this.panel.detail.textContent = "";
      this.names.place.replaceChildren();
      document.documentElement.dataset.asked = "";
      this.view.paintDrawn();
      return;
    }
    const at = this.at;
    const order = all.map((/** @type {any} */ _, /** @type {number} */ k) => all[(at + way * (k + 1) + 2 * all.length + (at < 0 && way < 0 ? 1 : 0)) % all.length]);
    const fresh = order.find((/** @type {any} */ one) => !this.skipped.has(this.key(one)));
    if (!fresh) this.skipped.clear();
    this.show(way < 0 ? order[0] : fresh || order[0]);
  }

  /** @param {any} one */
  async show(one) {
    this.asked = { ...one, doubt: true };
    const shown = this.asked;
    this.loop.on = false;
    this.panel.showList();
    this.panel.showQuestion();
    if (one.movie !== this.player.movie?.name) await this.showMovie(one.movie);
    if (this.asked !== shown || !this.doubting) return;
    const from = one.from_movie === one.movie ? one.from_frame : 0;
    const to = one.to_movie === one.movie ? one.to_frame : this.player.movie.frames - 1;
    this.loop.look(one.x, one.y, Math.max(8, this.reach()));
    this.loop.start(one.frame, from, to);
    document.documentElement.dataset.asked = this.key(one);
    const track = await get(`/api/review/track?movie=${encodeURIComponent(one.movie)}&frame=${one.frame}&x=${Math.round(one.x)}&y=${Math.round(one.y)}`).catch(() => null);
    shown.track = track;
    this.view.paintDrawn();
  }

  /** How far an animal reaches, as a rule. */
  reach() {
    const all = [...(this.watch.tracks?.radius || [])].sort((a, b) => a - b);
    return all[Math.floor(all.length / 2)] || 14;
  }

  /** Where an animal is in the frame that is shown. @param {string} name @returns {[number, number] | null} */
  where(name) {
    const { tracks, summary } = this.watch;
    const place = tracks && summary ? tracks.who.indexOf(summary.names.indexOf(name)) : -1;
    return place < 0 ? null : [tracks.x[place], tracks.y[place]];
  }

  /** @param {any[]} rows */
  async send(rows) {
    const answered = this.asked;
    try {
      this.waiting++;
      const begun = performance.now();
      await post("/api/review/answer", { rows });
      document.documentElement.dataset.answerMs = (performance.now() - begun).toFixed(1);
      this.panel.told.textContent = `${rows.map((row) => `${row.name} ${row.fact === "is" ? "" : `${row.fact === "not" ? "not " : "absent "}`}in frame ${row.frame}`).join(", ")}: written. Who is who is found again…`;
      if (this.asked !== answered) return;
      if (answered.doubt) {
        this.skipped.add(this.key(answered));
        this.next();
      } else this.asked = null;
    } catch (error) {
      this.waiting--;
      alarm(/** @type {Error} */ (error).message);
    }
  }

  /** @param {number} [way] */
  skip(way = 1) {
    if (this.asked?.doubt && way > 0) this.skipped.add(this.key(this.asked));
    this.next(way);
  }

  async undo() {
    try {
      await post("/api/review/undo", {});
      this.skipped.clear();
      this.panel.told.textContent = "Taken back. Who is who is found again…";
    } catch (error) {
      alarm(/** @type {Error} */ (error).message);
    }
  }

  /** @param {{name: string, x: number, y: number}} found */
  about({ name, x, y }) {
    this.asked = { movie: this.player.movie.name, frame: this.player.frame, x, y, name, assigned: name, others: [] };
    document.documentElement.dataset.asked = `${this.asked.movie} ${this.asked.frame} ${name}`;
    this.panel.showList();
    this.panel.showQuestion();
  }

  async nameFollowed() {
    const name = this.watch.summary?.names[this.watch.followed];
    const place = name && this.where(name);
    if (!place) return;
    if (!this.state) this.take(await get("/api/review"));
    if (!this.state) return;
    const [x, y] = place;
    this.asked = { movie: this.player.movie.name, frame: this.player.frame, x, y, name, assigned: name, others: [] };
    this.mode = "doubts";
    this.open();
    this.about({ name, x, y });
  }

  /** Where the animal in question is in the frame that is shown, and how far it reaches. @param {any} one @returns {[number, number, number] | null} */
  ringAt(one) {
    const reach = Math.max(6, this.reach() * 0.8);
    if (one.frame === this.player.frame) return [one.x, one.y, reach];
    // In a contact, its own place; else the blob, whoever is in it.
    const own = one.kind === "places" ? this.where(one.name) : null;
    if (own) return [...own, reach];
    const at = this.player.frame - (one.track?.first ?? Infinity);
    return one.kind === "names" && one.track?.x[at] !== undefined ? [one.track.x[at], one.track.y[at], one.track.reach[at]] : null;
  }

  /** A ring around the place in question. @param {CanvasRenderingContext2D} context */
  paint(context) {
    if (!this.on) return;
    const ratio = window.devicePixelRatio || 1;
    if (this.mode === "validate") this.validate.paint(context, ratio);
    const one = this.doubting && this.asked?.movie === this.player.movie?.name ? this.asked : null;
    if (!one) return;
    const place = this.ringAt(one);
    if (place) ring(context, this.view, place[0], place[1], place[2], ratio);
    this.pointing.paint(context, ratio);
  }
}
