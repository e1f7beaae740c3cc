// Number of blobs in the sampled frames, as a plot; a click goes to the frame.

import { by, colour } from "./lib/el.js";
import uPlot from "./vendor/uPlot.esm.js";

export class CountPlot {
  /** @param {(frame: number) => void} go */
  constructor(go) {
    this.go = go;
    this.place = by("plot");
    /** @type {any} */ this.plot = null;
    new ResizeObserver(() => this.plot?.setSize({ width: this.place.clientWidth, height: 110 })).observe(this.place);
  }

  /** @param {any} counts */
  show(counts) {
    const animals = counts.frame.map(() => counts.animals);
    const data = [counts.frame, counts.kept.map((/** @type {number} */ n) => (n < 0 ? null : n)), animals];
    const wrong = counts.frame.filter((/** @type {number} */ _, /** @type {number} */ k) => !counts.right[k]).length;
    by("samples-note").textContent =
      counts.animals === null ? `${counts.frame.length} frames; give the number of animals to compare` : `${counts.frame.length} frames, ${wrong} with another number than ${counts.animals}`;
    this.data = data;
    if (this.plot) this.plot.setData(data);
    else this.make();
  }

  make() {
    if (!this.data) return;
    this.plot?.destroy();
    const axis = { stroke: colour("text"), grid: { stroke: colour("line"), width: 1 }, ticks: { stroke: colour("line") }, font: "12px system-ui, sans-serif" };
    this.plot = new uPlot(
      {
        width: Math.max(200, this.place.clientWidth),
        height: 110,
        legend: { show: false },
        scales: { x: { time: false }, y: { range: (/** @type {any} */ _, /** @type {number} */ low, /** @type {number} */ high) => [Math.max(0, (low ?? 0) - 1), (high ?? 1) + 1] } },
        axes: [{ ...axis, size: 26 }, { ...axis, size: 40, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] }],
        series: [{}, { label: "blobs", stroke: colour("strong"), width: 1, points: { show: true, size: 5 } }, { label: "animals", stroke: colour("more"), dash: [5, 4], width: 1, points: { show: false } }],
        cursor: { drag: { x: false, y: false } },
      },
      this.data,
      this.place,
    );
    this.plot.over.addEventListener("click", () => {
      const place = this.plot.cursor.idx;
      if (place !== null && place !== undefined) this.go(this.plot.data[0][place]);
    });
  }
}
