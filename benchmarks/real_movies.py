"""The whole chain on recordings of ants, mice and flies: how right it is and how long it takes.

    python benchmarks/real_movies.py --data ../shared/data
    python benchmarks/real_movies.py --data ../shared/data --sets flies2 mice4 --work /tmp/bench

Prints a table in Markdown. Without --work everything is written into a temporary folder and removed.
"""

import argparse
import os
import platform
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from measuring import run_chain

from herdbook.movie.scanning import scan_movie
from herdbook.tables.scoring import Score, load_trajectories, load_truth, score_trajectories


@dataclass(frozen=True)
class Recording:
    """A recording with known truth: its movies, the sections of its experiment file, and how it is scored."""

    movies: tuple[str, ...]
    animals: dict[str, Any]
    sections: dict[str, Any]
    radius_px: float
    apart_px: float | None = None
    min_visible: float | None = None

    @property
    def named(self) -> bool:
        """Whether animals are compared by name; else by the best permutation."""
        return self.animals["marking"] == "marked"


# All pairs of four colours but green and pink.
ANTS15 = [a + b for a, b in zip("BBBBGGGOOOOPPPP", "BGOPBGOBGOPBGOP", strict=True)]
RECORDINGS = {
    "ants16": Recording(
        movies=("movie01", "movie02"),
        animals={"marking": "marked", "identities": [a + b for a in "BGOP" for b in "BGOP"]},
        sections={
            "arenas": [{"name": "dish", "include": [{"ellipse": {"centre": [507, 363], "axes": [352, 352]}}]}],
            "segment": {"difference": 25, "area": [60, 20000]},
        },
        radius_px=20,
        apart_px=45,
    ),
    "ants15": Recording(
        movies=("movie01", "movie02"),
        animals={"marking": "marked", "identities": ANTS15},
        sections={
            "arenas": [{"name": "dish", "include": [{"ellipse": {"centre": [470, 360], "axes": [335, 335]}}]}],
            "segment": {"difference": 25, "area": [150, 40000]},
        },
        radius_px=30,
        apart_px=60,
    ),
    "ants16shift": Recording(
        movies=("movie01", "movie02"),
        animals={"marking": "marked", "identities": [a + b for a in "BGOP" for b in "BGOP"]},
        sections={
            "arenas": [{"name": "dish", "include": [{"ellipse": {"centre": [507, 363], "axes": [285, 285]}}]}],
            "segment": {"difference": 25, "area": [60, 20000]},
        },
        radius_px=20,
        apart_px=45,
    ),
    "mice4b": Recording(
        movies=("movie01", "movie02"),
        animals={"marking": "marked", "identities": ["red", "green", "blue", "yellow"]},
        sections={"segment": {"difference": 25, "polarity": "bright", "area": [100, 60000]}},
        radius_px=40,
        apart_px=80,
        min_visible=0.3,
    ),
    "mice4": Recording(
        movies=("movie01", "movie02"),
        animals={"marking": "marked", "identities": ["red", "green", "blue", "yellow"]},
        sections={"segment": {"difference": 25, "polarity": "bright", "area": [100, 20000]}},
        radius_px=30,
        apart_px=60,
        min_visible=0.3,
    ),
    "flies2": Recording(
        movies=("movie",),
        animals={"marking": "none", "number": 2},
        sections={"segment": {"difference": 25, "polarity": "bright", "area": [300, 50000]}},
        radius_px=40,
    ),
}

Row = dict[str, str]


def experiment_file(name: str, data: Path, folder: Path) -> Path:
    """Write the experiment file of a recording into a folder."""
    recording, source = RECORDINGS[name], data / name
    labels = {"labels": str(source / "labels.csv")} if recording.named else {}
    experiment = {
        "experiment": name,
        "results": str(folder / "results"),
        "movies": [{"name": movie, "file": str(source / f"{movie}.mp4"), "recording": "day1"} for movie in recording.movies],
        "animals": recording.animals | labels,
        **recording.sections,
    }
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(experiment, sort_keys=False), encoding="utf-8")
    return path


def measure(name: str, data: Path, folder: Path, cores: int) -> Row:
    """The row of one recording."""
    recording = RECORDINGS[name]
    scans = [scan_movie(data / name / f"{movie}.mp4") for movie in recording.movies]
    frames = sum(scan.n_frames for scan in scans)
    wall_s, cpu_s = run_chain(experiment_file(name, data, folder), cores)
    score = score_trajectories(
        load_trajectories(folder / "results" / name / "trajectories.csv"),
        load_truth(data / name / "truth.csv"),
        named=recording.named,
        radius_px=recording.radius_px,
        apart_px=recording.apart_px,
        min_visible=recording.min_visible,
        fps=scans[0].fps,
    )
    times = {"wall s": f"{wall_s:.0f}", "CPU s": f"{cpu_s:.0f}", "CPU ms / frame": f"{1000 * cpu_s / frames:.1f}"}
    return {"recording": name, "frames": str(frames)} | figures(score, recording) | times


def figures(score: Score, recording: Recording) -> Row:
    """What `herdbook score` tells, in short; shares in percent."""

    def percent(value: float) -> str:
        return f"{100 * value:.2f}"

    return {
        "compared": f"{'by name' if recording.named else 'permuted'}, {recording.radius_px:g} px",
        "assigned": percent(score.assigned),
        "correct": percent(score.correct),
        "error": percent(score.error),
        "apart: correct": percent(score.apart.correct),
        "close: correct": percent(score.close.correct),
        "covered": percent(score.covered),
        "IDF1": percent(score.idf1),
        "HOTA": percent(score.hota),
        "lasting switches": str(score.lasting_switches),
        "median px": f"{score.median_px:.2f}",
    }


def markdown(rows: list[Row]) -> str:
    """The rows as a table, one column per recording, which fits a page."""
    lines = [" | ".join([key, *(row[key] for row in rows)]) for key in rows[0]]
    rule = " | ".join(["---"] * (len(rows) + 1))
    return "\n".join(f"| {line} |" for line in [lines[0], rule, *lines[1:]])


def machine() -> str:
    """Where the times were measured."""
    model = next((line.split(":")[1].strip() for line in _cpu_lines() if line.startswith("model name")), platform.machine())
    return f"{model}, {os.cpu_count()} cores, {platform.platform(terse=True)}, Python {platform.python_version()}"


def _cpu_lines() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def main() -> None:
    parser = argparse.ArgumentParser(description="Run the whole chain on recordings with known truth and print a table.")
    parser.add_argument("--data", type=Path, required=True, help="folder of the recordings")
    parser.add_argument("--sets", nargs="+", choices=RECORDINGS, default=[*RECORDINGS], help="which recordings")
    parser.add_argument("--cores", type=int, default=os.cpu_count(), help="cores for snakemake")
    parser.add_argument("--work", type=Path, help="keep all results in this folder")
    given = parser.parse_args()
    data = given.data.resolve()
    missing = [str(data / name) for name in given.sets if not (data / name / "truth.csv").exists()]
    if missing:
        sys.exit(f"There is no recording with a truth.csv in {', '.join(missing)}.")
    with tempfile.TemporaryDirectory() as temporary:
        folder = (given.work or Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        print(f"{machine()}; snakemake --cores {given.cores}\n")
        print(markdown([measure(name, data, folder, given.cores) for name in given.sets]))


if __name__ == "__main__":
    main()
