"""Stage propagate: joins the movies of a recording and decides who is in which tracklet."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts import ASSUMED, CLASSIFIED, ELIMINATED, LABELLED, PROPAGATED, Blobs, Evidence, Identities, Tracklets
from herdbook.counting import count_in_arenas
from herdbook.errors import HerdbookError
from herdbook.intervals import interval_of, join_intervals
from herdbook.linking import body_length
from herdbook.solver import Graph, gap_edges, solve_identities, unary_scores
from herdbook.stage import Job, run_stage

STAGE = "propagate"
STAGE_VERSION = 3

# A tracklet is called classified when its own images alone give its identity at least this probability.
CLASSIFIED_FROM = 0.9
# Confidence that is left after each step from a tracklet with evidence to one without.
KEPT_PER_STEP = 0.98


@dataclass(frozen=True)
class Recording:
    """The tracklets of a recording as one graph: `graph`, and for each of its rows the `movie`, the `tracklet` in it, and its `arena`.

    `animals` int16 is how many each tracklet holds, those of the movies in turn, from `animals_offsets` int64 (movies + 1,).
    """

    graph: Graph
    movie: NDArray[np.int32]
    tracklet: NDArray[np.int32]
    arena: NDArray[np.int16]
    animals: NDArray[np.int16]
    animals_offsets: NDArray[np.int64]
    body_length_px: float
    step_px: float


def join_movies(tracklets: Sequence[Tracklets], blobs: Sequence[Blobs], numbers: Sequence[int | None]) -> Recording:
    """One graph of all tracklets that hold animals, with frames counted over the recording, ordered by first frame.

    How many animals each holds is counted anew over the whole recording; `numbers` are those in each arena, where they are known.
    """
    columns: dict[str, list[NDArray[Any]]] = defaultdict(list)
    edges: list[NDArray[np.int64]] = []
    base = start_frame = 0
    lengths, steps, tracked = [], [], []
    for number, (t, b) in enumerate(zip(tracklets, blobs, strict=True)):
        rows, offsets = t.blob_rows()
        head, tail = rows[offsets[:-1]], rows[offsets[1:] - 1]
        described: dict[str, NDArray[Any]] = {
            "movie": np.full(len(t), number, np.int32),
            "tracklet": np.arange(len(t), dtype=np.int32),
            "first": t.first.astype(np.int64) + start_frame,
            "last": t.last.astype(np.int64) + start_frame,
            "arena": t.arena,
            "size": t.size.astype(np.float64),
            "start": np.stack([b.x[head], b.y[head]], 1),
            "end": np.stack([b.x[tail], b.y[tail]], 1),
            "border": np.stack([b.border[head], b.border[tail]], 1),
        }
        for name, values in described.items():
            columns[name].append(values)
        edges.append(t.edges.astype(np.int64) + base)
        if number and len(t.border_edges):
            before = tracklets[number - 1]
            old, new = t.border_edges.T
            edges.append(np.stack([before.blob_tracklet[old] + base - len(before), t.blob_tracklet[new] + base], 1).astype(np.int64))
        lengths.append(body_length(b.moments))
        within = np.diff(t.blob_tracklet[rows]) == 0
        steps.append(np.hypot(np.diff(b.x[rows]), np.diff(b.y[rows]))[within])
        tracked.append(b.intervals + start_frame)
        base += len(t)
        start_frame += t.frames
    joined = {name: np.concatenate(parts) for name, parts in columns.items()}
    linked = np.concatenate(edges) if edges else np.zeros((0, 2), np.int64)
    intervals = join_intervals(np.concatenate(tracked))
    animals, _ = count_in_arenas(
        joined["size"],
        joined["first"],
        joined["last"],
        linked,
        joined["border"],
        joined["arena"],
        numbers=numbers,
        intervals=intervals,
    )
    real = animals > 0
    order = np.flatnonzero(real)[np.argsort(joined["first"][real], kind="stable")]
    place = np.full(base, -1, np.int64)
    place[order] = np.arange(len(order))
    links = place[linked]
    links = np.unique(links[(links >= 0).all(axis=1)], axis=0)
    first, last, arena = joined["first"][order], joined["last"][order], joined["arena"][order]
    graph = Graph(
        first=first,
        last=last,
        animals=animals[order].astype(np.int64),
        edges=links,
        start_xy=joined["start"][order],
        end_xy=joined["end"][order],
        border=joined["border"][order],
        free=np.stack([np.isin(first, intervals[:, 0]), np.isin(last + 1, intervals[:, 1])], 1),
        part=arena.astype(np.int64) * len(intervals) + interval_of(first, intervals),
    )
    step = np.concatenate(steps)
    offsets = np.concatenate([[0], np.cumsum([len(t) for t in tracklets])])
    fast = float(np.percentile(step, 99)) if len(step) else 1.0
    return Recording(graph, joined["movie"][order], joined["tracklet"][order], arena, animals, offsets, float(np.median(lengths)), fast)


def restrict_evidence(log_likelihood: NDArray[np.float64], allowed: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Evidence (n, identities) of tracklets whose animal must be one of the `allowed` (n, identities), one or more; -inf for all others.

    `log_likelihood` (n, classes) has the identities first. What speaks for identities that cannot be there goes, by Bayes' rule, to those
    that can and to the classes that are no identity: animals of two arenas may look alike.
    """
    identities = allowed.shape[1]
    possible = np.concatenate([allowed, np.ones((len(allowed), log_likelihood.shape[1] - identities), bool)], 1)
    shift = _log_mean(log_likelihood, np.ones_like(possible)) - _log_mean(log_likelihood, possible)
    return np.where(allowed, log_likelihood[:, :identities] + shift[:, None], -np.inf)


def _log_mean(values: NDArray[np.float64], counted: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Logarithm (n,) of the mean of exp(values) (n, m) over those that are counted, at least one in each row."""
    highest = np.max(values, axis=1, initial=-np.inf, where=counted)
    return np.asarray(highest + np.log((np.exp(values - highest[:, None]) * counted).sum(axis=1) / counted.sum(axis=1)))


def tell_how(
    graph: Graph, held: NDArray[np.bool_], evidence: NDArray[np.float64], labelled: NDArray[np.int16]
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Confidence float32 and how it is known uint8, each (n, identities), where an identity is held.

    The confidence of a tracklet with evidence is the probability of its identity by its own images; it passes along the identity's path to
    tracklets without, from the better of both sides, a little less with each step.
    """
    others = np.max(evidence, axis=1, keepdims=True)
    total = others + np.log(np.exp(evidence - others).sum(axis=1, keepdims=True))
    own = np.exp(evidence - total)
    informed = np.asarray((np.abs(evidence) > 0).any(axis=1))
    confidence = np.zeros(held.shape, np.float32)
    how = np.full(held.shape, PROPAGATED, np.uint8)
    for identity in range(held.shape[1]):
        path = np.flatnonzero(held[:, identity])
        known: NDArray[np.float64] = np.where(labelled[path] == identity, 1.0, np.where(informed[path], own[path, identity], 0.0))
        seen = bool(np.any(known >= CLASSIFIED_FROM))
        carried = np.array(known)
        for steps in (range(1, len(path)), range(len(path) - 2, -1, -1)):
            back = -1 if steps.step > 0 else 1
            for k in steps:
                carried[k] = max(carried[k], carried[k + back] * KEPT_PER_STEP) if known[k] < CLASSIFIED_FROM else known[k]
        against = informed[path] & (own[path, identity] < own[path].max(axis=1) / 2)
        how[path, identity] = np.select(
            [labelled[path] == identity, known >= CLASSIFIED_FROM, against],
            [LABELLED, CLASSIFIED, ASSUMED],
            PROPAGATED if seen else ELIMINATED,
        )
        confidence[path, identity] = np.where(against, known, carried)
    return confidence, how


def _work(job: Job) -> None:
    movies = [path.stem for path in job.files["tracklets"]]
    tracklets = [Tracklets.load(path) for path in job.files["tracklets"]]
    blobs = [Blobs.load(path) for path in job.files["blobs"]]
    recording = join_movies(tracklets, blobs, job.settings["numbers"])
    if job.settings["marking"] == "none":
        result = _unnamed(recording, movies)
    else:
        evidence = [Evidence.load(path) for path in job.files["evidence"]]
        result = _named(recording, movies, evidence, job.settings, blobs[0].fps)
    result.save(job.file("out"), job.provenance())


def _named(recording: Recording, movies: list[str], evidence: list[Evidence], settings: dict[str, Any], fps: float) -> Identities:
    names: list[str] = settings["identities"]
    graph = recording.graph
    at_home = np.array([[name in home for name in names] for home in settings["homes"]], bool).reshape(-1, len(names))[recording.arena]
    unary = np.zeros((len(graph), len(names)))
    labelled = np.full(len(graph), -1, np.int16)
    looked_at = np.zeros(len(graph), bool)
    for number, found in enumerate(evidence):
        if [c for c in found.classes if c in names] != names:
            raise HerdbookError(
                f"{movies[number]}: the classifier knows {', '.join(found.classes)}, the experiment asks for {', '.join(names)}"
            )
        mine = (recording.movie == number) & at_home.any(axis=1)
        rows = recording.tracklet[mine]
        unary[mine] = restrict_evidence(found.log_likelihood[rows].astype(np.float64), at_home[mine])
        labelled[mine] = found.labelled[rows]
        looked_at[mine] = found.images[rows] > 0
    informed = looked_at & (graph.animals == 1) | (labelled >= 0)
    unary[~informed] = 0
    gaps, gap_costs = gap_edges(
        graph,
        gap_frames=max(1, round(settings["gap_s"] * fps)),
        body_length_px=recording.body_length_px,
        reach_px_per_frame=recording.step_px,
    )
    scores = unary_scores(unary, labelled)
    solution = solve_identities(graph, scores, informed, gaps, gap_costs, window=settings["window"])
    confidence, how = tell_how(graph, solution.held, unary, labelled)
    row, individual = np.nonzero(solution.held)
    return _identities(recording, movies, names, row, individual, confidence[row, individual], how[row, individual], solution.gap)


def _unnamed(recording: Recording, movies: list[str]) -> Identities:
    """A name of its own for each animal of each tracklet; a tracklet that runs on in the next movie keeps its name."""
    graph = recording.graph
    children = np.bincount(graph.edges[:, 0], minlength=len(graph))
    parents = np.bincount(graph.edges[:, 1], minlength=len(graph))
    name_of = np.full(len(graph), -1, np.int64)
    before = np.full(len(graph), -1, np.int64)
    for parent, child in graph.edges:
        same = recording.movie[parent] != recording.movie[child] and graph.animals[parent] == graph.animals[child]
        if same and children[parent] == 1 and parents[child] == 1:
            before[child] = parent
    count = 0
    rows: list[int] = []
    individuals: list[int] = []
    for k in range(len(graph)):
        animals = int(graph.animals[k])
        if before[k] >= 0:
            name_of[k] = name_of[before[k]]
        else:
            name_of[k] = count
            count += animals
        rows += [k] * animals
        individuals += range(int(name_of[k]), int(name_of[k]) + animals)
    width = max(4, len(str(count)))
    names = [f"track{number + 1:0{width}d}" for number in range(count)]
    row = np.array(rows, np.int64)
    return _identities(
        recording, movies, names, row, np.array(individuals, np.int64), np.ones(len(row)), np.full(len(row), PROPAGATED), 0.0
    )


def _identities(
    recording: Recording,
    movies: list[str],
    names: list[str],
    row: NDArray[np.int64],
    individual: NDArray[np.int64],
    confidence: NDArray[Any],
    how: NDArray[Any],
    gap: float,
) -> Identities:
    movie, tracklet = recording.movie[row], recording.tracklet[row]
    order = np.lexsort((individual, tracklet, movie))
    return Identities(
        movies=movies,
        individuals=names,
        movie=movie[order].astype(np.int32),
        tracklet=tracklet[order].astype(np.int32),
        individual=individual[order].astype(np.int32),
        confidence=np.asarray(confidence)[order].astype(np.float32),
        how=np.asarray(how)[order].astype(np.uint8),
        animals=recording.animals,
        animals_offsets=recording.animals_offsets,
        gap=gap,
    )


def main(argv: Sequence[str] | None = None) -> None:
    """Run the stage from its command line."""
    run_stage(STAGE, STAGE_VERSION, _work, one=("out",), many=("blobs", "tracklets", "evidence"), argv=argv)


if __name__ == "__main__":
    main()
