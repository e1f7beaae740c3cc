// Arenas from the dishes that are seen in the picture: proposed, drawn, and taken by one key.

import { el, speak } from "./lib/el.js";
import { get } from "./lib/socket.js";
import { outline, readArena } from "./shapes.js";

export class FoundDishes {
  /** @param {import("./arenas.js").ArenaEditor} editor @param {import("./player.js").Player} player */
  constructor(editor, player) {
    this.editor = editor;
    this.player = player;
    /** @type {import("./shapes.js").Arena[]} */ this.found = [];
    this.note = el("p", { className: "hint", role: "status" });
    this.answer = el("div", { className: "bar tight", hidden: true },
      el("button", { className: "main", data: { act: "take-dishes" }, title: "Enter", on: { click: () => this.take() } }, "Use them (Enter)"),
      el("button", { title: "Esc", on: { click: () => this.dismiss() } }, "No (Esc)"));
    this.place = el("div", {}, el("button", { data: { act: "find-dishes" }, title: "Q", on: { click: () => this.look() } }, "Find dishes in the picture (Q)"), this.note, this.answer);
    editor.place.prepend(el("div", { className: "card" }, this.place));
    editor.view.layers.push((context) => this.paint(context));
  }

  get open() {
    return this.editor.active && this.found.length > 0;
  }

  async look() {
    const { movie, frame } = this.player;
    if (!movie) return;
    this.dismiss();
    this.note.textContent = "The picture is being searched…";
    const { dishes } = await get(`/api/propose/dishes?movie=${encodeURIComponent(movie.name)}&frame=${frame}`);
    this.found = dishes.map(readArena);
    const count = this.found.length;
    const lone = count > 1 ? `, with ${this.editor.grid.number === 1 ? "one animal" : `${this.editor.grid.number} animals`} in each` : "";
    const old = this.editor.arenas.length ? " They replace the arenas that are there." : "";
    this.note.textContent = count ? `${count} ${count > 1 ? "dishes or wells" : "dish"} found${lone}.${old}` : "No dish with a sharp edge was found: draw it.";
    this.answer.hidden = !count;
    // Enter takes what was found, also after a click on the button.
    if (count && document.activeElement?.matches("[data-act=find-dishes]")) this.answer.querySelector("button")?.focus();
    document.documentElement.dataset.dishes = String(count);
    speak(this.note.textContent);
    this.editor.view.paintDrawn();
  }

  dismiss() {
    this.found = [];
    this.note.textContent = "";
    this.answer.hidden = true;
    delete document.documentElement.dataset.dishes;
    this.editor.view.paintDrawn();
  }

  take() {
    const { editor, found } = this;
    this.dismiss();
    const number = found.length > 1 ? { number: editor.grid.number } : {};
    editor.arenas = found.map(({ arena, parts }) => ({ arena: { ...arena, ...number }, parts }));
    editor.chosen = -1;
    editor.tell(true);
  }

  /** @param {CanvasRenderingContext2D} context */
  paint(context) {
    if (!this.open) return;
    const ratio = window.devicePixelRatio || 1;
    context.beginPath();
    for (const { parts } of this.found) this.editor.view.trace(context, outline(parts[0].shape).flat());
    context.lineWidth = 2 * ratio;
    context.setLineDash([6 * ratio, 4 * ratio]);
    context.strokeStyle = "#56b4e9";
    context.stroke();
    context.setLineDash([]);
  }
}

/** @param {FoundDishes} dishes @param {typeof import("./lib/keys.js").bind} bind @param {() => void} open shows the tab */
export function bindDishKeys(dishes, bind, open) {
  const G = "Arenas";
  bind(G, "KeyQ", "Q", "find dishes in the picture", () => {
    open();
    dishes.look();
  }, () => Boolean(dishes.player.movie));
  bind(G, "Enter", "Enter", "use the dishes that were found", () => dishes.take(), () => dishes.open);
  bind(G, "Escape", "Esc", "no dishes", () => dishes.dismiss(), () => dishes.open);
}
