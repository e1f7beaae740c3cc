// The keys with which one labels.

/** @param {import("./label.js").Label} label @param {typeof import("../lib/keys.js").bind} bind */
export function bindLabelKeys(label, bind) {
  label.here.bindKeys(bind);
  label.together.bindKeys(bind);
  label.montage.bindKeys(bind);
  const on = () => label.on && label.screen.overlay.hidden && Boolean(label.point);
  const typing = () => on() && Boolean(label.chips.typed);
  const G = "Label";
  const letters = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"];
  // While a name is being typed, every letter belongs to it.
  bind(G, letters.map((one) => `Key${one}`).join(" "), "letters", "type a name; Enter ends it early (Shift+letter: a name that begins with the letter of another key)", (event) => label.chips.letter(event.code.slice(3)), typing);
  bind(G, letters.map((one) => `Shift+Key${one}`).join(" "), "letters", "", (event) => label.chips.letter(event.code.slice(3)), on);
  bind(G, "Escape", "Esc", "no name is being typed any more", () => label.chips.clear(), typing);
  bind(G, "Enter NumpadEnter", "Enter", "the most likely name", () => label.accept(), on);
  const digits = Array.from({ length: 9 }, (_, k) => `Digit${k + 1} Numpad${k + 1}`).join(" ");
  bind(G, digits, "1 to 9", "the name with this number", (event) => label.chips.digit(Number(event.code.slice(-1))), on);
  bind(G, "Digit0 Numpad0", "1 to 9", "", () => label.chips.typed && label.chips.letter("0"), typing);
  bind(G, "KeyU", "U", "unreadable", () => label.answer({ what: "unreadable" }), on);
  bind(G, "KeyX", "X", "no animal", () => label.answer({ what: "nothing" }), on);
  bind(G, "KeyM", "M", "several animals", () => label.answer({ what: "several" }), on);
  bind(G, "KeyS", "S", "skip", () => label.skip(), on);
  bind(G, "KeyZ Ctrl+KeyZ", "Z", "undo the last answer", () => label.undo(), () => label.on && label.screen.overlay.hidden);
  bind(G, "KeyE", "E", "everybody in this frame, with the names of now", () => label.together.open(), on);
  bind(G, "KeyL", "L", "learn now", () => label.learning.learn(), () => label.on && label.screen.overlay.hidden);
  bind(G, "KeyV", "V", "montage of a name, odd ones first", () => label.montage.open(), () => label.on && label.screen.overlay.hidden);
  bind(G, "ArrowRight", "→ ←", "other images of this tracklet", () => label.turn(1), on);
  bind(G, "ArrowLeft", "→ ←", "", () => label.turn(-1), on);
  bind(G, letters.map((one) => `Key${one}`).join(" "), "letters", "", (event) => label.chips.letter(event.code.slice(3)), on);
  bind(G, "Space", "Space", "stop the loop, or let it go on", () => label.screen.loop.pause(), on);
}
