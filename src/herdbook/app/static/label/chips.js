// The names as buttons, most likely first: tags, what is labelled already, how often; chosen by numbers or by typing the name.

import { by, el, speak } from "../lib/el.js";
import { decoded, getBinary } from "./sheets.js";

const DIGITS = 9;
// After that long without a letter, a name that is being typed begins anew.
const TYPING_MS = 1500;

export class Chips {
  /** @param {HTMLElement} place @param {(name: string) => void} choose */
  constructor(place, choose) {
    this.place = place;
    this.choose = choose;
    /** @type {any[]} */ this.names = [];
    /** @type {string[]} in the order that is shown */ this.order = [];
    /** @type {Map<string, any>} */ this.buttons = new Map();
    this.typed = "";
    this.late = 0;
    /** @type {{names: string[], columns: number, image: ImageBitmap} | null} */ this.references = null;
    this.made = "";
  }

  /** @param {any[]} names what the server says of each name */
  show(names) {
    const same = names.map((one) => one.name).join("\n") === this.names.map((one) => one.name).join("\n");
    this.names = names;
    if (!same) {
      this.buttons = new Map(names.map((one) => [one.name, this.button(one)]));
      this.order = names.map((one) => one.name);
      this.place.replaceChildren(...names.map((one) => this.buttons.get(one.name).place));
    }
    for (const one of names) this.buttons.get(one.name).count.textContent = one.labels ? String(one.labels) : "";
    this.number();
  }

  /** @param {any} one */
  button(one) {
    const [key, count, share] = [el("kbd", {}), el("span", { className: "chip-count", title: "tracklets with this label" }), el("span", { className: "chip-share" })];
    const references = el("canvas", { className: "chip-references", width: 1, height: 1, "aria-hidden": "true" });
    const tags = el("span", { className: "chip-tags", "aria-hidden": "true" }, ...(one.tags.length ? one.tags : one.colour ? [one.colour] : []).map((/** @type {string} */ shade) => {
      const tag = el("span", { className: "chip-tag" });
      tag.style.background = shade;
      return tag;
    }));
    const place = el("button", { className: "name-chip", data: { name: one.name }, on: { click: () => this.choose(one.name) } },
      el("span", { className: "chip-line" }, key, tags, el("span", { className: "chip-name" }, one.name), count), share, references);
    return { place, key, count, share, references };
  }

  /** @param {string} name @param {number} more */
  counted(name, more) {
    const found = this.names.find((one) => one.name === name);
    if (!found) return;
    found.labels += more;
    this.buttons.get(name).count.textContent = found.labels ? String(found.labels) : "";
  }

  /** The order of one point. @param {[string, number][]} guesses */
  sort(guesses) {
    this.clear();
    const chance = new Map(guesses);
    const likely = guesses.filter(([, share]) => share > 0.02).map(([name]) => name);
    this.order = [...likely, ...this.names.map((one) => one.name).filter((name) => !likely.includes(name))];
    this.order.forEach((name, place) => {
      const button = this.buttons.get(name);
      if (!button) return;
      button.place.style.order = String(place);
      const share = chance.get(name) || 0;
      button.share.textContent = share > 0.02 ? `${Math.min(99, Math.round(100 * share))} %` : "";
      button.place.classList.toggle("first", place === 0 && share > 0.02);
    });
    this.number();
  }

  number() {
    this.order.forEach((name, place) => {
      const button = this.buttons.get(name);
      if (!button) return;
      button.key.textContent = place < DIGITS ? String(place + 1) : "";
      button.key.hidden = place >= DIGITS;
    });
  }

  /** A number that was pressed. @param {number} digit whether it was used */
  digit(digit) {
    if (this.typed) return this.letter(String(digit));
    const name = this.order[digit - 1];
    if (name) this.choose(name);
    return Boolean(name);
  }

  /** A letter of a name. @param {string} letter */
  letter(letter) {
    clearTimeout(this.late);
    const typed = this.typed + letter.toLowerCase();
    const fits = this.names.map((one) => one.name).filter((name) => name.toLowerCase().startsWith(typed));
    if (!fits.length) {
      speak(`no name begins with ${typed}`);
      this.clear();
      return false;
    }
    this.typed = typed;
    // Not as soon as only one name begins so: whoever types on would answer for the next one, too.
    if (fits.length === 1 && fits[0].toLowerCase() === typed) {
      this.clear();
      this.choose(fits[0]);
      return true;
    }
    for (const [name, button] of this.buttons) button.place.classList.toggle("unfit", !fits.includes(name));
    by("label-typed").textContent = `${typed}…`;
    this.late = setTimeout(() => this.clear(), TYPING_MS);
    return true;
  }

  /** What Enter means: the name that is typed, or the most likely one; null if there is none. @returns {string | null} */
  entered() {
    if (this.typed) {
      const fits = this.names.filter((one) => one.name.toLowerCase().startsWith(this.typed));
      const exact = fits.find((one) => one.name.toLowerCase() === this.typed);
      return exact ? exact.name : fits.length === 1 ? fits[0].name : null;
    }
    const first = this.buttons.get(this.order[0]);
    return first?.place.classList.contains("first") ? this.order[0] : null;
  }

  clear() {
    clearTimeout(this.late);
    this.typed = "";
    const told = by("label-typed");
    if (told) told.textContent = "";
    for (const button of this.buttons.values()) button.place.classList.remove("unfit");
  }

  /** Images of what is labelled, again if labels have changed. @param {string} made */
  async illustrate(made) {
    if (made === this.made) return;
    this.made = made;
    const { head, parts } = await getBinary("/api/label/references");
    this.references = { ...head, image: await decoded(parts[0]) };
    const { names, images, columns, image } = /** @type {any} */ (this.references);
    const [wide, high] = [image.width / columns, names.length ? image.height / names.length : 1];
    for (const [name, button] of this.buttons) {
      const row = names.indexOf(name);
      button.references.hidden = row < 0;
      if (row < 0) continue;
      [button.references.width, button.references.height] = [images[row] * wide, high];
      button.references.getContext("2d").drawImage(image, 0, row * high, images[row] * wide, high, 0, 0, images[row] * wide, high);
    }
    document.documentElement.dataset.references = names.join();
  }
}
