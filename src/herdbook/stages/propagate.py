"""Stage propagate: joins the movies of a recording and decides who is in which tracklet."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts.classify import Evidence
from herdbook.artifacts.one_by_one import OneByOne
from herdbook.artifacts.propagate import PROPAGATED, Identities
from herdbook.artifacts.segment import Blobs, open_blob_images
from herdbook.artifacts.tracklets import Tracklets
from herdbook.experiment.roster import Roster, make_roster
from herdbook.experiment.sheets.facts import read_facts
from herdbook.experiment.sheets.places import fact_place_faults
from herdbook.identity.assignment import solve_identities
from herdbook.identity.contradictions import image_contradictions, jumping_names
from herdbook.identity.costs import learn_costs
from herdbook.identity.doubts import Doubt, describe_spans, find_spans, write_doubts
from herdbook.identity.evidence import naming_gains, read_evidence
from herdbook.identity.following import followed_gains, open_contacts
from herdbook.identity.graph import Graph, gap_edges
from herdbook.identity.how_known import how_known
from herdbook.identity.keeping import end_velocities, keep_numbers
from herdbook.identity.members import name_members, sure_gaps
from herdbook.identity.recording import RecordingGraph, join_movies
from herdbook.identity.statements import Statement, contradictions, fact_statements, gather_constraints, label_statements, refuse_faults
from herdbook.job import Job, run_stage
from herdbook.positions.located import follow_movie

STAGE = "propagate"
STAGE_VERSION = 15
# Ways of animals through contacts: rows of the graph before and after, and how surely. `through` (n,): the rows of several animals.
Followed = list[tuple[int, int, float]]
Follow = Callable[[RecordingGraph, Sequence[Tracklets], NDArray[np.bool_]], Followed]


def _work(job: Job) -> None:
    movies = [path.stem for path in job.files["tracklets"]]
    tracklets, blobs, recording = read_recording(job)
    unnamed = job.settings["marking"] == "none"
    if unnamed and job.settings.get("keep"):
        result = _kept(job, recording, movies, blobs, tracklets)
    elif unnamed:
        result = _unnamed(recording, movies, job.settings.get("lone", []))
    else:
        result, doubts = name_animals(job, recording, blobs, tracklets)
        write_doubts(doubts_path(job.file("out")), doubts)
    result.save(job.file("out"), job.provenance())


def read_recording(job: Job) -> tuple[Sequence[Tracklets], Sequence[Blobs], RecordingGraph]:
    """Tracklets and blobs of the movies of a job, read when they are asked for, and the graph of their recording."""
    tracklets = OneByOne(job.files["tracklets"], Tracklets.load)
    blobs = OneByOne(job.files["blobs"], partial(Blobs.load, without=("box", "area", "contrast", "intensity", "arena", "image")))
    return tracklets, blobs, join_movies(tracklets, blobs, job.settings["numbers"])


def name_animals(
    job: Job, recording: RecordingGraph, blobs: Sequence[Blobs], tracklets: Sequence[Tracklets], follow: Follow | None = None
) -> tuple[Identities, list[Doubt]]:
    """Who is in which tracklet of a recording of animals with names, and the review list.

    `follow` follows animals through contacts in place of `follow_through`, for who remembers their ways.
    """
    settings, graph, movies = job.settings, recording.graph, [path.stem for path in job.files["tracklets"]]
    roster = make_roster(settings["identities"], settings["homes"], settings["groups"])
    load = partial(Evidence.load, without=("blob", "blob_log_likelihood"))
    read = read_evidence(recording, movies, OneByOne(job.files["evidence"], load), roster)
    statements = label_statements(recording, read.labelled, roster)
    if job.files["facts"]:
        statements += _facts(job, recording, movies, tracklets, roster, statements)
    constraints = gather_constraints(statements, recording, roster)
    scores = naming_gains(read.evidence, constraints.must, constraints.never, constraints.full)
    informed = read.informed | constraints.must.any(axis=1)
    lasting = {"gap_frames": max(1, round(settings["gap_s"] * blobs[0].fps)), "body_length_px": recording.body_length_px}
    costs = learn_costs(graph, scores, informed, roster.members, **lasting)
    gaps, gap_costs = gap_edges(graph, **lasting, reach_px_per_frame=recording.step_px, costs=costs)
    solve = partial(solve_identities, graph, gaps=gaps, gap_costs=gap_costs, members=roster.members, costs=costs)
    solution = solve(scores=scores, informed=informed)
    through = open_contacts(graph, solution)
    if through.any():
        ways = (follow or partial(follow_through, job))(recording, tracklets, through)
        scores = followed_gains(graph, scores, solution, ways)
        solution = solve(scores=scores, informed=informed)
    held, confidence = solution.held, solution.confidence
    how = how_known(held > 0, read.evidence, read.informed, constraints.must)
    who = _members(roster, held, graph, gaps)
    spans = find_spans(graph, held, confidence, how, scores, roster.is_group)
    described = describe_spans(
        spans, recording, movies, roster.names, lambda row, column: [roster.individuals[k] for k in who(row, column)]
    )
    doubts = list(described)
    rows = [(row, k, confidence[row, column], how[row, column]) for row, column in np.argwhere(held).tolist() for k in who(row, column)]
    row, individual, sure, way = np.array(rows, float).reshape(-1, 4).T
    result = _identities(recording, movies, roster.individuals, row.astype(np.int64), individual.astype(np.int64), sure, way, solution.gap)
    single = np.flatnonzero(~roster.is_group)
    found = (
        image_contradictions(recording, read),
        jumping_names(recording, held[:, single].astype(np.int64), confidence[:, single].astype(np.float64)),
    )
    for name in ("pairs", "contradicted", "expected"):
        setattr(result, f"seam_{name}", np.stack([getattr(one, name) for one in found], 1))
    return result, doubts


def _members(roster: Roster, held: NDArray[np.int16], graph: Graph, gaps: NDArray[np.int64]) -> Callable[[int, int], list[int]]:
    """Who of `Roster.individuals` is in a tracklet, by its row and the column that it holds."""
    names = {}
    for column in np.flatnonzero(roster.is_group).tolist():
        count = held[:, column].astype(np.int64)
        links = np.concatenate([graph.edges, sure_gaps(count, graph.edges, gaps)])
        names[column] = name_members(graph.first, graph.last, count, links, int(roster.members[column]))

    def who(row: int, column: int) -> list[int]:
        return [int(roster.first[column]) + number for number in (names[column][row] if column in names else [0])]

    return who


def doubts_path(out: Path) -> Path:
    """The review list beside the artifact of a recording."""
    return out.with_suffix(".doubtful.csv")


def _facts(
    job: Job,
    recording: RecordingGraph,
    movies: list[str],
    tracklets: Sequence[Tracklets],
    roster: Roster,
    labels: list[Statement],
) -> list[Statement]:
    """The statements of the facts on this recording; all that do not fit are reported at once."""
    path = job.file("facts")
    facts = [fact for fact in read_facts(path, None, roster.classes) if fact.movie in movies]
    sized = {movie: Blobs.load(blobs, without=Blobs.columns) for movie, blobs in zip(movies, job.files["blobs"], strict=True)}
    sizes = {movie: (b.width, b.height) for movie, b in sized.items()}
    refuse_faults(path, fact_place_faults(facts, {movie: b.frames for movie, b in sized.items()}, sizes))
    statements, faults = fact_statements(facts, movies, recording, OneByOne(job.files["blobs"], Blobs.load), tracklets, roster)
    refuse_faults(path, faults + contradictions([*labels, *statements], recording, movies, roster))
    return statements


def follow_through(
    job: Job, recording: RecordingGraph, tracklets: Sequence[Tracklets], through: NDArray[np.bool_] | None = None
) -> Followed:
    """Rows of the graph that hold one animal, before a contact and within it or after it, and how surely.

    `through` (n,): only through these rows. Ways through one contact do not depend on those through others.
    """
    movies = [path.stem for path in job.files["tracklets"]]
    nobody = np.zeros(0, np.int64)
    counts = _identities(recording, movies, [], nobody, nobody, nobody, nobody, 0.0)
    found: Followed = []
    for number, (movie, path) in enumerate(zip(movies, job.files["blobs"], strict=True)):
        mine = np.flatnonzero(recording.movie == number)
        row = dict(zip(recording.tracklet[mine].tolist(), mine.tolist(), strict=True))
        only = None if through is None else set(recording.tracklet[mine[through[mine]]].tolist())
        if only is not None and not only:
            continue
        seen = Blobs.load(path, without=("box", "area", "contrast", "intensity", "arena", "border"))
        with open_blob_images(path) as images:
            followed = follow_movie(movie, seen, images, tracklets[number], counts, only)
        found += [(row[a], row[b], sure) for a, b, sure in followed if a in row and b in row]
    return found


def _kept(job: Job, recording: RecordingGraph, movies: list[str], blobs: Sequence[Blobs], tracklets: Sequence[Tracklets]) -> Identities:
    """A number for each animal, kept through contacts by movement alone."""
    lasting = {"gap_frames": max(1, round(job.settings["gap_s"] * blobs[0].fps)), "body_length_px": recording.body_length_px}
    velocity = end_velocities(recording, blobs, tracklets)
    alone = recording.graph.animals == 1
    handed = [one for one in follow_through(job, recording, tracklets) if alone[one[1]]]
    row, individual, confidence = [], [], []
    names: list[str] = []
    lone = job.settings.get("lone") or [""] * len(job.settings["numbers"])
    for arena, number in enumerate(job.settings["numbers"]):
        mine = np.flatnonzero(recording.arena == arena)
        graph = recording.graph.take(mine)
        gaps, costs = gap_edges(graph, **lasting, reach_px_per_frame=recording.step_px)
        place = {int(row): k for k, row in enumerate(mine)}
        inside = [(place[a], place[b], sure) for a, b, sure in handed if a in place and b in place]
        kept = keep_numbers(graph, velocity[mine], gaps, costs, number, recording.body_length_px, inside)
        row.append(mine[kept.row])
        individual.append(kept.individual + len(names))
        confidence.append(kept.confidence)
        first, found = len(names), max(number, int(kept.individual.max(initial=-1)) + 1)
        names += [lone[arena]] if found == 1 and lone[arena] else [f"animal{first + k + 1}" for k in range(found)]
    rows = np.concatenate(row)
    how = np.full(len(rows), PROPAGATED)
    return _identities(recording, movies, names, rows, np.concatenate(individual), np.concatenate(confidence), how, 0.0)


def _unnamed(recording: RecordingGraph, movies: list[str], lone: Sequence[str]) -> Identities:
    """A name of its own for each animal of each tracklet; a tracklet that runs on in the next movie keeps its name.

    `lone`: name of the only animal of each arena, "" for arenas with several, [] if there is none. Its tracklets all have this name.
    """
    graph = recording.graph
    alone = [name for name in lone if name]
    number_of = {arena: alone.index(name) for arena, name in enumerate(lone) if name}
    children = np.bincount(graph.edges[:, 0], minlength=len(graph))
    parents = np.bincount(graph.edges[:, 1], minlength=len(graph))
    name_of = np.full(len(graph), -1, np.int64)
    before = np.full(len(graph), -1, np.int64)
    for parent, child in graph.edges:
        same = recording.movie[parent] != recording.movie[child] and graph.animals[parent] == graph.animals[child]
        if same and children[parent] == 1 and parents[child] == 1:
            before[child] = parent
    count = len(alone)
    rows: list[int] = []
    individuals: list[int] = []
    for k in range(len(graph)):
        animals = int(graph.animals[k])
        arena = int(recording.arena[k])
        if animals == 1 and arena in number_of:
            name_of[k] = number_of[arena]
        elif before[k] >= 0:
            name_of[k] = name_of[before[k]]
        else:
            name_of[k] = count
            count += animals
        rows += [k] * animals
        individuals += range(int(name_of[k]), int(name_of[k]) + animals)
    fragments = count - len(alone)
    width = max(4, len(str(fragments)))
    names = alone + [f"track{number + 1:0{width}d}" for number in range(fragments)]
    row = np.array(rows, np.int64)
    return _identities(
        recording, movies, names, row, np.array(individuals, np.int64), np.ones(len(row)), np.full(len(row), PROPAGATED), 0.0
    )


def _identities(
    recording: RecordingGraph,
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
    run_stage(STAGE, STAGE_VERSION, _work, one=("out",), many=("blobs", "tracklets", "evidence"), optional=("facts",), argv=argv)


if __name__ == "__main__":
    main()
