// How arenas, their faults, and a shape that is being drawn look on the picture.

import { colour } from "./lib/el.js";
import { ellipseOf, gridOf, handles, outline, rectangleOf } from "./shapes.js";

/** @typedef {import("./arenas.js").ArenaEditor} Editor */
/** @typedef {import("./shapes.js").Arena} Arena */

const COLOURS = ["#56b4e9", "#cc79a7", "#009e73", "#e69f00", "#0072b2", "#d55e00"];

/** @param {Editor} editor @param {CanvasRenderingContext2D} context */
export function paintArenas(editor, context) {
  const ratio = window.devicePixelRatio || 1;
  editor.arenas.forEach((one, k) => {
    const chosen = editor.active && k === editor.chosen;
    context.strokeStyle = context.fillStyle = COLOURS[k % COLOURS.length];
    context.lineWidth = (chosen ? 2 : 1) * ratio;
    for (const part of one.parts) {
      context.beginPath();
      editor.view.trace(context, outline(part.shape).flat());
      context.setLineDash(part.adds ? [] : [6 * ratio, 4 * ratio]);
      context.stroke();
      context.setLineDash([]);
      if (chosen) for (const [x, y] of handles(part.shape).map(([hx, hy]) => editor.view.to(hx, hy))) context.fillRect(x - 4 * ratio, y - 4 * ratio, 8 * ratio, 8 * ratio);
    }
    if (one.parts.length) paintName(editor, context, one, ratio);
  });
  paintFaults(editor, context, ratio);
  if (editor.tool) paintDrawing(editor, context, ratio);
}

/** @param {Editor} editor @param {CanvasRenderingContext2D} context @param {Arena} one @param {number} ratio */
function paintName(editor, context, one, ratio) {
  const points = outline(one.parts[0].shape);
  const top = points.reduce((best, point) => (point[1] < best[1] ? point : best), points[0]);
  const [x, y] = editor.view.to(...top);
  context.font = `600 ${13 * ratio}px system-ui, sans-serif`;
  context.textAlign = "center";
  context.lineWidth = 3 * ratio;
  const fill = context.fillStyle;
  context.strokeStyle = "rgb(0 0 0 / 70%)";
  context.strokeText(one.arena.name ?? "arena", x, Math.max(14 * ratio, y - 5 * ratio));
  context.fillStyle = "#ffffff";
  context.fillText(one.arena.name ?? "arena", x, Math.max(14 * ratio, y - 5 * ratio));
  context.fillStyle = fill;
}

/** Hatched: where arenas overlap, and what lies outside of the frame. @param {Editor} editor @param {CanvasRenderingContext2D} context @param {number} ratio */
function paintFaults(editor, context, ratio) {
  const named = (/** @type {string} */ fault) => editor.arenas.filter((one) => fault.includes(`'${one.arena.name ?? "arena"}'`));
  for (const fault of editor.faults) {
    const [a, b] = named(fault);
    if (!a) continue;
    const shown = mask(editor, a);
    const other = shown.getContext("2d");
    if (!other) continue;
    if (fault.includes("overlap") && b) {
      other.globalCompositeOperation = "destination-in";
      other.drawImage(mask(editor, b), 0, 0);
    } else if (fault.includes("side")) {
      other.globalCompositeOperation = "destination-out";
      const [x, y] = editor.view.to(-0.5, -0.5);
      other.fillRect(x, y, editor.view.width * editor.view.scale, editor.view.height * editor.view.scale);
    }
    other.globalCompositeOperation = "source-in";
    other.fillStyle = hatching(other, ratio);
    other.fillRect(0, 0, shown.width, shown.height);
    context.drawImage(shown, 0, 0);
  }
}

/** @param {Editor} editor @param {Arena} one */
function mask(editor, one) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [editor.view.drawn.width, editor.view.drawn.height];
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  for (const part of one.parts) {
    context.globalCompositeOperation = part.adds ? "source-over" : "destination-out";
    context.beginPath();
    editor.view.trace(context, outline(part.shape).flat());
    context.fill();
  }
  return canvas;
}

/** @param {Editor} editor @param {CanvasRenderingContext2D} context @param {number} ratio */
function paintDrawing(editor, context, ratio) {
  const all = editor.cross ? [...editor.points, editor.cross] : editor.points;
  context.strokeStyle = colour("strong");
  context.lineWidth = 2 * ratio;
  context.beginPath();
  if (editor.tool === "ellipse" && all.length === 3) editor.view.trace(context, outline(ellipseOf(all)).flat());
  else if (editor.tool === "rectangle" && all.length === 2) editor.view.trace(context, outline(rectangleOf(all)).flat());
  else if (editor.tool === "grid" && all.length === 4) {
    for (const well of gridOf(all, editor.grid.rows, editor.grid.columns, /** @type {"ellipse" | "polygon"} */ (editor.grid.kind), editor.grid.fill)) editor.view.trace(context, outline(well.shape).flat());
  } else all.forEach(([px, py], k) => context[k ? "lineTo" : "moveTo"](...editor.view.to(px, py)));
  context.stroke();
  context.fillStyle = colour("strong");
  for (const [x, y] of editor.points.map(([px, py]) => editor.view.to(px, py))) context.fillRect(x - 3 * ratio, y - 3 * ratio, 6 * ratio, 6 * ratio);
  if (!editor.cross) return;
  const [x, y] = editor.view.to(...editor.cross);
  context.fillRect(x - 10 * ratio, y - ratio / 2, 20 * ratio, ratio);
  context.fillRect(x - ratio / 2, y - 10 * ratio, ratio, 20 * ratio);
}

/** @param {CanvasRenderingContext2D} context @param {number} ratio */
function hatching(context, ratio) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 8 * ratio;
  const lines = /** @type {CanvasRenderingContext2D} */ (tile.getContext("2d"));
  lines.strokeStyle = "#d55e00";
  lines.lineWidth = 2 * ratio;
  lines.beginPath();
  for (const shift of [-8, 0, 8]) {
    lines.moveTo(shift * ratio, 8 * ratio);
    lines.lineTo((shift + 8) * ratio, 0);
  }
  lines.stroke();
  return /** @type {CanvasPattern} */ (context.createPattern(tile, "repeat"));
}
