// Shapes of arenas as the experiment file has them: {ellipse: {centre, axes, angle}} or {polygon: [[x, y], …]}, in px of the movie.

/** @typedef {[number, number]} Point */
/** @typedef {{ellipse?: {centre: Point, axes: Point, angle?: number}, polygon?: Point[]}} Shape */
/** @typedef {{adds: boolean, shape: Shape}} Part */
/** @typedef {{arena: any, parts: Part[]}} Arena */

/** @param {number} value */
export const rounded = (value) => Math.round(value * 10) / 10;

/** An arena with its shapes in the order in which they are applied. @param {any} arena @returns {Arena} */
export function readArena(arena) {
  const steps = (arena.regions || []).map((/** @type {any} */ step) => ({ adds: Boolean(step.include), shape: step.include || step.exclude }));
  const parts = [
    ...(arena.include || []).map((/** @type {Shape} */ shape) => ({ adds: true, shape })),
    ...(arena.exclude || []).map((/** @type {Shape} */ shape) => ({ adds: false, shape })),
    ...steps,
  ];
  const { include, exclude, regions, ...rest } = arena;
  return { arena: rest, parts: structuredClone(parts) };
}

/** The arena as the experiment file has it. @param {Arena} arena */
export function writeArena({ arena, parts }) {
  const cut = parts.findIndex((part) => !part.adds);
  const plain = cut < 0 || (cut > 0 && parts.slice(cut).every((part) => !part.adds));
  if (!parts.length) return { ...arena };
  if (!plain) return { ...arena, regions: parts.map((part) => (part.adds ? { include: part.shape } : { exclude: part.shape })) };
  const shapes = (/** @type {boolean} */ adds) => parts.filter((part) => part.adds === adds).map((part) => part.shape);
  return { ...arena, include: shapes(true), ...(cut < 0 ? {} : { exclude: shapes(false) }) };
}

/** Outline of a shape as points. @param {Shape} shape @returns {Point[]} */
export function outline(shape) {
  if (shape.polygon) return shape.polygon;
  const { centre, axes, angle = 0 } = /** @type {any} */ (shape.ellipse);
  const turn = (angle * Math.PI) / 180;
  return Array.from({ length: 64 }, (_, k) => {
    const [a, b] = [axes[0] * Math.cos((k * Math.PI) / 32), axes[1] * Math.sin((k * Math.PI) / 32)];
    return /** @type {Point} */ ([centre[0] + a * Math.cos(turn) - b * Math.sin(turn), centre[1] + a * Math.sin(turn) + b * Math.cos(turn)]);
  });
}

/** Places by which a shape is changed: corners, or the ends of the axes. @param {Shape} shape @returns {Point[]} */
export function handles(shape) {
  if (shape.polygon) return shape.polygon;
  const { centre, axes, angle = 0 } = /** @type {any} */ (shape.ellipse);
  const turn = (angle * Math.PI) / 180;
  const [c, s] = [Math.cos(turn), Math.sin(turn)];
  return [
    [centre[0] + axes[0] * c, centre[1] + axes[0] * s],
    [centre[0] - axes[1] * s, centre[1] + axes[1] * c],
  ];
}

/** Put a handle at a point; the first one of an ellipse also turns it. @param {Shape} shape @param {number} handle @param {Point} point */
export function pulled(shape, handle, [x, y]) {
  if (shape.polygon) return { polygon: shape.polygon.map((corner, k) => (k === handle ? /** @type {Point} */ ([rounded(x), rounded(y)]) : corner)) };
  const { centre, axes, angle = 0 } = /** @type {any} */ (shape.ellipse);
  const [dx, dy] = [x - centre[0], y - centre[1]];
  if (handle === 0) {
    const long = Math.max(1, Math.hypot(dx, dy));
    return { ellipse: { centre, axes: /** @type {Point} */ ([rounded(long), axes[1]]), angle: rounded((Math.atan2(dy, dx) * 180) / Math.PI) } };
  }
  const turn = (angle * Math.PI) / 180;
  const wide = Math.abs(-dx * Math.sin(turn) + dy * Math.cos(turn));
  return { ellipse: { centre, axes: /** @type {Point} */ ([axes[0], rounded(Math.max(1, wide))]), angle } };
}

/** @param {Shape} shape @param {number} dx @param {number} dy @returns {Shape} */
export function moved(shape, dx, dy) {
  const to = (/** @type {Point} */ [x, y]) => /** @type {Point} */ ([rounded(x + dx), rounded(y + dy)]);
  return shape.polygon ? { polygon: shape.polygon.map(to) } : { ellipse: { .../** @type {any} */ (shape.ellipse), centre: to(/** @type {any} */ (shape.ellipse).centre) } };
}

/** Turned about its middle. @param {Shape} shape @param {number} degrees @returns {Shape} */
export function turned(shape, degrees) {
  if (shape.ellipse) return { ellipse: { ...shape.ellipse, angle: rounded(((((shape.ellipse.angle || 0) + degrees + 180) % 360) + 360) % 360 - 180) } };
  const corners = /** @type {Point[]} */ (shape.polygon);
  const middle = corners.reduce(([mx, my], [x, y]) => [mx + x / corners.length, my + y / corners.length], [0, 0]);
  const [c, s] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  return { polygon: corners.map(([x, y]) => [rounded(middle[0] + (x - middle[0]) * c - (y - middle[1]) * s), rounded(middle[1] + (x - middle[0]) * s + (y - middle[1]) * c)]) };
}

/** @param {Shape} shape @param {Point} point */
export function contains(shape, [x, y]) {
  const points = outline(shape);
  let inside = false;
  for (let k = 0, before = points.length - 1; k < points.length; before = k++) {
    const [[ax, ay], [bx, by]] = [points[k], points[before]];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  }
  return inside;
}

/** The ellipse with an axis from one point to another that is as wide as a third one is away from it. @param {Point[]} points @returns {Shape} */
export function ellipseOf([[ax, ay], [bx, by], [x, y]]) {
  const [dx, dy] = [(bx - ax) / 2, (by - ay) / 2];
  const long = Math.max(1, Math.hypot(dx, dy));
  const wide = Math.max(1, Math.abs((-(x - ax) * dy + (y - ay) * dx) / long));
  return { ellipse: { centre: [rounded((ax + bx) / 2), rounded((ay + by) / 2)], axes: [rounded(long), rounded(wide)], angle: rounded((Math.atan2(dy, dx) * 180) / Math.PI) } };
}

/** @param {Point[]} corners two opposite ones @returns {Shape} */
export function rectangleOf([[ax, ay], [bx, by]]) {
  return { polygon: /** @type {Point[]} */ ([[ax, ay], [bx, ay], [bx, by], [ax, by]].map((point) => point.map(rounded))) };
}

/**
 * Wells in rows and columns: shapes around places that divide the four sides evenly, row by row.
 * @param {Point[]} corners middles of the first and last well of the first row, then of the last and first well of the last row
 * @param {number} rows @param {number} columns @param {"ellipse" | "polygon"} kind @param {number} fill share of the distance between wells
 * @returns {{name: string, shape: Shape}[]}
 */
export function gridOf(corners, rows, columns, kind, fill) {
  const [a, b, c, d] = corners;
  const at = (/** @type {number} */ u, /** @type {number} */ v) => {
    const mix = (/** @type {0 | 1} */ k) => a[k] * (1 - u) * (1 - v) + b[k] * u * (1 - v) + c[k] * u * v + d[k] * (1 - u) * v;
    return /** @type {Point} */ ([mix(0), mix(1)]);
  };
  const part = (/** @type {number} */ n, /** @type {number} */ of) => (of > 1 ? n / (of - 1) : 0.5);
  const span = (/** @type {Point} */ p, /** @type {Point} */ q) => /** @type {Point} */ ([q[0] - p[0], q[1] - p[1]]);
  const step = (/** @type {Point} */ whole, /** @type {number} */ of) => /** @type {Point} */ ([whole[0] / Math.max(1, of - 1), whole[1] / Math.max(1, of - 1)]);
  const along = step(span(a, b), columns);
  const down = step(span(a, d), rows);
  const turn = Math.atan2(along[1], along[0]);
  const [half, high] = [(Math.hypot(...along) * fill) / 2, (Math.hypot(...down) * fill) / 2];
  const wells = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const [x, y] = at(part(column, columns), part(row, rows));
      const [wide, tall] = [columns > 1 ? half : high, rows > 1 ? high : half];
      const corner = (/** @type {number} */ u, /** @type {number} */ v) =>
        /** @type {Point} */ ([rounded(x + u * wide * Math.cos(turn) - v * tall * Math.sin(turn)), rounded(y + u * wide * Math.sin(turn) + v * tall * Math.cos(turn))]);
      /** @type {Shape} */
      const shape = kind === "ellipse" ? { ellipse: { centre: [rounded(x), rounded(y)], axes: [rounded(wide), rounded(tall)], angle: rounded((turn * 180) / Math.PI) } } : { polygon: [corner(-1, -1), corner(1, -1), corner(1, 1), corner(-1, 1)] };
      wells.push({ name: rowName(row) + (column + 1), shape });
    }
  }
  return wells;
}

/** @param {number} row @returns {string} */
function rowName(row) {
  return row < 26 ? String.fromCharCode(65 + row) : rowName(Math.floor(row / 26) - 1) + String.fromCharCode(65 + (row % 26));
}
