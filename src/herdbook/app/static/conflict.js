// What is asked when the experiment file was changed elsewhere: both values of each key.

import { by, el } from "./lib/el.js";

/**
 * @param {any} done what the server says: its revision, and for each key the value in the file and the one here
 * @param {(value: any) => string} short @param {(revision: string) => void} ours @param {() => void} theirs
 */
export function showConflict(done, short, ours, theirs) {
  const dialog = by("dialog");
  dialog.setAttribute("aria-label", "The file was changed elsewhere");
  dialog.replaceChildren(
    el("h2", {}, "The file was changed elsewhere"),
    el("table", {}, el("tbody", {}, el("tr", {}, el("th", {}, "key"), el("th", {}, "in the file"), el("th", {}, "here")), ...Object.entries(done.conflict).map(([key, [there, here]]) => el("tr", {}, el("td", {}, key), el("td", {}, short(there)), el("td", {}, short(here)))))),
    el("div", { className: "bar" },
      el("button", { className: "main", on: { click: () => { dialog.close(); ours(done.revision); } } }, "Save what is here"),
      el("button", { on: { click: () => { dialog.close(); theirs(); } } }, "Take what is in the file"),
      el("button", { on: { click: () => dialog.close() } }, "Neither yet")),
  );
  dialog.showModal();
}
