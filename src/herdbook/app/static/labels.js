// Places for labels beside animals: none covers an animal or another label as long as there is room. All in pixels of the screen.

/** @typedef {{key: string, x: number, y: number, reach: number, width: number, height: number}} Item */
/** @typedef {{left: number, top: number, right: number, bottom: number}} Box */

// Directions in the order in which they are tried: right above first, as on maps.
const ANGLES = [-45, -135, 45, 135, 0, 180, -90, 90].map((degree) => (degree * Math.PI) / 180);
const STEPS = [10, 26, 46, 70];

/** @param {Item} item @param {number} choice @param {number} ratio @returns {Box} */
function boxOf(item, choice, ratio) {
  const angle = ANGLES[choice % ANGLES.length];
  const away = item.reach + STEPS[Math.floor(choice / ANGLES.length)] * ratio;
  const [dx, dy] = [Math.cos(angle), Math.sin(angle)];
  const [x, y] = [item.x + dx * away, item.y + dy * away];
  const left = Math.abs(dx) < 0.1 ? x - item.width / 2 : dx > 0 ? x : x - item.width;
  const top = Math.abs(dy) < 0.1 ? y - item.height / 2 : dy > 0 ? y : y - item.height;
  return { left, top, right: left + item.width, bottom: top + item.height };
}

/** @param {Box} a @param {Box} b */
function overlap(a, b) {
  const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  const tall = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  return wide > 0 && tall > 0 ? wide * tall : 0;
}

export class Placer {
  constructor() {
    /** @type {Map<string, number>} the choice of the frame before, so that labels do not jump */
    this.last = new Map();
  }

  /** A box for each item. @param {Item[]} items @param {number} width @param {number} height @param {number} ratio @param {Box[]} taken animals, mostly @returns {Box[]} */
  place(items, width, height, ratio, taken) {
    const filled = [...taken];
    return items.map((item) => {
      let best = 0;
      let least = Infinity;
      const before = this.last.get(item.key);
      const choices = [...(before === undefined ? [] : [before]), ...Array(ANGLES.length * STEPS.length).keys()];
      for (const choice of choices) {
        const box = boxOf(item, choice, ratio);
        const outside = Math.max(0, -box.left) + Math.max(0, -box.top) + Math.max(0, box.right - width) + Math.max(0, box.bottom - height);
        let cost = outside * item.height;
        for (const other of filled) {
          cost += overlap(box, other);
          if (cost >= least) break;
        }
        if (cost < least) [best, least] = [choice, cost];
        if (!least) break;
      }
      this.last.set(item.key, best);
      const box = boxOf(item, best, ratio);
      filled.push(box);
      return box;
    });
  }
}
