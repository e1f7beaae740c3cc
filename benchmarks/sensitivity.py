"""How much the constants decide that say who is where inside contacts: each at a lower and a higher value, on recordings with known truth.

    python benchmarks/sensitivity.py --data ../shared/data --work /tmp/bench --write docs/sensitivity.md

Runs the workflow once for each recording, and then names and places the animals anew for each value: counted are positions inside contacts,
before smoothing, that are farther from the truth than the recording's radius, and how many the confidences expect. What is counted is kept
in the folder of `--work` and used again: remove `sensitivity_*.json` there after a change of the code.
"""

import argparse
import importlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import h5py
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
from herdbook.stages import propagate
from herdbook.system.files import write_text
from herdbook.tables.scoring import load_truth

SETS = ("ants15", "ants16shift", "mice4b")
RECORDING = "day1"


@dataclass(frozen=True)
class Constant:
    """A constant `name` of a module of a room of Herdbook, in its `unit`, and what it is.

    `fits`: whether it changes fitted places. `tried`: a lower and a higher value, by default half and twice the value. Those of `identity`
    change who is in which blob, those of `positions` only who is where in it.
    """

    module: str
    name: str
    unit: str
    meaning: str
    fits: bool = False
    tried: tuple[float, float] | None = None
    room: str = "positions"

    @property
    def module_name(self) -> str:
        """The full name of the module."""
        return f"herdbook.{self.room}.{self.module}"

    @property
    def value(self) -> Any:
        """The value as it is."""
        return getattr(importlib.import_module(self.module_name), self.name)

    @property
    def values(self) -> tuple[Any, Any, Any]:
        """A lower value, the value, and a higher one."""
        value = self.value
        low, high = self.tried or (value / 2, value * 2)
        return type(value)(low), value, type(value)(high)


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
    Constant("following", "SURE", "", "less sure contacts are looked at", tried=(0.95, 0.999), room="identity"),
    Constant("following", "KNOWN", "", "an animal alone is known from this confidence on", tried=(0.8, 0.97), room="identity"),
    Constant("following", "MOST_NATS", "nats", "the most that a followed animal counts", room="identity"),
    Constant("following", "LEAST_EXCHANGED", "", "least chance that an animal was exchanged on its way", room="identity"),
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
        self.followed: dict[bytes, Any] = {}
        self.identities = Identities.load(self.results / "propagate" / f"{RECORDING}.h5")
        self.scratch = folder / f"sensitivity_{name}.h5"

    def count(self, changed: Constant | None, value: float) -> Counts:
        """The counts with one constant at another value."""
        tables = []
        names = changed is not None and changed.room == "identity"
        again = nothing() if changed and (changed.fits or names) else kept_places(self.kept)
        with set_to(changed, value) if changed else nothing(), again:
            identities = self._named() if names else self.identities
            for movie in self.recording.movies:
                tables.append(self._places(movie, identities))
        joined = pd.concat(tables).merge(self.truth, on=["movie", "frame", "individual"], suffixes=("", "_true"))
        wrong = np.hypot(joined["x"] - joined["x_true"], joined["y"] - joined["y_true"]) > self.recording.radius_px
        return Counts(len(joined), int(wrong.sum()), float((1 - joined["confidence"]).sum()))

    def _named(self) -> Identities:
        """Who is in which tracklet, decided anew."""
        with h5py.File(self.results / "propagate" / f"{RECORDING}.h5") as file:
            settings = file.attrs["settings"].decode()
        inputs = {"blobs": "segment", "tracklets": "tracklets", "evidence": "classify"}
        files = {name: [str(self.results / stage / f"{movie}.h5") for movie in self.recording.movies] for name, stage in inputs.items()}
        follow = propagate._followed

        def followed(job: Any, recording: Any, movies: Any, tracklets: Any, through: Any) -> Any:
            key = through.tobytes()
            if key not in self.followed:
                self.followed[key] = follow(job, recording, movies, tracklets, through)
            return self.followed[key]

        with patch.object(propagate, "_followed", followed):
            arguments = [word for name, paths in files.items() for word in (f"--{name}", *paths)]
            propagate.main([*arguments, "--settings", settings, "--out", str(self.scratch)])
        return Identities.load(self.scratch)

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
    module = importlib.import_module(constant.module_name)
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


def table_of(found: dict[str, list[list[Counts]]], sets: list[str]) -> str:
    """The counts as a table: of each set, for each constant, those of a lower value, of the value, and of a higher one."""
    header = ["constant", "values", "unit", "what it is", *sets]
    lines = [f"| {' | '.join(header)} |", f"| {' | '.join(['---'] * len(header))} |"]
    for number, constant in enumerate(CONSTANTS):
        cells = []
        for name in sets:
            if not found[name][number]:
                cells.append("not measured")
                continue
            wrong = " / ".join(str(counts.wrong) for counts in found[name][number])
            cells.append(f"{wrong} ({' / '.join(f'{counts.expected:.0f}' for counts in found[name][number])})")
        values = " / ".join(f"{value:g}" for value in constant.values)
        where = f"`{constant.module}.{constant.name}`"
        lines.append(f"| {' | '.join([where, values, constant.unit, constant.meaning, *cells])} |")
    return "\n".join(lines)


PAGE = """# How flat the optima are

*Written by `benchmarks/sensitivity.py`; measured on {machine}.*

Constants that decide who is where inside contacts, each at a lower value, at its value and at a higher one, while all others stay as they
are. Counted are the positions inside contacts, before smoothing, that are farther from the truth than the radius of the recording, and in
brackets how many the confidences expect to be wrong. A recording is compared with itself: a change by a few positions is one contact that
went the other way.

{positions}

{table}
"""


def counts_of(name: str, data: Path, work: Path, cores: int, fits: bool) -> list[list[Counts]]:
    """The counts of a recording, for each constant at its three values; those of an earlier call are used again.

    Without `fits`, constants that change fitted places have none but those that are known.
    """
    path = work / f"sensitivity_{name}.json"
    known: dict[str, list[Any]] = json.loads(path.read_text()) if path.exists() else {}
    bench: Bench | None = None

    def count(key: str, constant: Constant | None, value: float) -> Counts:
        nonlocal bench
        if key not in known:
            bench = bench or Bench(name, data, work, cores)
            known[key] = list(astuple(bench.count(constant, value)))
            write_text(path, json.dumps(known, indent=1))
            print(name, key, known[key], flush=True)
        return Counts(*known[key])

    rows = []
    for constant in CONSTANTS:
        low, _, high = constant.values
        key = f"{constant.module}.{constant.name}"
        if constant.fits and not fits and not {f"{key} {low:g}", f"{key} {high:g}"} <= set(known):
            rows.append([])
            continue
        rows.append([count(f"{key} {low:g}", constant, low), count("as it is", None, 0.0), count(f"{key} {high:g}", constant, high)])
    return rows


def main() -> None:
    """Write or print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the recordings")
    parser.add_argument("--work", type=Path, required=True, help="folder of the results, which are used again")
    parser.add_argument("--sets", nargs="+", choices=RECORDINGS, default=[*SETS], help="which recordings")
    parser.add_argument("--quick", nargs="*", choices=RECORDINGS, default=[], help="in these, without constants that change fitted places")
    parser.add_argument("--cores", type=int, default=2, help="cores for snakemake")
    parser.add_argument("--write", type=Path, help="page of the documentation to write")
    given = parser.parse_args()
    found = {name: counts_of(name, given.data.resolve(), given.work.resolve(), given.cores, name not in given.quick) for name in given.sets}
    table = table_of(found, given.sets)
    positions = "Positions inside contacts: " + ", ".join(f"{name} {found[name][0][1].positions:,}" for name in given.sets) + "."
    page = PAGE.format(machine=machine(), table=table, positions=positions)
    if given.write:
        write_text(given.write, page)
    print(page)


if __name__ == "__main__":
    main()
