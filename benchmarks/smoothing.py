"""LK-RSTC against its oracles, decoding alone and the published loop: accuracy, CPU, memory, threads, jitter.

    python benchmarks/smoothing.py --data ../shared/data [--plot smoothing.png]

CPU is that of a process of its own, without imports and after one warm-up run that fills the kernel cache; ratios are taken within one
run of the script. Nothing of the data folder is written or copied outside of a temporary folder.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from measuring import cpu_of, decode_only, loop_movie

CLIPS = ("pair384_400", "flies1024_500")
SPEED_CLIP = "flies1024_500"
MANY_POINTS = 40
# The published loop takes minutes for the whole clip.
LOOP_FRAMES = {12: 120, 25: 80}
LONG_REPEATS = 10
SLOW_PX = 1.0


def labelled_points(data: Path, clip: str) -> np.ndarray:
    """Points (frames, labels, 2) of a clip."""
    layer = json.loads((data / "lk" / "inputs" / f"{clip}.json").read_text())
    return np.array([[track[str(t)] for t in range(len(track))] for track in layer.values()], float).transpose(1, 0, 2)


def published_loop(frames: list[np.ndarray], points: np.ndarray, window: int) -> np.ndarray:
    """The algorithm as it was published: one window at a time, each with its own two tracks of Lucas-Kanade flow."""
    k = np.arange(window) - (window - 1) / 2
    slope = 2 * np.log(1 / 0.01 - 1) / (window - 1)
    forward_weight = (1 / (1 + np.exp(slope * k)) - 0.5) / 0.98 + 0.5
    keys = {"winSize": (45, 45), "maxLevel": 2, "criteria": (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 10, 0.03)}

    def follow(images: list[np.ndarray], start: np.ndarray) -> np.ndarray:
        track = [start.astype(np.float32)]
        for a, b in pairwise(images):
            track.append(cv2.calcOpticalFlowPyrLK(a, b, track[-1], None, **keys)[0])
        return np.array(track, float)

    total, count = np.zeros(points.shape), np.zeros((len(points), 1, 1))
    for s in range(len(points) - window + 1):
        images = frames[s : s + window]
        forward, backward = follow(images, points[s]), follow(images[::-1], points[s + window - 1])[::-1]
        total[s : s + window] += forward * forward_weight[:, None, None] + backward * forward_weight[::-1, None, None]
        count[s : s + window] += 1
    return total / count


def accuracy(data: Path) -> dict:
    """Largest and 99.9th percentile of the distance to each oracle, px."""
    from herdbook.movie.scanning import scan_movie
    from herdbook.smoothing.frames import movie_source
    from herdbook.smoothing.gaps import fill_gaps_by_flow, find_gaps
    from herdbook.smoothing.rstc import iterate_windows, rstc_weights, smooth_points

    found = {}

    def compare(name: str, ours: np.ndarray, oracle: np.ndarray) -> None:
        known = ~np.isnan(oracle).any(axis=-1)
        distance = np.linalg.norm(ours - oracle, axis=-1)[known]
        found[name] = [float(distance.max()), float(np.percentile(distance, 99.9))]

    for engine in ("opencv", "numba"):
        for clip in CLIPS:
            movie, points = data / "lk" / "clips" / f"{clip}.mp4", labelled_points(data, clip)
            source = movie_source(movie, scan_movie(movie))
            oracle = np.load(data / "lk" / "oracles" / f"{clip}_w0.5.npz")
            window = int(oracle["window_frames"])
            result = smooth_points(source.read(0, len(points)), points, window, engine)
            compare(f"{engine} {clip} w0.5", result.smoothed, oracle["smoothed"])
            if clip != CLIPS[0]:
                continue
            raw = np.load(data / "lk" / "oracles" / f"{clip}_w0.5_raw.npz")["rawlk"]
            ours = np.full_like(raw, np.nan)
            weights = [w[:, None, None] for w in rstc_weights(window)]
            for tracks in iterate_windows(source.read(0, len(points)), points, window, engine):
                for k, (f, b) in enumerate(zip(tracks.forward, tracks.backward, strict=True)):
                    start = tracks.start + k
                    ours[start % window, start : start + window] = f * weights[0] + b * weights[1]
            compare(f"{engine} {clip} every window", ours, raw)
            ends = np.load(data / "lk" / "oracles" / f"{clip}_interp_10_40.npz")
            labels = np.full((source.n_frames, *ends["start"].shape), np.nan)
            labels[10], labels[40] = ends["start"], ends["end"]
            filled, _ = fill_gaps_by_flow(source, labels, find_gaps(~np.isnan(labels[..., 0])), engine)
            # The labels themselves stay as they are; the oracle holds them rounded to 32 bits.
            compare(f"{engine} {clip} between frames 10 and 40", filled[11:40], ends["rstc"][1:-1])
    return found


def speed(data: Path) -> dict:
    """CPU ms per frame of decoding alone, of both engines and of the published loop."""
    from herdbook.movie.scanning import scan_movie
    from herdbook.smoothing.frames import movie_source
    from herdbook.smoothing.rstc import smooth_points

    cv2.setNumThreads(1)
    movie, points = data / "lk" / "clips" / f"{SPEED_CLIP}.mp4", labelled_points(data, SPEED_CLIP)
    source = movie_source(movie, scan_movie(movie))
    n = len(points)
    jitter = np.random.default_rng(1).normal(0, 1, (n, MANY_POINTS, 2))
    many = np.tile(points, (1, MANY_POINTS // points.shape[1], 1)) + jitter
    found = {"decode": 1000 * cpu_of(lambda: decode_only(movie)) / n}
    for window in (12, 25):
        for engine in ("numba", "opencv"):
            seconds = cpu_of(lambda w=window, e=engine: smooth_points(source.read(0, n), points, w, e))
            found[f"{engine} {window}"] = 1000 * seconds / n
        part = LOOP_FRAMES[window]
        start = time.process_time()
        published_loop(list(source.read(0, part)), points[:part], window)
        windows = part - window + 1
        found[f"loop {window}"] = 1000 * (time.process_time() - start) / windows
    found["many 12"] = 1000 * cpu_of(lambda: smooth_points(source.read(0, n), many, 12, "numba")) / n
    found["decode again"] = 1000 * cpu_of(lambda: decode_only(movie)) / n
    return found


def smooth_long(movie: str, points: str, threads: int, watched: bool = False) -> dict:
    """Wall time, CPU, peak memory and a digest of smoothing a movie in this process and its forks.

    Memory is the sum over the processes in which pages that they share count once (Linux), taken ten times a second where it is
    `watched`: that costs a tenth of the time.
    """
    import hashlib
    from threading import Event, Thread

    from herdbook.movie.scanning import scan_movie
    from herdbook.smoothing.frames import movie_source
    from herdbook.smoothing.parts import smooth_movie

    cv2.setNumThreads(1)
    given, scan = np.load(points), scan_movie(Path(movie))
    given = np.tile(given, (-(-scan.n_frames // len(given)), 1, 1))[: scan.n_frames]
    source = movie_source(Path(movie), scan)
    smooth_movie(movie_source(Path(movie), scan, 0, 60), given[:60], 12, threads=1, stage="warm-up")
    peak, done = [0.0], Event()

    def watch() -> None:
        while not done.wait(0.1):
            peak[0] = max(peak[0], memory_mb())

    watcher = Thread(target=watch)
    if watched:
        watcher.start()
    start, cpu = time.perf_counter(), sum(os.times()[:4])
    result = smooth_movie(source, given, 12, threads=threads, stage="benchmark")
    wall = time.perf_counter() - start
    used = sum(os.times()[:4]) - cpu
    done.set()
    if watched:
        watcher.join()
    return {
        "wall_s": wall,
        "cpu_s": used,
        "peak_mb": peak[0],
        "digest": hashlib.sha256(b"".join(part.tobytes() for part in result)).hexdigest(),
    }


def memory_mb() -> float:
    """Memory of this process and its children, shared pages once."""
    own = Path("/proc/self")
    children = [pid for task in (own / "task").iterdir() for pid in (task / "children").read_text().split()]
    total = 0
    for process in (own, *(Path("/proc") / pid for pid in children)):
        try:
            lines = (process / "smaps_rollup").read_text().splitlines()
        except OSError:
            continue  # it ended a moment ago
        total += next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
    return total / 1024


def jitter(data: Path, plot: str | None) -> dict:
    """What smoothing does to the body points of the flies."""
    from herdbook.commands.pose_plots import plot_smoothing
    from herdbook.formats.pose_files import read_poses
    from herdbook.movie.scanning import scan_movie
    from herdbook.positions.agreement import farthest_px, find_agreement, kinds_of_points
    from herdbook.report.figures.style import png_bytes
    from herdbook.smoothing.frames import movie_source
    from herdbook.smoothing.gaps import find_gaps
    from herdbook.smoothing.points import smooth_columns

    cv2.setNumThreads(1)
    movie = data / "flies2" / "movie.mp4"
    source, poses = movie_source(movie, scan_movie(movie)), read_poses([data / "flies2" / "pose.analysis.h5"])
    columns = poses.columns
    known, nobody = ~np.isnan(columns[..., 0]), np.zeros(columns.shape[:2], bool)
    agreement = find_agreement(source, columns, kinds_of_points(known, nobody, farthest_px(poses)), nobody, "numba")
    result = smooth_columns(source, columns, find_gaps(known, 12), 12, trusted=nobody, stage="flies2", agreement=agreement)

    def jitter_px(places: np.ndarray) -> float:
        return float(np.nanmedian(np.hypot(*np.moveaxis(np.diff(places, 2, axis=0), -1, 0))))

    def jitter_per_axis_px(places: np.ndarray) -> float:
        return float(np.nanmedian(np.abs(np.diff(places, 2, axis=0))))

    def steps_px(places: np.ndarray) -> np.ndarray:
        return np.hypot(*np.moveaxis(np.gradient(places, axis=0), -1, 0))

    moved = np.hypot(*np.moveaxis(result.smoothed - columns, -1, 0))
    body = steps_px(result.smoothed).reshape(*poses.likelihood.shape)[:, :, [poses.points.index("thorax")]]
    slow_body = np.broadcast_to(body < SLOW_PX, poses.likelihood.shape).reshape(moved.shape)
    slow_point = steps_px(result.smoothed) < SLOW_PX
    if plot:
        names = [("track_0", "thorax"), ("track_0", "wingL"), ("track_1", "hindlegL4")]
        chosen = [poses.individuals.index(i) * len(poses.points) + poses.points.index(p) for i, p in names]
        Path(plot).write_bytes(png_bytes(plot_smoothing(result, chosen, [" ".join(name) for name in names], 600, 800)))
    return {
        "before": jitter_px(columns),
        "after": jitter_px(result.smoothed),
        "before per axis": jitter_per_axis_px(columns),
        "after per axis": jitter_per_axis_px(result.smoothed),
        "slow points": float(np.nanmean(moved[slow_point])),
        "slow bodies": float(np.nanmean(moved[slow_body])),
        "slow bodies, median": float(np.nanmedian(moved[slow_body])),
        "jumps": int(result.jump.sum()),
        "filled": int(result.filled.sum()),
    }


def in_own_process(task: str, **arguments: object) -> dict:
    """Run one task of this script in a process of its own."""
    command = [sys.executable, __file__, "--task", json.dumps([task, arguments])]
    said = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    return json.loads(said.stdout.strip().splitlines()[-1])


def print_accuracy(data: Path) -> None:
    print("1. distance to the oracles (px): largest, 99.9th percentile")
    for name, (largest, most) in in_own_process("accuracy", data=str(data)).items():
        print(f"   {name:45} {largest:.2e} {most:.2e}")


def print_speed(data: Path) -> None:
    f = in_own_process("speed", data=str(data))
    print(f"2. CPU ms per frame, 1024x1024, 8 points; decoding alone {f['decode']:.2f} (again {f['decode again']:.2f})")
    for window in (12, 25):
        for engine in ("numba", "opencv"):
            own = f[f"{engine} {window}"]
            print(f"   {engine} W = {window}: {own:.2f} = {own / f['decode']:.1f} x decoding", flush=True)
    for window in (12, 25):
        loop = f[f"loop {window}"]
        print(f"3. published loop W = {window}: {loop:.1f} ms = {loop / f[f'numba {window}']:.1f} x numba")
    print(f"4. {MANY_POINTS} points W = 12: {f['many 12']:.1f} ms")


def print_long(data: Path, folder: Path) -> None:
    short, points = data / "lk" / "clips" / f"{SPEED_CLIP}.mp4", folder / "points.npy"
    np.save(points, labelled_points(data, SPEED_CLIP))
    middle, long = folder / "middle.mp4", folder / "long.mp4"
    loop_movie(short, 4, middle)
    loop_movie(short, 4 * LONG_REPEATS, long)
    runs = {n: [in_own_process("smooth_long", movie=str(long), points=str(points), threads=n) for _ in range(2)] for n in (1, 2)}
    best = {n: min(run["wall_s"] for run in of) for n, of in runs.items()}
    same = len({run["digest"] for of in runs.values() for run in of}) == 1
    cpu = {n: min(run["cpu_s"] for run in of) for n, of in runs.items()}
    print(
        f"5. two threads: {best[1] / best[2]:.2f} x faster (wall {best[1]:.1f} and {best[2]:.1f} s, best of 2; CPU {cpu[1]:.1f} "
        f"and {cpu[2]:.1f} s, hence {2 * cpu[1] / cpu[2]:.2f} x on idle cores), result {'identical' if same else 'DIFFERENT'}"
    )
    for n in (1, 2):
        of = [in_own_process("smooth_long", movie=str(m), points=str(points), threads=n, watched=True) for m in (middle, long)]
        peak = " and ".join(f"{run['peak_mb']:.0f} MB" for run in of)
        print(f"   peak memory, {n} thread{'s' * (n > 1)}, 2,000 and {2000 * LONG_REPEATS:,} frames: {peak}")


def print_jitter(data: Path, plot: str | None) -> None:
    f = in_own_process("jitter", data=str(data), plot=plot)
    print(
        f"6. flies2, 26 body points: jitter {f['before']:.2f} -> {f['after']:.2f} px, {100 * (1 - f['after'] / f['before']):.0f} % less; "
        f"per axis {f['before per axis']:.2f} -> {f['after per axis']:.2f}; {f['filled']} points filled, {f['jumps']} jump"
    )
    print(f"   mean distance from the original: points that move < {SLOW_PX:g} px per frame {f['slow points']:.2f} px")
    print(f"   all points of animals whose thorax does {f['slow bodies']:.2f} px (median {f['slow bodies, median']:.2f})")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--plot", help="PNG of three points of the flies")
    parser.add_argument("--task", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.task:
        task, keys = json.loads(arguments.task)
        tasks = {"accuracy": accuracy, "speed": speed, "smooth_long": smooth_long, "jitter": jitter}
        print(json.dumps(tasks[task](**{**keys, **({"data": Path(keys["data"])} if "data" in keys else {})})))
        return
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print_accuracy(arguments.data)
    print_speed(arguments.data)
    print_jitter(arguments.data, arguments.plot)
    with tempfile.TemporaryDirectory() as folder:
        print_long(arguments.data, Path(folder))


if __name__ == "__main__":
    main()
