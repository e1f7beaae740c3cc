// A part of the movie shown again and again around a place.

// Seconds that are shown before and after the moment in question, at most, and least frames in all.
const AROUND_S = 1.5;
const LEAST_FRAMES = 12;
// The picture shows so many times the reach of an animal.
const REACHES = 11;

export class Loop {
  /** @param {import("../player.js").Player} player @param {import("../view.js").View} view */
  constructor(player, view) {
    this.player = player;
    this.view = view;
    this.on = false;
    this.first = 0;
    this.last = 0;
    this.turns = 0;
    player.watchers.add((head) => this.turn(head));
  }

  /** Show the frames around one that lie in the span of a question. @param {number} frame @param {number} from @param {number} to */
  start(frame, from, to) {
    const { fps, frames } = this.player.movie;
    const around = Math.max(LEAST_FRAMES / 2, Math.round(AROUND_S * fps));
    const margin = Math.max(LEAST_FRAMES / 2, Math.round(fps / 2));
    this.first = Math.max(0, frame - around, Math.min(from - margin, frame - LEAST_FRAMES / 2));
    this.last = Math.min(frames - 1, frame + around, Math.max(to + margin, frame + LEAST_FRAMES / 2));
    this.again();
  }

  again() {
    this.on = true;
    this.turns = 0;
    this.player.go(this.first);
  }

  stop() {
    this.on = false;
    this.player.stop();
  }

  /** @param {any} head */
  turn(head) {
    if (!this.on) return;
    if (this.player.playing ? head.frame >= this.last : head.frame < this.first || head.frame >= this.last) {
      this.turns++;
      document.documentElement.dataset.loops = String(this.turns);
      this.player.go(this.first);
    } else if (!this.player.playing && head.frame === this.player.wanted) this.player.play();
  }

  /** @param {number} x @param {number} y px of the movie @param {number} reach how far an animal reaches */
  look(x, y, reach) {
    const { view } = this;
    const { width, height } = view.picture;
    view.fits = false;
    view.scale = Math.max(Math.min(width / view.width, height / view.height), Math.min(width, height) / (2 * REACHES * Math.max(4, reach)));
    view.left = width / 2 - (x + 0.5) * view.scale;
    view.top = height / 2 - (y + 0.5) * view.scale;
    view.paint();
  }
}
