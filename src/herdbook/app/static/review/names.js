// Who can be named, with keys and pictures: digits for those that it can be most probably, letters for all.

import { el } from "../lib/el.js";

// Letters that mean nothing else while one reviews; of more animals, the others have their digits, the mouse and the field.
export const LETTERS = "QERTUIOPLXCVBJ";
const DIGITS = 9;

/** @typedef {{name: string, share: number | null, now: boolean}} Choice */

export class NameChoice {
  /** @param {string} id of its elements @param {(name: string) => void} choose */
  constructor(id, choose) {
    this.choose = choose;
    /** @type {Choice[]} */ this.choices = [];
    /** @type {string[]} */ this.names = [];
    this.place = el("div", { className: "who", role: "group", "aria-label": "who it is" });
    this.list = el("datalist", { id: `${id}-names` });
    this.field = el("input", { type: "text", id: `${id}-field`, "aria-label": "name", placeholder: "or write a name", on: { change: () => this.written() } });
    this.field.setAttribute("list", `${id}-names`);
    this.more = el("label", { className: "inline" }, this.field, this.list, el("kbd", {}, "/"));
  }

  /** @param {string[]} names all animals @param {[string, number][]} likely those that it can be, with their probabilities @param {string} now who it is said to be
   *  @param {(name: string) => string} picture its address */
  show(names, likely, now, picture) {
    const first = likely.filter(([name]) => names.includes(name));
    const known = new Map(first);
    const order = [...known.keys(), ...names.filter((name) => !known.has(name))];
    this.names = names;
    this.choices = order.map((name) => ({ name, share: known.get(name) ?? null, now: name === now }));
    this.list.replaceChildren(...names.map((name) => el("option", { value: name })));
    this.more.hidden = names.length <= LETTERS.length + 2;
    this.place.replaceChildren(...this.choices.map(({ name, share, now: said }, k) => {
      const letter = LETTERS[names.indexOf(name)];
      const keys = [k < DIGITS ? String(k + 1) : "", letter || ""].filter(Boolean);
      const image = el("img", { alt: "", src: picture(name), on: { error: () => (image.hidden = true) } });
      return el("button", { className: "person", data: { name }, "aria-pressed": String(said), on: { click: () => this.choose(name) } },
        image, el("span", { className: "person-name" }, name), el("span", { className: "note" }, share === null ? "" : `${Math.round(100 * share)} %`), el("span", {}, ...keys.map((key) => el("kbd", {}, key))));
    }));
  }

  /** The name of a key, if there is one. @param {string} code */
  of(code) {
    if (/^(Digit|Numpad)[1-9]$/.test(code)) return this.choices[Number(code.slice(-1)) - 1]?.name;
    return this.names[LETTERS.indexOf(code.slice(-1))];
  }

  written() {
    const name = this.names.find((one) => one.toLowerCase() === this.field.value.trim().toLowerCase());
    if (!name) return;
    this.field.value = "";
    this.field.blur();
    this.choose(name);
  }

  /** @param {typeof import("../lib/keys.js").bind} bind @param {string} group @param {() => boolean} on */
  bindKeys(bind, group, on) {
    const press = (/** @type {KeyboardEvent} */ event) => {
      const name = this.of(event.code);
      if (name) this.choose(name);
    };
    bind(group, Array.from({ length: DIGITS }, (_, k) => `Digit${k + 1} Numpad${k + 1}`).join(" "), "1 – 9", "this one of those that it can be", press, on);
    bind(group, [...LETTERS].map((letter) => `Key${letter}`).join(" "), "letters", "the animal that has this letter", press, on);
    bind(group, "Slash", "/", "write a name", () => this.more.hidden || this.field.focus(), on);
  }
}
