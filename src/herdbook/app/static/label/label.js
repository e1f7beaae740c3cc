// Labelling: one tracklet at a time, answered by keys. The next one is shown at once; the answer is on the disk when the page counts it.

import { alarm, speak } from "../lib/el.js";
import { leaveToKeys } from "../lib/keys.js";
import { get, post } from "../lib/socket.js";
import { Chips } from "./chips.js";
import { Here } from "./here.js";
import { bindLabelKeys } from "./keys.js";
import { Learning } from "./learning.js";
import { Montage } from "./montage.js";
import { Panel } from "./panel.js";
import { Screen } from "./screen.js";
import { frameAddress, Sheets } from "./sheets.js";
import { Together } from "./together.js";

/** @typedef {import("./sheets.js").Point} Point */

const ASIDE = { unreadable: "unreadable", nothing: "no animal", several: "several animals" };
// Points that are asked for at a time; when so few are left, new ones are asked for; so many have their pictures ready.
const [ASKED, LOW, AHEAD] = [40, 8, 3];
const FRAME_PX = 680;

export class Label {
  /** @param {HTMLElement} panel @param {HTMLElement} stage @param {import("../player.js").Player} player @param {import("../watch.js").Watch} watch @param {(name: string) => void} tab opens a tab */
  constructor(panel, stage, player, watch, tab) {
    this.player = player;
    this.tab = tab;
    this.stage = stage;
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
    /** @type {Set<string>} what is answered here, until the points that come do not hold it any more */ this.done = new Set();
    this.learning = new Learning(this);
    this.panel = new Panel(this, panel);
    this.screen = new Screen(this, stage);
    this.chips = new Chips(this.panel.chipPlace, (name) => this.answer({ label: name }));
    this.together = new Together(this, this.screen.overlay);
    this.montage = new Montage(this, this.screen.overlay);
    this.here = new Here(this, watch);
  }

  /** @param {boolean} on */
  activate(on) {
    if (on === this.on) return;
    this.on = on;
    this.stage.hidden = !on;
    /** @type {HTMLElement} */ (document.querySelector(".stage")).hidden = on;
    if (!on) this.screen.loop.stop();
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
      this.panel.told.textContent = summary.fault || summary.told;
      this.screen.empty.hidden = !summary.fault;
      this.screen.body.hidden = Boolean(summary.fault);
      this.screen.showEmpty(summary.fault);
      if (summary.fault) return;
      this.panel.show(summary);
      this.chips.show(summary.names);
      this.learning.show();
      await this.ask();
      document.documentElement.dataset.rounds = String(summary.rounds);
      document.documentElement.dataset.enough = String(summary.enough);
      document.documentElement.dataset.labels = String(summary.labels);
      await this.chips.illustrate(summary.made);
      if (summary.due && this.panel.auto.checked) this.learning.learn(true);
    } catch (error) {
      alarm(/** @type {Error} */ (error).message);
    }
  }

  /** What was answered elsewhere, or here. @param {any} head */
  hear(head) {
    if (head.tab !== this.own && this.on) {
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
    const wanted = new URLSearchParams({ ...this.panel.wanted, count: String(ASKED) });
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
      this.screen.words.textContent = "No tracklet is left in this order and with these filters.";
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
      this.screen.show(point, sheet);
      this.panel.frame.src = frameAddress(point, sheet.reach, FRAME_PX);
      const root = document.documentElement.dataset;
      root.labelling = `${point.movie}/${point.tracklet}`;
      root.labelPage = String(page);
      if (this.pressed) root.labelMs = (performance.now() - this.pressed).toFixed(1);
      this.pressed = 0;
    } catch (error) {
      alarm(/** @type {Error} */ (error).message);
    }
    this.ahead();
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
    this.learning.show();
    // What is due is for the server to say, which knows what was learned.
    if (this.summary.fresh >= this.summary.needed && !this.learning.running && !this.writing) this.refresh();
    else if (this.summary.fresh >= this.summary.needed && !this.learning.running) setTimeout(() => !this.writing && this.refresh(), 200);
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
    this.screen.heads[k].button.setAttribute("aria-pressed", String(image.out));
    try {
      await post("/api/label/answer", { answers: [answer], back: !image.out, tab: this.own });
      document.documentElement.dataset.leftOut = String(this.sheet?.images.filter((one) => one.out).length);
    } catch (error) {
      image.out = !image.out;
      this.screen.heads[k].button.setAttribute("aria-pressed", String(image.out));
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
    bindLabelKeys(this, bind);
  }
}

/** @param {Point} one @param {Point | null} other */
function same(one, other) {
  return other !== null && one.movie === other.movie && one.tracklet === other.tracklet;
}
