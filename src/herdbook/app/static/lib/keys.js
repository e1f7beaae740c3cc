// The keyboard: one table of keys that is also the one which `?` shows. Physical keys, so that any layout of the keyboard works.

import { by, el } from "./el.js";

/** @typedef {{keys: string[], shown: string, does: string, act: (event: KeyboardEvent) => void, when?: () => boolean, group: string}} Key */

/** @type {Key[]} */
const table = [];

/**
 * @param {string} group @param {string} keys codes with modifiers, such as "Ctrl+KeyS Shift+ArrowLeft", separated by blanks
 * @param {string} shown @param {string} does @param {(event: KeyboardEvent) => void} act @param {() => boolean} [when]
 */
export function bind(group, keys, shown, does, act, when) {
  table.push({ group, keys: keys.split(" "), shown, does, act, when });
}

/** @param {KeyboardEvent} event */
function name(event) {
  const ctrl = event.ctrlKey || event.metaKey ? "Ctrl+" : "";
  return `${ctrl}${event.altKey ? "Alt+" : ""}${event.shiftKey ? "Shift+" : ""}${event.code}`;
}

/** @param {EventTarget | null} target */
function typing(target) {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return ["text", "number", "search"].includes(target.type);
  return target.isContentEditable || target instanceof HTMLTextAreaElement;
}

/** Keys with which controls are used themselves. @param {EventTarget | null} target @param {string} code */
function own(target, code) {
  if (target instanceof HTMLSelectElement) return !code.startsWith("Ctrl");
  if (target instanceof HTMLInputElement && target.type === "range") return /Arrow|Page|Home|End/.test(code);
  if (target instanceof HTMLInputElement && target.type === "radio") return /Arrow|Space/.test(code);
  if (target instanceof HTMLButtonElement || (target instanceof HTMLInputElement && target.type === "checkbox")) {
    return code === "Space" || code === "Enter" || (target.getAttribute("role") === "tab" && /Arrow/.test(code));
  }
  return target instanceof HTMLElement && target.tagName === "SUMMARY" && /Space|Enter/.test(code);
}

document.addEventListener("keydown", (event) => {
  if (document.querySelector("dialog[open]")) return;
  const pressed = event.key === "?" ? "Question" : name(event);
  const ctrl = pressed.startsWith("Ctrl+") || pressed.startsWith("Alt+");
  if (typing(event.target) && !(ctrl && !/Key[ZYACVX]$/.test(pressed)) && pressed !== "Escape") return;
  if (own(event.target, pressed)) return;
  const found = table.find((key) => key.keys.includes(pressed) && (!key.when || key.when()));
  if (!found) return;
  event.preventDefault();
  found.act(event);
});

export function showKeys() {
  const lines = table.filter((key, k) => table.findIndex((other) => other.shown === key.shown && other.group === key.group) === k);
  const groups = [...new Set(lines.map((key) => key.group))].sort((a, b) => Number(b === "Everywhere") - Number(a === "Everywhere"));
  const dialog = by("keys");
  dialog.replaceChildren(
    el("div", { className: "bar" }, el("h2", { id: "keys-title" }, "Keys"), el("span", { className: "space" }), el("button", { on: { click: () => dialog.close() } }, "Close")),
    el("div", { className: "columns" }, ...groups.map((group) =>
      el(
        "section",
        {},
        el("h3", {}, group),
        el("table", {}, el("tbody", {}, ...lines.filter((key) => key.group === group).map((key) => el("tr", {}, el("td", {}, el("kbd", {}, key.shown)), el("td", {}, key.does))))),
      ),
    )),
  );
  dialog.showModal();
  dialog.scrollTop = 0;
}

/** What was pressed by the mouse gives the keys back: Enter is an answer, and does not press it again. */
export function leaveToKeys() {
  const held = document.activeElement;
  if (held instanceof HTMLElement && held.matches("button, select, summary, input[type=checkbox]") && !held.matches(":focus-visible")) held.blur();
}
