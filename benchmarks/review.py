"""A scripted person reviews ants16shift in the app and answers from the truth: how much the error falls, and how long each answer takes.

    python benchmarks/review.py EXPERIMENT TRUTH --answers 20

EXPERIMENT is the file of a finished run, whose results are changed: give a copy. The answers go through the server as those of the page do.
Afterwards the workflow makes positions with them, and both results are scored as `benchmarks/real_movies.py` does.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from measuring import run_chain
from real_movies import RECORDINGS
from starlette.testclient import TestClient

from herdbook.app.desk import Desk
from herdbook.app.server import Roots, make_server
from herdbook.app.watching.reviewed import result_of
from herdbook.artifacts.propagate import Identities
from herdbook.artifacts.segment import Blobs, open_blob_images
from herdbook.artifacts.tracklets import Tracklets
from herdbook.experiment.file import load_experiment
from herdbook.tables.scoring import load_trajectories, load_truth, score_trajectories

HEADERS = {"X-Herdbook": "1", "Origin": "http://127.0.0.1:1234"}
WAIT_S = 300.0


class Person:
    """Somebody who sees who each animal is: from the truth, with the outlines of blobs in front of him."""

    def __init__(self, file: Path, truth: Path) -> None:
        self.experiment = load_experiment(file)
        table = pd.read_csv(truth)
        self._truth = {(movie, frame): part for (movie, frame), part in table.groupby(["movie", "frame"])}
        self._blobs: dict[str, tuple[Blobs, Tracklets]] = {}

    def answer(self, question: dict[str, Any]) -> dict[str, Any] | None:
        """The fact that answers a question, None if nobody can tell.

        Where several animals are in the blob, and it is asked who else is there, somebody whose name is not known there is named.
        """
        movie, frame = question["movie"], question["frame"]
        seen = self._truth.get((movie, frame))
        if seen is None:
            return None
        fact = {"movie": movie, "frame": frame, "x": question["x"], "y": question["y"], "fact": "is"}
        inside, held = self._inside(movie, frame, question["x"], question["y"], seen)
        if question["kind"] == "names" and len(inside) > 1:
            if question["name"] in inside.identity.tolist():
                return fact | {"name": question["name"]}
            others = inside[~inside.identity.isin(held)]
            if not len(others):
                return fact | {"fact": "not", "name": question["name"]}
            seen = others
        away = np.hypot(seen.x - question["x"], seen.y - question["y"])
        return fact | {"name": str(seen.identity.iloc[int(np.argmin(away))])}

    def _inside(self, movie: str, frame: int, x: float, y: float, seen: pd.DataFrame) -> tuple[pd.DataFrame, set[str]]:
        """The true animals in the blob at a place, and the names that are known there."""
        if movie not in self._blobs:
            self._blobs[movie] = (Blobs.load(self._at("segment", movie)), Tracklets.load(self._at("tracklets", movie)))
        blobs, tracklets = self._blobs[movie]
        first, last = np.searchsorted(blobs.frame, (frame, frame + 1)).tolist()
        with open_blob_images(self._at("segment", movie)) as images:
            runs, offsets = images.runs(first, last)

        def nearest(px: float, py: float) -> int:
            return int(np.argmin([_distance(runs[offsets[k] : offsets[k + 1]], px, py) for k in range(last - first)]))

        owner = np.array([nearest(px, py) for px, py in zip(seen.x, seen.y, strict=True)])
        blob = nearest(x, y)
        recording = self.experiment.recording_of(movie)
        found = Identities.load(result_of(self.experiment, recording))
        mine = (found.movie == found.movies.index(movie)) & (found.tracklet == tracklets.blob_tracklet[first + blob])
        return seen[owner == blob], {found.individuals[k] for k in found.individual[mine].tolist()}

    def _at(self, stage: str, movie: str) -> Path:
        return self.experiment.artifact(stage, movie)


def _distance(runs: np.ndarray, x: float, y: float) -> float:
    """Distance (px) from a point to the nearest pixel of a blob, given as runs (r, 3): row, first column, last column."""
    row, first, last = runs.T
    return float(np.hypot(row - y, np.maximum(0, np.maximum(first - x, x - last))).min())


def hear(socket: Any) -> dict[str, Any]:
    """The next news of reviewing."""
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        message = socket.receive()
        if message.get("text") and (head := json.loads(message["text"]))["type"] == "review":
            if head.get("fault"):
                raise SystemExit(head["fault"])
            return dict(head)
    raise SystemExit("no answer")


def review(file: Path, truth: Path, answers: int) -> list[dict[str, Any]]:
    """Answer the questions with most to gain; what became of each."""
    person, told = Person(file, truth), []
    app = make_server(Desk(), Roots([file.parent]), "secret", "herdbook-1234", file)
    with TestClient(app, base_url="http://127.0.0.1:1234", headers=HEADERS) as client:
        client.cookies.set("herdbook-1234", "secret")
        with client.websocket_connect("/ws", headers={"origin": HEADERS["Origin"], "host": "127.0.0.1:1234"}) as socket:
            begun = time.monotonic()
            client.post("/api/review/prepare", json={})
            first = hear(socket)
            print(f"prepared in {time.monotonic() - begun:.1f} s, CPU {first['cpu_s']} s")
            print(f"{first['count']} questions; expected to be wrong {first['left']:.4%}", flush=True)
            passed: set[tuple[Any, ...]] = set()
            while len(told) < answers:
                state = client.get("/api/review").json()
                question = next((one for one in state["questions"] if _key(one) not in passed), None)
                if question is None:
                    break
                passed.add(_key(question))
                fact = person.answer(question)
                if fact is None:
                    continue
                begun = time.monotonic()
                written = client.post("/api/review/answer", json={"rows": [fact]})
                on_disk_s = time.monotonic() - begun
                if written.status_code != 200:
                    print("not taken:", written.json())
                    continue
                news = hear(socket)
                row = {name: news[name] for name in ("changed", "left", "cpu_s")}
                row |= {"question": question["text"], "answer": f"{fact['fact']} {fact['name']}"}
                told.append(row | {"on disk s": on_disk_s, "named s": time.monotonic() - begun, "refused": bool(news["refused"])})
                print(json.dumps(told[-1], ensure_ascii=False), flush=True)
    return told


def _key(question: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(question[name] for name in ("movie", "frame", "x", "y", "name", "assigned"))


def score(file: Path, truth: Path) -> dict[str, float]:
    """How right the trajectories of a run are: shares of the true positions."""
    experiment, recording = load_experiment(file), RECORDINGS["ants16shift"]
    found = score_trajectories(
        load_trajectories(experiment.folder / "trajectories.csv"),
        load_truth(truth),
        named=True,
        radius_px=recording.radius_px,
        apart_px=recording.apart_px,
        min_visible=None,
        fps=25.0,
    )
    return {"correct": found.correct, "error": found.error, "wrong or lacking": 1 - found.correct, "assigned": found.assigned}


def main() -> None:
    parser = argparse.ArgumentParser(description="Review a finished run from truth.")
    parser.add_argument("experiment", type=Path)
    parser.add_argument("truth", type=Path)
    parser.add_argument("--answers", type=int, default=20)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--no-run", action="store_true", help="leave the workflow out: only how long answers take")
    given = parser.parse_args()
    before = score(given.experiment, given.truth)
    print("before", before)
    told = review(given.experiment, given.truth, given.answers)
    for name in ("on disk s", "named s", "cpu_s"):
        times = [row[name] for row in told]
        print(f"{name}: median {np.median(times):.3f}, 95 % {np.quantile(times, 0.95):.3f}, most {max(times):.3f}")
    if not given.no_run:
        run_chain(given.experiment, given.cores)
        after = score(given.experiment, given.truth)
        print("after", after)
        for name in ("error", "wrong or lacking"):
            print(f"{name}: {before[name]:.5f} -> {after[name]:.5f}, {1 - after[name] / before[name]:.0%} less, with {len(told)} answers")


if __name__ == "__main__":
    main()
