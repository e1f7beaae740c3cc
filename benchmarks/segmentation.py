"""Speed, memory and size of `segment` against decoding alone and against the usual OpenCV chain.

    python benchmarks/segmentation.py --data ../shared/data          CPU per frame, ratios, artifact size
    python benchmarks/segmentation.py --data ../shared/data --long   threads, peak memory over length, size of long movies

Every figure is the CPU time of a process of its own, without imports and after one warm-up run that fills the kernel cache; ratios are
taken within one run of the script. Nothing of the data folder is written or copied outside of a temporary folder.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from measuring import cpu_of, decode_only, loop_movie

# Settings from one look at each movie.
MOVIES = {
    "ants16": ("movie01.mp4", {"area": [60, 20000]}, True),
    "mice4": ("movie01.mp4", {"area": [100, 20000], "polarity": "bright"}, True),
    "flies2": ("movie.mp4", {"area": [300, 50000], "polarity": "bright"}, False),
    "mouse1": ("movie.mp4", {"area": [100, 50000], "difference": 20}, False),
    "guppies8": ("movie.mp4", {"area": [200, 50000], "difference": 20}, False),
}


def usual_chain(movie: Path, background: np.ndarray, settings: dict) -> int:
    """The chain found in most home-made trackers; returns the number of blobs."""
    cv2.setNumThreads(1)
    capture = cv2.VideoCapture(str(movie))
    capture.set(cv2.CAP_PROP_N_THREADS, 1)
    smallest, largest = settings["area"]
    found = 0
    while True:
        ok, image = capture.read()
        if not ok:
            return found
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        difference = cv2.absdiff(grey, background)
        _, mask = cv2.threshold(difference, settings["difference"], 255, cv2.THRESH_BINARY)
        count, _, stats, _ = cv2.connectedComponentsWithStats(mask)
        found += sum(smallest <= stats[k, cv2.CC_STAT_AREA] <= largest for k in range(1, count))


@contextmanager
def prepared(movie: Path, overrides: dict) -> Iterator[tuple[list[str], dict, Path]]:
    """Command line of `segment` for a movie whose index and background are made, with its settings and the folder of all files."""
    from herdbook.experiment.model import Experiment
    from herdbook.stages import background, index

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        experiment = Experiment.model_validate(
            {
                "experiment": "benchmark",
                "movies": [{"name": "movie", "file": str(movie)}],
                "animals": {"marking": "none"},
                "segment": overrides,
            }
        )
        at = {stage: str(folder / f"{stage}.h5") for stage in ("index", "background", "segment")}
        index.main(["--movie", str(movie), "--out", at["index"], "--settings", experiment.settings("index")])
        background.main(
            [
                *("--movie", str(movie), "--index", at["index"], "--reference", at["index"]),
                *("--out", at["background"], "--settings", experiment.settings("background")),
            ]
        )
        settings = experiment.settings("segment", "movie")
        command = ["--movie", str(movie), "--index", at["index"], "--background", at["background"], "--out", at["segment"]]
        yield [*command, "--settings", settings], json.loads(settings), folder


def compare(movie: Path, overrides: dict) -> dict:
    """All figures of one movie, in this process."""
    from herdbook.artifacts.background import Background
    from herdbook.artifacts.segment import Blobs
    from herdbook.stages import segment

    with prepared(movie, overrides) as (command, settings, folder):
        frames = decode_only(movie)
        decoding = cpu_of(lambda: decode_only(movie))
        segmenting = cpu_of(lambda: segment.main(command))
        image = Background.load(folder / "background.h5").bgr[0]
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        usual = cpu_of(lambda: usual_chain(movie, grey, settings))
        return {
            "decode_ms": 1000 * decoding / frames,
            "segment_ms": 1000 * segmenting / frames,
            "usual_ms": 1000 * usual / frames,
            "blobs_per_frame": len(Blobs.load(folder / "segment.h5")) / frames,
            "size_ratio": (folder / "segment.h5").stat().st_size / movie.stat().st_size,
        }


def peak_memory(command: list[str]) -> float:
    """Peak resident memory (MB, Linux) of one run of the stage in a process of its own.

    The kernel's own high-water mark: what getrusage tells of a child begins at the size of its parent.
    """
    code = "import sys; from herdbook import segment; segment.main(sys.argv[1:]); print(open('/proc/self/status').read())"
    said = subprocess.run([sys.executable, "-c", code, *command], check=True, capture_output=True, text=True)
    return next(int(line.split()[1]) / 1024 for line in said.stdout.splitlines() if line.startswith("VmHWM"))


def run_once(movie: Path, overrides: dict, threads: int) -> dict:
    """Wall time, peak memory and a fingerprint of one run of the stage."""
    from herdbook.artifacts.store import artifact_fingerprint
    from herdbook.stages import segment

    with prepared(movie, overrides) as (command, _, folder):
        segment.main([*command, "--threads", str(threads)])
        start = time.perf_counter()
        segment.main([*command, "--threads", str(threads)])
        return {
            "wall_s": time.perf_counter() - start,
            "peak_mb": peak_memory([*command, "--threads", str(threads)]),
            "size_mb": (folder / "segment.h5").stat().st_size / 1e6,
            "fingerprint": artifact_fingerprint(folder / "segment.h5"),
        }


def in_own_process(task: str, **arguments: object) -> dict:
    """Run one task of this script in a process of its own."""
    command = [sys.executable, __file__, "--task", json.dumps([task, arguments])]
    said = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    return json.loads(said.stdout.strip().splitlines()[-1])


def simulated(folder: Path, **keys: object) -> Path:
    """A simulated movie without labels."""
    from herdbook.movie.simulated.recording import simulate_recording

    simulate_recording(folder, movies=("movie",), **keys)
    return folder / "movie.mp4"


def print_speed(data: Path, folder: Path) -> None:
    """CPU against decoding and the usual chain, and artifact size, for each movie."""
    cases = {name: (data / name / file, keys) for name, (file, keys, _) in MOVIES.items() if (data / name / file).exists()}
    cases["simulated 1080p"] = (simulated(folder, frames=3000, size=(1920, 1080), number=8, fps=25.0), {"area": [50, 20000]})
    print("CPU ms per frame")
    print(f"{'movie':16} {'decode':>8} {'segment':>8} {'usual':>8}  {'/decode':>7} {'usual/':>7} {'size':>6} {'blobs':>6}")
    for name, (movie, keys) in cases.items():
        f = in_own_process("compare", movie=str(movie), overrides=keys)
        print(
            f"{name:16} {f['decode_ms']:8.3f} {f['segment_ms']:8.3f} {f['usual_ms']:8.3f}  {f['segment_ms'] / f['decode_ms']:7.2f}"
            f" {f['usual_ms'] / f['segment_ms']:7.1f} {f['size_ratio']:6.2f} {f['blobs_per_frame']:6.2f}",
            flush=True,
        )


def print_long(data: Path, folder: Path) -> None:
    """Threads, memory over length, and the size of long movies."""
    file, keys, _ = MOVIES["mouse1"]
    short = data / "mouse1" / file
    one, two = (in_own_process("run_once", movie=str(short), overrides=keys, threads=n) for n in (1, 2))
    same = one["fingerprint"] == two["fingerprint"]
    ratio = one["wall_s"] / two["wall_s"]
    print(f"two threads on mouse1 (10,000 frames): {ratio:.2f} x faster, artifact {'identical' if same else 'DIFFERENT'}")
    long = folder / "long.mp4"
    loop_movie(short, 10, long)
    ten = in_own_process("run_once", movie=str(long), overrides=keys, threads=1)
    print(f"peak memory: 10,000 frames {one['peak_mb']:.0f} MB, 100,000 frames {ten['peak_mb']:.0f} MB")
    large = simulated(folder / "large", frames=600, size=(1920, 1080), number=8, fps=25.0)
    memory = in_own_process("run_once", movie=str(large), overrides={"area": [50, 20000]}, threads=1)["peak_mb"]
    print(f"peak memory, 1080p: {memory:.0f} MB")
    minutes = simulated(folder / "minutes", frames=18_000, size=(640, 480), number=4, fps=30.0)
    size = in_own_process("run_once", movie=str(minutes), overrides={"area": [50, 20000]}, threads=2)["size_mb"]
    print(f"10 minutes of 640x480 at 30 frames per second with 4 animals: {size:.1f} MB, hence 12 h: {size * 72 / 1000:.2f} GB")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--task", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.task:
        task, keys = json.loads(arguments.task)
        result = {"compare": compare, "run_once": run_once}[task](**{**keys, "movie": Path(keys["movie"])})
        print(json.dumps(result))
        return
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory() as folder:
        (print_long if arguments.long else print_speed)(arguments.data, Path(folder))


if __name__ == "__main__":
    main()
