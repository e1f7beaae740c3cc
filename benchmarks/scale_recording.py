"""Time and memory of `propagate` over the number of movies of one recording.

    python benchmarks/scale_recording.py                        100, 300 and 1,000 movies of 16 animals
    python benchmarks/scale_recording.py --movies 100 --animals 30 --frames 3000

One recording is simulated (see identity_scale.py) and cut into movies, whose tracklets run on in the next one. Their artifacts, as
`segment`, `tracklets` and `classify` write them, are read by `propagate` in a process of its own; memory is its peak (VmHWM). Beside it
stands what the blobs of all movies would take. The figures go into results/scale.json.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from identity_scale import FPS, simulate_graph, simulate_scores
from scale import keep_figures, run_measured

from herdbook.artifacts.classify import Evidence
from herdbook.artifacts.segment import Blobs
from herdbook.artifacts.store import Provenance, columns_writer
from herdbook.artifacts.tracklets import SINGLE, Tracklets
from herdbook.experiment.model import Experiment
from herdbook.identity.graph import Graph

SIZE = (1000, 1000)
BYTES_OF_BLOB = 71


def write_segment(path: Path, frame: np.ndarray, x: np.ndarray, frames: int) -> None:
    """The columns of blobs that `propagate` reads; the others are there, too."""
    n = len(frame)
    columns = {
        "frame": frame.astype(np.int32),
        "x": x,
        "y": np.full(n, 100.0),
        "area": np.full(n, 300, np.int32),
        "box": np.zeros((n, 4), np.int32),
        "moments": np.tile(np.array([[40, 0, 10]], np.float32), (n, 1)),
        "contrast": np.zeros(n, np.float32),
        "intensity": np.zeros(n, np.float32),
        "arena": np.zeros(n, np.int16),
        "border": np.zeros(n, bool),
        "image": np.full(n, -1, np.int64),
        "intervals": np.array([[0, frames]]),
    }
    with columns_writer(path, Blobs.kind, Provenance("segment", 1)) as writer:
        for name, values in columns.items():
            writer.append(name, values)
        for name, value in {"frames": frames, "width": SIZE[0], "height": SIZE[1], "fps": float(FPS)}.items():
            writer.attribute(name, value)


def write_movie(
    folder: Path, name: str, graph: Graph, scores: np.ndarray, start: int, frames: int, before: dict[int, int]
) -> dict[int, int]:
    """Write the artifacts of frames start .. start + frames - 1; `before` and the result: last blob of each tracklet that runs on."""
    rows = np.flatnonzero((graph.first < start + frames) & (graph.last >= start))
    rows = rows[np.lexsort((rows, np.maximum(graph.first[rows], start)))]
    first, last = np.maximum(graph.first[rows] - start, 0), np.minimum(graph.last[rows] - start, frames - 1)
    length = last - first + 1
    tracklet = np.repeat(np.arange(len(rows)), length)
    frame = np.arange(len(tracklet)) - np.repeat(np.cumsum(length) - length, length) + first[tracklet]
    order = np.lexsort((tracklet, frame))
    tracklet, frame = tracklet[order], frame[order]
    share = (frame + start - graph.first[rows][tracklet]) / np.maximum(1, graph.last[rows] - graph.first[rows])[tracklet]
    x = graph.start_xy[rows, 0][tracklet] * (1 - share) + graph.end_xy[rows, 0][tracklet] * share
    write_segment(folder / "segment" / f"{name}.h5", frame, x, frames)

    place = np.full(len(graph), -1)
    place[rows] = np.arange(len(rows))
    inside = (place[graph.edges] >= 0).all(axis=1)
    parent, child = graph.edges[inside].T
    crossing = graph.first[child] == start
    animals = graph.animals[rows].astype(np.int16)
    row_of = {int(rows[t]): b for b, t in reversed(list(enumerate(tracklet.tolist()))) if frame[b] == 0}
    links = [(b, row_of[t]) for t, b in before.items() if t in row_of]
    links += [
        (before[p], row_of[c]) for p, c in zip(*graph.edges[graph.first[graph.edges[:, 1]] == start].T.tolist(), strict=True) if p in before
    ]
    edges = np.stack([place[parent], place[child]], 1)[~crossing]
    Tracklets(
        frames=frames,
        blob_tracklet=tracklet.astype(np.int32),
        first=first.astype(np.int32),
        last=last.astype(np.int32),
        animals=animals,
        animals_margin=np.full(len(rows), 50, np.float32),
        tracklet_kind=np.where(animals == 1, SINGLE, 1).astype(np.uint8),
        arena=np.zeros(len(rows), np.int16),
        size=animals.astype(np.float32),
        edges=edges.astype(np.int32),
        edge_weight=np.ones(len(edges), np.float32),
        border_edges=np.array(sorted(set(links)), np.int64).reshape(-1, 2),
    ).save(folder / "tracklets" / f"{name}.h5", Provenance("tracklets", 1))
    Evidence(
        classes=[f"a{k}" for k in range(scores.shape[1])],
        log_likelihood=np.where(animals[:, None] == 1, scores[rows], 0).astype(np.float32),
        images=(animals == 1).astype(np.int32) * 10,
        labelled=np.full(len(rows), -1, np.int16),
        blob=np.zeros(0, np.int64),
        blob_log_likelihood=np.zeros((0, scores.shape[1]), np.float32),
    ).save(folder / "classify" / f"{name}.h5", Provenance("classify", 1))
    return {int(rows[t]): b for b, t in enumerate(tracklet.tolist()) if frame[b] == frames - 1}


def measure(folder: Path, movies: int, animals: int, frames: int) -> dict[str, float]:
    """Make the recording and run the stage."""
    rng = np.random.default_rng(1)
    graph, truth = simulate_graph(animals, movies * frames, rng)
    scores = simulate_scores(graph, truth, "strong", rng)
    names = [f"m{k:04}" for k in range(movies)]
    running: dict[int, int] = {}
    for k, name in enumerate(names):
        running = write_movie(folder, name, graph, scores, k * frames, frames, running)
    identities = [f"a{k}" for k in range(animals)]
    experiment = Experiment.model_validate(
        {
            "experiment": "scale",
            "movies": [{"name": name, "file": f"{name}.mp4", "recording": "day"} for name in names],
            "animals": {"marking": "marked", "identities": identities, "labels": "labels.csv"},
        }
    )
    files = [(f"--{option}", *(str(folder / stage / f"{name}.h5") for name in names)) for option, stage in STAGES.items()]
    told = ["--out", str(folder / "out.h5"), "--settings", experiment.settings("propagate")]
    cpu_s, peak_mb = run_measured("propagate", [*(part for file in files for part in file), *told])
    blobs = int((graph.last - graph.first + 1).sum())
    return {"movies": movies, "tracklets": len(graph), "blobs": blobs, "cpu_s": cpu_s, "peak_mb": peak_mb}


STAGES = {"blobs": "segment", "tracklets": "tracklets", "evidence": "classify"}


def main() -> None:
    """Print the table and keep its figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--movies", type=int, nargs="+", default=[100, 300, 1000])
    parser.add_argument("--animals", type=int, default=16)
    parser.add_argument("--frames", type=int, default=1500, help="of each movie, ten per second")
    told = parser.parse_args()
    print(f"{'movies':>7} {'tracklets':>10} {'blobs':>12} {'CPU s':>8} {'peak MB':>8} {'all blobs MB':>12}")
    found = []
    for movies in told.movies:
        with tempfile.TemporaryDirectory() as folder:
            one = measure(Path(folder), movies, told.animals, told.frames)
        found.append(one)
        of_blobs = one["blobs"] * BYTES_OF_BLOB / 1e6
        print(
            f"{movies:7} {one['tracklets']:10,} {one['blobs']:12,} {one['cpu_s']:8.1f} {one['peak_mb']:8.0f} {of_blobs:12.0f}", flush=True
        )
    keep_figures("recording", {"animals": told.animals, "frames_per_movie": told.frames, "sizes": found})


if __name__ == "__main__":
    main()
