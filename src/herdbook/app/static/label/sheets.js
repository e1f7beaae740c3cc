// Pictures of tracklets, asked for before they are needed: the next one is there when a key is pressed.

import { unpacked } from "../lib/socket.js";

/** @typedef {{movie: string, tracklet: number, first: number, last: number, seconds: number, frame: number, x: number, y: number, label: string, present: string, sure: number, guesses: [string, number][], words: string, aside: boolean}} Point */
/** @typedef {{point: Point, images: {frame: number, x: number, y: number, out: boolean}[], fps: number, reach: number, heads: ImageBitmap, loop: ImageBitmap | null}} Sheet */

// Sheets that are kept: 1.5 MB each once they are decoded.
const MOST = 14;

/** @param {string} path */
export async function getBinary(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).fault || `the server answered ${answer.status}`);
  return unpacked(await answer.arrayBuffer());
}

/** @param {ArrayBuffer} part */
export function decoded(part) {
  return createImageBitmap(new Blob([part], { type: "image/jpeg" }));
}

export class Sheets {
  constructor() {
    /** @type {Map<string, Promise<Sheet>>} */ this.kept = new Map();
  }

  /** @param {{movie: string, tracklet: number}} point @param {number} [page] @returns {Promise<Sheet>} */
  get(point, page = 0) {
    const key = `${point.movie}/${point.tracklet}/${page}`;
    const known = this.kept.get(key);
    if (known) {
      this.kept.delete(key);
      this.kept.set(key, known);
      return known;
    }
    const asked = this.ask(point, page);
    this.kept.set(key, asked);
    asked.catch(() => this.kept.delete(key));
    while (this.kept.size > MOST) this.kept.delete(/** @type {string} */ (this.kept.keys().next().value));
    return asked;
  }

  /** What was left out or labelled is asked for again. */
  forget() {
    this.kept.clear();
  }

  /** @param {{movie: string, tracklet: number}} point @param {number} page */
  async ask(point, page) {
    const { head, parts } = await getBinary(`/api/label/sheet?movie=${encodeURIComponent(point.movie)}&tracklet=${point.tracklet}&page=${page}`);
    const loop = parts[1].byteLength ? await decoded(parts[1]) : null;
    return { ...head, heads: await decoded(parts[0]), loop };
  }
}

/** The frame around a point, as the address of a picture. @param {{movie: string, frame: number, x: number, y: number}} at @param {number} reach @param {number} width */
export function frameAddress(at, reach, width) {
  return `/api/label/frame?movie=${encodeURIComponent(at.movie)}&frame=${at.frame}&x=${at.x}&y=${at.y}&reach=${reach}&width=${width}`;
}
