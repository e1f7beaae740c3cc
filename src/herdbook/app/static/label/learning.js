// Learning from the labels so far: the round that is on its way, and the run that learns in the background.

import { alarm, speak } from "../lib/el.js";
import { post } from "../lib/socket.js";

export class Learning {
  /** @param {import("./label.js").Label} label */
  constructor(label) {
    this.label = label;
    this.running = false;
  }

  show() {
    const { summary, panel, stage } = this.label;
    panel.showRound(summary, this.running);
    stage.classList.toggle("enough", summary.enough);
  }

  /** How a run stands: when one has ended, what it learned is asked for. @param {any} state */
  take(state) {
    const ended = this.running && !state.running;
    this.running = state.running;
    if (!this.label.on || !this.label.summary) return;
    if (this.label.summary.names.length) this.show();
    if (ended) {
      if (state.ok === false && !state.stopped) alarm("The run failed: see Run.");
      this.label.sheets.forget();
      this.label.refresh();
    }
  }

  /** Learn from the labels so far, in the background. @param {boolean} [quiet] a run that is on its way is no fault */
  async learn(quiet = false) {
    if (this.running) return;
    if (this.label.summary && !this.label.summary.usable) {
      if (!quiet) alarm("At least two names need a label before anything can be learned.");
      return;
    }
    await this.run("names");
  }

  /** @param {string} target */
  async run(target) {
    try {
      this.running = true;
      if (this.label.summary?.names.length) this.show();
      await post("/api/run/start", { target });
      speak("learning has begun");
      document.documentElement.dataset.learning = target;
    } catch (error) {
      this.running = false;
      alarm(/** @type {Error} */ (error).message);
    }
  }
}
