// A proposal: which values change and what comes of it, drawn on the picture before it is accepted by one key.

import { el, speak } from "../lib/el.js";
import { unpackOutlines } from "../view.js";

/** @typedef {{changes: Record<string, any>, was: Record<string, any>, here?: [number, number], frame?: number, outlines?: string, come?: boolean[],
 *   gone?: string, right?: [number, number], sampled?: number}} Proposed */

/** @param {string | undefined} coded */
function outlinesOf(coded) {
  const bytes = Uint8Array.from(atob(coded || ""), (letter) => letter.charCodeAt(0));
  return unpackOutlines(bytes.buffer);
}

export class ProposalCard {
  /** @param {import("../view.js").View} view @param {(value: any) => string} short @param {(changes: Record<string, any>) => void} accept
   *  @param {() => number} shownFrame */
  constructor(view, short, accept, shownFrame) {
    this.view = view;
    this.short = short;
    this.accept = accept;
    this.shownFrame = shownFrame;
    /** @type {Proposed | null} */ this.proposed = null;
    /** @type {import("../view.js").Outline[]} */ this.after = [];
    /** @type {import("../view.js").Outline[]} */ this.gone = [];
    this.place = el("div", { className: "proposal", hidden: true });
    view.layers.push((context) => this.paint(context));
  }

  get open() {
    return Boolean(this.proposed);
  }

  /** @param {Proposed} proposed @param {...any} more shown below the values */
  show(proposed, ...more) {
    this.proposed = proposed;
    this.after = outlinesOf(proposed.outlines);
    this.gone = outlinesOf(proposed.gone);
    const rows = Object.entries(proposed.changes).map(([key, value]) =>
      el("tr", { data: { proposed: key } }, el("th", { scope: "row" }, key.split(".").pop()?.replaceAll("_", " ")), el("td", {}, this.short(proposed.was[key])), el("td", {}, "→"), el("td", { className: "then" }, this.short(value))));
    const [before, after] = proposed.here || [];
    const told = [
      proposed.here && `Blobs here: ${before} → ${after}.`,
      proposed.right && `Sampled frames with as many blobs as animals: ${proposed.right[0]} → ${proposed.right[1]} of ${proposed.sampled}.`,
    ].filter(Boolean);
    this.place.replaceChildren(
      el("table", {}, el("tbody", {}, ...rows)),
      el("p", { className: "hint", hidden: !told.length }, told.join(" ")),
      el("p", { className: "hint", hidden: !proposed.here }, "Drawn: ", el("span", { className: "ink come" }, "new"), ", ", el("span", { className: "ink gone" }, "dropped"), "."),
      ...more,
      el("div", { className: "bar tight" },
        el("button", { className: "main", data: { act: "accept" }, title: "Enter", on: { click: () => this.take() } }, "Accept (Enter)"),
        el("button", { title: "Esc", on: { click: () => this.dismiss() } }, "No (Esc)")));
    this.place.hidden = false;
    document.documentElement.dataset.proposed = Object.keys(proposed.changes).join();
    speak(`proposed: ${rows.map((row) => row.textContent).join(", ")}`);
    this.view.paintDrawn();
  }

  dismiss() {
    if (!this.proposed) return;
    this.proposed = null;
    this.after = this.gone = [];
    this.place.hidden = true;
    delete document.documentElement.dataset.proposed;
    this.view.paintDrawn();
  }

  take() {
    const changes = this.proposed?.changes;
    this.dismiss();
    if (changes) this.accept(changes);
  }

  /** What comes is drawn through, what goes is dashed and crossed out. @param {CanvasRenderingContext2D} context */
  paint(context) {
    if (!this.proposed || this.proposed.frame !== this.shownFrame()) return;
    const ratio = window.devicePixelRatio || 1;
    const come = this.proposed.come || [];
    context.lineWidth = 2 * ratio;
    context.beginPath();
    for (const { blob, points } of this.after) if (come[blob]) this.view.trace(context, points);
    context.strokeStyle = "#56b4e9";
    context.stroke();
    context.beginPath();
    for (const { points } of this.gone) {
      this.view.trace(context, points);
      const xs = points.filter((_, k) => k % 2 === 0);
      const ys = points.filter((_, k) => k % 2 === 1);
      const [x0, y0] = this.view.to(Math.min(...xs), Math.min(...ys));
      const [x1, y1] = this.view.to(Math.max(...xs), Math.max(...ys));
      context.moveTo(x0, y0);
      context.lineTo(x1, y1);
      context.moveTo(x1, y0);
      context.lineTo(x0, y1);
    }
    context.setLineDash([5 * ratio, 3 * ratio]);
    context.strokeStyle = "#d55e00";
    context.stroke();
    context.setLineDash([]);
  }
}
