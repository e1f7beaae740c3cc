// What is shown as long as no experiment is open: the experiment files in the folders that the page may see, and the form for a new one.

import { newExperiment } from "./begin/form.js";
import { alarm, by, el } from "./lib/el.js";
import { get, post } from "./lib/socket.js";

/** @param {string} [folder] */
export async function welcome(folder = "") {
  const place = by("welcome");
  try {
    const found = await get(`/api/new/folder?dir=${encodeURIComponent(folder)}`);
    const name = (/** @type {string} */ path) => path.split("/").filter(Boolean).pop() || path;
    const item = (/** @type {string} */ text, /** @type {() => void} */ act) => el("li", {}, el("button", { className: "link", on: { click: act } }, text));
    const begin = () => newExperiment(place, folder || (found.folders.length === 1 ? found.folders[0] : ""), () => welcome(folder));
    place.replaceChildren(
      el("div", { className: "bar" }, el("h2", {}, "Open an experiment"), el("span", { className: "space" }), el("button", { className: "main", id: "new", on: { click: begin } }, "New experiment…")),
      el("p", { className: "hint" }, folder || "Folders that this page may see"),
      el(
        "ul",
        { className: "list" },
        folder && item("↑ up", () => welcome(found.above)),
        ...found.folders.map((/** @type {string} */ path) => item(`${folder ? name(path) : path}/`, () => welcome(path))),
        ...found.experiments.map((/** @type {string} */ path) => item(name(path), () => post("/api/open", { file: path }).catch((error) => alarm(error.message)))),
      ),
      el("p", { className: "hint", hidden: !folder || found.experiments.length > 0 }, "There is no experiment file in this folder."),
    );
  } catch (error) {
    if (folder) await welcome("");
    alarm(/** @type {Error} */ (error).message);
  }
}
