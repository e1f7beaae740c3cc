"""One table and one page of several experiments: recordings, completeness of the tracks, movement and contacts of the animals."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from herdbook.artifacts.smooth import SOURCES
from herdbook.errors import HerdbookError
from herdbook.experiment.layout import SCORE_JSON, artifact
from herdbook.experiment.model import Experiment
from herdbook.report import page
from herdbook.report.assumptions import read_expected_error
from herdbook.report.page import Cell, Page, PageSection, Table
from herdbook.system.cells import as_cells
from herdbook.system.files import replacing, write_text
from herdbook.tables.completeness import filled_places
from herdbook.tables.dictionary import STUDY, names_of
from herdbook.tables.results import Results, load
from herdbook.version import VERSION

DECIMALS = {
    **{"hours": 4, "animals": 1, "assigned": 5, "expected_error": 5, "body_length": 2, "speed": 3, "distance": 1, "speed_mm": 4},
    **{"contacts_per_hour": 2, "contact_time": 5, "nearest": 2, "correct": 5, **dict.fromkeys(SOURCES, 5)},
}

# The parts of the page, and their columns.
PARTS = {
    "What was filmed": ("marking", "animals", "movies", "frames", "hours", "positions"),
    "How complete and how sure": ("assigned", "expected_error", *SOURCES, "correct"),
    "How animals move": ("body_length", "speed", "speed_mm", "distance"),
    "How animals meet": ("nearest", "contacts_per_hour", "contact_time"),
}


def study_table(experiments: Sequence[Experiment]) -> pd.DataFrame:
    """A row for each recording of each experiment, columns as in `data_dictionary.STUDY`.

    Raises HerdbookError, which names all experiments without results.
    """
    lacking = [str(one.folder) for one in experiments if not any(one.folder.glob(artifact("smooth", "*")))]
    if lacking:
        raise HerdbookError(f"there are no results yet in {', '.join(lacking)}. Run snakemake for these experiments first.")
    rows = [row for one in experiments for row in _experiment_rows(one)]
    return pd.DataFrame(rows, columns=names_of(STUDY)).round(DECIMALS)


def format_rows(table: pd.DataFrame) -> list[list[str]]:
    """The rows as text for a terminal: experiment, recording, animals, duration, assigned, expected error, contacts per hour."""
    rows: list[dict[str, Any]] = [dict(zip(table.columns, values, strict=True)) for values in table.itertuples(index=False, name=None)]
    return [
        [
            *(
                row["experiment"],
                row["recording"],
                f"{row['animals']:g}",
                page.duration(row["hours"] * 3600),
                page.percent(row["assigned"]),
            ),
            *(page.percent(row["expected_error"]), "–" if np.isnan(row["contacts_per_hour"]) else f"{row['contacts_per_hour']:.1f}"),
        ]
        for row in rows
    ]


def write_study(folder: Path, table: pd.DataFrame) -> list[Path]:
    """Write summary.csv and summary.html, and return their paths."""
    paths = [folder / "summary.csv", folder / "summary.html"]
    with replacing(paths[0]) as temporary:
        as_cells(table).to_csv(temporary, index=False)
    write_text(paths[1], page.render_page(study_page(table)))
    return paths


def study_page(table: pd.DataFrame) -> Page:
    """The page: key figures, tables of all recordings by subject, and the meaning of the columns."""
    recordings, experiments = len(table), table["experiment"].nunique()
    figures = [
        (f"{experiments:,}", "experiment" + "s" * (experiments != 1)),
        (f"{recordings:,}", "recording" + "s" * (recordings != 1)),
        (page.duration(float(table["hours"].sum()) * 3600), "filmed"),
    ]
    sections = [PageSection(title, tables=[_page_table(table, names)]) for title, names in PARTS.items()]
    meanings = [(_spaced(column.name), column.meaning) for column in STUDY.columns]
    sections.append(PageSection("What the columns mean", terms=meanings, links=[Cell("summary.csv", path="summary.csv")]))
    return Page("Summary", "Several experiments in one table", figures, sections, f"Herdbook {VERSION}")


def _page_table(table: pd.DataFrame, names: Sequence[str]) -> Table:
    units = {column.name: column.unit for column in STUDY.columns}

    def cell(name: str, value: Any) -> Cell:
        if isinstance(value, str):
            return Cell(value)
        if pd.isna(value):
            return Cell("–")
        return Cell(page.percent(float(value)) if units[name] == "0..1" else f"{value:,.6g}")

    columns = ["experiment", "recording", *names]
    header = [_spaced(name) + (f" ({units[name]})" if units[name] not in ("", "0..1", "h") else "") for name in columns]
    rows = table[columns].itertuples(index=False, name=None)
    return Table(header, [[cell(name, value) for name, value in zip(columns, row, strict=True)] for row in rows])


def _spaced(name: str) -> str:
    return name.replace("_", " ")


def _experiment_rows(experiment: Experiment) -> Iterator[Mapping[str, Any]]:
    results = load(experiment.folder)
    score = experiment.folder / SCORE_JSON
    correct = json.loads(score.read_text(encoding="utf-8")).get("correct") if score.is_file() else None
    scale = experiment.scale.value if experiment.scale else np.nan
    _, told = read_expected_error(experiment.folder)
    for recording, movies in results.recordings.items():
        yield {
            "experiment": experiment.experiment,
            "recording": recording,
            "marking": experiment.animals.marking,
            "movies": len(movies),
            **_measures(results, recording, movies, experiment, scale),
            **({} if told else {"expected_error": np.nan}),
            "correct": np.nan if correct is None else correct,
        }


def _measures(results: Results, recording: str, movies: Sequence[str], experiment: Experiment, scale: float) -> dict[str, Any]:
    """The figures of one recording, movie by movie."""
    number = experiment.number
    found: dict[str, list[np.ndarray]] = {name: [] for name in ("confidence", "source", "speed", "length", "nearest")}
    frames, tracked, filled, seconds, distance = 0, 0, 0, 0.0, 0.0
    names: set[str] = set()
    for movie in movies:
        tracks = results.tracks(movie)
        names |= set(tracks.individuals)
        tracked += results.tracked_frames(movie)
        numbers = [one or 0 for one in experiment.population]
        filled += int(filled_places(tracks.frame.astype(np.int64), tracks.arena, numbers, tracks.frames).sum())
        frames, seconds = frames + tracks.frames, seconds + results.duration_s(movie)
        for name in ("confidence", "source", "speed", "length"):
            found[name].append(getattr(tracks, name))
        found["nearest"].append(nearest_distances(tracks.frame, tracks.x, tracks.y))
        step = np.gradient(tracks.time_s) if tracks.frames > 1 else np.zeros(1)
        distance += float(np.nansum(tracks.speed * step[tracks.frame]))
    values = {name: np.concatenate(parts) for name, parts in found.items()}
    animals = number or (len(names) if results.named else np.nan)
    cells = tracked * animals
    events = results.events
    contacts = events[(events["recording"] == recording) & (events["kind"] == "contact")]
    hours = seconds / 3600
    pairs = animals * (animals - 1) / 2
    sources = np.bincount(values["source"].astype(np.int64), minlength=len(SOURCES)) / max(1, len(values["source"]))
    return {
        "frames": frames,
        "hours": hours,
        "animals": animals,
        "positions": len(values["source"]),
        "assigned": (filled if number else len(values["source"])) / cells if cells else np.nan,
        "expected_error": 1 - float(values["confidence"].mean()) if len(values["confidence"]) else np.nan,
        **dict(zip(SOURCES, sources.tolist(), strict=True)),
        "body_length": _median(values["length"]),
        "speed": _median(values["speed"]),
        "speed_mm": _median(values["speed"]) / scale,
        "distance": distance / animals if animals else np.nan,
        "nearest": _median(values["nearest"]),
        "contacts_per_hour": len(contacts) / hours / animals * 2 if results.named and animals else np.nan,
        "contact_time": float(contacts["duration"].sum()) / seconds / pairs if results.named and pairs else np.nan,
    }


def nearest_distances(frame: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Distance (n,) px of each position to the nearest other one in its frame, NaN if it is the only one; `frame` (n,) is sorted."""
    distance = np.full(len(frame), np.nan)
    for rows in np.split(np.arange(len(frame)), np.flatnonzero(np.diff(frame)) + 1):
        if len(rows) > 1:
            apart = np.hypot(x[rows, None] - x[rows], y[rows, None] - y[rows])
            np.fill_diagonal(apart, np.inf)
            distance[rows] = apart.min(axis=1)
    return distance


def _median(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else np.nan
