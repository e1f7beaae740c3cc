"""Many movies: how long `snakemake --dry-run` takes, and what each stage's job costs before its work begins.

    python benchmarks/scale.py                                  a thousand movies, and the start of every stage
    python benchmarks/scale.py --movies 100 --only dry-run

All figures are CPU seconds, the least of some runs. The start of a job is the whole stage on a movie of a second, kernels compiled before:
what a thousand short movies pay a thousand times. The figures go into results/scale.json and docs/trust.md; scale_length.py and
scale_recording.py add theirs.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from measuring import SNAKEFILE, jobs_of
from trust_page import keep_result, machine

from herdbook.system.files import write_text

RESULTS = Path(__file__).with_name("results") / "scale.json"
RUN = """
import json, sys, time
from importlib import import_module
import_module(f"herdbook.stages.{sys.argv[1]}").main(sys.argv[2:])
peak = next(int(line.split()[1]) / 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps(peak))
"""


def children_s() -> float:
    """CPU time of all processes that have been started and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run_measured(stage: str, arguments: Sequence[str]) -> tuple[float, float]:
    """Run a stage in a process of its own; returns its CPU time (s), with that of its own processes, and its peak memory (MB)."""
    before = children_s()
    done = subprocess.run([sys.executable, "-c", RUN, stage, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{stage}: {done.stderr[-3000:]}")
    return round(children_s() - before, 2), round(json.loads(done.stdout.splitlines()[-1]), 1)


def kept_figures() -> dict[str, Any]:
    """The parts of results/scale.json."""
    return dict(json.loads(RESULTS.read_text(encoding="utf-8"))) if RESULTS.exists() else {}


def keep_figures(part: str, figures: dict[str, Any]) -> None:
    """Write one part of results/scale.json anew, and what docs/trust.md says of all parts."""
    known = kept_figures()
    known[part] = {"machine": machine(), **figures}
    RESULTS.parent.mkdir(exist_ok=True)
    write_text(RESULTS, json.dumps(known, indent=1) + "\n")
    tell_load(known)


def tell_load(known: dict[str, Any]) -> None:
    """The chapter on load of docs/trust.md."""
    figures: dict[str, Any] = {}
    tables = []
    if dry := known.get("dry_run"):
        for marking in ("none", "unmarked"):
            for how, option in (("quiet", "-n -q"), ("full", "-n")):
                name = f"dry run of {dry['movies']:,} movies, `marking: {marking}`, with `{option}` (CPU s)"
                figures[name] = dry[f"{marking}_{how}_cpu_s"]
    if start := known.get("start"):
        tables.append({"header": ["stage", "a job on a movie of a second (CPU s)"], "rows": list(start["cpu_s"].items())})
    if length := known.get("length"):
        lengths = length["lengths"]
        header = ["4 animals, 640x480, `overlay` off", *(f"{one['minutes']} min at {one['fps']:g} frames/s" for one in lengths)]
        for title, key, scale in (("CPU ms per frame", "cpu_s", True), ("peak of memory (MB)", "peak_mb", False)):
            rows = [
                [
                    stage,
                    *(f"{1000 * one['stages'][stage][key] / one['frames']:.3f}" if scale else one["stages"][stage][key] for one in lengths),
                ]
                for stage in lengths[0]["stages"]
            ]
            tables.append({"header": [f"{title}; {header[0]}", *header[1:]], "rows": rows})
    if recording := known.get("recording"):
        header = ["movies of one recording", "tracklets", "blobs", "`propagate` (CPU s)", "peak of memory (MB)"]
        keys = ("movies", "tracklets", "blobs", "cpu_s", "peak_mb")
        tables.append({"header": header, "rows": [[one[key] for key in keys] for one in recording["sizes"]]})
    keep_result(
        "load",
        "python benchmarks/scale.py, scale_length.py and scale_recording.py",
        "Load",
        """Many movies, long ones, and recordings of many. A job on a movie of a second costs mostly its start; `train`, `classify` and
        `report` load TensorFlow or draw all pictures. Of long movies the time per frame falls or stays, but for what is done once.""",
        figures,
        tables,
    )


def dry_run_s(folder: Path, movies: int, marking: str, *options: str) -> float:
    """CPU time of a dry run of an experiment of so many movies, none of which has been tracked."""
    for k in range(movies):
        (folder / f"m{k:04}.mp4").write_bytes(b"a movie, but for its content")
    animals = {"marking": "none", "number": 8} if marking == "none" else {"marking": "unmarked", "number": 8}
    described = {"experiment": "many", "movies": [{"name": f"m{k:04}", "file": f"m{k:04}.mp4"} for k in range(movies)], "animals": animals}
    (folder / "many.yaml").write_text(yaml.safe_dump(described), encoding="utf-8")
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(SNAKEFILE), "--configfile", "many.yaml", "--dry-run", *options]
    before = children_s()
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return round(children_s() - before, 2)


def starts_s(folder: Path, rounds: int) -> dict[str, float]:
    """CPU time of a job of each stage on a movie of a second, kernels compiled before."""
    names = ["BB", "GG", "OO", "PP"]
    made = "results/short/simulate"
    described = {
        "experiment": "short",
        "simulate": {"number": 4, "frames": 20, "size": [320, 240], "leave": False, "body_length_px": 25},
        "movies": [{"name": "m", "file": f"{made}/m.mp4"}],
        "animals": {"marking": "marked", "identities": names, "labels": f"{made}/labels.csv"},
        "train": {"epochs": 1},
    }
    found: dict[str, float] = {}
    os.environ["NUMBA_CACHE_DIR"] = str(folder / "kernels")
    for k in range(rounds + 1):
        (folder / str(k)).mkdir()
        (folder / str(k) / "short.yaml").write_text(yaml.safe_dump(described), encoding="utf-8")
        jobs = jobs_of(folder / str(k) / "short.yaml")
        # The first round compiles kernels.
        for job in jobs if k else ():
            found[job["stage"]] = min(found.get(job["stage"], float("inf")), round(job["cpu_s"], 2))
    return found


def main() -> None:
    """Print the figures and keep them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--movies", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--only", choices=["dry-run", "start"])
    told = parser.parse_args()
    if told.only != "start":
        found = {"movies": told.movies}
        for marking in ("none", "unmarked"):
            for name, options in (("quiet", ["--quiet"]), ("full", [])):
                with tempfile.TemporaryDirectory() as folder:
                    found[f"{marking}_{name}_cpu_s"] = min(
                        dry_run_s(Path(folder), told.movies, marking, *options) for _ in range(told.rounds)
                    )
                print(f"dry run of {told.movies} movies, {marking}, {name}: {found[f'{marking}_{name}_cpu_s']} CPU s", flush=True)
        keep_figures("dry_run", found)
    if told.only != "dry-run":
        with tempfile.TemporaryDirectory() as folder:
            starts = starts_s(Path(folder), told.rounds)
        print("\n".join(f"{stage}: {cpu_s} CPU s" for stage, cpu_s in starts.items()))
        keep_figures("start", {"cpu_s": starts})


if __name__ == "__main__":
    main()
