// Names of marked animals: from the colours of their tags, of which those that nobody wears are struck out, or typed.

import { alarm, el } from "../lib/el.js";
import { post } from "../lib/socket.js";

export class Names {
  /** @param {string[]} colours @param {number} most tags that an animal may carry @param {() => void} changed */
  constructor(colours, most, changed) {
    this.changed = changed;
    /** @type {string[]} */ this.ticked = [];
    /** @type {string[]} */ this.codes = [];
    /** @type {Set<string>} */ this.struck = new Set();
    this.tags = 2;
    const box = (/** @type {string} */ colour) =>
      el("label", { className: "colour" }, el("input", { type: "checkbox", value: colour, on: { change: (/** @type {any} */ event) => this.tick(colour, event.target.checked) } }), el("span", { className: `swatch ${colour}` }), colour);
    this.number = el("input", { type: "number", min: 1, max: most, value: this.tags, on: { change: () => { this.tags = Math.min(most, Math.max(1, Number(this.number.value) || 1)); this.ask(); } } });
    this.chips = el("div", { className: "chips", role: "group", "aria-label": "names; press one to strike it out" });
    this.typed = el("textarea", { rows: 2, "aria-label": "more names, separated by blanks or commas", on: { input: () => this.tell() } });
    this.note = el("p", { className: "hint", role: "status" });
    this.place = el("div", {},
      el("fieldset", { className: "choice colours" }, el("legend", {}, "Colours of the tags"), ...colours.map(box)),
      el("label", { className: "inline" }, "tags on each animal", this.number),
      this.chips, this.note,
      el("label", {}, "Other names, separated by blanks or commas", el("br"), this.typed));
    this.tell();
  }

  /** The names that are not struck out, and those that are typed. */
  get names() {
    const typed = this.typed.value.split(/[\s,;]+/).filter(Boolean);
    return [...new Set([...this.codes.filter((code) => !this.struck.has(code)), ...typed])];
  }

  /** @param {string} colour @param {boolean} on */
  tick(colour, on) {
    this.ticked = on ? [...this.ticked, colour] : this.ticked.filter((one) => one !== colour);
    this.ask();
  }

  async ask() {
    const asked = JSON.stringify([this.ticked, this.tags]);
    try {
      const { names } = this.ticked.length ? await post("/api/new/names", { colours: this.ticked, tags: this.tags }) : { names: [] };
      if (asked !== JSON.stringify([this.ticked, this.tags])) return;
      this.codes = names;
    } catch (error) {
      alarm(/** @type {Error} */ (error).message);
    }
    this.chips.replaceChildren(...this.codes.map((code) => {
      const chip = el("button", { className: "chip", "aria-pressed": String(this.struck.has(code)), title: "strike out, or take back", on: { click: () => {
        if (this.struck.has(code)) this.struck.delete(code);
        else this.struck.add(code);
        chip.setAttribute("aria-pressed", String(this.struck.has(code)));
        this.tell();
      } } }, code);
      return chip;
    }));
    this.tell();
  }

  tell() {
    const count = this.names.length;
    const gone = this.codes.filter((code) => this.struck.has(code)).length;
    this.note.textContent = count ? `${count} names${gone ? `, ${gone} struck out` : ""}` : "Tick the colours in which animals are tagged: 4 colours on 2 tags give 16 names.";
    this.changed();
  }
}
