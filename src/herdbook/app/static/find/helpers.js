// What helps to find animals beside the controls: clicks, proposals, the scale, and animals that rest. Put together for the page.

import { by, el } from "../lib/el.js";
import { bind } from "../lib/keys.js";
import { Picker } from "../lib/picker.js";
import { ProposalCard } from "./proposal.js";
import { Resting } from "./resting.js";
import { Scale } from "./scale.js";
import { Teach } from "./teach.js";
import { Tune } from "./tune.js";

export class Helpers {
  /** @param {import("../view.js").View} view @param {import("../player.js").Player} player
   *  @param {(changes: Record<string, any>, rest: boolean) => void} change @param {(value: any) => string} short @param {() => void} open shows the tab */
  constructor(view, player, change, short, open) {
    this.picker = new Picker(view);
    this.card = new ProposalCard(view, short, (changes) => change(changes, true), () => player.frame);
    this.teach = new Teach(view, player, this.picker, this.card);
    this.tune = new Tune(player, this.card);
    this.scale = new Scale(view, this.picker, change);
    this.resting = new Resting(view, player, change);
    const card = (/** @type {string} */ id, /** @type {string} */ title, /** @type {any[]} */ ...inside) => el("section", { className: "card", "aria-labelledby": id }, el("h2", { id }, title), ...inside);
    by("helpers").replaceChildren(
      card("helpers-title", "Values from what you see", this.teach.place, this.tune.place, this.card.place),
      card("resting-title", "Animals that rest", this.resting.place));
    by("helpers-below").replaceChildren(card("scale-title", "Scale", this.scale.place));
    player.watchers.add(() => { if (this.card.open || this.teach.here.length) view.paintDrawn(); });
    this.keys(player, open);
  }

  /** @param {import("../player.js").Player} player @param {() => void} open */
  keys(player, open) {
    const G = "Find animals";
    const there = () => Boolean(player.movie);
    const proposed = () => this.card.open && !by("find").hidden;
    const first = (/** @type {() => void} */ act) => () => {
      open();
      act();
    };
    bind(G, "Digit1 Numpad1", "1", "this is one: click animals", first(() => this.teach.toggle(true)), there);
    bind(G, "Digit0 Numpad0", "0", "this is none: click dirt", first(() => this.teach.toggle(false)), there);
    bind(G, "KeyT", "T", "propose values from the whole movie, or stop", first(() => this.tune.toggle()), there);
    bind(G, "KeyM", "M", "measure the scale by two points", first(() => this.scale.begin("points")), there);
    bind(G, "Enter", "Enter", "accept the proposal", () => this.card.take(), proposed);
    bind(G, "Escape", "Esc", "no proposal", () => this.card.dismiss(), proposed);
  }

  /** Another tab is shown, or another movie. */
  leave() {
    this.picker.stop();
    this.card.dismiss();
  }

  /** @param {any} state */
  show(state) {
    this.scale.show(state.scale);
  }
}
