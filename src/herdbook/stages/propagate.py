"""Stage propagate: joins the movies of a recording and decides who is in which tracklet."""

from collections.abc import Sequence

import numpy as np

from herdbook.artifacts.propagate import PROPAGATED, Identities
from herdbook.artifacts.segment import Blobs
from herdbook.artifacts.tracklets import Tracklets
from herdbook.identity.doubts import write_doubts
from herdbook.identity.graph import gap_edges
from herdbook.identity.keeping import end_velocities, keep_numbers
from herdbook.identity.recording import RecordingGraph
from herdbook.job import Job, run_stage
from herdbook.naming.recordings import doubts_path, follow_through, identities_of, name_animals, read_recording

STAGE = "propagate"
STAGE_VERSION = 15


def _work(job: Job) -> None:
    movies = [path.stem for path in job.files["tracklets"]]
    tracklets, blobs, recording = read_recording(job.files, job.settings["numbers"])
    unnamed = job.settings["marking"] == "none"
    if unnamed and job.settings.get("keep"):
        result = _kept(job, recording, movies, blobs, tracklets)
    elif unnamed:
        result = _unnamed(recording, movies, job.settings.get("lone", []))
    else:
        result, doubts = name_animals(job.files, job.settings, recording, blobs, tracklets)
        write_doubts(doubts_path(job.file("out")), doubts)
    result.save(job.file("out"), job.provenance())


def _kept(job: Job, recording: RecordingGraph, movies: list[str], blobs: Sequence[Blobs], tracklets: Sequence[Tracklets]) -> Identities:
    """A number for each animal, kept through contacts by movement alone."""
    lasting = {"gap_frames": max(1, round(job.settings["gap_s"] * blobs[0].fps)), "body_length_px": recording.body_length_px}
    velocity = end_velocities(recording, blobs, tracklets)
    alone = recording.graph.animals == 1
    handed = [one for one in follow_through(job.files, recording, tracklets) if alone[one[1]]]
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
    return identities_of(recording, movies, names, rows, np.concatenate(individual), np.concatenate(confidence), how, 0.0)


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
    return identities_of(
        recording, movies, names, row, np.array(individuals, np.int64), np.ones(len(row)), np.full(len(row), PROPAGATED), 0.0
    )


def main(argv: Sequence[str] | None = None) -> None:
    """Run the stage from its command line."""
    run_stage(STAGE, STAGE_VERSION, _work, one=("out",), many=("blobs", "tracklets", "evidence"), optional=("facts",), argv=argv)


if __name__ == "__main__":
    main()
