"""How long labelling in the browser takes, and how many labels are needed: a scripted user, who knows the truth and only presses keys.

    python benchmarks/labelling.py --data ../shared/data --work /tmp/labelling

The tracklets that the page suggests are answered by typing the name of the animal that the truth has there. Rounds of learning start by
themselves. It ends when the page says that more labels will not help, or with the greatest number of labels. After each round, names are
compared with the truth: the share of the time in which animals are alone that has a wrong name, or none. Prints tables in Markdown.
"""

import argparse
import os
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.app_page import App
from benchmarks.few_labels import true_places
from benchmarks.measuring import run_chain
from benchmarks.real_movies import RECORDINGS, experiment_file
from herdbook.artifacts.propagate import Identities
from herdbook.artifacts.segment import Blobs
from herdbook.artifacts.tracklets import SINGLE, Tracklets
from herdbook.experiment.file import load_experiment
from herdbook.experiment.model import Experiment

NAME = "ants16"
# Waits beyond this are faults of the page, s.
PATIENCE_S = 3600
WAIT = "arg => { const d = document.documentElement.dataset; return %s; }"


class Truth:
    """Who is in which single tracklet of each movie: the animal that is nearest to it in most of its frames."""

    def __init__(self, experiment: Experiment, table: Path, radius_px: float) -> None:
        truth = pd.read_csv(table, dtype={"identity": str})
        self.names: dict[tuple[str, int], str] = {}
        self.frames: dict[tuple[str, int], dict[str, int]] = {}
        for movie in experiment.movies:
            blobs = Blobs.load(experiment.artifact("segment", movie.name))
            tracklets = Tracklets.load(experiment.artifact("tracklets", movie.name))
            names, place = true_places(truth[truth.movie == movie.name], blobs.frames)
            away = np.hypot(place[blobs.frame, :, 0] - blobs.x[:, None], place[blobs.frame, :, 1] - blobs.y[:, None])
            nearest, near = away.argmin(axis=1), away.min(axis=1) < radius_px
            for tracklet in np.flatnonzero(tracklets.tracklet_kind == SINGLE).tolist():
                mine = nearest[(tracklets.blob_tracklet == tracklet) & near]
                if len(mine):
                    counts = np.bincount(mine, minlength=len(names))
                    self.names[movie.name, tracklet] = names[counts.argmax()]
                    self.frames[movie.name, tracklet] = {names[k]: int(counts[k]) for k in np.flatnonzero(counts).tolist()}

    def error(self, experiment: Experiment) -> tuple[float, float]:
        """Shares of the animals' time alone with a wrong name, and without one."""
        wrong = nameless = frames = 0
        found = {}
        for recording in experiment.recordings:
            identities = Identities.load(experiment.artifact("propagate", recording))
            rows = zip(identities.movie.tolist(), identities.tracklet.tolist(), identities.individual.tolist(), strict=True)
            found |= {(identities.movies[movie], tracklet): identities.individuals[who] for movie, tracklet, who in rows}
        for key, counts in self.frames.items():
            seen = sum(counts.values())
            frames += seen
            if key not in found:
                nameless += seen
            else:
                wrong += seen - counts.get(found[key], 0)
        return wrong / frames, nameless / frames


def label_all(page: Any, truth: Truth, experiment: Experiment, most: int) -> Iterator[dict[str, Any]]:
    """Label, and yield one row after each round: number of labels, how long the round took, errors told and real."""

    def wait(condition: str, arg: Any = None) -> None:
        page.wait_for_function(WAIT % condition, arg=arg, timeout=1000 * PATIENCE_S, polling=20)

    def data(name: str) -> str:
        return str(page.evaluate("name => document.documentElement.dataset[name] ?? ''", name))

    def learns() -> bool:
        return bool(page.locator("#label-learn").is_disabled())

    shown, written, labels, hands = [], [], 0, 0
    while labels < most and data("enough") != "true":
        rounds = int(data("rounds"))
        begun, first = time.perf_counter(), labels
        while labels < most and labels - first < int(data("needed")):
            wait("d.labelling")
            movie, _, tracklet = data("labelling").rpartition("/")
            name = truth.names.get((movie, int(tracklet)))
            before, answered = data("labelling"), int(data("answered") or 0)
            if name is None:
                page.keyboard.press("s")
            else:
                page.keyboard.type(name.lower())
                hands += len(name)
                wait("Number(d.answered) > arg", answered)
                written.append(float(data("writeMs")))
                labels += 1
            wait("d.labelling && d.labelling !== arg", before)
            shown.append(float(data("labelMs")))
        if not learns():
            page.keyboard.press("l")
        labelled_s, learning = time.perf_counter() - begun, time.perf_counter()
        wait("Number(d.rounds) > arg", rounds)
        wrong, nameless = truth.error(experiment)
        yield {
            **{"labels": labels, "answers": labels - first, "keys": hands, "labelling s": f"{labelled_s:.1f}"},
            **{"round s": f"{time.perf_counter() - learning:.0f}", "told": page.locator("#label-told").inner_text()},
            **{"wrong": f"{wrong:.5f}", "nameless": f"{nameless:.5f}"},
        }
    yield {"next shown, median and 95 %, ms": quantiles(shown), "answer written, median and 95 %, ms": quantiles(written)}


def quantiles(values: list[float]) -> str:
    """Median and 95 % of times."""
    return f"{np.median(values):.0f} {np.quantile(values, 0.95):.0f}"


def prepare(data: Path, work: Path) -> Path:
    """The experiment file without labels, and all that labels need."""
    recording = RECORDINGS[NAME]
    file = experiment_file(NAME, data, work)
    raw = yaml.safe_load(file.read_text(encoding="utf-8"))
    raw["animals"]["labels"] = "labels.csv"
    raw["overlay"] = {"write": False}
    file.write_text(yaml.safe_dump(raw, sort_keys=False), encoding="utf-8")
    (work / "labels.csv").write_text("movie,frame,x,y,label\n", encoding="utf-8")
    folder = load_experiment(file).folder
    for name in ("trainset", "train", "classify", "propagate", "app"):
        shutil.rmtree(folder / name, ignore_errors=True)
    run_chain(file, 2, *(f"{NAME}/{stage}/{movie}.h5" for stage in ("tracklets", "background") for movie in recording.movies))
    return file


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True, help="folder of the experiment")
    parser.add_argument("--most", type=int, default=40, help="greatest number of labels")
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    data, work = arguments.data.resolve(), arguments.work.resolve()
    file = prepare(data, work)
    experiment = load_experiment(file)
    truth = Truth(experiment, data / NAME / "truth.csv", RECORDINGS[NAME].radius_px)
    from playwright.sync_api import sync_playwright

    path = os.environ.get("HERDBOOK_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    app = App(file)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
            page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
            page.goto(app.address)
            page.wait_for_function(WAIT % "d.shown !== undefined", arg=None, timeout=1000 * PATIENCE_S)
            page.keyboard.press("Alt+5")
            page.wait_for_function(WAIT % "d.labelling && d.rounds", arg=None, timeout=1000 * PATIENCE_S)
            heads: list[str] = []
            for row in label_all(page, truth, experiment, arguments.most):
                if list(row) != heads:
                    heads = list(row)
                    print("\n| " + " | ".join(heads) + " |\n|" + " --- |" * len(heads), flush=True)
                print("| " + " | ".join(str(value) for value in row.values()) + " |", flush=True)
            browser.close()
    finally:
        app.close()


if __name__ == "__main__":
    main()
