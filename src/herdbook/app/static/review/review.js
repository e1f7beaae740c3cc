// Reviewing: doubts one after another, most to gain first. An answer is a fact on the disk; who is who is found again at once.

import { alarm, by, el, speak } from "../lib/el.js";
import { get, post } from "../lib/socket.js";
import { Loop } from "./loop.js";
import { percent, ring } from "./marks.js";
import { NameChoice } from "./names.js";
import { Pointing } from "./pointing.js";
import { Validate } from "./validate.js";

const GROUP = "Review";

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
    this.names = new NameChoice("who", (name) => this.is(name));
    this.validate = new Validate(this);
    view.layers.push((context) => this.paint(context));
    this.build(place);
  }

  get doubting() {
    return this.on && this.mode === "doubts";
  }

  /** @param {HTMLElement} place */
  build(place) {
    const button = (/** @type {string} */ id, /** @type {string} */ text, /** @type {string} */ key, /** @type {() => void} */ act, className = "") => el("button", { id, className, on: { click: act } }, text, " ", el("kbd", {}, key));
    this.count = el("span", { className: "note" });
    this.question = el("p", { className: "question", id: "review-question" });
    this.detail = el("p", { className: "hint" });
    this.rightButton = button("review-right", "Right", "Enter", () => this.right(), "main");
    this.swapButton = button("review-swap", "Swap", "W", () => this.swap());
    this.told = el("p", { id: "review-told", role: "status", "aria-live": "polite" });
    this.list = el("ol", { className: "list", id: "review-list" });
    this.doubts = el("div", {},
      el("section", { className: "card", "aria-labelledby": "review-title" },
        el("h2", { id: "review-title" }, "Doubt ", this.count), this.question, this.detail,
        el("div", { className: "tools" }, this.rightButton, this.swapButton,
          button("review-not", "Not here", "H", () => this.notHere()), button("review-absent", "Nowhere now", "Shift+H", () => this.absent()),
          button("review-skip", "Skip", "S", () => this.skip()), button("review-undo", "Undo", "Z", () => this.undo()),
          button("review-move", "Move", "M", () => this.pointing.move())),
        this.names.place, this.names.more, this.told),
      el("section", { className: "card", "aria-labelledby": "review-list-title" }, el("h2", { id: "review-list-title" }, "All doubts, most to gain first"), this.list));
    const radio = (/** @type {string} */ value, /** @type {string} */ text) => el("label", {}, el("input", { type: "radio", name: "review-mode", value, checked: value === this.mode, on: { change: () => this.choose(value) } }), ` ${text}`);
    this.note = el("p", { className: "hint", id: "review-note", hidden: true });
    place.replaceChildren(el("fieldset", { className: "choice" }, el("legend", {}, "show"), radio("doubts", "doubts"), radio("validate", "random positions")), this.note, this.doubts, this.validate.place);
    this.validate.place.hidden = true;
  }

  /** @param {typeof import("../lib/keys.js").bind} bind */
  bindKeys(bind) {
    this.validate.bindKeys(bind);
    const on = () => this.doubting && !this.pointing.picker.on;
    bind(GROUP, "Enter", "Enter", "right: it is who it is said to be", () => this.right(), on);
    bind(GROUP, "KeyW", "W", "the two are swapped from the shown frame on (Shift+2 – 9: with another one)", () => this.swap(), on);
    bind(GROUP, Array.from({ length: 9 }, (_, k) => `Shift+Digit${k + 1}`).join(" "), "Shift+2 – 9", "swapped with this one from the shown frame on", (event) => this.swap(this.names.choices[Number(event.code.slice(-1)) - 1]?.name), on);
    bind(GROUP, "KeyH", "H", "not here: somebody else", () => this.notHere(), on);
    bind(GROUP, "Shift+KeyH", "Shift+H", "nowhere to be seen as long as the doubt lasts", () => this.absent(), on);
    bind(GROUP, "KeyS KeyN", "S N", "skip", () => this.skip(), on);
    bind(GROUP, "Shift+KeyN", "Shift+N", "the one before", () => this.skip(-1), on);
    bind(GROUP, "KeyZ", "Z", "take the last answer back", () => this.undo(), on);
    bind(GROUP, "KeyM", "M", "move: set where the animal is in the shown frame", () => this.pointing.move(), on);
    bind(GROUP, "Space", "Space", "stop the loop, or go on", () => (this.loop.on ? this.loop.stop() : this.asked?.doubt ? this.loop.again() : this.player.play()), on);
    this.names.bindKeys(bind, GROUP, on);
    bind("Watch", "KeyY", "Y", "name the animal that is followed, from here on", () => this.nameFollowed(), () => this.watch.on && !this.on && this.watch.followed >= 0);
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
    this.doubts.hidden = mode !== "doubts";
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
      this.told.textContent = `${news.changed ? `This answer changed ${news.changed.toLocaleString("en")} frames.` : "This answer changed no name; where it is about places in a contact, positions follow with the next run."}${share}`;
      this.told.title = `${news.seconds} s`;
      document.documentElement.dataset.renamed = `${news.changed}:${news.steps}`;
      document.documentElement.dataset.renamedSeconds = String(news.seconds);
      // What is shown are names of before.
      if (this.on || this.watch.on) this.player.again({}, false);
    } else if (news.corrected) this.told.textContent = "The position is kept, and counts from the next run on.";
    else if (share && !this.waiting) this.told.textContent = share.trim();
    if (news.left !== undefined) this.left = news.left;
    document.documentElement.dataset.reviewLeft = String(news.left ?? "");
    if (this.doubting && this.asked?.doubt && !this.current()) this.next();
  }

  /** @param {any} state */
  take(state) {
    this.note.hidden = !state.fault;
    this.note.textContent = state.fault || "";
    this.doubts.hidden = Boolean(state.fault) || this.mode !== "doubts";
    if (state.fault) return;
    this.state = state;
    by("review-undo").disabled = !state.steps;
    document.documentElement.dataset.questions = String(state.count);
    document.documentElement.dataset.reviewSteps = String(state.steps);
    this.showList();
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

  showList() {
    const at = this.at;
    this.count.textContent = at >= 0 ? `${at + 1} of ${this.state.count}` : this.state.count ? `– ${this.state.count} left` : "";
    this.list.replaceChildren(...this.state.questions.map((/** @type {any} */ one, /** @type {number} */ k) => el("li", {}, el("button", { className: "doubt", "aria-current": k === at ? "true" : null, on: { click: () => this.show(one) } },
      `${this.state.questions.some((/** @type {any} */ other) => other.movie !== one.movie) ? `${one.movie}, ` : ""}frame ${one.frame}: ${one.text}${this.skipped.has(this.key(one)) ? " – skipped" : ""}`))));
    if (!this.state.count) this.list.replaceChildren(el("li", { className: "hint" }, "none is left"));
  }

  /** The next question that was not skipped, or the one before. @param {number} way */
  next(way = 1) {
    const all = this.state?.questions || [];
    if (!all.length) {
      this.asked = null;
      this.loop.stop();
      this.question.textContent = "No doubt is left.";
      this.detail.textContent = "";
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
    this.showList();
    this.showQuestion();
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

  showQuestion() {
    const one = this.asked;
    const others = one.others || [];
    const likely = /** @type {[string, number][]} */ (one.name ? [[one.name, one.probability], ...others] : others);
    const title = one.doubt ? (one.assigned ? `Is the animal in the ring ${one.name}?` : `Who is in the ring without a name? Maybe ${one.name}.`) : `Who is this animal${one.name ? `, here ${one.name}` : ""}?`;
    this.question.textContent = title;
    const movie = `${one.movie}, frame ${one.frame}`;
    this.detail.textContent = !one.doubt ? `${movie}. The name holds from here on, as far as movement carries it.`
      : `${movie}; ${one.kind === "places" ? `a contact of ${one.assigned.split(" ").join(", ")}` : "a doubt"} from frame ${one.from_frame} to ${one.to_frame}${one.to_movie === one.movie ? "" : ` of ${one.to_movie}`}. An answer is expected to put ${one.gain} frames right.`;
    this.rightButton.disabled = !one.name;
    const other = this.partner();
    this.swapButton.disabled = !other;
    this.swapButton.firstChild.textContent = other ? `Swap ${one.name} and ${other}` : "Swap";
    this.swapButton.title = "from the frame that is shown on";
    this.names.show(this.state.names, likely, one.name, (name) => `/api/review/portrait?movie=${encodeURIComponent(one.movie)}&name=${encodeURIComponent(name)}`);
    speak(title);
    this.view.paintDrawn();
  }

  /** With whom the animal in question may be exchanged. */
  partner() {
    return this.asked?.name ? (this.asked.others || []).map((/** @type {any} */ [name]) => name).find((/** @type {string} */ name) => name !== this.asked.name) || (this.asked.assigned || "").split(" ").find((/** @type {string} */ name) => name && name !== this.asked.name && this.state.names.includes(name)) : undefined;
  }

  /** A fact about the animal in question. @param {string} fact @param {string} name */
  fact(fact, name) {
    const { movie, frame, x, y } = this.asked;
    return { movie, frame, x, y, fact, name };
  }

  right() {
    if (this.asked?.name) this.send([this.fact("is", this.asked.name)]);
  }

  /** @param {string} name */
  is(name) {
    if (this.mode === "validate") this.validate.is(name);
    else if (this.asked) this.send([this.fact("is", name)]);
  }

  notHere() {
    if (this.asked?.name) this.send([this.fact("not", this.asked.name)]);
  }

  absent() {
    const one = this.asked;
    if (!one?.name) return;
    const first = one.doubt && one.from_movie === one.movie ? one.from_frame : one.frame;
    const last = !one.doubt ? one.frame : one.to_movie === one.movie ? one.to_frame : this.player.movie.frames - 1;
    this.send([{ movie: one.movie, frame: first, last, fact: "absent", name: one.name }]);
  }

  /** Where an animal is in the frame that is shown. @param {string} name @returns {[number, number] | null} */
  where(name) {
    const { tracks, summary } = this.watch;
    const place = tracks && summary ? tracks.who.indexOf(summary.names.indexOf(name)) : -1;
    return place < 0 ? null : [tracks.x[place], tracks.y[place]];
  }

  /** @param {string | undefined} [other] */
  swap(other = this.partner()) {
    const name = this.asked?.name;
    if (!name || !other || other === name) return;
    this.loop.stop();
    const [mine, its] = [this.where(name), this.where(other)];
    if (!mine || !its) {
      alarm(`${mine ? other : name} has no position in frame ${this.player.frame}: go to a frame in which both are seen.`);
      return;
    }
    const [movie, frame] = [this.player.movie.name, this.player.frame];
    this.send([{ movie, frame, x: its[0], y: its[1], fact: "is", name }, { movie, frame, x: mine[0], y: mine[1], fact: "is", name: other }]);
  }

  /** @param {any[]} rows */
  async send(rows) {
    const answered = this.asked;
    try {
      this.waiting++;
      const begun = performance.now();
      await post("/api/review/answer", { rows });
      document.documentElement.dataset.answerMs = (performance.now() - begun).toFixed(1);
      this.told.textContent = `${rows.map((row) => `${row.name} ${row.fact === "is" ? "" : `${row.fact === "not" ? "not " : "absent "}`}in frame ${row.frame}`).join(", ")}: written. Who is who is found again…`;
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
      this.told.textContent = "Taken back. Who is who is found again…";
    } catch (error) {
      alarm(/** @type {Error} */ (error).message);
    }
  }

  /** @param {{name: string, x: number, y: number}} found */
  about({ name, x, y }) {
    this.asked = { movie: this.player.movie.name, frame: this.player.frame, x, y, name, assigned: name, others: [] };
    document.documentElement.dataset.asked = `${this.asked.movie} ${this.asked.frame} ${name}`;
    this.showList();
    this.showQuestion();
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
