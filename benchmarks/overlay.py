"""Speed of the movies that Herdbook writes against ffmpeg, which decodes the same frames and encodes them again with nothing drawn on them.

    python benchmarks/overlay.py --data ../shared/data
    python benchmarks/overlay.py --data ../shared/data --frames 3000 --rounds 1 --threads 2

Prints a table in Markdown. Codec, preset, quality, size of the picture and threads are the same on both sides; ffmpeg is the program
of that name if there is one, else its libraries by PyAV. Both take turns, and a ratio is the median of those of the rounds. Imports and
the compiling of kernels are left out. Positions are the true ones, so that nothing but `segment` has to run before. Nothing of the data
folder is written or copied outside of a temporary folder.
"""

import argparse
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from segmentation import prepared, simulated

STAGES = ("overlay", "closeups", "mosaic")
ENCODER = {"preset": "veryfast", "crf": "23", "x264-params": "mbtree=0"}
# What each stage is compared with: close-ups are many small pictures, and so are taken against that of the overlay.
AS_LARGE_AS = {"overlay": "overlay", "closeups": "overlay", "mosaic": "mosaic"}


class Cost(NamedTuple):
    """Seconds of one run."""

    cpu_s: float
    wall_s: float


def cost_of(work: Callable[[], object]) -> Cost:
    """CPU, that of programs it starts included, and wall time of a call."""

    def cpu_s() -> float:
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return sum(one.ru_utime + one.ru_stime for one in used)

    start, before = time.perf_counter(), cpu_s()
    work()
    return Cost(cpu_s() - before, time.perf_counter() - start)


def coded_size(movie: Path) -> tuple[int, int]:
    """Width and height of a movie, px."""
    import av

    with av.open(str(movie)) as container:
        stream = container.streams.video[0]
        return stream.width, stream.height


def transcode(movie: Path, frames: int, out: Path, threads: int, size: tuple[int, int]) -> None:
    """Decode so many frames and encode them in pictures of this size (width, height)."""
    program = shutil.which("ffmpeg")
    if program is None:
        transcode_in_python(movie, frames, out, threads, size)
        return
    scale = ["-vf", f"scale={size[0]}:{size[1]}"]
    coding = [word for key, value in ENCODER.items() for word in (f"-{key}", value)]
    command = [program, "-v", "error", "-y", "-threads", "1", "-i", str(movie), "-frames:v", str(frames), *scale]
    subprocess.run([*command, "-an", "-c:v", "libx264", "-pix_fmt", "yuv420p", *coding, "-threads", str(threads), str(out)], check=True)


def transcode_in_python(movie: Path, frames: int, out: Path, threads: int, size: tuple[int, int]) -> None:
    """The same with the libraries of ffmpeg, without the program."""
    import av
    from av.video.reformatter import VideoReformatter

    reformatter = VideoReformatter()
    with av.open(str(movie)) as source, av.open(str(out), "w") as target:
        stream = source.streams.video[0]
        stream.thread_type, stream.codec_context.thread_count = "NONE", 1
        rate = Fraction(stream.average_rate)
        copy = target.add_stream("libx264", rate=rate, options=ENCODER)
        copy.width, copy.height = size
        copy.pix_fmt, copy.codec_context.thread_count = "yuv420p", threads
        for number, frame in zip(range(frames), source.decode(stream), strict=False):
            shown = reformatter.reformat(frame, width=copy.width, height=copy.height, format="yuv420p", threads=1)
            shown.pts, shown.time_base, shown.pict_type = number, 1 / rate, 0
            target.mux(copy.encode(shown))
        target.mux(copy.encode(None))


def true_trajectories(truth: Path, movie: str, index: Path, out: Path) -> None:
    """Write the true positions of a movie as the stage smooth would."""
    from herdbook.artifacts.index import Index
    from herdbook.artifacts.smooth import FROM_SINGLE, Trajectories
    from herdbook.artifacts.store import Provenance

    table = pd.read_csv(truth)
    table = table[table.movie == movie].sort_values(["frame", "identity"])
    names, who = np.unique(table.identity, return_inverse=True)
    x, y, heading = (table[name].to_numpy(float) for name in ("x", "y", "theta"))
    ones = np.ones(len(table), np.float32)
    places = (table.frame.to_numpy(np.int32), who.astype(np.int32), x, y, x, y, heading.astype(np.float32))
    rest = (ones, np.full(len(table), FROM_SINGLE, np.uint8), 0 * ones, ones < 0)
    Trajectories([str(name) for name in names], len(Index.load(index)), *places, *rest).save(out, Provenance("true", 1))


def compare(movie: Path, truth: Path, overrides: dict, frames: int, rounds: int, threads: int) -> dict:
    """CPU and wall time of transcoding and of each stage in turn, all rounds of a movie, in this process."""
    from importlib import import_module

    from herdbook.experiment.model import Experiment

    with prepared(movie, overrides) as (segmenting, _, folder):
        import_module("herdbook.stages.segment").main(segmenting)
        true_trajectories(truth, movie.stem, folder / "index.h5", folder / "tracks.h5")
        keys = {"experiment": "benchmark", "movies": [{"name": "movie", "file": str(movie)}], "animals": {"marking": "none", "keep": True}}
        keys["animals"]["number"] = 1
        files = {"movie": movie, "index": folder / "index.h5", "trajectories": folder / "tracks.h5"}
        given = [word for name, path in files.items() for word in (f"--{name}", str(path))]

        def work(stage: str, last: int) -> Callable[[], None]:
            settings = Experiment.model_validate(keys | {stage: {"intervals": [[0, last]]}}).settings(stage, "movie")
            blobs = ["--blobs" if stage == "overlay" else "--reference", str(folder / "segment.h5")]
            out = str(folder / (stage if stage == "closeups" else f"{stage}.mp4"))
            module = import_module(f"herdbook.stages.{stage}")
            return lambda: module.main([*given, *blobs, "--out", out, "--settings", settings, "--threads", str(threads)])

        for stage in STAGES:
            work(stage, 2)()
        sizes = {stage: coded_size(folder / f"{stage}.mp4") for stage in sorted(set(AS_LARGE_AS.values()))}

        def again(stage: str) -> Cost:
            return cost_of(lambda: transcode(movie, frames, folder / "again.mp4", threads, sizes[stage]))

        again("overlay")
        costs: dict[str, list[Cost]] = {key: [] for key in (*STAGES, *(f"reference {stage}" for stage in sizes))}
        for _ in range(rounds):
            for stage in STAGES:
                costs[stage].append(cost_of(work(stage, frames)))
            for stage in sizes:
                costs[f"reference {stage}"].append(again(stage))
        return {"frames": frames, **costs}


def row(name: str, stage: str, found: dict) -> str:
    """A line of the table: what a frame costs, and how fast the stage is in units of ffmpeg's speed."""
    reference, costs = ([Cost(*cost) for cost in found[key]] for key in (f"reference {AS_LARGE_AS[stage]}", stage))

    def ms(values: list[Cost]) -> float:
        return 1000 * statistics.median(cost.cpu_s for cost in values) / found["frames"]

    cpu, wall = (statistics.median(r[k] / c[k] for r, c in zip(reference, costs, strict=True)) for k in (0, 1))
    return f"| {name} | {stage} | {ms(reference):.1f} | {ms(costs):.1f} | {cpu:.2f} | {wall:.2f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--frames", type=int, default=600, help="of each movie")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1, help="of the encoders")
    parser.add_argument("--task", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.task:
        keys = json.loads(given.task)
        print(json.dumps(compare(**keys | {"movie": Path(keys["movie"]), "truth": Path(keys["truth"])})))
        return
    said = "the program ffmpeg" if shutil.which("ffmpeg") else "ffmpeg's libraries by PyAV"
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; against {said}, {given.threads} threads\n")
    print("| movie | stage | ffmpeg, CPU ms per frame | stage, CPU ms per frame | speed / ffmpeg, by CPU | by the clock |")
    print("| --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cases = {"ants16, 960x720, 16 animals": (given.data / "ants16" / "movie01.mp4", {"area": [60, 20000]})}
        cases["simulated, 1920x1080, 8 animals"] = (
            simulated(folder, frames=given.frames, size=(1920, 1080), number=8, fps=25.0, body_length_px=60.0),
            {"area": [50, 20000]},
        )
        for case, (movie, overrides) in cases.items():
            if not movie.exists():
                print(f"| {case} | not in {given.data} | | | | |")
                continue
            task = {"movie": str(movie), "truth": str(movie.with_name("truth.csv")), "overrides": overrides}
            task |= {"frames": given.frames, "rounds": given.rounds, "threads": given.threads}
            command = [sys.executable, __file__, "--task", json.dumps(task)]
            done = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
            found = json.loads(done.stdout.strip().splitlines()[-1])
            for stage in STAGES:
                print(row(case, stage, found), flush=True)


if __name__ == "__main__":
    main()
