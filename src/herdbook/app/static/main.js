// The page: puts its parts together. The server says what the experiment is; what is moved here is tried out there at once.

import { bindArenaKeys } from "./arena_keys.js";
import { ArenaEditor } from "./arenas.js";
import { CountPlot } from "./counts.js";
import { bindDishKeys, FoundDishes } from "./found_dishes.js";
import { say, showFrameNotes } from "./frame_notes.js";
import { Helpers } from "./find/helpers.js";
import { Histogram } from "./histogram.js";
import { Hover } from "./hover.js";
import { Label } from "./label/label.js";
import { bind, showKeys } from "./lib/keys.js";
import { alarm, by, el, speak } from "./lib/el.js";
import { get, Line, post } from "./lib/socket.js";
import { showConflict } from "./conflict.js";
import { Looks } from "./looks.js";
import { Panel, shown } from "./panel.js";
import { Player } from "./player.js";
import { bindPlayerKeys } from "./player_keys.js";
import { Events } from "./review/events.js";
import { Review } from "./review/review.js";
import { Runs } from "./runs.js";
import { Strip } from "./strip.js";
import { Tabs } from "./tabs.js";
import { bindTheme } from "./theme.js";
import { View } from "./view.js";
import { Watch } from "./watch.js";
import { welcome } from "./welcome.js";

/** @type {any} */ let state = { open: false };
// The state of the file that the person has seen: while others have changed what is changed here, it is the one of before.
let seen = "";
let tried = -Infinity; // when something was tried out here last
// What others change comes with the state; what is tried out here is seen before that.
const OWN_MS = 1500;
let looking = 0;
const view = new View();
const line = new Line(hear, (there) => {
  if (!there) alarm("The server does not answer. Is `herdbook app` still running?");
  else if (player.movie) player.again();
});
const player = new Player(line, view);
const panel = new Panel(by("controls"), tryOut);
const histogram = new Histogram((area, rest) => tryOut({ "segment.area": area }, rest));
const strip = new Strip(player, (intervals, rest) => tryOut(intervalChange(intervals), rest));
const plot = new CountPlot((frame) => player.go(frame));
const arenas = new ArenaEditor(view, by("arenas"), (list, rest) => tryOut(arenaChange(list), rest));
const dishes = new FoundDishes(arenas, player);
const watch = new Watch(view, player, by("watch"));
const looks = new Looks(view, player, watch, strip);
const label = new Label(by("label"), by("label-stage"), player, watch, (name) => tabs.show(name));
label.bindKeys(bind);
const review = new Review(view, player, watch, by("review"), showMovie, () => tabs.show("review"));
const events = new Events(view, player, watch, by("watch"), () => review.on);
review.bindKeys(bind);
events.bindKeys(bind);
// Before those of finding animals, some of which are the same.
watch.bindKeys(bind);
const helpers = new Helpers(view, player, tryOut, short, () => tabs.show("find"));
const tabs = new Tabs({
  find: ["find animals", (shown) => shown || helpers.leave()],
  arenas: ["arenas", (shown) => arenas.activate(shown)],
  run: ["run", () => {}],
  watch: ["watch", (shown) => {
    watch.activate(shown);
    events.keep();
  }],
  label: ["label", (shown) => label.activate(shown)],
  review: ["review", (shown) => {
    if (shown) watch.activate(review.watches);
    review.activate(shown);
  }],
});

const hover = new Hover(view, () => !arenas.busy);
const runs = new Runs(by("run"), async () => Boolean(await edit("save")), () => Object.keys(state.draft || {}).length);

/** Use other values at once. @param {Record<string, any>} changes @param {boolean} rest whether the control rests now */
function tryOut(changes, rest) {
  tried = performance.now();
  player.again(changes);
  if ("segment.area" in changes && changes["segment.area"]) histogram.set(changes["segment.area"]);
  if (rest) line.say({ type: "settle" });
  return player.turn;
}

/** Intervals are those of the movie that is shown, if there are several. @param {number[][]} intervals */
function intervalChange(intervals) {
  const key = state.movies.length > 1 ? `movies.${player.movie.name}.override.segment.intervals` : "segment.intervals";
  return { [key]: intervals.length ? intervals : null };
}

/** Where every arena has its number of animals, their sum is that of all. @param {any[]} list */
function arenaChange(list) {
  const counted = list.length > 0 && list.every((one) => one.number) && Number.isInteger(state.values.animals.number);
  const sum = counted ? { "animals.number": list.reduce((all, one) => all + one.number, 0) } : {};
  return { arenas: list.length ? list : null, ...sum };
}

/** @param {import("./lib/socket.js").Message} message */
function hear(message) {
  const { head, parts } = message;
  if (head.type === "frame") player.take(message);
  else if (head.type === "state") takeState(head);
  else if (head.type === "samples" && head.movie === player.movie?.name) takeSamples(head, parts);
  else if (head.type === "scene" && head.movie === player.movie?.name) player.again({}, player.mode !== "image");
  else if (head.type === "tuning") helpers.tune.hear(head.text);
  else if (head.type === "run") takeRun(head);
  else if (head.type === "labels") label.hear(head);
  else if (head.type === "review") review.hear(head);
  else if (head.type === "noted") events.take(head.events);
  else if (head.type === "planned") runs.takePlan(head);
  else if (head.type === "changed") speak(`the experiment file was changed by ${head.by === "app" ? "another tab" : "an editor"}`);
  else if (head.type === "fault") alarm(head.text);
}

/** @param {any} head how a run stands */
function takeRun(head) {
  runs.take(head);
  label.learning.take(head);
}

/** @param {any} head @param {ArrayBuffer[]} parts */
function takeSamples(head, parts) {
  strip.counts = head;
  strip.paint();
  histogram.show(new Int32Array(parts[0]), new Int8Array(parts[1]));
  plot.show(head);
  helpers.resting.soon();
  document.documentElement.dataset.samples = `${head.frame.length}:${head.kept.join(",")}`;
}

/** @param {any} found */
async function takeState(found) {
  const file = state.file;
  const other = JSON.stringify([found.values, found.arenas]) !== JSON.stringify([state.values, state.arenas]);
  state = found;
  by("workspace").hidden = !found.open;
  by("welcome").hidden = found.open;
  if (!found.open) {
    await welcome();
    return;
  }
  const disputed = Object.keys(found.conflict);
  if (!disputed.length) seen = found.revision;
  else if (file === found.file) alarm(`${disputed.join(", ")}: the file was changed elsewhere, and this is changed here, too. Save shows both values.`);
  document.documentElement.dataset.disputed = disputed.join();
  by("file").textContent = found.file.split("/").pop();
  by("file").title = found.file;
  document.title = `${found.experiment} – Herdbook`;
  panel.show(found.values, found.draft, found.turn);
  histogram.set(found.values.segment.area);
  arenas.show(found.arenas, found.values.animals.identities || []);
  helpers.show(found);
  const drafted = Object.entries(found.draft);
  by("draft").textContent = drafted.length ? `${drafted.length} not saved` : "";
  by("draft").title = drafted.map(([key, [old, now]]) => `${key}: ${short(old)} → ${short(now)}`).join("\n");
  by("save").disabled = !drafted.length;
  [by("undo").disabled, by("redo").disabled] = [!found.steps[0], !found.steps[1]];
  const names = found.movies.map((/** @type {any} */ movie) => movie.name);
  const select = by("movie");
  if (file !== found.file || select.options.length !== names.length) {
    select.replaceChildren(...names.map((/** @type {string} */ name) => el("option", { value: name }, name)));
  }
  const current = found.movies.find((/** @type {any} */ movie) => movie.name === player.movie?.name);
  strip.intervals = (current || found.movies[0]).intervals;
  runs.show();
  if (file !== found.file) label.forget();
  if (file !== found.file || !current) await showMovie(names[0]);
  else if (other) {
    clearTimeout(looking);
    looking = setTimeout(() => player.again(), Math.max(0, OWN_MS - (performance.now() - tried)));
  }
  document.documentElement.dataset.draft = String(drafted.length);
}

/** @param {any} value */
function short(value) {
  const text = typeof value === "object" && value !== null && !Array.isArray(value) ? JSON.stringify(value) : shown(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/** @param {string} name */
async function showMovie(name) {
  try {
    say("The movie is being read…");
    const movie = await get(`/api/movie?name=${encodeURIComponent(name)}`);
    by("movie").value = name;
    by("number").max = String(movie.frames - 1);
    strip.intervals = movie.intervals;
    strip.counts = null;
    helpers.leave();
    arenas.size(movie.width, movie.height);
    player.show(movie);
    watch.forget();
    review.forget();
    for (const note of movie.notes) speak(note);
  } catch (error) {
    say("");
    alarm(/** @type {Error} */ (error).message);
  }
}

player.watchers.add((head) => {
  showFrameNotes(head, state.number, watch);
  arenas.takeFaults(head.faults || []);
  hover.blobs = head;
});

/** Returns whether it was done. @param {string} action */
async function edit(action) {
  try {
    arenas.told = -Infinity;
    const done = await post(`/api/edit/${action}`, { revision: seen });
    if (done.conflict) showConflict(done, short, (revision) => { seen = revision; edit("save"); }, () => edit("discard"));
    else {
      alarm("");
      speak(action === "save" ? "saved" : action);
      if (action === "save") document.documentElement.dataset.saved = done.revision;
    }
    player.again();
    return !done.conflict;
  } catch (error) {
    alarm(/** @type {Error} */ (error).message);
    return false;
  }
}

function wire() {
  const G = "Everywhere";
  const open = () => Boolean(player.movie);
  // Before the others: while a shape is drawn, arrows and the space bar belong to it.
  bindArenaKeys(arenas, bind, () => tabs.show("arenas"));
  bindDishKeys(dishes, bind, () => tabs.show("arenas"));
  bindPlayerKeys(player, bind, G);
  looks.bindKeys(bind, G);
  bind(G, "Ctrl+KeyS", "Ctrl+S", "save", () => edit("save"));
  bind(G, "Ctrl+KeyZ", "Ctrl+Z", "undo", () => edit("undo"));
  bind(G, "Ctrl+KeyY Ctrl+Shift+KeyZ", "Ctrl+Y", "redo", () => edit("redo"));
  bind(G, "Ctrl+KeyO", "Ctrl+O", "open another experiment", () => openOther());
  bind(G, "Alt+ArrowLeft", "Alt+←", "previous movie", () => otherMovie(-1), open);
  bind(G, "Alt+ArrowRight", "Alt+→", "next movie", () => otherMovie(1), open);
  bind(G, "Question", "?", "this table", showKeys);
  tabs.bindKeys(bind, G);
  looks.bindFindingKeys(bind);
  const on = (/** @type {string} */ id, /** @type {string} */ kind, /** @type {(event: any) => void} */ act) => by(id).addEventListener(kind, act);
  on("play", "click", () => (player.playing ? player.stop() : player.play()));
  // A number that is being typed is not replaced by that of the frame which is shown meanwhile.
  on("number", "input", () => (by("number").dataset.typed = "true"));
  on("number", "blur", () => delete by("number").dataset.typed);
  on("number", "change", () => {
    delete by("number").dataset.typed;
    player.go(Number(by("number").value));
  });
  on("movie", "change", () => showMovie(by("movie").value));
  on("help", "click", showKeys);
  on("open", "click", openOther);
  for (const action of ["save", "undo", "redo"]) on(action, "click", () => edit(action));
  on("planned", "click", () => tabs.show("run"));
  on("lanes-in", "click", () => watch.lanes.zoom(0.5));
  on("lanes-out", "click", () => watch.lanes.zoom(2));
  bindTheme(() => {
    view.paint();
    histogram.paint();
    strip.paint();
    watch.lanes.stale = true;
    watch.lanes.paint();
    plot.make();
  });
}

/** @param {number} way */
function otherMovie(way) {
  const names = state.movies.map((/** @type {any} */ movie) => movie.name);
  const next = names[names.indexOf(player.movie.name) + way];
  if (next) showMovie(next);
}

async function openOther() {
  by("workspace").hidden = true;
  by("welcome").hidden = false;
  player.stop();
  await welcome();
}

wire();
get("/api/form").then((form) => {
  panel.build(form.groups);
  if (state.open) panel.show(state.values, state.draft, state.turn);
}, (error) => alarm(error.message));

// For tests, which read the canvas where the view says that a pixel of the movie is.
Object.assign(window, { herdbook: { view, player, watch, review, events } });
