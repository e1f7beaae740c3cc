// Animals that rest in the background, which hides them: marked where they are, with what helps.

import { el } from "../lib/el.js";
import { get } from "../lib/socket.js";

// The places are looked for once the controls rest, ms.
const REST_MS = 900;
// With more places than this, words would hide the picture: the rings alone are drawn.
const MOST_WORDS = 6;
// More places in which something is there in all frames are parts of the scene, such as its rim: they are counted, but not drawn.
const MOST_STILL = 3;

export class Resting {
  /** @param {import("../view.js").View} view @param {import("../player.js").Player} player @param {(changes: Record<string, any>, rest: boolean) => void} change */
  constructor(view, player, change) {
    this.view = view;
    this.player = player;
    this.change = change;
    /** @type {{x: number, y: number, area: number, share: number, first: number, end: number}[]} */ this.found = [];
    this.takesOut = true;
    this.waiting = 0;
    this.box = el("input", { type: "checkbox", checked: true, id: "resting", on: { change: () => view.paintDrawn() } });
    this.note = el("span", { className: "note" }, "none found");
    this.help = el("button", { hidden: true, on: { click: () => this.change({ "background.resting": true }, true) } }, "Take them out of the background");
    this.place = el("div", {}, el("label", { className: "inline" }, this.box, "mark animals that rest in the background"), el("p", { className: "hint", role: "status" }, this.note), this.help);
    view.layers.push((context) => this.paint(context));
  }

  /** Look again soon: background or settings may be others. */
  soon() {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.look(), REST_MS);
  }

  async look() {
    const name = this.player.movie?.name;
    if (!name) return;
    try {
      const found = await get(`/api/propose/resting?movie=${encodeURIComponent(name)}`);
      if (name !== this.player.movie?.name) return;
      this.found = found.resting;
      this.takesOut = found.takes_out;
    } catch {
      // Without a background, or with arenas at fault, which the page tells elsewhere.
      this.found = [];
    }
    const count = this.found.length;
    const stay = this.found.filter((one) => one.share >= 1).length;
    const what = stay > MOST_STILL ? "parts of the scene, which are not drawn" : "an animal that never moves, or a part of the scene";
    this.note.textContent = !count ? "none found" : `${count} ${count > 1 ? "places" : "place"} of the size of an animal${stay ? `, ${stay} of them in all sampled frames: ${what}` : ""}.`;
    this.help.hidden = !count || this.takesOut;
    document.documentElement.dataset.resting = String(count);
    this.view.paintDrawn();
  }

  /** Dashed rings with a word, beside the animal. @param {CanvasRenderingContext2D} context */
  paint(context) {
    if (!this.box.checked || !this.place.offsetParent) return;
    const ratio = window.devicePixelRatio || 1;
    context.font = `${12 * ratio}px system-ui, sans-serif`;
    context.textAlign = "left";
    context.textBaseline = "middle";
    const scene = this.found.filter((one) => one.share >= 1).length > MOST_STILL;
    for (const { x, y, area, share, first, end } of this.found) {
      if (scene && share >= 1) continue;
      if (this.player.frame < first || this.player.frame >= end) continue;
      const [cx, cy] = this.view.to(x, y);
      const radius = Math.max(8 * ratio, Math.sqrt(area) * this.view.scale);
      context.beginPath();
      context.arc(cx, cy, radius, 0, 7);
      const text = share >= 1 ? "never moves" : `rests ${Math.round(100 * share)} %`;
      for (const [wide, ink] of /** @type {[number, string][]} */ ([[3.5, "rgb(0 0 0 / 70%)"], [1.5, "#cc79a7"]])) {
        context.lineWidth = wide * ratio;
        context.strokeStyle = ink;
        context.setLineDash(wide > 2 ? [] : [4 * ratio, 3 * ratio]);
        context.stroke();
      }
      context.setLineDash([]);
      if (this.found.length > MOST_WORDS) continue;
      context.lineWidth = 3 * ratio;
      context.strokeStyle = "rgb(0 0 0 / 80%)";
      context.strokeText(text, cx + radius + 4 * ratio, cy);
      context.fillStyle = "#f3c3dc";
      context.fillText(text, cx + radius + 4 * ratio, cy);
    }
  }
}
