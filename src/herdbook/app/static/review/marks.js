// Marks on the picture, and shares in words.

/** @param {number | null} share */
export function percent(share) {
  if (share === null || share === undefined) return "";
  const value = 100 * share;
  return `${value >= 10 ? value.toFixed(0) : value >= 1 ? value.toFixed(1) : value.toFixed(2)} %`;
}

/** @param {CanvasRenderingContext2D} context @param {import("../view.js").View} view @param {number} x @param {number} y @param {number} reach px of the movie @param {number} ratio */
export function ring(context, view, x, y, reach, ratio) {
  const [sx, sy] = view.to(x, y);
  for (const [wide, ink] of /** @type {[number, string][]} */ ([[4, "rgb(0 0 0 / 60%)"], [2, "#f0e442"]])) {
    context.beginPath();
    context.arc(sx, sy, reach * view.scale + 4 * ratio, 0, 2 * Math.PI);
    context.lineWidth = wide * ratio;
    context.strokeStyle = ink;
    context.stroke();
  }
}

/** @param {CanvasRenderingContext2D} context @param {import("../view.js").View} view @param {number} x @param {number} y @param {number} ratio */
export function dot(context, view, x, y, ratio) {
  const [sx, sy] = view.to(x, y);
  for (const [wide, ink] of /** @type {[number, string][]} */ ([[4.5, "black"], [3, "#f0e442"]])) {
    context.beginPath();
    context.arc(sx, sy, wide * ratio, 0, 2 * Math.PI);
    context.fillStyle = ink;
    context.fill();
  }
}
