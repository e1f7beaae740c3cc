// What is seen beside the picture while arenas are drawn: tools, faults, and the arenas with their names and numbers.

import { el } from "./lib/el.js";

/** @typedef {import("./shapes.js").Arena} Arena */
/** @typedef {"polygon" | "ellipse" | "rectangle" | "grid"} Tool */

const HINTS = {
  polygon: "Click each corner; Enter or a click on the first corner closes it, Backspace takes back the last one.",
  ellipse: "Click both ends of one axis, then how wide it is.",
  rectangle: "Click two opposite corners.",
  grid: "Click the middles of four wells: first and last of the first row, then last and first of the last row.",
};

export class ArenaPanel {
  /** @param {import("./arenas.js").ArenaEditor} editor @param {HTMLElement} place */
  constructor(editor, place) {
    this.editor = editor;
    this.place = place;
    const tool = (/** @type {Tool} */ name, /** @type {string} */ key) =>
      el("button", { data: { tool: name }, "aria-pressed": "false", title: key, on: { click: () => editor.take(editor.tool === name ? "" : name) } }, name);
    const goal = (/** @type {string} */ name, /** @type {string} */ text) =>
      el("label", {}, el("input", { type: "radio", name: "goal", value: name, checked: name === editor.goal, on: { change: () => (editor.goal = name) } }), ` ${text}`);
    const number = (/** @type {"rows" | "columns" | "number"} */ name, /** @type {string} */ text) =>
      el("label", { className: "inline" }, text, el("input", { type: "number", min: 1, value: editor.grid[name], data: { grid: name }, on: { input: (/** @type {any} */ event) => (editor.grid[name] = Math.max(1, Math.min(200, Number(event.target.value) || 1))) } }));
    this.hint = el("p", { className: "hint", role: "status" });
    this.problems = el("ul", { className: "faults" });
    this.rows = el("ul", { className: "list", data: { list: "arenas" } });
    place.replaceChildren(
      el("div", { className: "card" },
        el("div", { className: "tools", role: "toolbar", "aria-label": "tools" }, tool("polygon", "P"), tool("ellipse", "E"), tool("rectangle", "R"), tool("grid", "W")),
        el("fieldset", { className: "choice column" }, el("legend", {}, "A shape makes"), goal("new", "a new arena"), goal("add", "more of the chosen one"), goal("cut", "a cut out of it")),
        this.hint,
        el("details", { data: { part: "grid" } }, el("summary", {}, "Grid of wells"),
          el("div", { className: "tools" }, number("rows", "rows"), number("columns", "columns"), number("number", "animals in each"),
            el("label", { className: "inline" }, "shape", el("select", { on: { change: (/** @type {any} */ event) => (editor.grid.kind = event.target.value) } }, el("option", { value: "ellipse" }, "round"), el("option", { value: "polygon" }, "square"))))),
      ),
      el("div", { className: "card" }, el("h2", {}, "Arenas"), this.problems, this.rows, el("p", { className: "hint" }, "Drag a shape to move it, its corners to change it. No arena: the whole frame.")),
    );
    this.list();
  }

  list() {
    this.problems.replaceChildren(...this.editor.faults.map((fault) => el("li", {}, fault)));
    this.rows.replaceChildren(...this.editor.arenas.map((one, k) => this.row(one, k)));
  }

  /** @param {Arena} one @param {number} k */
  row(one, k) {
    const set = (/** @type {any} */ changes) => {
      one.arena = Object.fromEntries(Object.entries({ ...one.arena, ...changes }).filter(([, value]) => value !== undefined));
      this.editor.tell(true);
    };
    const button = (/** @type {string} */ text, /** @type {string} */ what, /** @type {() => void} */ act) =>
      el("button", { "aria-label": `${what} ${one.arena.name ?? "arena"}`, title: what, on: { click: act } }, text);
    const focus = { focus: () => this.editor.choose(k) };
    return el("li", { className: `arena${k === this.editor.chosen ? " chosen" : ""}`, on: { click: () => this.editor.choose(k), focusin: () => this.editor.choose(k) } },
      el("input", { type: "text", value: one.arena.name ?? "arena", "aria-label": "name of the arena", on: { ...focus, change: (/** @type {any} */ event) => set({ name: event.target.value.trim() || "arena" }) } }),
      el("label", { className: "inline" }, "animals", el("input", { type: "number", min: 1, value: one.arena.number ?? "", on: { ...focus, change: (/** @type {any} */ event) => set({ number: Number(event.target.value) || undefined }) } })),
      ...(this.editor.names.length ? [this.whoLives(one, set, focus)] : []),
      button("Copy", "copy", () => this.editor.copy(k)),
      button("Delete", "delete", () => this.editor.remove(k)),
    );
  }

  /** Who of the named animals lives in an arena. @param {Arena} one @param {(changes: any) => void} set @param {any} focus */
  whoLives(one, set, focus) {
    const free = this.editor.names.filter((name) => !this.editor.arenas.some((other) => other !== one && (other.arena.identities || []).includes(name)));
    const list = (/** @type {any} */ event) => event.target.value.split(/[\s,;]+/).filter(Boolean);
    return el("label", { className: "inline", title: `one of: ${free.join(", ")}` }, "names", el("input", {
      type: "text", className: "names", placeholder: this.editor.arenas.length > 1 ? "who lives here" : "all", value: (one.arena.identities || []).join(", "), data: { names: "" },
      on: { ...focus, change: (/** @type {any} */ event) => set({ identities: list(event).length ? list(event) : undefined }) },
    }));
  }

  /** @param {number} chosen */
  choose(chosen) {
    [...this.rows.children].forEach((row, n) => row.classList.toggle("chosen", n === chosen));
  }

  /** @param {Tool | ""} tool that is taken */
  showTool(tool) {
    for (const button of this.place.querySelectorAll("[data-tool]")) button.setAttribute("aria-pressed", String(/** @type {HTMLElement} */ (button).dataset.tool === tool));
    this.hint.textContent = tool ? HINTS[tool] : "";
    const details = /** @type {HTMLDetailsElement | null} */ (this.place.querySelector("[data-part=grid]"));
    if (tool === "grid" && details) details.open = true;
  }
}
