// How what is watched looks over the movie. Nothing covers an animal: lines are hair lines, names stand beside animals on leaders.

/** @typedef {import("./watch.js").Watch} Watch */

// With more names, only those of animals that are followed or in doubt are written, and small numbers of the others are left out.
const MOST_NAMES = 150;

/** @param {Watch} watch @param {CanvasRenderingContext2D} context */
export function paintWatched(watch, context) {
  watch.labels = [];
  if (!watch.tracks || !watch.summary) return;
  const { view, tracks } = watch;
  const ratio = window.devicePixelRatio || 1;
  if (watch.shows.trails) paintTrails(watch, context, ratio);
  const animals = tracks.who.map((/** @type {number} */ who, /** @type {number} */ k) => spotAt(watch, tracks.x[k], tracks.y[k], tracks.radius[k], { who, source: tracks.source[k] }));
  const unknown = tracks.unknown.map((/** @type {number[]} */ [x, y, count, radius]) => spotAt(watch, x, y, radius, { who: -1, count }));
  const doubts = watch.shows.doubts ? tracks.doubts.map((/** @type {number[]} */ [number, x, y]) => paintDoubt(watch, context, number, x, y, ratio)) : [];
  const spots = [...animals, ...unknown].filter((spot) => spot.seen);
  const taken = spots.map(({ x, y, reach }) => ({ left: x - reach, top: y - reach, right: x + reach, bottom: y + reach }));
  const named = [...doubts.filter((/** @type {any} */ spot) => spot.seen), ...spots.filter((spot) => textOf(watch, spot) !== null)];
  context.font = `${12 * ratio}px system-ui, sans-serif`;
  context.textAlign = "left";
  const items = named.map((spot) => {
    const text = spot.text ?? textOf(watch, spot);
    const wide = (text ? context.measureText(text).width : 0) + (spot.source !== undefined && watch.shows.sources ? 14 * ratio : 0);
    return { ...spot, text, width: wide + 8 * ratio, height: 17 * ratio };
  });
  const boxes = watch.placer.place(items, view.drawn.width, view.drawn.height, ratio, taken);
  items.forEach((item, k) => paintLabel(watch, context, item, boxes[k], ratio));
  watch.labels = items.map((item, k) => ({ name: item.text || "", box: boxes[k] }));
}

/** @param {Watch} watch @param {number} x @param {number} y @param {number} radius in px of the movie @param {any} more */
function spotAt(watch, x, y, radius, more) {
  const [sx, sy] = watch.view.to(x, y);
  const reach = radius * watch.view.scale;
  const { width, height } = watch.view.drawn;
  return { key: `${more.who}:${more.doubt ?? (more.who < 0 ? `${Math.round(x / 20)},${Math.round(y / 20)}` : "")}`, x: sx, y: sy, reach, seen: sx > -reach && sy > -reach && sx < width + reach && sy < height + reach, ...more };
}

/** What a label says, null for none. @param {Watch} watch @param {any} spot */
function textOf(watch, spot) {
  if (spot.who < 0) return spot.count > 1 ? `${spot.count}×?` : "?";
  const few = watch.tracks.who.length <= MOST_NAMES || spot.who === watch.followed;
  if (watch.shows.names && few) return watch.summary.names[spot.who];
  return watch.shows.sources && few ? "" : null;
}

/** A ring beyond the animal, and the question. @param {Watch} watch @param {CanvasRenderingContext2D} context @param {number} number @param {number} x @param {number} y @param {number} ratio */
function paintDoubt(watch, context, number, x, y, ratio) {
  const doubt = watch.summary.doubts[number];
  const who = watch.summary.names.indexOf(doubt?.assigned);
  const place = watch.tracks.who.indexOf(who);
  // Where nobody is known, around the whole blob.
  const blob = place < 0 && watch.tracks.unknown.find((/** @type {number[]} */ [bx, by_, , reach]) => Math.hypot(bx - x, by_ - y) <= reach);
  if (blob) [x, y] = blob;
  const spot = spotAt(watch, x, y, blob ? blob[3] : place >= 0 ? watch.tracks.radius[place] : Math.max(8, ...watch.tracks.radius), { who: -2, doubt: number, text: doubt?.text || "in doubt" });
  context.beginPath();
  context.arc(spot.x, spot.y, spot.reach + 5 * ratio, 0, 2 * Math.PI);
  context.setLineDash([4 * ratio, 3 * ratio]);
  hair(context, "#ff8c42", ratio);
  context.setLineDash([]);
  return spot;
}

/** Trails end before the animal begins. @param {Watch} watch @param {CanvasRenderingContext2D} context @param {number} ratio */
function paintTrails(watch, context, ratio) {
  const { tracks, trails, view } = watch;
  for (let place = 0; place < trails.length; ) {
    const [who, count] = [trails[place], trails[place + 1]];
    const points = trails.subarray(place + 2, place + 2 + 2 * count);
    place += 2 + 2 * count;
    const k = tracks.who.indexOf(who);
    context.beginPath();
    let pen = false;
    for (let p = 0; p < points.length; p += 2) {
      const near = k >= 0 && Math.hypot(points[p] - tracks.x[k], points[p + 1] - tracks.y[k]) < tracks.radius[k];
      const [x, y] = view.to(points[p], points[p + 1]);
      if (near) pen = false;
      else if (pen) context.lineTo(x, y);
      else {
        context.moveTo(x, y);
        pen = true;
      }
    }
    hair(context, watch.summary.colours[who], ratio);
  }
}

/** @param {Watch} watch @param {CanvasRenderingContext2D} context @param {any} item @param {import("./labels.js").Box} box @param {number} ratio */
function paintLabel(watch, context, item, box, ratio) {
  const shade = item.who >= 0 ? watch.summary.colours[item.who] : item.who === -1 ? "#cc79a7" : "#ff8c42";
  const end = [Math.min(box.right, Math.max(box.left, item.x)), Math.min(box.bottom, Math.max(box.top, item.y))];
  const away = Math.hypot(end[0] - item.x, end[1] - item.y);
  if (away > item.reach) {
    context.beginPath();
    context.moveTo(item.x + ((end[0] - item.x) * item.reach) / away, item.y + ((end[1] - item.y) * item.reach) / away);
    context.lineTo(end[0], end[1]);
    hair(context, shade, ratio);
  }
  context.fillStyle = "rgb(16 18 21 / 78%)";
  context.fillRect(box.left, box.top, box.right - box.left, box.bottom - box.top);
  context.fillStyle = shade;
  context.fillRect(box.left, box.top, 3 * ratio, box.bottom - box.top);
  let x = box.left + 6 * ratio;
  if (item.source !== undefined && watch.shows.sources) {
    glyph(context, item.source, x + 5 * ratio, (box.top + box.bottom) / 2, 4 * ratio, "#ffffff", ratio);
    x += 14 * ratio;
  }
  context.fillStyle = item.who === watch.followed && item.who >= 0 ? "#f0e442" : "#ffffff";
  context.textBaseline = "middle";
  context.fillText(item.text || "", x, (box.top + box.bottom) / 2);
}

/** A line of one pixel that is seen on any ground. @param {CanvasRenderingContext2D} context @param {string} shade @param {number} ratio */
function hair(context, shade, ratio) {
  context.lineWidth = 2.5 * ratio;
  context.strokeStyle = "rgb(0 0 0 / 30%)";
  context.stroke();
  context.lineWidth = ratio;
  context.strokeStyle = shade;
  context.stroke();
}

/** The mark of a source. @param {CanvasRenderingContext2D} context @param {number} source @param {number} x @param {number} y @param {number} size @param {string} shade @param {number} ratio */
export function glyph(context, source, x, y, size, shade, ratio) {
  const corners = { 1: [[0, -1.2], [1.2, 0], [0, 1.2], [-1.2, 0]], 3: [[0, -1.1], [1.1, 0.9], [-1.1, 0.9]], 4: [[-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]] }[source];
  context.beginPath();
  if (corners) corners.forEach(([dx, dy], k) => (k ? context.lineTo(x + dx * size, y + dy * size) : context.moveTo(x + dx * size, y + dy * size)));
  else context.arc(x, y, size * 0.9, 0, 2 * Math.PI);
  context.closePath();
  context.lineWidth = 1.4 * ratio;
  context.strokeStyle = context.fillStyle = shade;
  if (source === 2) context.stroke();
  else context.fill();
}
