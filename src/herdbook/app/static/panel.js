// The controls of the left panel, made from the schema of the experiment file. A control that moves is tried out at once.

import { el } from "./lib/el.js";

/** @typedef {{key: string, name: string, kind: string, meaning: string, default: any, optional: boolean, first: any, instead: string | null,
 *   choices?: string[], least: number, most: number, step: number, whole: boolean}} Control */

export class Panel {
  /** @param {HTMLElement} place @param {(changes: Record<string, any>, rest: boolean) => number} change gives its turn */
  constructor(place, change) {
    this.place = place;
    this.change = change;
    /** @type {Map<string, number>} with which turn each control was moved here last */ this.moved = new Map();
    /** @type {Map<string, {control: Control, set: (value: any, old: any) => void}>} */ this.controls = new Map();
  }

  /** @param {any[]} groups */
  build(groups) {
    this.place.replaceChildren(
      ...groups.map((group, number) =>
        el("details", { className: "card", open: number < 2, data: { group: group.name } }, el("summary", {}, group.title), ...group.controls.map((/** @type {Control} */ one) => this.make(one))),
      ),
    );
  }

  /** @param {Control} control */
  make(control) {
    const id = `c-${control.key.replaceAll(".", "-")}`;
    const old = el("span", { className: "old" });
    const info = el("button", { className: "info", type: "button", "aria-label": `what ${control.name} means`, "aria-expanded": "false", on: { click: () => {
      const open = row.classList.toggle("open");
      info.setAttribute("aria-expanded", String(open));
    } } }, "?");
    const made = control.kind === "choice" ? this.choice(control, id) : control.kind === "switch" ? this.toggle(control, id) : this.numbers(control, id);
    const row = el(
      "div",
      { className: "control", data: { key: control.key } },
      el("span", { className: "name", title: control.meaning }, el("label", { for: id }, words(control.name)), " ", info, " ", old),
      el("span", { className: "pair" }, ...made.short),
      ...made.wide,
      el("p", { className: "meaning", id: `${id}-meaning` }, control.meaning),
    );
    this.controls.set(control.key, {
      control,
      set: (value, before) => {
        made.set(value);
        row.classList.toggle("off", value === null || value === undefined);
        old.textContent = before === undefined ? "" : `was ${shown(before)}`;
      },
    });
    return row;
  }

  /** @param {Control} control @param {any} value @param {boolean} rest */
  send(control, value, rest) {
    const changes = { [control.key]: value };
    // Of two keys that exclude each other, one gives way.
    if (control.instead && value !== null) changes[control.instead] = null;
    const turn = this.change(changes, rest);
    for (const key of Object.keys(changes)) this.moved.set(key, turn);
  }

  /** @param {Control} control @param {string} id */
  choice(control, id) {
    const options = [...(control.optional ? [["", "not set"]] : []), ...(control.choices || []).map((name) => [name, name])];
    const select = el("select", { id, on: { change: () => this.send(control, select.value || null, true) } }, ...options.map(([value, text]) => el("option", { value }, text)));
    return { short: [select], wide: [], set: (/** @type {any} */ value) => (select.value = value ?? "") };
  }

  /** @param {Control} control @param {string} id */
  toggle(control, id) {
    const box = el("input", { id, type: "checkbox", on: { change: () => this.send(control, box.checked, true) } });
    return { short: [box], wide: [], set: (/** @type {any} */ value) => (box.checked = Boolean(value)) };
  }

  /** Numbers: a slider and a field for each, and a box to switch off those that may be left out. @param {Control} control @param {string} id */
  numbers(control, id) {
    const count = control.kind === "range" ? 2 : 1;
    const fields = Array.from({ length: count }, (_, k) =>
      el("input", { type: "number", id: k ? `${id}-2` : id, step: control.whole ? 1 : "any", min: control.whole ? Math.min(control.least, 1) : undefined, "aria-label": k ? `${control.name}, largest` : undefined }),
    );
    const log = control.most / Math.max(1, control.least) > 2000 || control.key === "segment.area";
    const sliders = fields.map((_, k) =>
      el("input", { type: "range", min: log ? 0 : control.least, max: log ? 1000 : control.most, step: log ? 1 : control.step, "aria-label": `${control.name}${count > 1 ? (k ? ", largest" : ", smallest") : ""}` }),
    );
    const from = (/** @type {number} */ slider) => (log ? Math.round(10 ** (slider / 200)) : slider);
    const to = (/** @type {number} */ value) => (log ? 200 * Math.log10(Math.max(1, value)) : value);
    const box = control.optional ? el("input", { type: "checkbox", "aria-label": `use ${control.name}` }) : null;
    const read = () => (box && !box.checked ? null : count > 1 ? fields.map((field) => Number(field.value)) : Number(fields[0].value));
    const send = (/** @type {boolean} */ rest) => {
      if (fields.some((field) => field.value === "") && (!box || box.checked)) return;
      this.send(control, read(), rest);
    };
    fields.forEach((field, k) => {
      sliders[k].addEventListener("input", () => {
        field.value = String(from(Number(sliders[k].value)));
        if (box) box.checked = true;
        send(false);
      });
      sliders[k].addEventListener("change", () => send(true));
      field.addEventListener("input", () => {
        sliders[k].value = String(to(Number(field.value)));
        if (box) box.checked = true;
        send(false);
      });
      field.addEventListener("change", () => send(true));
    });
    box?.addEventListener("change", () => {
      if (box.checked && fields[0].value === "") set(control.first);
      send(true);
    });
    const set = (/** @type {any} */ value) => {
      if (box) box.checked = value !== null && value !== undefined;
      const values = value === null || value === undefined ? fields.map(() => "") : count > 1 ? value : [value];
      fields.forEach((field, k) => {
        // Whoever types is not disturbed.
        if (document.activeElement === field && Number(field.value) === Number(values[k])) return;
        field.value = String(values[k]);
        sliders[k].value = String(values[k] === "" ? control.least : to(Number(values[k])));
      });
    };
    return { short: [...(box ? [box] : []), ...fields], wide: sliders, set };
  }

  /** What the server says; a control that was moved here since then is left alone.
   *  @param {any} values by section and key @param {Record<string, [any, any]>} draft @param {number} turn the last one that the server had heard */
  show(values, draft, turn) {
    // A new connection begins anew.
    if (!turn) this.moved.clear();
    for (const [key, { set }] of this.controls) {
      if ((this.moved.get(key) ?? 0) > turn) continue;
      const [section, name] = key.split(".");
      set(values[section]?.[name], draft[key] ? draft[key][0] : undefined);
    }
  }
}

/** @param {string} name */
function words(name) {
  return name.replaceAll("_", " ");
}

/** @param {any} value */
export function shown(value) {
  return value === null || value === undefined ? "not set" : Array.isArray(value) ? value.join(" – ") : String(value);
}
