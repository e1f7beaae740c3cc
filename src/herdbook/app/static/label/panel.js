// What is seen beside the pictures while one labels: the round of learning, the names, the whole frame, order and filters.

import { el } from "../lib/el.js";
import { leaveToKeys } from "../lib/keys.js";
import { Sets } from "./sets.js";

const ORDERS = { suggested: "suggested: most is learned", unsure: "least sure first", longest: "longest first", time: "by time", random: "random" };

export class Panel {
  /** @param {import("./label.js").Label} label @param {HTMLElement} place */
  constructor(label, place) {
    place.addEventListener("click", () => leaveToKeys());
    const change = () => { leaveToKeys(); label.renew(); };
    this.told = el("p", { className: "hint", id: "label-told", role: "status", "aria-live": "polite" });
    this.meter = el("progress", { max: 1, value: 0, "aria-label": "answers of this round" });
    this.roundText = el("span", { className: "note", id: "label-round" });
    this.learnButton = el("button", { id: "label-learn", title: "L", on: { click: () => label.learning.learn() } }, "Learn now");
    this.auto = el("input", { type: "checkbox", id: "label-auto", checked: true });
    this.chipPlace = el("div", { className: "name-chips", id: "name-chips", role: "group", "aria-label": "names, most likely first" });
    this.frame = el("img", { className: "label-frame", id: "label-frame", alt: "the whole frame, with a mark around the animal", on: { click: () => label.watchIt() } });
    const options = (/** @type {Record<string, string>} */ of) => Object.entries(of).map(([value, text]) => el("option", { value }, text));
    this.order = el("select", { id: "label-order", on: { change } }, ...options(ORDERS));
    this.movie = el("select", { id: "label-movie", on: { change } }, el("option", { value: "" }, "all movies"));
    this.name = el("select", { id: "label-name", on: { change } }, el("option", { value: "" }, "any"));
    this.least = el("input", { id: "label-least", type: "number", min: 0, max: 100, step: 1, value: 0, "aria-label": "least probability, per cent", on: { change } });
    this.most = el("input", { id: "label-most", type: "number", min: 0, max: 100, step: 1, value: 100, "aria-label": "greatest probability, per cent", on: { change } });
    this.labelled = el("input", { type: "checkbox", id: "label-labelled", on: { change } });
    place.replaceChildren(
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
  }

  /** What the server says of the experiment. @param {any} summary */
  show(summary) {
    const held = (/** @type {any} */ select, /** @type {string} */ all, /** @type {string[]} */ values) => {
      const value = select.value;
      select.replaceChildren(el("option", { value: "" }, all), ...values.map((one) => el("option", { value: one }, one)));
      select.value = values.includes(value) ? value : "";
    };
    held(this.movie, "all movies", summary.movies);
    held(this.name, "any", summary.names.map((/** @type {any} */ one) => one.name));
  }

  /** @param {any} summary @param {boolean} running whether a run learns */
  showRound({ fresh, needed }, running) {
    this.meter.max = needed;
    this.meter.value = Math.min(fresh, needed);
    this.roundText.textContent = running ? "learning…" : `${fresh} of ${needed} new answers`;
    this.learnButton.disabled = running;
    Object.assign(document.documentElement.dataset, { fresh, needed });
  }

  /** The points that are wanted, as the server is asked for them. */
  get wanted() {
    return {
      order: this.order.value, movie: this.movie.value, name: this.name.value, least: String(Number(this.least.value) / 100),
      most: String(Number(this.most.value) / 100), labelled: this.labelled.checked ? "1" : "",
    };
  }
}
