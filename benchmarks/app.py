"""What the page costs its server: CPU and wall time of each move, beside its bar.

Call: `python benchmarks/app.py [MOVIE ...]`. It makes movies of 1 Mpx and 1080p and measures the page on them in a real browser (Chromium),
with runs that are started, stopped and watched; then the server alone on them, or on the movies that are named. The bars of CPU time are
for 1080p; wall times depend on what else the machine does. Movies and backgrounds are made once and kept in the folder that `--work` names.
"""

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.app_page import SIZES, measure_all, write_movie
from herdbook.app.live import Live, LiveMovie
from herdbook.app.looks import Request, answer
from herdbook.app.samples import Samples

# CPU time of one move, ms; of an exact frame at 1 Mpx and 250 frames from keyframe to keyframe.
BARS = {
    "threshold -> outlines": 15,
    "area -> outlines": 15,
    "blur 1.5 -> outlines": 150,
    "all colours -> outlines": 150,
    "counts of 60 frames": 50,
    "next frame": 15,
    "frame of playing": 15,
    "near frame of a drag": 66,
    "exact frame": 300,
}
REPEATS = 40


def measured(moves: list[Callable[[], Any]]) -> tuple[float, float, float]:
    """CPU time of a move, ms; median and 95 % of wall times, ms."""
    moves[0]()
    walls = []
    begin = time.process_time()
    for move in moves:
        start = time.perf_counter()
        move()
        walls.append(1000 * (time.perf_counter() - start))
    cpu = 1000 * (time.process_time() - begin) / len(moves)
    return cpu, float(np.median(walls)), float(np.quantile(walls, 0.95))


def measure(live: Live, movie: LiveMovie) -> dict[str, tuple[float, float, float]]:
    """Times of each kind of move."""
    frames, rng = len(movie.index), np.random.default_rng(1)
    ask = lambda frame, **how: answer(live, Request(1, movie.name, frame, **how))  # noqa: E731

    def tried(changes: dict[str, Any]) -> Callable[[], Any]:
        def move() -> None:
            live.try_out(changes)
            ask(100, image=False)

        return move

    found = {}
    ask(100)
    found["threshold -> outlines"] = measured([tried({"segment.difference": 15.0 + 0.5 * k}) for k in range(REPEATS)])
    found["area -> outlines"] = measured([tried({"segment.area": [20 + k, 5000]}) for k in range(REPEATS)])
    found["blur 1.5 -> outlines"] = measured([tried({"segment.blur": 1.5, "segment.difference": 15.0 + k}) for k in range(10)])
    colours = {"segment.blur": 0.0, "segment.channel": "colour"}
    found["all colours -> outlines"] = measured([tried(colours | {"segment.difference": 15.0 + k}) for k in range(10)])
    live.try_out({"segment.channel": "grey", "segment.difference": 25.0})
    samples = Samples(movie)
    while samples.stale:
        samples.read(10)
    found["counts of 60 frames"] = measured([samples.count] * 8)
    samples.close()
    found["next frame"] = measured([lambda k=k: ask(100 + k) for k in range(REPEATS)])  # type: ignore[misc]
    found["frame of playing"] = measured([lambda k=k: ask(300 + k, queued=True, width=960) for k in range(REPEATS)])  # type: ignore[misc]
    places = rng.integers(0, frames, REPEATS).tolist()
    found["near frame of a drag"] = measured([lambda k=k: ask(k, near=True, width=960) for k in places])  # type: ignore[misc]
    found["exact frame"] = measured([lambda k=k: ask(k, width=960) for k in places[:15]])  # type: ignore[misc]
    return found


def main() -> None:
    """Measure each movie and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("movies", nargs="*", type=Path)
    parser.add_argument("--server", action="store_true", help="the server alone, without a browser")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "herdbook_app_benchmark")
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    if not arguments.server:
        measure_all(arguments.work, lambda line: print(line, flush=True))
    for number, path in enumerate(arguments.movies or [write_movie(arguments.work, name) for name in SIZES]):
        folder = arguments.work / f"{number}_{path.parent.name}_{path.stem}"
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "experiment.yaml"
        movies = [{"name": "m", "file": str(path.resolve())}]
        file.write_text(yaml.safe_dump({"experiment": "app", "movies": movies, "animals": {"marking": "none"}}))
        start = time.perf_counter()
        live = Live(file)
        movie = live.movie("m")
        while movie.maker.scene.state not in ("ready", "failed"):
            movie.poll()
            time.sleep(0.05)
        index = movie.index
        print(f"\n{path}: {index.width} x {index.height} px, {len(index)} frames; background after {time.perf_counter() - start:.1f} s")
        print(f"{'':28}{'CPU ms':>8}{'bar':>6}{'wall median':>13}{'95 %':>8}")
        for name, (cpu, median, high) in measure(live, movie).items():
            print(f"{name:28}{cpu:8.1f}{BARS[name]:6d}{median:13.1f}{high:8.1f}{'' if cpu <= BARS[name] else '   over'}")
        live.close()
    print(f"\nlargest memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
