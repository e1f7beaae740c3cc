// The keys with which one reviews.

const GROUP = "Review";

/** @param {import("./review.js").Review} review @param {typeof import("../lib/keys.js").bind} bind */
export function bindReviewKeys(review, bind) {
  review.validate.bindKeys(bind);
  const on = () => review.doubting && !review.pointing.picker.on;
  bind(GROUP, "Enter", "Enter", "right: it is who it is said to be", () => review.answers.right(), on);
  bind(GROUP, "KeyW", "W", "the two are swapped from the shown frame on (Shift+2 – 9: with another one)", () => review.answers.swap(), on);
  bind(GROUP, Array.from({ length: 9 }, (_, k) => `Shift+Digit${k + 1}`).join(" "), "Shift+2 – 9", "swapped with this one from the shown frame on", (event) => review.answers.swap(review.names.choices[Number(event.code.slice(-1)) - 1]?.name), on);
  bind(GROUP, "KeyH", "H", "not here: somebody else", () => review.answers.notHere(), on);
  bind(GROUP, "Shift+KeyH", "Shift+H", "nowhere to be seen as long as the doubt lasts", () => review.answers.absent(), on);
  bind(GROUP, "KeyS KeyN", "S N", "skip", () => review.skip(), on);
  bind(GROUP, "Shift+KeyN", "Shift+N", "the one before", () => review.skip(-1), on);
  bind(GROUP, "KeyZ", "Z", "take the last answer back", () => review.undo(), on);
  bind(GROUP, "KeyM", "M", "move: set where the animal is in the shown frame", () => review.pointing.move(), on);
  bind(GROUP, "Space", "Space", "stop the loop, or go on", () => (review.loop.on ? review.loop.stop() : review.asked?.doubt ? review.loop.again() : review.player.play()), on);
  review.names.bindKeys(bind, GROUP, on);
  bind("Watch", "KeyY", "Y", "name the animal that is followed, from here on", () => review.nameFollowed(), () => review.watch.on && !review.on && review.watch.followed >= 0);
}
