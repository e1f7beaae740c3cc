// Random positions: is the name right? Answers stand in the table at once; how often names are wrong is told with an exact interval.

import { alarm, by, el, speak } from "../lib/el.js";
import { get, post } from "../lib/socket.js";
import { dot, percent, ring } from "./marks.js";
import { NameChoice } from "./names.js";

const GROUP = "Random positions";
const WORDS = { right: "right", wrong: "wrong", "cannot say": "cannot say" };
const WIDTHS = [0.1, 0.05, 0.02, 0.01];

export class Validate {
  /** @param {import("./review.js").Review} review */
  constructor(review) {
    this.review = review;
    /** @type {any} */ this.state = null;
    /** Whether it is asked who the animal is instead. */ this.who = false;
    this.names = new NameChoice("judged", (name) => this.is(name));
    this.wanted = el("select", { id: "validate-width", on: { change: () => this.ask() } }, ...WIDTHS.map((width) => el("option", { value: String(width), selected: width === 0.05 }, percent(width))));
    this.question = el("p", { className: "question", id: "validate-question" });
    this.detail = el("p", { className: "hint" });
    this.picture = el("img", { alt: "", className: "portrait", hidden: true, on: { error: () => (this.picture.hidden = true), load: () => (this.picture.hidden = false) } });
    this.buttons = Object.keys(WORDS).map((word, k) => el("button", { id: `validate-${word.split(" ")[0]}`, className: k ? "" : "main", on: { click: () => this.answer(word) } }, word[0].toUpperCase() + word.slice(1), " ", el("kbd", {}, String(k + 1))));
    this.undoButton = el("button", { id: "validate-undo", on: { click: () => this.act("undo", {}) } }, "Undo ", el("kbd", {}, "Z"));
    this.drawButton = el("button", { id: "validate-draw", className: "main", on: { click: () => this.draw() } }, "Draw random positions");
    this.rates = el("table", { id: "validate-rates" });
    this.enough = el("p", { id: "validate-enough", role: "status", "aria-live": "polite" });
    this.asking = el("div", {}, el("div", { className: "tools" }, this.picture, this.question), this.detail, el("div", { className: "tools" }, ...this.buttons, this.undoButton), this.names.place, this.names.more);
    this.place = el("div", {},
      el("section", { className: "card", "aria-labelledby": "validate-title" }, el("h2", { id: "validate-title" }, "Is the name right?"),
        el("p", {}, el("label", { className: "inline" }, "until the interval is at most ", this.wanted, " wide")), this.enough, this.drawButton, this.asking),
      el("section", { className: "card", "aria-labelledby": "validate-rates-title" }, el("h2", { id: "validate-rates-title" }, "Wrong names"), this.rates,
        el("p", { className: "hint" }, "Exact binomial intervals of 95 %. The report of the next run takes the answers into account.")));
  }

  get on() {
    return this.review.on && this.review.mode === "validate";
  }

  /** @param {typeof import("../lib/keys.js").bind} bind */
  bindKeys(bind) {
    const judging = () => this.on && !this.who && Boolean(this.state?.next);
    Object.keys(WORDS).forEach((word, k) => bind(GROUP, `Digit${k + 1} Numpad${k + 1}`, String(k + 1), word, () => this.answer(word), judging));
    bind(GROUP, "KeyZ", "Z", "take the last answer back", () => this.act("undo", {}), () => this.on);
    bind(GROUP, "Enter Escape", "Enter", "wrong, and I do not know who it is", () => this.is(""), () => this.on && this.who);
    this.names.bindKeys(bind, GROUP, () => this.on && this.who);
  }

  begin() {
    this.who = false;
    this.ask();
  }

  async ask() {
    try {
      if (!this.review.state) this.review.take(await get("/api/review"));
      if (!this.review.state) return;
      this.take(await get(`/api/validate?width=${this.wanted.value}`));
    } catch (error) {
      alarm(/** @type {Error} */ (error).message);
    }
  }

  /** @param {string} action @param {any} content */
  async act(action, content) {
    try {
      this.take(await post(`/api/validate/${action}`, { ...content, width: Number(this.wanted.value) }));
    } catch (error) {
      alarm(/** @type {Error} */ (error).message);
    }
  }

  /** As many as are needed if none is wrong, or else as it looks now. */
  draw() {
    const { needed, rates } = this.state;
    this.drawButton.disabled = true;
    const more = Math.max(20, Math.min(1000, Math.ceil((needed - rates.all.judged) * 1.1) + 5));
    this.act("draw", { count: more }).finally(() => (this.drawButton.disabled = false));
  }

  /** @param {any} state */
  take(state) {
    const before = this.state?.next?.number;
    this.state = state;
    this.who = false;
    this.showRates();
    const { enough, next, needed, rates } = state;
    const whole = rates.all;
    this.enough.textContent = enough ? `Enough: the interval is at most ${percent(state.width)} wide. You may stop here, or go on.`
      : next ? `${whole.judged} judged; about ${needed.toLocaleString("en")} are needed for this interval.` : whole.judged ? "All positions that were drawn are judged." : "";
    this.drawButton.hidden = Boolean(next);
    this.asking.hidden = !next;
    Object.assign(document.documentElement.dataset, { judged: String(whole.judged), judging: next ? String(next.number) : "", enough: String(enough) });
    if (next && next.number !== before) this.show(next);
    else if (next) this.showQuestion(next);
    this.review.view.paintDrawn();
  }

  showRates() {
    const rows = Object.entries(this.state.rates).map(([name, rate]) => {
      const { wrong, judged, share, low, high } = /** @type {any} */ (rate);
      return el("tr", {}, el("th", { scope: "row" }, { all: "all", alone: "alone", contact: "in contact" }[name] || name), el("td", { data: { rate: name } }, judged ? `${percent(share)} (${percent(low)} to ${percent(high)}; ${wrong} of ${judged})` : "–"));
    });
    this.rates.replaceChildren(el("tbody", {}, ...rows));
  }

  /** @param {any} next */
  async show(next) {
    this.showQuestion(next);
    const { player, loop } = this.review;
    if (next.movie !== player.movie?.name) await this.review.showMovie(next.movie);
    if (this.state?.next !== next || !this.on) return;
    loop.stop();
    loop.look(next.x, next.y, Math.max(8, this.review.reach()));
    player.go(next.frame);
  }

  /** @param {any} next */
  showQuestion(next) {
    const contact = next.source !== "single" && next.source !== "interpolated";
    this.question.textContent = this.who ? "Who is it?" : `Is the animal at the dot ${next.individual}?`;
    this.detail.textContent = this.who ? "A key or a click names it, as a fact; Enter if you do not know." : `${next.movie}, frame ${next.frame}${contact ? "; several animals touch here, meant is the one below the dot" : ""}. Arrows show other frames.`;
    this.picture.src = this.address(next, next.individual);
    for (const button of this.buttons) button.hidden = this.who;
    this.names.place.hidden = !this.who;
    this.names.more.hidden = !this.who;
    if (this.who) this.names.show(this.review.state.names, [], next.individual, (name) => this.address(next, name));
    document.documentElement.dataset.who = String(this.who);
    speak(this.question.textContent);
  }

  /** @param {any} next @param {string} name */
  address(next, name) {
    return `/api/review/portrait?movie=${encodeURIComponent(next.movie)}&name=${encodeURIComponent(name)}`;
  }

  /** @param {string} word */
  answer(word) {
    const next = this.state?.next;
    if (!next) return;
    if (word === "wrong" && this.review.state) {
      this.who = true;
      this.showQuestion(next);
    } else this.act("answer", { number: next.number, answer: word });
  }

  /** Who it is instead, "" if that is not known. @param {string} name */
  async is(name) {
    const next = this.state?.next;
    if (!next || !this.who || name === next.individual) return;
    await this.act("answer", { number: next.number, answer: "wrong" });
    if (!name) return;
    try {
      await post("/api/review/answer", { rows: [{ movie: next.movie, frame: next.frame, x: next.x, y: next.y, fact: "is", name }] });
      document.documentElement.dataset.fact = `${next.number} ${name}`;
    } catch (error) {
      alarm(/** @type {Error} */ (error).message);
    }
  }

  /** Which animal is meant: a dot that covers little, and a ring for those who look from afar. @param {CanvasRenderingContext2D} context @param {number} ratio */
  paint(context, ratio) {
    const next = this.state?.next;
    const { player, view } = this.review;
    if (!next || next.movie !== player.movie?.name || next.frame !== player.frame) return;
    ring(context, view, next.x, next.y, Math.max(8, this.review.reach()) * 1.5, ratio);
    dot(context, view, next.x, next.y, ratio);
  }
}
