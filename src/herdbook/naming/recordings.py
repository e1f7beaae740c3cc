"""Who is in which tracklet of a recording of animals with names: for the stage propagate, and for the app after answers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts.classify import Evidence
from herdbook.artifacts.one_by_one import OneByOne
from herdbook.artifacts.propagate import Identities
from herdbook.artifacts.segment import Blobs, open_blob_images
from herdbook.artifacts.tracklets import Tracklets
from herdbook.experiment.roster import Roster, make_roster
from herdbook.experiment.sheets.facts import read_facts
from herdbook.experiment.sheets.places import fact_place_faults
from herdbook.identity.assignment import Start, solve_identities
from herdbook.identity.contradictions import image_contradictions, jumping_names
from herdbook.identity.costs import learn_costs
from herdbook.identity.doubts import Doubt, describe_spans, find_spans
from herdbook.identity.evidence import naming_gains, read_evidence
from herdbook.identity.following import followed_gains, open_contacts
from herdbook.identity.graph import Graph, gap_edges
from herdbook.identity.how_known import how_known
from herdbook.identity.members import name_members, sure_gaps
from herdbook.identity.recording import RecordingGraph, join_movies
from herdbook.identity.statements import Statement, contradictions, fact_statements, gather_constraints, label_statements, refuse_faults
from herdbook.positions.located import follow_movie

# Paths of the artifacts of a recording, `blobs`, `tracklets` and `evidence` of each movie, and of the table of `facts`, if there is one.
Files = Mapping[str, Sequence[Path]]
# Ways of animals through contacts: rows of the graph before and after, and how surely. `through` (n,): the rows of several animals.
Followed = list[tuple[int, int, float]]
Follow = Callable[[RecordingGraph, Sequence[Tracklets], NDArray[np.bool_]], Followed]


@dataclass
class Memory:
    """What need not be found out again when a recording is named once more: `follow` remembers the ways through contacts, `starts` are
    those of the two solutions, without the ways and with them.
    """

    follow: Follow
    starts: list[Start | None] = field(default_factory=lambda: [None, None])


def read_recording(files: Files, numbers: Sequence[int | None]) -> tuple[Sequence[Tracklets], Sequence[Blobs], RecordingGraph]:
    """Tracklets and blobs of the movies, read when they are asked for, and their graph. `numbers` of animals by arena, None for unknown."""
    tracklets = OneByOne(files["tracklets"], Tracklets.load)
    blobs = OneByOne(files["blobs"], partial(Blobs.load, without=("box", "area", "contrast", "intensity", "arena", "image")))
    return tracklets, blobs, join_movies(tracklets, blobs, numbers)


def name_animals(
    files: Files,
    settings: Mapping[str, Any],
    recording: RecordingGraph,
    blobs: Sequence[Blobs],
    tracklets: Sequence[Tracklets],
    memory: Memory | None = None,
) -> tuple[Identities, list[Doubt]]:
    """Who is in which tracklet of a recording of animals with names, and the review list. `settings` are those of the stage propagate.

    `memory` is changed: it is for the next time.
    """
    memory = memory or Memory(partial(follow_through, files))
    graph, movies = recording.graph, [path.stem for path in files["tracklets"]]
    roster = make_roster(settings["identities"], settings["homes"], settings["groups"])
    load = partial(Evidence.load, without=("blob", "blob_log_likelihood"))
    read = read_evidence(recording, movies, OneByOne(files["evidence"], load), roster)
    statements = label_statements(recording, read.labelled, roster)
    if files["facts"]:
        statements += _facts(files, recording, movies, tracklets, roster, statements)
    constraints = gather_constraints(statements, recording, roster)
    scores = naming_gains(read.evidence, constraints.must, constraints.never, constraints.full)
    informed = read.informed | constraints.must.any(axis=1)
    lasting = {"gap_frames": max(1, round(settings["gap_s"] * blobs[0].fps)), "body_length_px": recording.body_length_px}
    costs = learn_costs(graph, scores, informed, roster.members, **lasting)
    gaps, gap_costs = gap_edges(graph, **lasting, reach_px_per_frame=recording.step_px, costs=costs)
    solve = partial(solve_identities, graph, gaps=gaps, gap_costs=gap_costs, members=roster.members, costs=costs)
    solution = solve(scores=scores, informed=informed, start=memory.starts[0])
    memory.starts[0] = solution.start
    through = open_contacts(graph, solution)
    if through.any():
        scores = followed_gains(graph, scores, solution, memory.follow(recording, tracklets, through))
        solution = solve(scores=scores, informed=informed, start=memory.starts[1])
        memory.starts[1] = solution.start
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
    result = identities_of(
        recording, movies, roster.individuals, row.astype(np.int64), individual.astype(np.int64), sure, way, solution.gap
    )
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
    files: Files,
    recording: RecordingGraph,
    movies: list[str],
    tracklets: Sequence[Tracklets],
    roster: Roster,
    labels: list[Statement],
) -> list[Statement]:
    """The statements of the facts on this recording; all that do not fit are reported at once."""
    (path,) = files["facts"]
    facts = [fact for fact in read_facts(path, None, roster.classes) if fact.movie in movies]
    sized = {movie: Blobs.load(blobs, without=Blobs.columns) for movie, blobs in zip(movies, files["blobs"], strict=True)}
    sizes = {movie: (b.width, b.height) for movie, b in sized.items()}
    refuse_faults(path, fact_place_faults(facts, {movie: b.frames for movie, b in sized.items()}, sizes))
    statements, faults = fact_statements(facts, movies, recording, OneByOne(files["blobs"], Blobs.load), tracklets, roster)
    refuse_faults(path, faults + contradictions([*labels, *statements], recording, movies, roster))
    return statements


def follow_through(
    files: Files, recording: RecordingGraph, tracklets: Sequence[Tracklets], through: NDArray[np.bool_] | None = None
) -> Followed:
    """Rows of the graph that hold one animal, before a contact and within it or after it, and how surely.

    `through` (n,): only through these rows. Ways through one contact do not depend on those through others.
    """
    movies = [path.stem for path in files["tracklets"]]
    nobody = np.zeros(0, np.int64)
    counts = identities_of(recording, movies, [], nobody, nobody, nobody, nobody, 0.0)
    found: Followed = []
    for number, (movie, path) in enumerate(zip(movies, files["blobs"], strict=True)):
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


def identities_of(
    recording: RecordingGraph,
    movies: list[str],
    names: list[str],
    row: NDArray[np.int64],
    individual: NDArray[np.int64],
    confidence: NDArray[Any],
    how: NDArray[Any],
    gap: float,
) -> Identities:
    """The artifact: `row` of the recording, `individual` into `names`, `confidence` and `how` (k,) each, of who is where."""
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
