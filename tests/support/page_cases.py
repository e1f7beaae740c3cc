"""Whole report pages of drawn recordings (see `report_cases`), made by the stage itself."""

import json

import pandas as pd

from herdbook.experiment.model import Experiment
from herdbook.identity.doubts import Doubt, write_doubts
from herdbook.stages import report
from herdbook.tables.dictionary import describe_tables, dictionary_table
from herdbook.tables.event_tables import EVENT_COLUMNS, join_names
from tests.support.report_cases import write_recording


def write_page(
    folder, names, frames=30, *, marking="marked", spans=0, nobody=(), off_px=None, filmed=False, movie="m", points=None, **sections
):
    """Write all that the stage report reads of one movie with these animals, run it, and return the path of the page.

    There is a merge of the first two animals, `spans` spans are doubtful, `sections` are those of the experiment file. A truth
    is given if `off_px` is: the first animal lies so far from where it was found. `points` is the file of body points, if any.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = write_recording(folder, names, frames, nobody=nobody, movie=movie, filmed=filmed)
    experiment = experiment_of(names, marking, movie, sections, poses=["m.csv"] if points else [])
    _write_tables(folder, movie, names, frames, spans)
    named = marking != "none"
    words = ["--events", folder / "events.csv", "--table", folder / "trajectories.csv"]
    words += ["--tables", *(folder / name for name in ("events.csv", "tracklets.csv", "data_dictionary.csv"))]
    for kind in (*report.MANY, "movie"):
        words += [f"--{kind}", *files[kind].values()]
    if named:
        words += ["--review", folder / "doubtful.csv", "--card", _write_card(folder, names)]
    words += ["--points", points] if points else []
    if off_px is not None:
        words += ["--truth", _write_truth(folder, names[0], off_px)]
    page = folder / "report" / "report.html"
    report.main([*map(str, words), "--out", str(page), "--settings", experiment.settings("report")])
    _write_shown(folder, json.loads(experiment.settings("report"))["shown"])
    return page


def experiment_of(names, marking, movie, sections, poses=()):
    """The experiment of a page."""
    animals = {"marking": marking, "number": len(names)}
    if marking == "marked":
        animals |= {"identities": list(names), "labels": "labels.csv"}
    raw = {
        "experiment": "drawn",
        "movies": [{"name": movie, "file": "m.mp4", "recording": "day", "poses": list(poses)}],
        "animals": animals,
        **sections,
    }
    return Experiment.model_validate(raw)


def _write_tables(folder, movie, names, frames, spans):
    table = pd.DataFrame(
        [(movie, frame, frame / 10, name, 100.0 * k, 5.0, 0, 0.9, "single") for frame in range(frames) for k, name in enumerate(names)],
        columns=["movie", "frame", "time", "individual", "x", "y", "heading", "confidence", "source"],
    )
    table.to_csv(folder / "trajectories.csv", index=False)
    merge = ("day", "merge", movie, 2, movie, 3, 0.2, 0.2, join_names(names[:2]), 2, 8.0, 8.0, "")
    contact = ("day", "contact", *merge[2:])
    pd.DataFrame([merge, contact] if len(names) > 1 else [], columns=list(EVENT_COLUMNS)).to_csv(folder / "events.csv", index=False)
    dictionary_table(describe_tables([], reviewed=True, points=False)).to_csv(folder / "data_dictionary.csv", index=False)
    (folder / "tracklets.csv").write_text("movie,tracklet\n")
    last = frames - 1
    doubts = [
        Doubt(movie, k % frames, 8, 8, "is", names[0], "", "", 0.6, f"{names[-1]} 0.35", movie, 0, movie, last, frames, float(spans - k))
        for k in range(spans)
    ]
    write_doubts(folder / "doubtful.csv", doubts)


def _write_card(folder, names):
    one = {"count": [0, 9], "confidence": [0, 0.9], "accuracy": [0, 0.8], "ece": 0.1}
    card = {
        "classes": list(names),
        "confusion": [[int(a == b) for a in names] for b in names],
        "tracklet_confusion": [[int(a == b) for a in names] for b in names],
        "accuracy": 0.97,
        "tracklet_accuracy": 0.99,
        "validation_tracklets": 12,
        "reliability": one,
        "tracklet_reliability": one,
        "worst": [],
        "history": {"loss": [2.0, 1.0], "val_loss": [2.0, 1.5], "accuracy": [0.5, 0.9], "val_accuracy": [0.5, 0.8]},
        "notes": ["labels.csv line 3: no blob at <12, 30>"],
        "settings": {"epochs": 7, "augmentation": {"hue": 0.02}},
        "versions": {"herdbook": "0.1.0", "stage": 2},
    }
    path = folder / "train" / "classifier.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(card), encoding="utf-8")
    return path


def _write_truth(folder, first, off_px):
    table = pd.read_csv(folder / "trajectories.csv")
    table.loc[table["individual"] == first, "y"] += off_px
    path = folder / "truth.csv"
    table.rename(columns={"individual": "identity"})[["movie", "frame", "identity", "x", "y"]].to_csv(path, index=False)
    return path


def _write_shown(folder, shown):
    """The movies that other stages write."""
    for stage, movies in shown.items():
        for movie in movies:
            path = folder / stage / (movie if stage == "closeups" else f"{movie}.mp4")
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b"a movie")
