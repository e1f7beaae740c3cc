// What is seen beside the movie while one reviews: the question, its buttons, and the list of all doubts.

import { el, speak } from "../lib/el.js";

export class Panel {
  /** @param {import("./review.js").Review} review @param {HTMLElement} place */
  constructor(review, place) {
    this.review = review;
    const button = (/** @type {string} */ id, /** @type {string} */ text, /** @type {string} */ key, /** @type {() => void} */ act, className = "") => el("button", { id, className, on: { click: act } }, text, " ", el("kbd", {}, key));
    this.count = el("span", { className: "note" });
    this.question = el("p", { className: "question", id: "review-question" });
    this.detail = el("p", { className: "hint" });
    this.rightButton = button("review-right", "Right", "Enter", () => review.answers.right(), "main");
    this.swapButton = button("review-swap", "Swap", "W", () => review.answers.swap());
    this.told = el("p", { id: "review-told", role: "status", "aria-live": "polite" });
    this.list = el("ol", { className: "list", id: "review-list" });
    this.doubts = el("div", {},
      el("section", { className: "card", "aria-labelledby": "review-title" },
        el("h2", { id: "review-title" }, "Doubt ", this.count), this.question, this.detail,
        el("div", { className: "tools" }, this.rightButton, this.swapButton,
          button("review-not", "Not here", "H", () => review.answers.notHere()), button("review-absent", "Nowhere now", "Shift+H", () => review.answers.absent()),
          button("review-skip", "Skip", "S", () => review.skip()), button("review-undo", "Undo", "Z", () => review.undo()),
          button("review-move", "Move", "M", () => review.pointing.move())),
        review.names.place, review.names.more, this.told),
      el("section", { className: "card", "aria-labelledby": "review-list-title" }, el("h2", { id: "review-list-title" }, "All doubts, most to gain first"), this.list));
    const radio = (/** @type {string} */ value, /** @type {string} */ text) => el("label", {}, el("input", { type: "radio", name: "review-mode", value, checked: value === review.mode, on: { change: () => review.choose(value) } }), ` ${text}`);
    this.note = el("p", { className: "hint", id: "review-note", hidden: true });
    place.replaceChildren(el("fieldset", { className: "choice" }, el("legend", {}, "show"), radio("doubts", "doubts"), radio("validate", "random positions")), this.note, this.doubts, review.validate.place);
    review.validate.place.hidden = true;
  }

  showList() {
    const { review } = this;
    const at = review.at;
    this.count.textContent = at >= 0 ? `${at + 1} of ${review.state.count}` : review.state.count ? `– ${review.state.count} left` : "";
    this.list.replaceChildren(...review.state.questions.map((/** @type {any} */ one, /** @type {number} */ k) => el("li", {}, el("button", { className: "doubt", "aria-current": k === at ? "true" : null, on: { click: () => review.show(one) } },
      `${review.state.questions.some((/** @type {any} */ other) => other.movie !== one.movie) ? `${one.movie}, ` : ""}frame ${one.frame}: ${one.text}${review.skipped.has(review.key(one)) ? " – skipped" : ""}`))));
    if (!review.state.count) this.list.replaceChildren(el("li", { className: "hint" }, "none is left"));
  }

  showQuestion() {
    const { review } = this;
    const one = review.asked;
    const others = one.others || [];
    const likely = /** @type {[string, number][]} */ (one.name ? [[one.name, one.probability], ...others] : others);
    const title = one.doubt ? (one.assigned ? `Is the animal in the ring ${one.name}?` : `Who is in the ring without a name? Maybe ${one.name}.`) : `Who is this animal${one.name ? `, here ${one.name}` : ""}?`;
    this.question.textContent = title;
    const movie = `${one.movie}, frame ${one.frame}`;
    this.detail.textContent = !one.doubt ? `${movie}. The name holds from here on, as far as movement carries it.`
      : `${movie}; ${one.kind === "places" ? `a contact of ${one.assigned.split(" ").join(", ")}` : "a doubt"} from frame ${one.from_frame} to ${one.to_frame}${one.to_movie === one.movie ? "" : ` of ${one.to_movie}`}. An answer is expected to put ${one.gain} frames right.`;
    this.rightButton.disabled = !one.name;
    const other = review.answers.partner();
    this.swapButton.disabled = !other;
    this.swapButton.firstChild.textContent = other ? `Swap ${one.name} and ${other}` : "Swap";
    this.swapButton.title = "from the frame that is shown on";
    review.names.show(review.state.names, likely, one.name, (name) => `/api/review/portrait?movie=${encodeURIComponent(one.movie)}&name=${encodeURIComponent(name)}`);
    speak(title);
    review.view.paintDrawn();
  }
}
