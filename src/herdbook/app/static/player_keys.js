// Keys that move through the movie.

import { by } from "./lib/el.js";

/** @param {import("./player.js").Player} player @param {typeof import("./lib/keys.js").bind} bind @param {string} group */
export function bindPlayerKeys(player, bind, group) {
  /** @param {string} codes @param {string} shown @param {string} meaning @param {() => void} act */
  const key = (codes, shown, meaning, act) => bind(group, codes, shown, meaning, act, () => Boolean(player.movie));
  key("Space", "Space", "play, pause", () => (player.playing ? player.stop() : player.play()));
  key("ArrowLeft KeyA", "← A", "one frame back", () => player.step(-1));
  key("ArrowRight KeyD", "→ D", "one frame on", () => player.step(1));
  key("Shift+ArrowLeft", "Shift+←", "ten frames back", () => player.step(-10));
  key("Shift+ArrowRight", "Shift+→", "ten frames on", () => player.step(10));
  key("Ctrl+ArrowLeft", "Ctrl+←", "one second back", () => player.step(-player.movie.fps));
  key("Ctrl+ArrowRight", "Ctrl+→", "one second on", () => player.step(player.movie.fps));
  key("PageUp", "Page up", "a hundred frames back", () => player.step(-100));
  key("PageDown", "Page down", "a hundred frames on", () => player.step(100));
  key("Home", "Home", "first frame", () => player.go(0));
  key("End", "End", "last frame", () => player.go(Infinity));
  key("KeyG", "G", "go to a frame", () => by("number").select());
}
