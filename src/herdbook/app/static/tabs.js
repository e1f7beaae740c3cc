// The workspaces of the page, one of which is shown.

import { by } from "./lib/el.js";

/** What is called when a workspace is shown (true) or another one (false). @typedef {(shown: boolean) => void} Activate */

export class Tabs {
  /** @param {Record<string, [string, Activate]>} workspaces by id: their meaning in the table of keys, and what is called */
  constructor(workspaces) {
    this.workspaces = workspaces;
    this.names = Object.keys(workspaces);
    this.names.forEach((name, k) => {
      const button = by(`tab-${name}`);
      button.addEventListener("click", () => this.show(name));
      button.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
        if (!/Arrow(Left|Right)/.test(event.code)) return;
        const other = this.names[(k + (event.code === "ArrowLeft" ? this.names.length - 1 : 1)) % this.names.length];
        this.show(other);
        by(`tab-${other}`).focus();
      });
    });
  }

  /** @param {string} name */
  show(name) {
    for (const other of this.names) {
      by(other).hidden = other !== name;
      by(`tab-${other}`).setAttribute("aria-selected", String(other === name));
      by(`tab-${other}`).tabIndex = other === name ? 0 : -1;
    }
    for (const other of this.names) if (other !== name) this.workspaces[other][1](false);
    this.workspaces[name][1](true);
  }

  /** @param {typeof import("./lib/keys.js").bind} bind @param {string} group */
  bindKeys(bind, group) {
    this.names.forEach((name, k) => bind(group, `Alt+Digit${k + 1}`, `Alt+${k + 1}`, this.workspaces[name][0], () => this.show(name)));
  }
}
