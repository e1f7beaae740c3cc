// The form for a new experiment: movies, how animals are told apart, their names or number, and where the file goes.

import { alarm, el, speak } from "../lib/el.js";
import { get, post } from "../lib/socket.js";
import { Chosen } from "./chosen.js";
import { Folder, nameOf } from "./folder.js";
import { drawMarking } from "./markings.js";
import { Names } from "./names.js";

/** @typedef {{name: string, title: string, consequence: string, asks: string[]}} Marking */

/** Show the form. @param {HTMLElement} place @param {string} start folder @param {() => void} back */
export async function newExperiment(place, start, back) {
  try {
    const form = new NewForm(await get("/api/new/choices"), back);
    place.replaceChildren(form.place);
    form.place.querySelector("h2")?.focus();
    await form.folder.show(start);
  } catch (error) {
    alarm(/** @type {Error} */ (error).message);
  }
}

class NewForm {
  /** @param {{markings: Marking[], colours: string[], most_tags: number}} choices @param {() => void} back */
  constructor(choices, back) {
    this.markings = choices.markings;
    this.marking = "";
    this.named = false; // whether the person has typed a name, or a folder
    this.chosen = new Chosen((path) => this.folder.clear(path), () => this.check());
    this.folder = new Folder((movie, on) => this.chosen.set(movie, on), (path) => this.chosen.movies.some((movie) => movie.path === path), (path) => this.suggest(path));
    this.names = new Names(choices.colours, choices.most_tags, () => this.check());
    this.number = el("input", { type: "number", id: "new-number", min: 1, step: 1, on: { input: () => this.check() } });
    const typed = () => { this.named = true; this.check(); };
    this.target = el("input", { type: "text", id: "new-folder", size: 48, on: { input: typed } });
    this.name = el("input", { type: "text", id: "new-name", on: { input: typed } });
    this.write = el("button", { className: "main", disabled: true, on: { click: () => this.create() } }, "Write the experiment file and open it");
    this.lacks = el("p", { className: "hint", role: "status", id: "new-lacks" });
    this.asksNames = el("section", { className: "card", hidden: true, "aria-labelledby": "new-3a" }, el("h3", { id: "new-3a" }, "3. Names of the animals"), this.names.place);
    this.numberNote = el("span", { className: "note" });
    this.asksNumber = el("section", { className: "card", hidden: true, "aria-labelledby": "new-3b" }, el("h3", { id: "new-3b" }, "3. How many animals"),
      el("label", { className: "inline", for: "new-number" }, "number of animals in each movie"), " ", this.number, " ", this.numberNote);
    this.place = el("div", { className: "new" },
      el("div", { className: "bar" }, el("h2", { tabIndex: -1 }, "New experiment"), el("span", { className: "space" }), el("button", { on: { click: back } }, "Back")),
      el("section", { className: "card", "aria-labelledby": "new-1" }, el("h3", { id: "new-1" }, "1. Movies"),
        el("div", { className: "two" }, this.folder.place, el("div", {}, el("h4", {}, "Chosen, in their order"), this.chosen.place))),
      el("section", { className: "card", "aria-labelledby": "new-2" }, el("h3", { id: "new-2" }, "2. How are the animals told apart?"),
        el("div", { className: "markings", role: "radiogroup", "aria-labelledby": "new-2" }, ...this.markings.map((one) => this.kind(one)))),
      this.asksNames, this.asksNumber,
      el("section", { className: "card", "aria-labelledby": "new-4" }, el("h3", { id: "new-4" }, "4. Where the experiment file goes"),
        el("div", { className: "fields" }, el("label", { for: "new-folder" }, "folder"), this.target, el("label", { for: "new-name" }, "name"), this.name),
        this.lacks, this.write));
    this.check();
  }

  /** @param {Marking} marking */
  kind(marking) {
    const pick = () => {
      this.marking = marking.name;
      this.asksNames.hidden = !marking.asks.includes("identities");
      this.asksNumber.hidden = marking.asks.includes("identities");
      this.numberNote.textContent = marking.asks.includes("number") ? "" : "(may be left out)";
      this.check();
    };
    return el("label", { className: "marking", data: { marking: marking.name } },
      el("span", { className: "title" }, el("input", { type: "radio", name: "marking", value: marking.name, on: { change: pick } }), ` ${marking.title}`),
      drawMarking(marking.name), el("span", { className: "note" }, marking.consequence));
  }

  /** A folder and a name, until the person gives others. @param {string} folder */
  suggest(folder) {
    if (this.named || this.chosen.movies.length) return;
    this.target.value = folder;
    this.name.value = nameOf(folder);
    this.check();
  }

  check() {
    if (!this.lacks) return;
    const marking = this.markings.find((one) => one.name === this.marking);
    const lacks = [
      !this.chosen.movies.length && "a movie",
      !marking && "how animals are told apart",
      marking?.asks.includes("identities") && !this.names.names.length && "names",
      marking?.asks.includes("number") && !(Number(this.number.value) > 0) && "the number of animals",
      !this.target.value.trim() && "a folder",
      !this.name.value.trim() && "a name",
    ].filter(Boolean);
    this.write.disabled = lacks.length > 0;
    this.lacks.textContent = lacks.length ? `Still needed: ${lacks.join(", ")}.` : `Writes ${this.target.value.trim().replace(/\/$/, "")}/${this.name.value.trim()}.yaml${marking?.asks.includes("identities") ? " and labels.csv" : ""}.`;
  }

  async create() {
    const number = Number(this.number.value);
    this.write.disabled = true;
    try {
      const done = await post("/api/new", {
        folder: this.target.value.trim(),
        name: this.name.value.trim(),
        movies: this.chosen.movies.map((movie) => movie.path),
        marking: this.marking,
        identities: this.asksNames.hidden ? [] : this.names.names,
        number: this.asksNumber.hidden || !number ? null : number,
        one_recording: this.chosen.together && this.chosen.movies.length > 1,
      });
      speak(`${done.file} is written`);
      await post("/api/open", { file: done.file });
    } catch (error) {
      alarm(/** @type {Error} */ (error).message);
      this.check();
    }
  }
}
