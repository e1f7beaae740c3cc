"""Time, memory and error of the identity solver over the length of a simulated recording.

    python benchmarks/identity_scale.py               100 animals, 3, 6, 12 and 24 h at 10 frames per second, strong and weak evidence
    python benchmarks/identity_scale.py --hours 3 --animals 20 --evidence weak

Animals walk between neighbours, merge in groups of two to five and part again; some are lost for seconds, some hide for minutes. Evidence
on single tracklets: "strong" is that of a good classifier, tempered; "weak" that of one which is right in 80 % of the frames, with
errors that last 2 s. Every size is a process of its own; memory is its peak (VmHWM).
"""

import argparse
import heapq
import json
import subprocess
import sys
import time
from dataclasses import astuple
from pathlib import Path

import numpy as np

from herdbook.identity.assignment import NAMED_GAIN, solve_identities
from herdbook.identity.costs import learn_costs
from herdbook.identity.graph import Graph, gap_edges

FPS = 10
LARGEST_GROUP = 5
# Mean frames that a group stays together, and that an animal is alone.
TOGETHER, ALONE = 100.0, 500.0
# Share of the partings of a single animal that are not into a group: lost for seconds, hidden for minutes.
LOST, HIDDEN = 0.006, 0.002
GAP_FRAMES = 50


def simulate_graph(animals: int, frames: int, rng: np.random.Generator) -> tuple[Graph, np.ndarray]:
    """A graph of tracklets and who is in them, bool (n, animals)."""
    first, last, groups, edges = [], [], [], []
    place = rng.uniform(0, 1000, animals)
    xy: list[tuple[float, float]] = []
    end_xy: list[tuple[float, float]] = []
    alive: set[int] = set()
    queue: list[tuple[float, int, int]] = []

    def begin(frame: int, group: list[int], parents: list[int]) -> None:
        node = len(first)
        first.append(frame)
        last.append(frames - 1)
        groups.append(group)
        where = float(np.mean(place[group]))
        xy.append((where, 0.0))
        end_xy.append((where, 0.0))
        edges.extend((p, node) for p in parents)
        alive.add(node)
        wait = rng.exponential(TOGETHER / (len(group) - 1) if len(group) > 1 else ALONE)
        heapq.heappush(queue, (frame + max(2.0, wait), node, 0))

    def finish(node: int, frame: int) -> None:
        last[node] = frame - 1
        alive.discard(node)
        place[groups[node]] = np.clip(place[groups[node]] + rng.normal(0, 30, len(groups[node])), 0, 1000)
        end_xy[node] = (float(np.mean(place[groups[node]])), 0.0)

    hidden: dict[int, list[int]] = {}
    for k in range(animals):
        begin(0, [k], [])
    while queue:
        when, node, kind = heapq.heappop(queue)
        frame = int(when)
        if frame >= frames - 2:
            break
        if kind == 1:
            place[hidden[node]] += rng.normal(0, 15)
            begin(frame, hidden.pop(node), [])
            continue
        if node not in alive or frame <= first[node]:
            continue
        group = groups[node]
        if len(group) > 1:
            finish(node, frame)
            some = rng.permutation(group).tolist()
            cut = 1 if rng.random() < 0.8 else int(rng.integers(1, len(group)))
            begin(frame, some[:cut], [node])
            begin(frame, some[cut:], [node])
            continue
        chance = rng.random()
        if chance < LOST + HIDDEN:
            finish(node, frame)
            wait = rng.exponential(1.5 * FPS) + 2 if chance < LOST else rng.exponential(600 * FPS) + GAP_FRAMES
            hidden[node] = group
            heapq.heappush(queue, (when + wait, node, 1))
            continue
        others = [k for k in alive if k != node and first[k] < frame and len(groups[k]) < LARGEST_GROUP]
        if not others:
            heapq.heappush(queue, (when + ALONE, node, 0))
            continue
        here = place[group[0]]
        distance = np.array([abs(place[groups[k][0]] - here) for k in others])
        near = others[int(rng.choice(np.argsort(distance)[:8]))]
        finish(node, frame)
        finish(near, frame)
        begin(frame, [*group, *groups[near]], [node, near])

    order = np.argsort(first, kind="stable")
    rank = np.empty(len(first), np.int64)
    rank[order] = np.arange(len(first))
    n = len(first)
    truth = np.zeros((n, animals), bool)
    row = np.repeat(np.arange(n), [len(groups[k]) for k in order])
    truth[row, np.concatenate([groups[k] for k in order])] = True
    start, end = np.array(first, np.int64)[order], np.array(last, np.int64)[order]
    graph = Graph(
        first=start,
        last=end,
        animals=truth.sum(axis=1),
        edges=np.unique(rank[np.array(edges, np.int64).reshape(-1, 2)], axis=0),
        start_xy=np.array(xy)[order],
        end_xy=np.array(end_xy)[order],
        border=np.zeros((n, 2), bool),
        free=np.stack([start == 0, end == frames - 1], 1),
        part=np.zeros(n, np.int64),
    )
    return graph, truth


def simulate_scores(graph: Graph, truth: np.ndarray, kind: str, rng: np.random.Generator, accuracy: float = 0.8) -> np.ndarray:
    """Gains float32 (n, identities) of naming the single tracklets; their evidence is calibrated."""
    n, identities = truth.shape
    single = np.flatnonzero(graph.animals == 1)
    frames = graph.last[single] - graph.first[single] + 1
    who = truth[single].argmax(axis=1)
    if kind == "strong":
        power = np.minimum(frames, 100) * 0.5
        evidence = np.sqrt(power)[:, None] * rng.normal(size=(len(single), identities)).astype(np.float32)
        evidence[np.arange(len(single)), who] += power
    else:
        pieces = np.ceil(frames / (2 * FPS)).astype(np.int64)
        row = np.repeat(np.arange(len(single)), pieces)
        vote = np.where(rng.random(len(row)) < accuracy, who[row], (who[row] + rng.integers(1, identities, len(row))) % identities)
        evidence = np.zeros((len(single), identities), np.float32)
        np.add.at(evidence, (row, vote), np.float32(np.log(accuracy * (identities - 1) / (1 - accuracy))))
    top = evidence.max(axis=1, keepdims=True)
    evidence -= top + np.log(np.exp(evidence - top).mean(axis=1, keepdims=True))
    scores = np.full((n, identities), NAMED_GAIN, np.float32)
    scores[single] += evidence
    return scores


def calibration_error(confidence: np.ndarray, right: np.ndarray, weight: np.ndarray) -> float:
    """Expected calibration error over ten bins of confidence."""
    bins = np.minimum((confidence * 10).astype(int), 9)
    total = np.bincount(bins, weights=weight, minlength=10)
    gap = np.abs(np.bincount(bins, weights=weight * right, minlength=10) - np.bincount(bins, weights=weight * confidence, minlength=10))
    return float(gap.sum() / total.sum())


def one(animals: int, hours: float, evidence: str, seed: int, accuracy: float) -> dict:
    rng = np.random.default_rng(seed)
    graph, truth = simulate_graph(animals, round(hours * 3600 * FPS), rng)
    scores = simulate_scores(graph, truth, evidence, rng, accuracy)
    informed, members = graph.animals == 1, np.ones(animals, np.int64)
    # Kernels are compiled before the clock starts.
    small, _ = simulate_graph(4, 2000, rng)
    nothing = np.zeros((0, 2), np.int64), np.zeros(0)
    solve_identities(small, np.ones((len(small), 4), np.float32), *nothing, informed=small.animals == 1, members=np.ones(4, np.int64))
    wall, cpu = time.perf_counter(), time.process_time()
    costs = learn_costs(graph, scores, informed, members, gap_frames=GAP_FRAMES, body_length_px=20)
    gaps, gap_costs = gap_edges(graph, gap_frames=GAP_FRAMES, body_length_px=20, reach_px_per_frame=5, costs=costs)
    solution = solve_identities(graph, scores, gaps, gap_costs, informed=informed, members=members, costs=costs)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    frames = (graph.last - graph.first + 1)[:, None] * np.ones((1, animals))
    held = solution.held > 0
    return {
        "tracklets": len(graph),
        "wall_s": round(wall, 1),
        "cpu_s": round(cpu, 1),
        "peak_gb": round(int(status.split("VmHWM:")[1].split()[0]) / 1e6, 2),
        "assigned": round(float(frames[held & truth].sum() + frames[held & ~truth].sum()) / frames[truth].sum(), 5),
        "error": round(float(frames[held & ~truth].sum() / frames[held].sum()), 6),
        "told_error": round(float((frames * (1 - solution.confidence))[held].sum() / frames[held].sum()), 6),
        "ece": round(calibration_error(solution.confidence[held], truth[held], frames[held]), 5),
        "ece_tracklets": round(calibration_error(solution.confidence[held], truth[held], np.ones(int(held.sum()))), 5),
        "gap": round(solution.gap, 6),
        "blocks": solution.components,
        "costs": [round(value, 2) for value in astuple(costs)],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, nargs="*", default=[3, 6, 12, 24])
    parser.add_argument("--animals", type=int, default=100)
    parser.add_argument("--evidence", nargs="*", default=["strong", "weak"])
    parser.add_argument("--accuracy", type=float, default=0.8, help="share of frames in which weak evidence is right")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.inside:
        print(json.dumps(one(told.animals, told.hours[0], told.evidence[0], told.seed, told.accuracy)))
        return
    for evidence in told.evidence:
        for hours in told.hours:
            options = ["--hours", str(hours), "--animals", str(told.animals), "--evidence", evidence, "--accuracy", str(told.accuracy)]
            command = [sys.executable, __file__, "--inside", "--seed", str(told.seed), *options]
            found = subprocess.run(command, capture_output=True, text=True, check=True)
            figures = (f"{key} {value}" for key, value in json.loads(found.stdout).items())
            print(f"{evidence:6} {hours:5g} h", *figures, sep="  ", flush=True)


if __name__ == "__main__":
    main()
