// Arenas drawn on the picture: shapes by the mouse or by keys, moved, turned, copied, cut, and in rows and columns for plates.

import { paintArenas } from "./arena_paint.js";
import { ArenaPanel } from "./arena_panel.js";
import { speak } from "./lib/el.js";
import { contains, ellipseOf, gridOf, handles, moved, outline, pulled, readArena, rectangleOf, rounded, writeArena } from "./shapes.js";

/** @typedef {import("./shapes.js").Point} Point */
/** @typedef {import("./shapes.js").Arena} Arena */

// Number of clicks of each tool; a polygon is closed by Enter or by a click on its first corner.
const CLICKS = { polygon: Infinity, ellipse: 3, rectangle: 2, grid: 4 };
const ANSWER_MS = 400;

export class ArenaEditor {
  /** @param {import("./view.js").View} view @param {HTMLElement} place @param {(arenas: any[], rest: boolean) => void} change */
  constructor(view, place, change) {
    this.view = view;
    this.place = place;
    this.change = change;
    /** @type {Arena[]} */ this.arenas = [];
    /** @type {string[]} */ this.faults = [];
    /** The animals of the experiment that have names. @type {string[]} */ this.names = [];
    this.width = this.height = 0;
    this.chosen = -1;
    this.part = 0;
    this.active = false;
    /** @type {keyof typeof CLICKS | ""} */ this.tool = "";
    this.goal = "new";
    /** @type {Point[]} */ this.points = [];
    /** @type {Point | null} */ this.cross = null;
    this.grid = { rows: 4, columns: 6, kind: "ellipse", fill: 0.85, number: 1 };
    this.dragging = false;
    this.told = -Infinity;
    view.layers.push((context) => paintArenas(this, context));
    view.place.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => this.press(event), { capture: true });
    view.place.addEventListener("pointermove", (/** @type {PointerEvent} */ event) => {
      if (!this.tool) return;
      this.cross = view.from(event);
      view.paintDrawn();
    });
    this.panel = new ArenaPanel(this, place);
  }

  get busy() {
    return Boolean(this.tool) || this.dragging;
  }

  /** @param {number} width @param {number} height */
  size(width, height) {
    [this.width, this.height] = [width, height];
  }

  /** @param {boolean} on */
  activate(on) {
    this.active = on;
    if (!on) this.take("");
    this.view.paintDrawn();
  }

  /** @param {any[]} arenas @param {string[]} names of the animals */
  show(arenas, names) {
    this.names = names;
    // What was said here in this moment is not yet in what the server says.
    if (this.dragging || performance.now() - this.told < ANSWER_MS) return;
    this.arenas = arenas.map(readArena);
    this.chosen = Math.min(this.chosen, this.arenas.length - 1);
    this.panel.list();
    this.view.paintDrawn();
  }

  /** @param {string[]} faults */
  takeFaults(faults) {
    if (faults.join() === this.faults.join()) return;
    this.faults = faults;
    this.panel.list();
    this.view.paintDrawn();
  }

  /** @param {number} k */
  choose(k) {
    if (this.chosen === k) return;
    this.chosen = k;
    this.part = 0;
    this.panel.choose(k);
    this.view.paintDrawn();
  }

  /** @param {keyof typeof CLICKS | ""} tool */
  take(tool) {
    this.tool = tool;
    this.points = [];
    this.cross = null;
    this.view.place.classList.toggle("drawing", Boolean(tool));
    this.panel.showTool(tool);
    this.view.paintDrawn();
  }

  /** @param {PointerEvent} event */
  press(event) {
    if (!this.active || event.button !== 0) return;
    const point = this.view.from(event);
    if (this.tool) {
      event.preventDefault();
      event.stopImmediatePropagation();
      // Keys belong to the drawing from here on, not to the button that was pressed last.
      this.view.place.focus({ preventScroll: true });
      this.set(point);
      return;
    }
    const held = this.grasp(point);
    if (!held) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    this.choose(held.arena);
    this.part = held.part;
    this.drag(event, held, point);
  }

  /** What is under a point: a handle of the chosen arena, or the inside of any shape. @param {Point} point */
  grasp(point) {
    const order = [this.chosen, ...this.arenas.keys()].filter((k) => k >= 0 && k < this.arenas.length);
    for (const arena of order) {
      for (const [part, { shape }] of [...this.arenas[arena].parts.entries()].reverse()) {
        const handle = arena === this.chosen ? handles(shape).findIndex(([x, y]) => Math.hypot(x - point[0], y - point[1]) < this.view.reach(9)) : -1;
        if (handle >= 0) return { arena, part, handle };
      }
    }
    for (const arena of order) {
      for (const [part, { shape }] of [...this.arenas[arena].parts.entries()].reverse()) if (contains(shape, point)) return { arena, part, handle: -1 };
    }
    return null;
  }

  /** @param {PointerEvent} event @param {{arena: number, part: number, handle: number}} held @param {Point} start */
  drag(event, held, start) {
    const part = this.arenas[held.arena].parts[held.part];
    const before = part.shape;
    this.view.place.setPointerCapture(event.pointerId);
    const move = (/** @type {PointerEvent} */ one) => {
      const [x, y] = this.view.from(one);
      this.dragging = true;
      part.shape = held.handle >= 0 ? pulled(before, held.handle, [x, y]) : moved(before, x - start[0], y - start[1]);
      this.tell(false);
    };
    const end = () => {
      this.view.place.removeEventListener("pointermove", move);
      if (this.dragging) {
        this.dragging = false;
        this.tell(true);
      }
    };
    this.view.place.addEventListener("pointermove", move);
    this.view.place.addEventListener("pointerup", end, { once: true });
  }

  /** Set a point of the shape that is being drawn. @param {Point} point */
  set(point) {
    const first = this.points[0];
    if (this.tool === "polygon" && this.points.length > 2 && first && Math.hypot(first[0] - point[0], first[1] - point[1]) < this.view.reach(9)) {
      this.close();
      return;
    }
    this.points.push([rounded(point[0]), rounded(point[1])]);
    speak(`point ${this.points.length}`);
    if (this.tool && this.points.length >= CLICKS[this.tool]) this.close();
    else this.view.paintDrawn();
  }

  close() {
    const { tool, points } = this;
    if (tool === "polygon" && points.length < 3) return;
    if (tool === "grid" && points.length === 4) {
      const { rows, columns, kind, fill, number } = this.grid;
      const wells = gridOf(points, rows, columns, /** @type {"ellipse" | "polygon"} */ (kind), fill);
      const names = new Set(wells.map((well) => well.name));
      this.arenas = this.arenas.filter((one) => !names.has(one.arena.name));
      this.arenas.push(...wells.map((well) => ({ arena: { name: well.name, number }, parts: [{ adds: true, shape: well.shape }] })));
    } else if (tool) {
      this.add(tool === "polygon" ? { polygon: points } : tool === "ellipse" ? ellipseOf(points) : rectangleOf(points));
    }
    this.take("");
    this.tell(true);
  }

  /** @param {import("./shapes.js").Shape} shape */
  add(shape) {
    const chosen = this.arenas[this.chosen];
    if (this.goal !== "new" && chosen) {
      chosen.parts.push({ adds: this.goal === "add", shape });
      this.part = chosen.parts.length - 1;
      return;
    }
    this.arenas.push({ arena: { name: this.freeName() }, parts: [{ adds: true, shape }] });
    this.chosen = this.arenas.length - 1;
    this.part = 0;
  }

  /** @param {string} [like] */
  freeName(like = "arena") {
    const names = new Set(this.arenas.map((one) => one.arena.name ?? "arena"));
    const stem = like.replace(/\d+$/, "") || "arena";
    for (let n = 1; ; n++) if (!names.has(`${stem}${n}`)) return `${stem}${n}`;
  }

  /** @param {number} k */
  copy(k) {
    const one = this.arenas[k];
    if (!one) return;
    const box = outline(one.parts[0]?.shape ?? { polygon: [] }).map(([x]) => x);
    const wide = box.length ? Math.max(...box) - Math.min(...box) + 4 : 10;
    const parts = one.parts.map((part) => ({ ...part, shape: moved(part.shape, wide, 0) }));
    const { identities, groups, ...rest } = one.arena;
    this.arenas.push({ arena: { ...rest, name: this.freeName(one.arena.name) }, parts });
    this.chosen = this.arenas.length - 1;
    this.tell(true);
  }

  /** @param {number} k */
  remove(k) {
    this.arenas.splice(k, 1);
    this.chosen = -1;
    this.tell(true);
  }

  /** @param {(part: import("./shapes.js").Part) => void} act */
  alter(act) {
    const part = this.arenas[this.chosen]?.parts[this.part];
    if (!part) return;
    act(part);
    this.tell(true);
  }

  /** @param {boolean} rest */
  tell(rest) {
    this.told = performance.now();
    if (rest) this.panel.list();
    this.view.paintDrawn();
    this.change(this.arenas.map(writeArena), rest);
  }

  /** @param {number} by */
  order(by) {
    const parts = this.arenas[this.chosen].parts;
    const to = this.part + by;
    if (to < 0 || to >= parts.length) return;
    [parts[this.part], parts[to]] = [parts[to], parts[this.part]];
    this.part = to;
    this.tell(true);
  }

  /** @param {number} dx @param {number} dy */
  walk(dx, dy) {
    const [x, y] = this.cross || [Math.round(this.width / 2), Math.round(this.height / 2)];
    this.cross = [Math.round(x) + dx, Math.round(y) + dy];
    speak(`x ${this.cross[0]}, y ${this.cross[1]}`);
    this.view.paintDrawn();
  }
}
