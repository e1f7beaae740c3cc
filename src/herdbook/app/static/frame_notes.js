// What is said of the frame that is shown: over the picture what is wrong or not ready, below it how many blobs there are.

import { by, el } from "./lib/el.js";

const SCENES = { computing: "The background is being made; blobs follow in some seconds.", quick: "A first background; a better one is being made.", failed: "The background could not be made: " };

/** @param {string} text */
export function say(text) {
  by("message").textContent = text;
  by("message").hidden = !text;
}

/** @param {any} head of the frame @param {number | null} number of animals, if it is known @param {import("./watch.js").Watch} watch */
export function showFrameNotes(head, number, watch) {
  const scene = /** @type {Record<string, string>} */ (SCENES)[head.scene] || "";
  const blobless = watch.on ? [head.watch_fault] : [...(head.faults || []), scene && scene + (head.scene_fault || "")];
  say([head.fault, ...blobless].filter(Boolean).join("\n"));
  document.documentElement.dataset.scene = head.scene;
  const counts = by("counts");
  if (head.kept === undefined) counts.replaceChildren();
  else {
    const wrong = !head.right && number !== null;
    counts.replaceChildren(
      el("span", { className: wrong ? "wrong" : "" }, `${head.kept} blobs`),
      number === null ? "" : ` of ${number} animals`,
      head.dropped ? `, ${head.dropped} dropped` : "",
      head.broken ? " – black or unlike the background" : "",
    );
  }
}
