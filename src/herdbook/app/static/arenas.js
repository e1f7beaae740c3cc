// Arenas drawn on the picture: shapes by the mouse or by keys, moved, turned, copied, cut, and in rows and columns for plates.

import { paintArenas } from "./arena_paint.js";
import { el, speak } from "./lib/el.js";
import { contains, ellipseOf, gridOf, handles, moved, outline, pulled, readArena, rectangleOf, rounded, turned, writeArena } from "./shapes.js";

/** @typedef {import("./shapes.js").Point} Point */
/** @typedef {import("./shapes.js").Arena} Arena */

// Number of clicks of each tool; a polygon is closed by Enter or by a click on its first corner.
const CLICKS = { polygon: Infinity, ellipse: 3, rectangle: 2, grid: 4 };
const ANSWER_MS = 400;
const HINTS = {
  polygon: "Click each corner; Enter or a click on the first corner closes it, Backspace takes back the last one.",
  ellipse: "Click both ends of one axis, then how wide it is.",
  rectangle: "Click two opposite corners.",
  grid: "Click the middles of four wells: first and last of the first row, then last and first of the last row.",
};

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
    this.build();
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
    this.list();
    this.view.paintDrawn();
  }

  /** @param {string[]} faults */
  takeFaults(faults) {
    if (faults.join() === this.faults.join()) return;
    this.faults = faults;
    this.list();
    this.view.paintDrawn();
  }

  build() {
    const tool = (/** @type {keyof typeof CLICKS} */ name, /** @type {string} */ key) =>
      el("button", { data: { tool: name }, "aria-pressed": "false", title: key, on: { click: () => this.take(this.tool === name ? "" : name) } }, name);
    const goal = (/** @type {string} */ name, /** @type {string} */ text) =>
      el("label", {}, el("input", { type: "radio", name: "goal", value: name, checked: name === this.goal, on: { change: () => (this.goal = name) } }), ` ${text}`);
    const number = (/** @type {"rows" | "columns" | "number"} */ name, /** @type {string} */ text) =>
      el("label", { className: "inline" }, text, el("input", { type: "number", min: 1, value: this.grid[name], data: { grid: name }, on: { input: (/** @type {any} */ event) => (this.grid[name] = Math.max(1, Math.min(200, Number(event.target.value) || 1))) } }));
    this.hint = el("p", { className: "hint", role: "status" });
    this.problems = el("ul", { className: "faults" });
    this.rows = el("ul", { className: "list", data: { list: "arenas" } });
    this.place.replaceChildren(
      el("div", { className: "card" },
        el("div", { className: "tools", role: "toolbar", "aria-label": "tools" }, tool("polygon", "P"), tool("ellipse", "E"), tool("rectangle", "R"), tool("grid", "W")),
        el("fieldset", { className: "choice column" }, el("legend", {}, "A shape makes"), goal("new", "a new arena"), goal("add", "more of the chosen one"), goal("cut", "a cut out of it")),
        this.hint,
        el("details", { data: { part: "grid" } }, el("summary", {}, "Grid of wells"),
          el("div", { className: "tools" }, number("rows", "rows"), number("columns", "columns"), number("number", "animals in each"),
            el("label", { className: "inline" }, "shape", el("select", { on: { change: (/** @type {any} */ event) => (this.grid.kind = event.target.value) } }, el("option", { value: "ellipse" }, "round"), el("option", { value: "polygon" }, "square"))))),
      ),
      el("div", { className: "card" }, el("h2", {}, "Arenas"), this.problems, this.rows, el("p", { className: "hint" }, "Drag a shape to move it, its corners to change it. No arena: the whole frame.")),
    );
    this.list();
  }

  list() {
    this.problems.replaceChildren(...this.faults.map((fault) => el("li", {}, fault)));
    this.rows.replaceChildren(...this.arenas.map((one, k) => this.row(one, k)));
  }

  /** @param {Arena} one @param {number} k */
  row(one, k) {
    const set = (/** @type {any} */ changes) => {
      one.arena = Object.fromEntries(Object.entries({ ...one.arena, ...changes }).filter(([, value]) => value !== undefined));
      this.tell(true);
    };
    const button = (/** @type {string} */ text, /** @type {string} */ what, /** @type {() => void} */ act) =>
      el("button", { "aria-label": `${what} ${one.arena.name ?? "arena"}`, title: what, on: { click: act } }, text);
    const focus = { focus: () => this.choose(k) };
    return el("li", { className: `arena${k === this.chosen ? " chosen" : ""}`, on: { click: () => this.choose(k), focusin: () => this.choose(k) } },
      el("input", { type: "text", value: one.arena.name ?? "arena", "aria-label": "name of the arena", on: { ...focus, change: (/** @type {any} */ event) => set({ name: event.target.value.trim() || "arena" }) } }),
      el("label", { className: "inline" }, "animals", el("input", { type: "number", min: 1, value: one.arena.number ?? "", on: { ...focus, change: (/** @type {any} */ event) => set({ number: Number(event.target.value) || undefined }) } })),
      ...(this.names.length ? [this.whoLives(one, set, focus)] : []),
      button("Copy", "copy", () => this.copy(k)),
      button("Delete", "delete", () => this.remove(k)),
    );
  }

  /** Who of the named animals lives in an arena. @param {Arena} one @param {(changes: any) => void} set @param {any} focus */
  whoLives(one, set, focus) {
    const free = this.names.filter((name) => !this.arenas.some((other) => other !== one && (other.arena.identities || []).includes(name)));
    const list = (/** @type {any} */ event) => event.target.value.split(/[\s,;]+/).filter(Boolean);
    return el("label", { className: "inline", title: `one of: ${free.join(", ")}` }, "names", el("input", {
      type: "text", className: "names", placeholder: this.arenas.length > 1 ? "who lives here" : "all", value: (one.arena.identities || []).join(", "), data: { names: "" },
      on: { ...focus, change: (/** @type {any} */ event) => set({ identities: list(event).length ? list(event) : undefined }) },
    }));
  }

  /** @param {number} k */
  choose(k) {
    if (this.chosen === k) return;
    this.chosen = k;
    this.part = 0;
    [...this.rows.children].forEach((row, n) => row.classList.toggle("chosen", n === k));
    this.view.paintDrawn();
  }

  /** @param {keyof typeof CLICKS | ""} tool */
  take(tool) {
    this.tool = tool;
    this.points = [];
    this.cross = null;
    this.view.place.classList.toggle("drawing", Boolean(tool));
    for (const button of this.place.querySelectorAll("[data-tool]")) button.setAttribute("aria-pressed", String(/** @type {HTMLElement} */ (button).dataset.tool === tool));
    this.hint.textContent = tool ? HINTS[tool] : "";
    const details = /** @type {HTMLDetailsElement | null} */ (this.place.querySelector("[data-part=grid]"));
    if (tool === "grid" && details) details.open = true;
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
    if (rest) this.list();
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
