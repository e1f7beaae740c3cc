"""How much the constants decide that say who is where inside contacts: each at half and twice its value, on recordings with known truth.

    python benchmarks/sensitivity.py --data ../shared/data --work /tmp/bench --write docs/sensitivity.md

Runs the workflow once for each recording, and then places the animals anew for each value: counted are positions inside contacts, before
smoothing, that are farther from the truth than the recording's radius, and how many the confidences expect.
"""

import argparse
import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
from measuring import run_chain
from real_movies import RECORDINGS, experiment_file, machine

from herdbook.artifacts.propagate import Identities
from herdbook.artifacts.segment import Blobs, open_blob_images
from herdbook.artifacts.smooth import FROM_MERGED, FROM_RESOLVED
from herdbook.artifacts.tracklets import Tracklets
from herdbook.positions import locating
from herdbook.positions.located import locate_movie
from herdbook.system.files import write_text
from herdbook.tables.scoring import load_truth

SETS = ("ants15", "ants16shift", "mice4b")
FACTORS = (0.5, 1.0, 2.0)


@dataclass(frozen=True)
class Constant:
    """A constant `name` of a module of `herdbook.positions`, in its `unit`, and what it is; `fits`: whether it changes fitted places."""

    module: str
    name: str
    unit: str
    meaning: str
    fits: bool = False


CONSTANTS = (
    Constant("arrangements", "STEP_FACTOR", "steps alone", "deviation of a step inside a contact"),
    Constant("arrangements", "TURN", "rad", "deviation of a turn from one frame to the next"),
    Constant("arrangements", "MOST_STEP_NATS", "nats", "the most that a step counts"),
    Constant("arrangements", "MOST_TURN_NATS", "nats", "the most that a turn counts"),
    Constant("arrangements", "OTHER_PASS_NATS", "nats", "going over to the places of the other pass"),
    Constant("arrangements", "MOST_END_NATS", "nats", "the most that what goes in or comes out counts"),
    Constant("arrangements", "SAME_PLACE", "widths", "places this near are one"),
    Constant("arrangements", "PRIOR_STRAY", "per frame", "exchanges expected before anything is known"),
    Constant("arrangements", "PRIOR_FRAMES", "frames", "how many frames this knowledge is worth"),
    Constant("arrangements", "FITTED_STEP", "steps alone", "deviation of a step while places are fitted", fits=True),
    Constant("fits", "NATS_PER_ANIMAL", "nats", "what all pixels of an animal count together", fits=True),
    Constant("fits", "TURN", "rad", "deviation of a turn while places are fitted", fits=True),
    Constant("templates", "LEAST_DEVIATION", "grey levels", "least deviation of a colour of a template", fits=True),
    Constant("appearance", "WORTH", "images", "what an image in a contact counts", fits=True),
)


@dataclass(frozen=True)
class Counts:
    """Positions inside contacts, those that are wrong, and those that the confidences expect to be wrong."""

    positions: int
    wrong: int
    expected: float


class Bench:
    """One recording whose workflow has run; fitted places and the evidence of images are found once and used again."""

    def __init__(self, name: str, data: Path, folder: Path, cores: int) -> None:
        self.recording = RECORDINGS[name]
        self.results = folder / "results" / name
        if not (self.results / "trajectories.csv").exists():
            run_chain(experiment_file(name, data, folder), cores)
        truth = load_truth(data / name / "truth.csv")
        if self.recording.min_visible is not None:
            truth = truth[truth["visible_share"] >= self.recording.min_visible]
        self.truth = truth
        self.kept: dict[Any, Any] = {}

    def count(self, changed: Constant | None, value: float) -> Counts:
        """The counts with one constant at another value."""
        tables = []
        identities = Identities.load(self.results / "propagate" / "day1.h5")
        again = nothing() if changed and changed.fits else kept_places(self.kept)
        with set_to(changed, value) if changed else nothing(), again:
            for movie in self.recording.movies:
                tables.append(self._places(movie, identities))
        joined = pd.concat(tables).merge(self.truth, on=["movie", "frame", "individual"], suffixes=("", "_true"))
        wrong = np.hypot(joined["x"] - joined["x_true"], joined["y"] - joined["y_true"]) > self.recording.radius_px
        return Counts(len(joined), int(wrong.sum()), float((1 - joined["confidence"]).sum()))

    def _places(self, movie: str, identities: Identities) -> pd.DataFrame:
        path = self.results / "segment" / f"{movie}.h5"
        tracklets = Tracklets.load(self.results / "tracklets" / f"{movie}.h5")
        self.kept["movie"], self.kept["call"] = movie, 0
        with open_blob_images(path) as images:
            located = locate_movie(movie, Blobs.load(path), images, tracklets, identities, [], [], [], 0)
        parts = []
        for table in located.positions:
            inside = np.isin(table.source, (FROM_RESOLVED, FROM_MERGED))
            names = np.array(located.individuals, object)[table.individual[inside]]
            columns = {name: getattr(table, name)[inside] for name in ("frame", "x", "y", "confidence")}
            parts.append(pd.DataFrame({"movie": movie, "individual": names, **columns}))
        return pd.concat(parts)


@contextmanager
def nothing() -> Iterator[None]:
    """Everything as it is."""
    yield


@contextmanager
def set_to(constant: Constant, value: float) -> Iterator[None]:
    """One constant at another value."""
    module = importlib.import_module(f"herdbook.positions.{constant.module}")
    with patch.object(module, constant.name, value):
        yield


@contextmanager
def kept_places(kept: dict[Any, Any]) -> Iterator[None]:
    """Passes, and what images say of their places, are found once for each movie."""
    follow, arrange = locating._follow, locating.arrange

    def once(key: Any, work: Callable[[], Any]) -> Any:
        if key not in kept:
            kept[key] = work()
        return kept[key]

    def followed(*args: Any, **more: Any) -> Any:
        kept["call"] += 1
        return once(("pass", kept["movie"], kept["call"]), lambda: follow(*args, **more))

    def arranged(scene: Any, members: Any, forward: Any, backward: Any, step_px: float, evidence: Any) -> Any:
        movie, call = kept["movie"], kept["call"]

        def seen(blob: int, individuals: Any, places: Any) -> Any:
            return once(("looks", movie, call, blob), lambda: evidence(blob, individuals, places))

        return arrange(scene, members, forward, backward, step_px, seen)

    with patch.object(locating, "_follow", followed), patch.object(locating, "arrange", arranged):
        yield


def table_of(rows: list[tuple[Constant, float, dict[str, dict[float, Counts]]]], sets: list[str]) -> str:
    """The rows as a table."""
    header = ["constant", "value", "unit", "what it is", *sets]
    lines = [f"| {' | '.join(header)} |", f"| {' | '.join(['---'] * len(header))} |"]
    for constant, value, found in rows:
        cells = [", ".join(f"{found[name][factor].wrong}" for factor in FACTORS) for name in sets]
        told = [", ".join(f"{found[name][factor].expected:.0f}" for factor in FACTORS) for name in sets]
        shown = [f"{wrong} ({expected})" for wrong, expected in zip(cells, told, strict=True)]
        where = f"`{constant.module}.{constant.name}`"
        lines.append(f"| {' | '.join([where, f'{value:g}', constant.unit, constant.meaning, *shown])} |")
    return "\n".join(lines)


PAGE = """# How flat the optima are

*Written by `benchmarks/sensitivity.py`; measured on {machine}.*

Constants that decide who is where inside contacts, each at half of its value, at its value and at twice its value, while all others stay
as they are. Counted are the positions inside contacts, before smoothing, that are farther from the truth than the radius of the recording,
and in brackets how many the confidences expect to be wrong. A recording is compared with itself: a change by a few positions is one contact
that went the other way.

{positions}

{table}
"""


def main() -> None:
    """Write or print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the recordings")
    parser.add_argument("--work", type=Path, required=True, help="folder of the results, which are used again")
    parser.add_argument("--sets", nargs="+", choices=RECORDINGS, default=[*SETS], help="which recordings")
    parser.add_argument("--cores", type=int, default=2, help="cores for snakemake")
    parser.add_argument("--write", type=Path, help="page of the documentation to write")
    given = parser.parse_args()
    found: list[dict[str, dict[float, Counts]]] = [{} for _ in CONSTANTS]
    usual: dict[str, Counts] = {}
    values = [getattr(importlib.import_module(f"herdbook.positions.{one.module}"), one.name) for one in CONSTANTS]
    for name in given.sets:
        bench = Bench(name, given.data.resolve(), given.work.resolve(), given.cores)
        usual[name] = bench.count(None, 0.0)
        for number, (constant, value) in enumerate(zip(CONSTANTS, values, strict=True)):
            found[number][name] = {
                factor: usual[name] if factor == 1 else bench.count(constant, type(value)(value * factor)) for factor in FACTORS
            }
            print(name, constant.name, {factor: counts.wrong for factor, counts in found[number][name].items()}, flush=True)
    table = table_of(list(zip(CONSTANTS, values, found, strict=True)), given.sets)
    positions = "Positions inside contacts: " + ", ".join(f"{name} {usual[name].positions:,}" for name in given.sets) + "."
    page = PAGE.format(machine=machine(), table=table, positions=positions)
    if given.write:
        write_text(given.write, page)
    print(page)


if __name__ == "__main__":
    main()
