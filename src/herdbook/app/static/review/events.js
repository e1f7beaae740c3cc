// Events that a person notes while watching: one key begins one, the same key ends it. Each is a row of a table on the disk at once.

import { alarm, el, speak } from "../lib/el.js";
import { get, post } from "../lib/socket.js";

const GROUP = "Events, while watching";
const MOST_KINDS = 9;

export class Events {
  /** @param {import("../view.js").View} view @param {import("../player.js").Player} player @param {import("../watch.js").Watch} watch @param {HTMLElement} place of the tab Watch
   *  @param {() => boolean} other whether another screen uses what is watched */
  constructor(view, player, watch, place, other) {
    this.player = player;
    this.watch = watch;
    this.other = other;
    /** @type {any[]} */ this.events = [];
    /** Rows of events that go on. @type {any[]} */ this.going = [];
    /** @type {string[]} */ this.kinds = [];
    this.asked = "";
    this.kindField = el("input", { type: "text", id: "event-kind", placeholder: "what happens, such as feeding", on: { keydown: (/** @type {KeyboardEvent} */ event) => { if (event.key === "Enter") this.addKind(); } } });
    this.who = el("input", { type: "text", id: "event-who", placeholder: "names, with ; between" });
    this.note = el("input", { type: "text", id: "event-note", placeholder: "a note" });
    this.kindList = el("div", { className: "tools", id: "event-kinds" });
    this.rows = el("tbody", {});
    this.told = el("p", { className: "hint", id: "events-told", role: "status", "aria-live": "polite" });
    place.append(el("section", { className: "card", "aria-labelledby": "events-title" },
      el("h2", { id: "events-title" }, "Events"),
      el("div", { className: "tools" }, el("label", { className: "inline" }, "new kind ", this.kindField), el("button", { id: "event-add", on: { click: () => this.addKind() } }, "Add")),
      this.kindList,
      el("div", { className: "tools" }, el("label", { className: "inline" }, "animals ", this.who, el("kbd", {}, "I"))),
      el("div", { className: "tools" }, el("label", { className: "inline" }, "note ", this.note)),
      this.told,
      el("div", { className: "scrolled", tabIndex: 0, role: "region", "aria-label": "noted events" }, el("table", { id: "event-table" }, el("thead", {}, el("tr", {}, ...["frames", "event", "animals", "note"].map((text) => el("th", { scope: "col" }, text)), el("td", {}))), this.rows))));
    player.watchers.add(() => this.keep());
  }

  get on() {
    return this.watch.on && !this.other() && Boolean(this.player.movie);
  }

  /** @param {typeof import("../lib/keys.js").bind} bind */
  bindKeys(bind) {
    const on = () => this.on;
    bind(GROUP, Array.from({ length: MOST_KINDS }, (_, k) => `Shift+Digit${k + 1}`).join(" "), "Shift+1 – 9", "the event of this kind begins, or ends", (event) => this.toggle(Number(event.code.slice(-1)) - 1), on);
    bind(GROUP, "KeyE", "E", "the event of the kind that was used last begins, or ends", () => this.toggle(this.last), on);
    bind(GROUP, "KeyI", "I", "add the animal that is followed to the animals of events, or take it out", () => this.followed(), on);
    bind(GROUP, "KeyO", "O", "write a kind of event", () => this.kindField.focus(), on);
    bind(GROUP, "Shift+KeyE", "Shift+E", "undo the last change of events", () => this.undo(), on);
  }

  last = 0;

  /** Ask for the events of an experiment as soon as they are needed. */
  keep() {
    if (this.on && this.asked !== this.player.movie.name) this.ask();
  }

  async ask() {
    this.asked = this.player.movie.name;
    try {
      this.take((await get("/api/events")).events);
    } catch (error) {
      this.told.textContent = /** @type {Error} */ (error).message;
    }
  }

  /** @param {any[]} events */
  take(events) {
    this.events = events;
    for (const { event } of events) if (!this.kinds.includes(event)) this.kinds.push(event);
    this.going = this.going.filter((one) => events.some((other) => same(one, other)));
    this.show();
  }

  show() {
    this.kindList.replaceChildren(...this.kinds.map((kind, k) => el("button", { data: { kind }, "aria-pressed": String(this.going.some((one) => one.event === kind && one.movie === this.player.movie?.name)), on: { click: () => this.toggle(k) } }, kind, " ", k < MOST_KINDS ? el("kbd", {}, `Shift+${k + 1}`) : "")));
    const mine = this.events.filter((one) => one.movie === this.player.movie?.name).sort((a, b) => Number(a.first) - Number(b.first));
    this.rows.replaceChildren(...mine.map((one) => el("tr", {},
      el("td", {}, el("button", { className: "doubt", on: { click: () => this.player.go(Number(one.first)) } }, one.first === one.last ? one.first : `${one.first} – ${one.last}`)),
      el("td", {}, one.event), el("td", {}, one.individuals), el("td", {}, one.note),
      el("td", {}, el("button", { "aria-label": `delete ${one.event} in frame ${one.first}`, on: { click: () => this.act("remove", { event: one }) } }, "Delete")))));
    document.documentElement.dataset.events = String(this.events.length);
    document.documentElement.dataset.going = this.going.map((one) => one.event).join();
  }

  addKind() {
    const kind = this.kindField.value.trim();
    if (!kind) return;
    if (!this.kinds.includes(kind)) this.kinds.push(kind);
    this.last = this.kinds.indexOf(kind);
    this.kindField.value = "";
    this.kindField.blur();
    this.show();
  }

  followed() {
    const name = this.watch.summary?.names[this.watch.followed];
    if (!name) {
      this.told.textContent = "Follow an animal first (K, J, or a click on its name below).";
      return;
    }
    const names = this.chosen();
    this.who.value = (names.includes(name) ? names.filter((/** @type {string} */ one) => one !== name) : [...names, name]).join("; ");
    speak(this.who.value || "no animals");
  }

  chosen() {
    return this.who.value.split(";").map((/** @type {string} */ name) => name.trim()).filter(Boolean);
  }

  /** @param {number} k */
  async toggle(k) {
    const kind = this.kinds[k];
    if (!kind) {
      this.told.textContent = "Write a kind of event first (O).";
      return;
    }
    this.last = k;
    const movie = this.player.movie.name;
    const frame = Math.max(0, this.player.frame);
    const open = this.going.find((one) => one.event === kind && one.movie === movie);
    if (!open) {
      const event = { movie, first: frame, last: frame, individuals: this.chosen(), event: kind, note: this.note.value };
      const done = await this.act("note", { event });
      if (done) {
        this.going.push(done.row);
        this.told.textContent = `${kind} begins in frame ${frame}; the same key ends it.`;
      }
    } else {
      const [first, last] = [Math.min(frame, Number(open.first)), Math.max(frame, Number(open.first))];
      // Animals and note may have been written meanwhile.
      const event = { movie, first, last, individuals: this.chosen().length ? this.chosen() : open.individuals.split(";").filter(Boolean), event: kind, note: this.note.value || open.note };
      if (await this.act("change", { old: open, event })) {
        this.going = this.going.filter((one) => one !== open);
        this.note.value = "";
        this.told.textContent = `${kind}: frames ${first} to ${last}.`;
      }
    }
    this.show();
  }

  undo() {
    this.act("undo", {});
  }

  /** @param {string} action @param {any} content */
  async act(action, content) {
    try {
      const done = await post(`/api/events/${action}`, content);
      this.take(done.events);
      return done;
    } catch (error) {
      alarm(/** @type {Error} */ (error).message);
      return null;
    }
  }
}

/** @param {any} one @param {any} other */
function same(one, other) {
  return ["movie", "first", "last", "individuals", "event", "note"].every((name) => String(one[name] ?? "") === String(other[name] ?? ""));
}
