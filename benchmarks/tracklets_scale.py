"""Time and memory of `tracklets` over the number of blobs.

    python benchmarks/tracklets_scale.py                 one and ten million blobs
    python benchmarks/tracklets_scale.py --blobs 1e6 3e6

A simulated movie of 16 animals is segmented once; its blobs are repeated forwards and backwards in turn, so that all motion goes on, until
there are as many as asked for. Each run is a process of its own; its peak memory is the kernel's high-water mark.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np

from herdbook.artifacts.outlines import RUN_COLUMNS, pack_runs
from herdbook.artifacts.segment import Blobs, open_blob_images
from herdbook.artifacts.store import Provenance, columns_writer
from herdbook.experiment.model import Experiment
from herdbook.movie.simulated.recording import simulate_recording
from herdbook.stages import background, index, segment

RUN = """
import json, resource, sys, time
from herdbook import tracklets
start, cpu = time.perf_counter(), time.process_time()
tracklets.main(sys.argv[1:])
peak = next(int(line.split()[1]) / 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps([time.perf_counter() - start, time.process_time() - cpu, peak]))
"""


def segmented(folder: Path) -> tuple[Experiment, Path]:
    """The experiment and the segment artifact of a simulated movie."""
    simulate_recording(folder, movies=("movie",), number=16, frames=1000, size=(800, 800), fps=20.0)
    experiment = Experiment.model_validate(
        {
            "experiment": "scale",
            "movies": [{"name": "movie", "file": str(folder / "movie.mp4")}],
            "animals": {"marking": "none", "number": 16},
        }
    )
    at = {stage: str(folder / f"{stage}.h5") for stage in ("index", "background", "segment")}
    movie = ("--movie", experiment.movies[0].file)
    index.main([*movie, "--out", at["index"], "--settings", experiment.settings("index", "movie")])
    background.main(
        [
            *(*movie, "--index", at["index"], "--reference", at["index"]),
            *("--out", at["background"], "--settings", experiment.settings("background", "movie")),
        ]
    )
    segment.main(
        [
            *(*movie, "--index", at["index"], "--background", at["background"]),
            *("--out", at["segment"], "--settings", experiment.settings("segment", "movie")),
        ]
    )
    return experiment, Path(at["segment"])


def repeated(source: Path, wanted: int, out: Path) -> int:
    """Write the blobs of a movie forwards and backwards in turn until there are as many as wanted; returns how many there are."""
    blobs = Blobs.load(source)
    with open_blob_images(source) as images:
        runs, offsets = images.runs(0, len(blobs))
    back = np.lexsort((np.arange(len(blobs)), -blobs.frame))
    length = np.diff(offsets)
    ways = []
    for order, frame in ((np.arange(len(blobs)), blobs.frame), (back, blobs.frames - 1 - blobs.frame[back])):
        rows = np.repeat(offsets[order] - np.cumsum(length[order]) + length[order], length[order]) + np.arange(len(runs))
        packed = pack_runs(runs[rows], np.concatenate([[0], np.cumsum(length[order])]))
        ways.append((order, frame.astype(np.int32), packed, np.cumsum(length[order])))
    times = int(np.ceil(wanted / len(blobs)))
    with h5py.File(source) as file, columns_writer(out, Blobs.kind, Provenance("segment", segment.STAGE_VERSION)) as writer:
        writer.append("run_offsets", np.zeros(1, np.int64))
        for k in range(times):
            order, frame, packed, ends = ways[k % 2]
            for name in Blobs.columns:
                values = frame + np.int32(k * blobs.frames) if name == "frame" else getattr(blobs, name)[order]
                writer.append(name, np.full(len(blobs), -1, np.int64) if name == "image" else values)
            for name, column in zip(RUN_COLUMNS, packed, strict=True):
                writer.append(name, column)
            writer.append("run_offsets", k * len(runs) + ends)
        for name in ("image_blob", "image_box", "image_pixels"):
            writer.put(name, file[name][:0])
        writer.put("image_offsets", np.zeros(1, np.int64))
        for name in ("image_grey", "image_terms"):
            writer.put(name, file[name][...])
        writer.put("intervals", np.array([[0, times * blobs.frames]]))
        writer.attribute("frames", times * blobs.frames)
        for name in ("width", "height", "fps", "image_coding"):
            writer.attribute(name, file.attrs[name])
    return times * len(blobs)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--blobs", type=float, nargs="+", default=[1e6, 1e7])
    wanted = [round(number) for number in parser.parse_args().blobs]
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"{'blobs':>12} {'wall s':>8} {'CPU s':>8} {'peak MB':>8}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        experiment, source = segmented(folder)
        for number in wanted:
            blobs = repeated(source, number, folder / "many.h5")
            command = [
                "--blobs",
                str(folder / "many.h5"),
                "--out",
                str(folder / "out.h5"),
                "--settings",
                experiment.settings("tracklets", "movie"),
            ]
            said = subprocess.run([sys.executable, "-c", RUN, *command], check=True, capture_output=True, text=True)
            wall, cpu, peak = json.loads(said.stdout.splitlines()[-1])
            print(f"{blobs:12,} {wall:8.1f} {cpu:8.1f} {peak:8.0f}", flush=True)


if __name__ == "__main__":
    main()
