// Answers to the question that is asked, as facts about who is where.

import { alarm } from "../lib/el.js";

export class Answers {
  /** @param {import("./review.js").Review} review */
  constructor(review) {
    this.review = review;
  }

  /** With whom the animal in question may be exchanged. */
  partner() {
    const { asked, state } = this.review;
    if (!asked?.name) return undefined;
    const others = (asked.others || []).map((/** @type {any} */ [name]) => name);
    const assigned = (asked.assigned || "").split(" ").filter((/** @type {string} */ name) => name && state.names.includes(name));
    return [...others, ...assigned].find((name) => name !== asked.name);
  }

  /** A fact about the animal in question. @param {string} fact @param {string} name */
  fact(fact, name) {
    const { movie, frame, x, y } = this.review.asked;
    return { movie, frame, x, y, fact, name };
  }

  right() {
    if (this.review.asked?.name) this.review.send([this.fact("is", this.review.asked.name)]);
  }

  /** @param {string} name */
  is(name) {
    if (this.review.mode === "validate") this.review.validate.is(name);
    else if (this.review.asked) this.review.send([this.fact("is", name)]);
  }

  notHere() {
    if (this.review.asked?.name) this.review.send([this.fact("not", this.review.asked.name)]);
  }

  absent() {
    const one = this.review.asked;
    if (!one?.name) return;
    const first = one.doubt && one.from_movie === one.movie ? one.from_frame : one.frame;
    const last = !one.doubt ? one.frame : one.to_movie === one.movie ? one.to_frame : this.review.player.movie.frames - 1;
    this.review.send([{ movie: one.movie, frame: first, last, fact: "absent", name: one.name }]);
  }

  /** @param {string | undefined} [other] */
  swap(other = this.partner()) {
    const name = this.review.asked?.name;
    if (!name || !other || other === name) return;
    this.review.loop.stop();
    const [mine, its] = [this.review.where(name), this.review.where(other)];
    if (!mine || !its) {
      alarm(`${mine ? other : name} has no position in frame ${this.review.player.frame}: go to a frame in which both are seen.`);
      return;
    }
    const [movie, frame] = [this.review.player.movie.name, this.review.player.frame];
    this.review.send([{ movie, frame, x: its[0], y: its[1], fact: "is", name }, { movie, frame, x: mine[0], y: mine[1], fact: "is", name: other }]);
  }
}
