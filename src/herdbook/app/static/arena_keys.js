// The keys with which arenas are drawn, moved, turned, copied and ordered.

import { moved, turned } from "./shapes.js";

/** @param {import("./arenas.js").ArenaEditor} editor @param {typeof import("./lib/keys.js").bind} bind @param {() => void} open */
export function bindArenaKeys(editor, bind, open) {
  const G = "Arenas";
  const tool = (/** @type {"polygon" | "ellipse" | "rectangle" | "grid"} */ name) => () => {
    open();
    editor.take(name);
  };
  const drawing = () => Boolean(editor.tool);
  const chosen = () => editor.active && !editor.tool && Boolean(editor.arenas[editor.chosen]);
  bind(G, "KeyP", "P", "polygon", tool("polygon"));
  bind(G, "KeyE", "E", "ellipse by three clicks", tool("ellipse"));
  bind(G, "KeyR", "R", "rectangle", tool("rectangle"));
  bind(G, "KeyW", "W", "grid of wells", tool("grid"));
  const steps = /** @type {[string, number, number][]} */ ([["ArrowLeft", -1, 0], ["ArrowRight", 1, 0], ["ArrowUp", 0, -1], ["ArrowDown", 0, 1]]);
  for (const [code, dx, dy] of steps) {
    bind(G, code, "arrows", "while drawing: move the cross (Shift: ten pixels)", () => editor.walk(dx, dy), drawing);
    bind(G, `Shift+${code}`, "Shift+arrows", "ten pixels", () => editor.walk(10 * dx, 10 * dy), drawing);
    bind(G, `Ctrl+Alt+${code}`, "Ctrl+Alt+arrows", "move the chosen shape", () => editor.alter((part) => (part.shape = moved(part.shape, dx, dy))), chosen);
  }
  bind(G, "Space", "Space", "while drawing: set a point at the cross", () => editor.cross && editor.set(editor.cross), drawing);
  bind(G, "Enter", "Enter", "close the shape", () => editor.close(), drawing);
  bind(G, "Backspace", "Backspace", "take back the last point", () => { editor.points.pop(); editor.view.paintDrawn(); }, drawing);
  bind(G, "Escape", "Esc", "give up the shape", () => editor.take(""), drawing);
  bind(G, "Comma", ",", "turn the chosen shape to the left", () => editor.alter((part) => (part.shape = turned(part.shape, -2))), chosen);
  bind(G, "Period", ".", "turn it to the right", () => editor.alter((part) => (part.shape = turned(part.shape, 2))), chosen);
  bind(G, "Equal Shift+Equal NumpadAdd", "+", "the chosen shape is added", () => editor.alter((part) => (part.adds = true)), chosen);
  bind(G, "Minus NumpadSubtract", "−", "the chosen shape is cut out", () => editor.alter((part) => (part.adds = false)), chosen);
  bind(G, "KeyC", "C", "copy the chosen arena", () => editor.copy(editor.chosen), chosen);
  bind(G, "Delete", "Delete", "delete the chosen arena", () => editor.remove(editor.chosen), chosen);
  const order = (/** @type {number} */ by) => () => editor.order(by);
  bind(G, "Alt+ArrowUp", "Alt+↑", "the chosen shape is applied earlier", order(-1), chosen);
  bind(G, "Alt+ArrowDown", "Alt+↓", "the chosen shape is applied later", order(1), chosen);
}
