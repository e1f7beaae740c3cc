"""Time and memory of every stage over the length of one movie.

    python benchmarks/scale_length.py                           10 min, 1 h, 4 h and 12 h of four ants at 640x480, 10 frames/s
    python benchmarks/scale_length.py --minutes 10 60 --fps 25

Three minutes are simulated and put into a movie again and again, without coding anything anew. The workflow runs on it as a user would run
it, one job at a time. CPU time and the peak of memory (VmHWM) are told by each job's own process at its end. The figures go into
results/scale.json, in the place of those of the same length and rate.
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

import yaml
from measuring import jobs_of, loop_movie, run_chain
from scale import keep_figures, kept_figures

LOOP_MINUTES = 3


def simulated(folder: Path, fps: float) -> Path:
    """Make the movie that is repeated, its labels and truth; returns their folder."""
    described = {
        "experiment": "loop",
        "simulate": {"number": 4, "frames": round(60 * LOOP_MINUTES * fps), "fps": fps, "size": [640, 480], "leave": False},
        "movies": [{"name": "m", "file": "results/loop/simulate/m.mp4"}],
        "animals": {"marking": "marked", "identities": ["BB", "GG", "OO", "PP"], "labels": "results/loop/simulate/labels.csv"},
    }
    (folder / "loop.yaml").write_text(yaml.safe_dump(described), encoding="utf-8")
    run_chain(folder / "loop.yaml", 1, "--until", "simulate")
    return folder / "results" / "loop" / "simulate"


def measure(folder: Path, made: Path, minutes: int, fps: float) -> dict[str, Any]:
    """Track a movie of so many minutes; returns CPU time and peak of memory of each stage."""
    name = f"m{minutes}"
    loop_movie(made / "m.mp4", -(-minutes // LOOP_MINUTES), folder / f"{name}.mp4")
    labels = (made / "labels.csv").read_text(encoding="utf-8").replace("\nm,", f"\n{name},")
    (folder / f"{name}.csv").write_text(labels, encoding="utf-8")
    described = {
        "experiment": name,
        "movies": [{"name": name, "file": f"{name}.mp4"}],
        "animals": {"marking": "marked", "identities": ["BB", "GG", "OO", "PP"], "labels": f"{name}.csv"},
        # A movie of hours is watched in parts, if at all; what drawing costs stands in overlay.py.
        "overlay": {"write": False},
    }
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(described), encoding="utf-8")
    jobs = jobs_of(folder / f"{name}.yaml")
    stages = {job["stage"]: {"cpu_s": round(job["cpu_s"], 1), "peak_mb": round(job["peak_mb"])} for job in jobs}
    return {"minutes": minutes, "fps": fps, "frames": round(60 * LOOP_MINUTES * fps) * -(-minutes // LOOP_MINUTES), "stages": stages}


def keep_length(measured: dict[str, Any]) -> None:
    """Put the figures of one movie among those of others."""
    lengths = {(one["fps"], one["minutes"]): one for one in (*kept_figures().get("length", {}).get("lengths", []), measured)}
    keep_figures("length", {"lengths": [lengths[key] for key in sorted(lengths)]})


def main() -> None:
    """Print the table and keep its figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, nargs="+", default=[10, 60, 240, 720])
    parser.add_argument("--fps", type=float, default=10.0)
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        made = simulated(Path(folder), told.fps)
        # Compiles the kernels, which any length would pay once.
        measure(Path(folder), made, LOOP_MINUTES, told.fps)
        for minutes in told.minutes:
            measured = measure(Path(folder), made, minutes, told.fps)
            # Kept as soon as it is known: the longest takes an hour.
            keep_length(measured)
            for stage, used in measured["stages"].items():
                per_frame = 1000 * used["cpu_s"] / measured["frames"]
                print(f"{minutes} min {stage}: {used['cpu_s']} CPU s, {per_frame:.3f} CPU ms per frame, {used['peak_mb']} MB", flush=True)


if __name__ == "__main__":
    main()
