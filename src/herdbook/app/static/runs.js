// The panel of runs: start, stop, and a bar for each stage and movie; the log of a job is behind a click.

import { alarm, by, el, speak } from "./lib/el.js";
import { get, post } from "./lib/socket.js";

const WORDS = { waiting: "waits", running: "runs", done: "done", failed: "failed" };
const TARGETS = { everything: "everything", names: "names only: who is who", before_labels: "what labels need" };

/** @param {number} seconds */
function span(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  return whole < 3600 ? `${Math.floor(whole / 60)} min ${whole % 60} s` : `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** How far a job is, 0 to 1. @param {any} job */
function part(job) {
  if (job.state === "done") return 1;
  return job.total ? job.done / job.total : 0;
}

/** @param {any} job */
function words(job) {
  if (job.state !== "running" || !job.total) return /** @type {Record<string, string>} */ (WORDS)[job.state];
  return `${job.done} of ${job.total} ${job.pace_unit}, ${job.per_s} per s, ${span(job.left_s)} left`;
}

export class Runs {
  /** @param {HTMLElement} place @param {() => Promise<boolean>} save what is not saved; whether it was @param {() => number} drafted how many values are not saved */
  constructor(place, save, drafted) {
    this.save = save;
    this.drafted = drafted;
    /** @type {any} */ this.state = null;
    /** @type {any} */ this.plan = null;
    this.busy = false;
    this.names = "";
    /** @type {Map<string, any>} */ this.stages = new Map();
    this.target = el("select", { id: "run-target" }, ...Object.entries(TARGETS).map(([value, text]) => el("option", { value }, text)));
    this.cores = el("input", { id: "run-cores", type: "number", min: "1", step: "1" });
    this.profile = el("select", { id: "run-profile" });
    this.withProfile = el("label", { className: "inline", hidden: true }, "profile ", this.profile);
    this.startButton = el("button", { id: "run-start", className: "main", on: { click: () => this.start() } }, "Run");
    this.stopButton = el("button", { id: "run-stop", on: { click: () => this.act("stop") } }, "Stop");
    this.unlockButton = el("button", { id: "run-unlock", hidden: true, on: { click: () => this.unlock() } }, "Unlock the results");
    this.told = el("p", { id: "run-told", role: "status", "aria-live": "polite" });
    this.message = el("pre", { className: "log", hidden: true, tabIndex: 0, "aria-label": "end of the output" });
    this.would = el("p", { id: "run-would", className: "hint" });
    this.list = el("div", { id: "run-stages" });
    place.replaceChildren(
      el("section", { className: "card", "aria-label": "Run" },
        el("div", { className: "tools" }, el("label", { className: "inline" }, "make ", this.target), el("label", { className: "inline" }, "cores ", this.cores), this.withProfile),
        el("div", { className: "tools" }, this.startButton, this.stopButton, this.unlockButton, el("button", { id: "run-log", on: { click: () => this.log("run", "the whole run") } }, "Output")),
        this.told, this.message, this.would),
      this.list,
    );
  }

  /** @param {any} state what the server says of the run */
  take(state) {
    const before = this.state;
    this.state = state;
    if (!before) this.cores.value = String(state.cores || state.computer_cores);
    if (!before && state.target) this.target.value = state.target;
    const profiles = state.profiles.join("\n");
    if (profiles !== before?.profiles.join("\n")) {
      this.profile.replaceChildren(el("option", { value: "" }, "this computer"), ...state.profiles.map((/** @type {string} */ name) => el("option", { value: name }, name)));
      this.withProfile.hidden = !state.profiles.length;
    }
    this.show();
    document.documentElement.dataset.run = state.running ? "running" : state.ok ? "ok" : state.stopped ? "stopped" : state.ok === false ? "failed" : "none";
  }

  /** @param {any} plan which jobs would run */
  takePlan(plan) {
    this.plan = plan;
    const place = by("planned");
    const count = this.jobs();
    place.hidden = false;
    place.textContent = plan.fault ? "cannot run" : count ? `${count} job${count === 1 ? "" : "s"} would run` : "nothing to run";
    place.title = plan.fault || Object.entries(plan.jobs).map(([stage, number]) => `${stage}: ${number}`).join("\n");
    document.documentElement.dataset.planned = Object.entries(plan.jobs).map(([stage, number]) => `${stage}:${number}`).join(" ");
    this.show();
  }

  jobs() {
    return /** @type {number[]} */ (Object.values(this.plan?.jobs || {})).reduce((sum, number) => sum + number, 0);
  }

  show() {
    const state = this.state;
    if (!state) return;
    const drafted = this.drafted();
    const begun = state.stages.some((/** @type {any} */ job) => job.state === "done");
    const rest = state.stages.some((/** @type {any} */ job) => job.state !== "done");
    this.startButton.textContent = `${drafted ? "Save and " : ""}${begun && rest && !state.running ? "go on" : "run"}`.replace(/^./, (letter) => letter.toUpperCase());
    this.startButton.disabled = state.running || this.busy;
    this.stopButton.disabled = !state.running;
    this.unlockButton.hidden = !state.locked;
    const [done, all] = state.steps;
    const at = (/** @type {number} */ time) => new Date(time * 1000).toLocaleString();
    const told = state.running
      ? `${state.stopped ? "Stops" : "Runs"}${state.host_elsewhere || ""}: ${done} of ${all} steps, began ${at(state.began)}.`
      : state.began === null || state.began === undefined ? "Not run from here yet."
        : state.ok ? `Done ${at(state.ended)}.` : state.stopped ? "Stopped. Going on later loses nothing that is done." : state.ok === false ? "It failed; what is below says where." : "It ended without a word: the computer or the process was ended.";
    if (this.told.textContent !== told) this.told.textContent = told;
    this.message.hidden = state.running || !state.message || state.stopped;
    this.message.textContent = state.message;
    this.would.textContent = state.running || !this.plan ? "" : this.plan.fault || (this.jobs() ? `Would run: ${Object.entries(this.plan.jobs).map(([stage, number]) => `${stage} ${number}`).join(", ")}.` : "All results are up to date.");
    this.showStages(state.stages);
  }

  /** One part for each stage, with a row for each movie, kept where they are so that focus stays. @param {any[]} jobs */
  showStages(jobs) {
    const groups = new Map();
    for (const job of jobs) groups.set(job.stage, [...(groups.get(job.stage) || []), job]);
    const names = [...groups.keys()].join();
    if (names !== this.names) {
      this.names = names;
      this.stages.clear();
      for (const stage of groups.keys()) {
        const count = el("span", { className: "note" });
        const meter = meterOf();
        const rows = el("div", {});
        const details = el("details", { className: "stage-jobs", on: { toggle: () => this.state && this.showStages(this.state.stages) } }, el("summary", {}, `${stage} `, count, meter), rows);
        this.stages.set(stage, { count, meter, rows, details, state: "", buttons: new Map() });
      }
      this.list.replaceChildren(...[...this.stages.values()].map((stage) => stage.details));
    }
    for (const [stage, group] of groups) this.showStage(stage, group, this.stages.get(stage));
  }

  /** @param {string} stage @param {any[]} jobs @param {any} shown */
  showStage(stage, jobs, shown) {
    const many = (/** @type {string} */ state) => jobs.filter((job) => job.state === state).length;
    const state = many("failed") ? "failed" : many("running") ? "running" : many("done") === jobs.length ? "done" : "waiting";
    shown.count.textContent = `${many("done")} of ${jobs.length} done${many("running") ? `, ${many("running")} running` : ""}${many("failed") ? `, ${many("failed")} failed` : ""}`;
    setMeter(shown.meter, jobs.reduce((sum, job) => sum + part(job), 0) / jobs.length, state);
    // What runs or failed opens by itself, and closes when it is done; in between it is as the person left it.
    if (state !== shown.state) shown.details.open = state === "running" || state === "failed";
    shown.state = state;
    // Rows that nobody sees are left alone: there may be thousands.
    if (!shown.details.open) return;
    for (const job of jobs) {
      let row = shown.buttons.get(job.unit);
      if (!row) {
        const [text, meter] = [el("span", { className: "note" }), meterOf()];
        const name = job.unit || "all movies";
        row = { text, meter };
        row.button = el("button", { className: "job", data: { job: job.unit ? `${stage}/${job.unit}` : stage }, on: { click: () => this.log(job.unit ? `${stage}/${job.unit}` : stage, `${stage}, ${name}`) } }, el("span", {}, name), text, meter);
        shown.buttons.set(job.unit, row);
        shown.rows.append(row.button);
      }
      row.button.dataset.state = job.state;
      row.text.textContent = words(job);
      row.button.title = job.message || "show its log";
      setMeter(row.meter, part(job), job.state);
    }
  }

  async start() {
    this.busy = true;
    this.show();
    try {
      if (this.drafted() && !(await this.save())) return;
      await post("/api/run/start", { target: this.target.value, cores: Number(this.cores.value) || null, profile: this.profile.value });
      speak("the run has begun");
    } catch (error) {
      alarm(/** @type {Error} */ (error).message);
    } finally {
      this.busy = false;
      this.show();
    }
  }

  /** @param {string} action */
  async act(action) {
    try {
      await post(`/api/run/${action}`, {});
      speak(action === "stop" ? "the run is being stopped" : action);
    } catch (error) {
      alarm(/** @type {Error} */ (error).message);
    }
  }

  unlock() {
    const dialog = by("dialog");
    dialog.setAttribute("aria-label", "Unlock the results");
    dialog.replaceChildren(
      el("h2", {}, "Unlock the results"),
      el("p", {}, "A run has locked the results and does not run on this computer any more. Is it certain that it runs on no other computer either? Two runs at once spoil the results."),
      el("div", { className: "bar" }, el("button", { className: "main", on: { click: () => { dialog.close(); this.act("unlock"); } } }, "None runs: unlock"), el("button", { on: { click: () => dialog.close() } }, "Leave locked")),
    );
    dialog.showModal();
  }

  /** Show a log, and follow it as long as it is open. @param {string} job @param {string} title */
  async log(job, title) {
    const dialog = by("dialog");
    const text = el("pre", { className: "log", id: "log-text", tabIndex: 0, "aria-label": `log of ${title}` });
    dialog.setAttribute("aria-label", `Log: ${title}`);
    dialog.replaceChildren(el("div", { className: "bar" }, el("h2", {}, `Log: ${title}`), el("span", { className: "space" }), el("button", { on: { click: () => dialog.close() } }, "Close")), text);
    dialog.showModal();
    while (dialog.open && text.isConnected) {
      try {
        const found = (await get(`/api/run/log?job=${encodeURIComponent(job)}`)).text || "Nothing is written there yet.";
        if (found !== text.textContent) {
          const end = text.scrollHeight - text.scrollTop - text.clientHeight < 40;
          text.textContent = found;
          if (end) text.scrollTop = text.scrollHeight;
        }
      } catch (error) {
        text.textContent = /** @type {Error} */ (error).message;
      }
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}

function meterOf() {
  return el("span", { className: "meter", "aria-hidden": "true" }, el("span", {}));
}

/** @param {any} meter @param {number} share @param {string} state */
function setMeter(meter, share, state) {
  meter.dataset.state = state;
  meter.firstChild.style.width = `${(100 * (state === "failed" ? 1 : share)).toFixed(1)}%`;
}
