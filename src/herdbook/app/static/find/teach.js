// "This is one", "this is none": clicks on animals and on dirt, from which values follow.

import { alarm, el, speak } from "../lib/el.js";
import { post } from "../lib/socket.js";

/** @typedef {{frame: number, x: number, y: number, animal: boolean, fulfilled?: boolean}} Click */

export class Teach {
  /** @param {import("../view.js").View} view @param {import("../player.js").Player} player @param {import("../lib/picker.js").Picker} picker
   *  @param {import("./proposal.js").ProposalCard} card */
  constructor(view, player, picker, card) {
    this.view = view;
    this.player = player;
    this.picker = picker;
    this.card = card;
    /** @type {Map<string, Click[]>} by movie */ this.clicks = new Map();
    this.asked = 0;
    const button = (/** @type {boolean} */ animal, /** @type {string} */ text, /** @type {string} */ key) =>
      el("button", { "aria-pressed": "false", title: key, data: { teach: animal ? "one" : "none" }, on: { click: () => this.toggle(animal) } }, text);
    this.buttons = { one: button(true, "○ This is one", "1"), none: button(false, "✕ This is none", "0") };
    this.note = el("p", { className: "hint", role: "status" });
    this.clear = el("button", { hidden: true, on: { click: () => this.forget() } }, "Forget the clicks");
    this.place = el("div", {}, el("div", { className: "tools" }, this.buttons.one, this.buttons.none, this.clear), this.note);
    view.layers.push((context) => this.paint(context));
    this.tell("Click animals that are not outlined well, and dirt that is: difference and areas follow.");
  }

  /** The clicks on the movie that is shown. @returns {Click[]} */
  get here() {
    return this.clicks.get(this.player.movie?.name) || [];
  }

  /** @param {string} text */
  tell(text) {
    this.note.textContent = text;
  }

  /** @param {boolean} animal */
  toggle(animal) {
    const button = animal ? this.buttons.one : this.buttons.none;
    const was = button.getAttribute("aria-pressed") === "true";
    this.picker.stop();
    if (was || !this.player.movie) return;
    this.player.stop();
    this.picker.start((point) => this.click(point, animal), () => {
      for (const one of Object.values(this.buttons)) one.setAttribute("aria-pressed", "false");
    });
    button.setAttribute("aria-pressed", "true");
    speak(animal ? "click animals" : "click dirt");
  }

  /** A click; one on a click that is there takes that back. @param {[number, number]} point @param {boolean} animal */
  click([x, y], animal) {
    const frame = this.player.frame;
    const others = this.here.filter((one) => one.frame !== frame || Math.hypot(one.x - x, one.y - y) > this.view.reach(8));
    if (others.length === this.here.length) others.push({ frame, x: Math.round(10 * x) / 10, y: Math.round(10 * y) / 10, animal });
    this.clicks.set(this.player.movie.name, others);
    this.ask();
  }

  forget() {
    this.clicks.clear();
    this.asked++;
    this.card.dismiss();
    this.clear.hidden = true;
    this.tell("");
    this.view.paintDrawn();
  }

  async ask() {
    const clicks = this.here;
    const asked = ++this.asked;
    this.clear.hidden = !clicks.length;
    this.card.dismiss();
    this.view.paintDrawn();
    if (!clicks.length) {
      this.tell("");
      return;
    }
    const [animals, dirt] = [clicks.filter((one) => one.animal).length, clicks.filter((one) => !one.animal).length];
    const sure = [animals && `${animals} of ${animals} clicked animals kept`, dirt && `${dirt} of ${dirt} clicked pieces of dirt dropped`].filter(Boolean).join(", ");
    this.tell("Looking for values…");
    try {
      const found = await post("/api/propose/clicks", { movie: this.player.movie.name, frame: this.player.frame, clicks });
      if (found.outdated || asked !== this.asked) return;
      clicks.forEach((click, k) => (click.fulfilled = found.fulfilled[k]));
      if (Object.keys(found.changes).length) {
        this.card.show(found);
        this.tell(`${sure} with these values:`);
      } else {
        this.tell(found.fault || `${sure} with the values as they are.`);
      }
      document.documentElement.dataset.taught = String(asked);
      this.view.paintDrawn();
    } catch (error) {
      alarm(/** @type {Error} */ (error).message);
      this.tell("");
    }
  }

  /** Rings around animals and crosses on dirt; what is not as it should be yet is drawn thick. @param {CanvasRenderingContext2D} context */
  paint(context) {
    const ratio = window.devicePixelRatio || 1;
    for (const { frame, x, y, animal, fulfilled } of this.here) {
      if (frame !== this.player.frame) continue;
      const [cx, cy] = this.view.to(x, y);
      const size = 9 * ratio;
      for (const [wide, ink] of /** @type {[number, string][]} */ ([[fulfilled === false ? 5 : 3.5, "black"], [fulfilled === false ? 3 : 1.5, animal ? "#56b4e9" : "#e69f00"]])) {
        context.beginPath();
        if (animal) context.arc(cx, cy, size, 0, 7);
        else {
          context.moveTo(cx - size, cy - size);
          context.lineTo(cx + size, cy + size);
          context.moveTo(cx + size, cy - size);
          context.lineTo(cx - size, cy + size);
        }
        context.lineWidth = wide * ratio;
        context.strokeStyle = ink;
        context.stroke();
      }
    }
  }
}
