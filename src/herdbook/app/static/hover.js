// The blob under the pointer: it is filled, and its area and why it is dropped are shown.

import { by } from "./lib/el.js";

const REASONS = ["too small", "too large", "too little contrast", "at the border"];

export class Hover {
  /** @param {import("./view.js").View} view @param {() => boolean} free whether the pointer has nothing else to do */
  constructor(view, free) {
    this.view = view;
    /** The last answer for a frame, with its blobs. @type {any} */
    this.blobs = {};
    by("view").addEventListener("pointermove", (/** @type {PointerEvent} */ event) => {
      if (!event.buttons && this.blobs.centres && free()) this.point(view.from(event));
    });
  }

  /** @param {[number, number]} place of the pointer, px of the movie */
  point([x, y]) {
    const { centres, areas, reasons } = this.blobs;
    const reach = this.view.reach(14);
    let best = -1;
    let least = Infinity;
    centres.forEach((/** @type {[number, number]} */ [cx, cy], /** @type {number} */ k) => {
      const apart = Math.hypot(cx - x, cy - y);
      if (apart < Math.max(reach, Math.sqrt(areas[k])) && apart < least) [best, least] = [k, apart];
    });
    if (best === this.view.chosen) return;
    this.view.chosen = best;
    this.view.paintDrawn();
    by("view").title = best < 0 ? "" : `${areas[best]} px${reasons[best] < 0 ? "" : `, dropped: ${REASONS[reasons[best]]}`}`;
  }
}
