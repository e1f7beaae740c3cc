"""Time and memory of every stage over the length of one movie.

    python benchmarks/scale_length.py                           10 min, 1 h, 4 h and 12 h of four ants at 640x480, 10 frames/s
    python benchmarks/scale_length.py --minutes 10 60 --fps 25

Three minutes are simulated and put into a movie again and again, without coding anything anew. The workflow runs on it as a user would run
it, one job at a time. CPU time and the peak of memory (VmHWM) are told by each job's own process at its end. The figures go into
results/scale.json.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml
from measuring import SNAKEFILE, loop_movie
from scale import keep_figures

LOOP_MINUTES = 3
# Imported by every Python at its start: each job of a stage tells its CPU time and its peak of memory.
TELLING = """
import atexit, json, os, resource, sys

def _tell():
    stage = os.path.basename(sys.argv[0])
    if os.path.basename(os.path.dirname(sys.argv[0])) != "herdbook" or not stage.endswith(".py"):
        return
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    peak = next(int(line.split()[1]) / 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))
    told = {"stage": stage[:-3], "cpu_s": sum(u.ru_utime + u.ru_stime for u in used), "peak_mb": max(peak, used[1].ru_maxrss / 1024)}
    with open(os.environ["TOLD"], "a") as file:
        file.write(json.dumps(told) + "\\n")

atexit.register(_tell)
"""


def simulated(folder: Path, fps: float) -> Path:
    """Make the movie that is repeated, its labels and truth; returns their folder."""
    described = {
        "experiment": "loop",
        "simulate": {"number": 4, "frames": round(60 * LOOP_MINUTES * fps), "fps": fps, "size": [640, 480], "leave": False},
        "movies": [{"name": "m", "file": "results/loop/simulate/m.mp4"}],
        "animals": {"marking": "marked", "identities": ["BB", "GG", "OO", "PP"], "labels": "results/loop/simulate/labels.csv"},
    }
    (folder / "loop.yaml").write_text(yaml.safe_dump(described), encoding="utf-8")
    run_workflow(folder, "loop.yaml", {}, "--until", "simulate")
    return folder / "results" / "loop" / "simulate"


def run_workflow(folder: Path, file: str, environment: dict[str, str], *options: str) -> None:
    """Run snakemake, one job at a time."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(SNAKEFILE), "--configfile", file, "--cores", "1", *options]
    done = subprocess.run(
        command, cwd=folder, env=os.environ | environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", check=False
    )
    if done.returncode:
        sys.exit(done.stdout[-5000:])


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
    (folder / "telling").mkdir(exist_ok=True)
    (folder / "telling" / "sitecustomize.py").write_text(TELLING, encoding="utf-8")
    told = folder / f"{name}.jsonl"
    package = str(Path(__file__).resolve().parents[1] / "src")
    run_workflow(folder, f"{name}.yaml", {"PYTHONPATH": f"{folder / 'telling'}{os.pathsep}{package}", "TOLD": str(told)})
    jobs = [json.loads(line) for line in told.read_text(encoding="utf-8").splitlines()]
    stages = {job["stage"]: {"cpu_s": round(job["cpu_s"], 1), "peak_mb": round(job["peak_mb"])} for job in jobs}
    return {"minutes": minutes, "frames": round(60 * LOOP_MINUTES * fps) * -(-minutes // LOOP_MINUTES), "stages": stages}


def main() -> None:
    """Print the table and keep its figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, nargs="+", default=[10, 60, 240, 720])
    parser.add_argument("--fps", type=float, default=10.0)
    told = parser.parse_args()
    lengths = []
    with tempfile.TemporaryDirectory() as folder:
        made = simulated(Path(folder), told.fps)
        for minutes in told.minutes:
            lengths.append(measure(Path(folder), made, minutes, told.fps))
            # Kept as soon as it is known: the longest takes an hour.
            keep_figures("length", {"fps": told.fps, "lengths": lengths})
            for stage, used in lengths[-1]["stages"].items():
                per_frame = 1000 * used["cpu_s"] / lengths[-1]["frames"]
                print(f"{minutes} min {stage}: {used['cpu_s']} CPU s, {per_frame:.3f} CPU ms per frame, {used['peak_mb']} MB", flush=True)


if __name__ == "__main__":
    main()
