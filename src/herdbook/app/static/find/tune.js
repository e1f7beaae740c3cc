// What `herdbook tune` proposes: measured by the server in the background, with the curve of blobs over the difference and its plateau.

import { alarm, colour, el } from "../lib/el.js";
import { post } from "../lib/socket.js";
import uPlot from "../vendor/uPlot.esm.js";

export class Tune {
  /** @param {import("../player.js").Player} player @param {import("./proposal.js").ProposalCard} card */
  constructor(player, card) {
    this.player = player;
    this.card = card;
    this.running = false;
    this.button = el("button", { title: "T", on: { click: () => this.toggle() } }, "Propose from the whole movie");
    this.note = el("p", { className: "hint", role: "status" });
    this.place = el("div", {}, this.button, this.note);
    /** @type {any} */ this.plot = null;
  }

  /** @param {string} text how far the measurement is */
  hear(text) {
    if (this.running) this.note.textContent = text.replace(/^tune: /, "").replace(/:$/, "");
  }

  toggle() {
    if (this.running) post("/api/propose/stop", {}).catch((error) => alarm(error.message));
    else this.start();
  }

  async start() {
    if (!this.player.movie) return;
    this.running = true;
    this.card.dismiss();
    this.button.textContent = "Stop";
    this.note.textContent = "Frames of the whole movie are measured; this takes some seconds…";
    let told = "";
    try {
      const found = await post("/api/propose/tune", { movie: this.player.movie.name, frame: this.player.frame });
      if (!found.stopped) told = this.show(found);
    } catch (error) {
      alarm(/** @type {Error} */ (error).message);
    }
    this.running = false;
    this.button.textContent = "Propose from the whole movie";
    this.note.textContent = told;
    document.documentElement.dataset.tuned = told || "nothing";
  }

  /** @param {any} found what tune.json holds, with the changes */
  show(found) {
    const [first, last] = found.plateau;
    const place = el("div", { className: "plateau", role: "img", "aria-label": `blobs over the difference; the plateau is ${first} to ${last}` });
    const warnings = el("ul", { className: "warnings" }, ...found.warnings.map((/** @type {string} */ text) => el("li", {}, text)));
    this.card.show(found, place, el("p", { className: "hint" }, "Blobs per frame over the difference: line the median, band 5 to 95 %, shaded the plateau, on which all differences find the same animals."), warnings);
    this.draw(place, found);
    return `${found.sure}: the plateau reaches from ${first} to ${last} grey levels.`;
  }

  /** @param {HTMLElement} place @param {any} found */
  draw(place, found) {
    this.plot?.destroy();
    const { difference, blobs_5: low, blobs_median: median, blobs_95: high } = found.ladder;
    const animals = difference.map(() => found.animals);
    const most = Math.max(2, 2.2 * (found.animals || Math.max(...found.blobs, 1)));
    const cut = (/** @type {number[]} */ column) => column.map((value) => Math.min(value, most * 1.2));
    const axis = { stroke: colour("text"), grid: { stroke: colour("line"), width: 1 }, ticks: { stroke: colour("line") }, font: "12px system-ui, sans-serif" };
    const bars = (/** @type {any} */ plot) => {
      const [left, right] = found.plateau.map((/** @type {number} */ value) => plot.valToPos(value, "x", true));
      plot.ctx.fillStyle = "rgb(0 158 115 / 25%)";
      plot.ctx.fillRect(left, plot.bbox.top, Math.max(2, right - left), plot.bbox.height);
    };
    const chosen = found.segment.difference;
    const mark = (/** @type {any} */ plot) => {
      if (chosen === undefined) return;
      plot.ctx.fillStyle = colour("text");
      plot.ctx.fillRect(plot.valToPos(chosen, "x", true) - 1, plot.bbox.top, 2, plot.bbox.height);
    };
    this.plot = new uPlot(
      {
        width: place.clientWidth || 300, height: 150, legend: { show: false }, cursor: { drag: { x: false, y: false } },
        scales: { x: { time: false, distr: 3 }, y: { range: [0, most] } },
        axes: [{ ...axis, values: (/** @type {any} */ _, /** @type {number[]} */ ticks) => ticks.map((tick) => (tick === null ? "" : String(tick))) }, { ...axis, size: 36 }],
        series: [{}, { stroke: colour("line"), width: 1 }, { stroke: colour("strong"), width: 2 }, { stroke: colour("line"), width: 1 }, { stroke: "#009e73", width: 1, dash: [4, 4] }],
        bands: [{ series: [3, 1], fill: "rgb(128 128 128 / 20%)" }],
        hooks: { drawClear: [bars], draw: [mark] },
      },
      [difference, cut(low), cut(median), cut(high), animals],
      place,
    );
  }
}
