// Labelling: one tracklet at a time, answered by keys. The next one is shown at once; the answer is on the disk when the page counts it.

import { alarm, by, el, speak } from "../lib/el.js";
import { get, post } from "../lib/socket.js";
import { Chips } from "./chips.js";
import { Loop } from "./loop.js";
import { Montage } from "./montage.js";
import { Here } from "./here.js";
import { Sets } from "./sets.js";
import { frameAddress, Sheets } from "./sheets.js";
import { Together } from "./together.js";

/** @typedef {import("./sheets.js").Point} Point */

const ORDERS = { suggested: "suggested: most is learned", unsure: "least sure first", longest: "longest first", time: "by time", random: "random" };
const ASIDE = { unreadable: "unreadable", nothing: "no animal", several: "several animals" };
// Points that are asked for at a time; when so few are left, new ones are asked for; so many have their pictures ready.
const [ASKED, LOW, AHEAD] = [40, 8, 3];
const HEADS = 5;
const FRAME_PX = 680;

export class Label {
  /** @param {HTMLElement} panel @param {HTMLElement} stage @param {import("../player.js").Player} player @param {import("../watch.js").Watch} watch @param {(name: string) => void} tab opens a tab */
  constructor(panel, stage, player, watch, tab) {
    this.player = player;
    this.tab = tab;
    this.stage = stage;
    /** @type {{canvas: any, note: any, button: any}[]} */ this.heads = [];
    this.on = false;
    this.own = String(Math.random()).slice(2);
    /** @type {any} */ this.summary = null;
    /** @type {Point[]} */ this.queue = [];
    /** @type {Point | null} */ this.point = null;
    /** @type {import("./sheets.js").Sheet | null} */ this.sheet = null;
    this.page = 0;
    this.sheets = new Sheets();
    this.answered = 0;
    this.writing = 0;
    this.pressed = 0;
    this.asking = 0; // requests for points that are not answered yet
    this.asked = 0;
    this.running = false;
    /** @type {Set<string>} what is answered here, until the points that come do not hold it any more */ this.done = new Set();
    this.build(panel, stage);
    this.chips = new Chips(this.chipPlace, (name) => this.answer({ label: name }));
    this.loop = new Loop(this.loopCanvas);
    this.together = new Together(this, this.overlay);
    this.montage = new Montage(this, this.overlay);
    this.here = new Here(this, watch);
  }

  /** @param {HTMLElement} panel @param {HTMLElement} stage */
  build(panel, stage) {
    for (const place of [panel, stage]) place.addEventListener("click", () => leaveToKeys());
    const change = () => { leaveToKeys(); this.renew(); };
    this.told = el("p", { className: "hint", id: "label-told", role: "status", "aria-live": "polite" });
    this.meter = el("progress", { max: 1, value: 0, "aria-label": "answers of this round" });
    this.roundText = el("span", { className: "note", id: "label-round" });
    this.learnButton = el("button", { id: "label-learn", title: "L", on: { click: () => this.learn() } }, "Learn now");
    this.auto = el("input", { type: "checkbox", id: "label-auto", checked: true });
    this.chipPlace = el("div", { className: "name-chips", id: "name-chips", role: "group", "aria-label": "names, most likely first" });
    this.frame = el("img", { className: "label-frame", id: "label-frame", alt: "the whole frame, with a mark around the animal", on: { click: () => this.watchIt() } });
    const options = (/** @type {Record<string, string>} */ of) => Object.entries(of).map(([value, text]) => el("option", { value }, text));
    this.order = el("select", { id: "label-order", on: { change } }, ...options(ORDERS));
    this.movie = el("select", { id: "label-movie", on: { change } }, el("option", { value: "" }, "all movies"));
    this.name = el("select", { id: "label-name", on: { change } }, el("option", { value: "" }, "any"));
    this.least = el("input", { id: "label-least", type: "number", min: 0, max: 100, step: 1, value: 0, "aria-label": "least probability, per cent", on: { change } });
    this.most = el("input", { id: "label-most", type: "number", min: 0, max: 100, step: 1, value: 100, "aria-label": "greatest probability, per cent", on: { change } });
    this.labelled = el("input", { type: "checkbox", id: "label-labelled", on: { change } });
    panel.replaceChildren(
      el("section", { className: "card", "aria-label": "Rounds of learning" }, this.told,
        el("div", { className: "label-round" }, this.meter, this.roundText),
        el("div", { className: "label-round" }, this.learnButton, el("label", { className: "inline" }, this.auto, "by itself after a round"))),
      this.chipPlace,
      el("section", { className: "card", "aria-label": "The whole frame" }, this.frame),
      el("section", { className: "card label-filters", "aria-label": "Order and filters" },
        el("label", { for: "label-order" }, "order"), this.order,
        el("label", { for: "label-movie" }, "movie"), this.movie,
        el("label", { for: "label-name" }, "may be"), this.name,
        el("span", {}, "sure, %"), el("span", { className: "inline" }, this.least, "to", this.most),
        el("label", { for: "label-labelled" }, "labelled, too"), el("span", {}, this.labelled)),
      new Sets().place,
    );
    this.words = el("p", { className: "label-words", id: "label-words", role: "status", "aria-live": "polite" });
    this.heads = Array.from({ length: HEADS }, (_, k) => {
      const [canvas, note] = [el("canvas", { width: 256, height: 288 }), el("span", { className: "note" })];
      const button = el("button", { className: "head", "aria-pressed": "false", title: "leave this image out of the examples, or take it back", on: { click: () => this.leaveOut(k) } }, canvas, note);
      return { canvas, note, button };
    });
    this.loopCanvas = el("canvas", { width: 96, height: 96, role: "img", "aria-label": "the animal moving" });
    this.loopNote = el("span", { className: "note" });
    const tool = (/** @type {string} */ text, /** @type {string} */ key, /** @type {() => void} */ act) => el("button", { on: { click: act } }, `${text} `, el("kbd", {}, key));
    this.body = el("div", {},
      el("div", { className: "bar tight" }, this.words, el("span", { className: "label-typed", id: "label-typed" })),
      el("div", { className: "label-tools" },
        tool("Accept", "Enter", () => this.accept()), tool("Unreadable", "U", () => this.answer({ what: "unreadable" })), tool("No animal", "X", () => this.answer({ what: "nothing" })),
        tool("Several", "M", () => this.answer({ what: "several" })), tool("Skip", "S", () => this.skip()), tool("Undo", "Z", () => this.undo()),
        tool("Everybody", "E", () => this.together.open()), tool("More images", "→", () => this.turn(1)), tool("Montage", "V", () => this.montage.open())),
      el("div", { className: "label-heads" }, ...this.heads.map(({ button }) => button), el("div", { className: "loop" }, this.loopCanvas, this.loopNote)),
    );
    this.overlay = el("div", { id: "label-overlay", hidden: true });
    this.empty = el("p", { className: "hint", id: "label-empty", hidden: true });
    stage.replaceChildren(this.empty, this.body, this.overlay);
  }

  /** @param {boolean} on */
  activate(on) {
    if (on === this.on) return;
    this.on = on;
    this.stage.hidden = !on;
    /** @type {HTMLElement} */ (document.querySelector(".stage")).hidden = on;
    if (!on) this.loop.stop();
    else {
      leaveToKeys();
      this.refresh();
    }
  }

  /** Another experiment is open, or its file was changed. */
  forget() {
    this.summary = null;
    this.point = null;
    this.queue = [];
    this.done.clear();
    this.sheets.forget();
    if (this.on) this.refresh();
  }

  /** Ask again what is known: names, rounds, and the points that come. */
  async refresh() {
    try {
      const summary = await get("/api/label");
      this.summary = summary;
      this.told.textContent = summary.fault || summary.told;
      this.empty.hidden = !summary.fault;
      this.body.hidden = Boolean(summary.fault);
      this.showEmpty(summary.fault);
      if (summary.fault) return;
      const held = (/** @type {any} */ select, /** @type {string} */ all, /** @type {string[]} */ values) => {
        const value = select.value;
        select.replaceChildren(el("option", { value: "" }, all), ...values.map((one) => el("option", { value: one }, one)));
        select.value = values.includes(value) ? value : "";
      };
      held(this.movie, "all movies", summary.movies);
      held(this.name, "any", summary.names.map((/** @type {any} */ one) => one.name));
      this.chips.show(summary.names);
      this.showRound();
      await this.ask();
      document.documentElement.dataset.rounds = String(summary.rounds);
      document.documentElement.dataset.enough = String(summary.enough);
      document.documentElement.dataset.labels = String(summary.labels);
      await this.chips.illustrate(summary.made);
      if (summary.due && this.auto.checked) this.learn(true);
    } catch (error) {
      alarm(/** @type {Error} */ (error).message);
    }
  }

  /** @param {string} [fault] */
  showEmpty(fault) {
    if (!fault) return;
    this.empty.replaceChildren(fault, " ", el("button", { className: "main", on: { click: () => this.run("before_labels") } }, "Make what labels need"));
  }

  showRound() {
    const { fresh, needed, enough } = this.summary;
    this.meter.max = needed;
    this.meter.value = Math.min(fresh, needed);
    this.roundText.textContent = this.running ? "learning…" : `${fresh} of ${needed} new answers`;
    this.learnButton.disabled = this.running;
    Object.assign(document.documentElement.dataset, { fresh, needed });
    this.stage.classList.toggle("enough", enough);
  }

  /** What was answered elsewhere, or here. @param {any} head */
  hear(head) {
    if (head.tab !== this.own && this.on) {
      this.sheets.forget();
      this.refresh();
    }
  }

  /** How a run stands: when one has ended, what it learned is asked for. @param {any} state */
  takeRun(state) {
    const ended = this.running && !state.running;
    this.running = state.running;
    if (!this.on || !this.summary) return;
    if (this.summary.names.length) this.showRound();
    if (ended) {
      if (state.ok === false && !state.stopped) alarm("The run failed: see Run.");
      this.sheets.forget();
      this.refresh();
    }
  }

  // --- points

  renew() {
    this.queue = [];
    this.point = null;
    this.ask();
  }

  async ask() {
    this.asking++;
    const number = ++this.asked;
    const wanted = new URLSearchParams({
      order: this.order.value, movie: this.movie.value, name: this.name.value, least: String(Number(this.least.value) / 100),
      most: String(Number(this.most.value) / 100), labelled: this.labelled.checked ? "1" : "", count: String(ASKED),
    });
    try {
      const { points } = await get(`/api/label/points?${wanted}`);
      // Meanwhile others were asked for.
      if (number !== this.asked) return;
      const again = (/** @type {Point} */ one) => this.done.has(`${one.movie}/${one.tracklet}`) || same(one, this.point);
      this.queue = points.filter((/** @type {Point} */ one) => !again(one));
      if (!this.point) await this.next();
      else this.ahead();
      document.documentElement.dataset.asked = String(number);
    } catch (error) {
      alarm(/** @type {Error} */ (error).message);
    } finally {
      this.asking--;
    }
  }

  next() {
    const point = this.queue.shift() || null;
    const shown = point ? this.show(point) : null;
    if (!point) {
      this.point = null;
      this.words.textContent = "No tracklet is left in this order and with these filters.";
      document.documentElement.dataset.labelling = "";
    }
    if (this.queue.length < LOW && !this.asking && point) this.ask();
    return shown;
  }

  ahead() {
    for (const point of this.queue.slice(0, AHEAD)) this.sheets.get(point).catch(() => {});
  }

  /** @param {Point} point @param {number} [page] */
  async show(point, page = 0) {
    this.point = point;
    this.page = page;
    this.chips.sort(point.guesses);
    try {
      const sheet = await this.sheets.get(point, page);
      if (this.point !== point || this.page !== page) return;
      this.sheet = sheet;
      this.paint(point, sheet);
    } catch (error) {
      alarm(/** @type {Error} */ (error).message);
    }
    this.ahead();
  }

  /** @param {Point} point @param {import("./sheets.js").Sheet} sheet */
  paint(point, sheet) {
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
    this.frame.src = frameAddress(point, sheet.reach, FRAME_PX);
    const root = document.documentElement.dataset;
    root.labelling = `${point.movie}/${point.tracklet}`;
    root.labelPage = String(this.page);
    if (this.pressed) root.labelMs = (performance.now() - this.pressed).toFixed(1);
    this.pressed = 0;
  }

  /** Other images of this tracklet. @param {number} way */
  turn(way) {
    if (this.point) this.show(this.point, Math.max(0, this.page + way));
  }

  // --- answers

  accept() {
    const name = this.chips.entered();
    if (name) this.answer({ label: name });
    else speak("nothing is known yet: press the number of a name, or type it");
  }

  /** Answer for the tracklet that is shown, and go on. @param {{label?: string, what?: string}} said */
  answer(said) {
    const { point, summary } = this;
    if (!point || !summary) return;
    this.pressed = performance.now();
    const answer = { movie: point.movie, frame: point.frame, x: point.x, y: point.y, tracklet: point.tracklet, ...said };
    this.done.add(`${point.movie}/${point.tracklet}`);
    speak(said.label || ASIDE[/** @type {"several"} */ (said.what)] || "");
    this.next();
    return this.write([answer], Boolean(point.label), () => {
      this.done.delete(`${point.movie}/${point.tracklet}`);
      if (this.point) this.queue.unshift(this.point);
      this.show(point);
    });
  }

  /** Bring answers to the disk. @param {any[]} answers @param {boolean} instead of labels that are there @param {() => void} failed */
  async write(answers, instead, failed) {
    this.writing++;
    const began = performance.now();
    try {
      await post("/api/label/answer", { answers, instead, tab: this.own });
      this.answered++;
      const root = document.documentElement.dataset;
      root.answered = String(this.answered);
      root.writeMs = (performance.now() - began).toFixed(1);
      if (instead) await this.refresh();
      else this.count(answers.filter((one) => one.label).map((one) => one.label));
    } catch (error) {
      alarm(/** @type {Error} */ (error).message);
      failed();
    } finally {
      this.writing--;
    }
  }

  /** @param {string[]} names that were given */
  count(names) {
    if (!this.summary?.names.length) return;
    for (const name of names) this.chips.counted(name, 1);
    this.summary.fresh += names.length;
    this.showRound();
    // What is due is for the server to say, which knows what was learned.
    if (this.summary.fresh >= this.summary.needed && !this.running && !this.writing) this.refresh();
    else if (this.summary.fresh >= this.summary.needed && !this.running) setTimeout(() => !this.writing && this.refresh(), 200);
  }

  skip() {
    if (!this.point) return;
    this.pressed = performance.now();
    this.done.add(`${this.point.movie}/${this.point.tracklet}`);
    this.next();
  }

  async undo() {
    try {
      const { rows, points } = await post("/api/label/undo", { tab: this.own });
      speak(`${rows.map((/** @type {any} */ row) => row.label || row.what).join(", ")} undone`);
      this.sheets.forget();
      for (const point of points) this.done.delete(`${point.movie}/${point.tracklet}`);
      if (points.length) {
        if (this.point && !same(this.point, points[0])) this.queue.unshift(this.point);
        await this.show(points[0]);
      }
      document.documentElement.dataset.undone = String(Number(document.documentElement.dataset.undone || 0) + 1);
      await this.refresh();
    } catch (error) {
      alarm(/** @type {Error} */ (error).message);
    }
  }

  /** An image is no example, or is one again. @param {number} k */
  async leaveOut(k) {
    const image = this.sheet?.images[k];
    if (!image || !this.point) return;
    const answer = { movie: this.point.movie, frame: image.frame, x: image.x, y: image.y, what: "image" };
    image.out = !image.out;
    this.heads[k].button.setAttribute("aria-pressed", String(image.out));
    try {
      await post("/api/label/answer", { answers: [answer], back: !image.out, tab: this.own });
      document.documentElement.dataset.leftOut = String(this.sheet?.images.filter((one) => one.out).length);
    } catch (error) {
      image.out = !image.out;
      this.heads[k].button.setAttribute("aria-pressed", String(image.out));
      alarm(/** @type {Error} */ (error).message);
    }
  }

  // --- learning

  /** Learn from the labels so far, in the background. @param {boolean} [quiet] a run that is on its way is no fault */
  async learn(quiet = false) {
    if (this.running) return;
    if (this.summary && !this.summary.usable) {
      if (!quiet) alarm("At least two names need a label before anything can be learned.");
      return;
    }
    await this.run("names");
  }

  /** @param {string} target */
  async run(target) {
    try {
      this.running = true;
      if (this.summary?.names.length) this.showRound();
      await post("/api/run/start", { target });
      speak("learning has begun");
      document.documentElement.dataset.learning = target;
    } catch (error) {
      this.running = false;
      alarm(/** @type {Error} */ (error).message);
    }
  }

  /** The moment of this point in Watch. */
  watchIt() {
    const point = this.point;
    if (!point) return;
    this.tab("watch");
    if (this.player.movie?.name === point.movie) this.player.go(point.frame);
  }

  /** @param {typeof import("../lib/keys.js").bind} bind */
  bindKeys(bind) {
    this.here.bindKeys(bind);
    this.together.bindKeys(bind);
    this.montage.bindKeys(bind);
    const on = () => this.on && this.overlay.hidden && Boolean(this.point);
    const typing = () => on() && Boolean(this.chips.typed);
    const G = "Label";
    const letters = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"];
    // While a name is being typed, every letter belongs to it.
    bind(G, letters.map((one) => `Key${one}`).join(" "), "letters", "type a name; Enter ends it early (Shift+letter: a name that begins with the letter of another key)", (event) => this.chips.letter(event.code.slice(3)), typing);
    bind(G, letters.map((one) => `Shift+Key${one}`).join(" "), "letters", "", (event) => this.chips.letter(event.code.slice(3)), on);
    bind(G, "Escape", "Esc", "no name is being typed any more", () => this.chips.clear(), typing);
    bind(G, "Enter NumpadEnter", "Enter", "the most likely name", () => this.accept(), on);
    const digits = Array.from({ length: 9 }, (_, k) => `Digit${k + 1} Numpad${k + 1}`).join(" ");
    bind(G, digits, "1 to 9", "the name with this number", (event) => this.chips.digit(Number(event.code.slice(-1))), on);
    bind(G, "Digit0 Numpad0", "1 to 9", "", () => this.chips.typed && this.chips.letter("0"), typing);
    bind(G, "KeyU", "U", "unreadable", () => this.answer({ what: "unreadable" }), on);
    bind(G, "KeyX", "X", "no animal", () => this.answer({ what: "nothing" }), on);
    bind(G, "KeyM", "M", "several animals", () => this.answer({ what: "several" }), on);
    bind(G, "KeyS", "S", "skip", () => this.skip(), on);
    bind(G, "KeyZ Ctrl+KeyZ", "Z", "undo the last answer", () => this.undo(), () => this.on && this.overlay.hidden);
    bind(G, "KeyE", "E", "everybody in this frame, with the names of now", () => this.together.open(), on);
    bind(G, "KeyL", "L", "learn now", () => this.learn(), () => this.on && this.overlay.hidden);
    bind(G, "KeyV", "V", "montage of a name, odd ones first", () => this.montage.open(), () => this.on && this.overlay.hidden);
    bind(G, "ArrowRight", "→ ←", "other images of this tracklet", () => this.turn(1), on);
    bind(G, "ArrowLeft", "→ ←", "", () => this.turn(-1), on);
    bind(G, letters.map((one) => `Key${one}`).join(" "), "letters", "", (event) => this.chips.letter(event.code.slice(3)), on);
    bind(G, "Space", "Space", "stop the loop, or let it go on", () => this.loop.pause(), on);
  }
}

/** What was pressed by the mouse gives the keys back: Enter is an answer, and does not press it again. */
function leaveToKeys() {
  const held = document.activeElement;
  if (held instanceof HTMLElement && held.matches("button, select, summary, input[type=checkbox]") && !held.matches(":focus-visible")) held.blur();
}

/** @param {Point} one @param {Point | null} other */
function same(one, other) {
  return other !== null && one.movie === other.movie && one.tracklet === other.tracklet;
}
