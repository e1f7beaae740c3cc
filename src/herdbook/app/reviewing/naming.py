"""Who is who, found again at once after an answer, by a process that keeps what no answer changes.

`python -m herdbook.app.reviewing.naming EXPERIMENT RECORDING` reads a request on each line of its standard input, `prepare` or `name`, and
answers each with a line of JSON. What it finds lies beside the results of the run, in `app/review` (`herdbook.app.watching.reviewed`):
those of the run itself are made again by the next run.
"""

import hashlib
import json
import os
import select
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np

from herdbook.app.reviewing.ways import Ways
from herdbook.app.watching.reviewed import result_of, reviewed_path
from herdbook.artifacts.propagate import Identities
from herdbook.artifacts.store import artifact_fingerprint
from herdbook.artifacts.tracklets import NOISE, Tracklets
from herdbook.errors import HerdbookError
from herdbook.experiment.file import load_experiment
from herdbook.experiment.model import Experiment
from herdbook.identity.doubts import write_doubts
from herdbook.job import Job, stage_version
from herdbook.naming.recordings import Memory, doubts_path, name_animals, read_recording
from herdbook.system.files import make_writable_folder

STAGE = "propagate"
# A process that nobody asks for so long ends: it holds some 500 MB.
IDLE_S = 1200.0


class Naming:
    """Names of the animals of one recording."""

    def __init__(self, path: Path, recording: str) -> None:
        self._path, self._recording = path, recording
        self._mark = ""

    def name(self, *, keep: bool = True) -> dict[str, Any]:
        """Name all animals with the facts as they are now; what is found is written unless not to `keep` it. Raises HerdbookError.

        Returns `changed`, the frames of animals whose name is another than before, `wrong`, those that are expected to be wrong or without
        a name still, and `frames`, of how many.
        """
        experiment = load_experiment(self._path)
        job = self._job(experiment)
        self._read(job)
        found, doubts = name_animals(job.files, job.settings, self._graph, self._blobs, self._tracklets, self._memory)
        # Once more from the disk: the graph keeps but one movie.
        before = self._before(experiment)
        answer = {"changed": count_changed(before, found, self._tracklets) if before else 0} | expected_frames(found, self._tracklets)
        if keep:
            make_writable_folder(job.file("out").parent)
            write_doubts(doubts_path(job.file("out")), doubts)
            found.save(job.file("out"), job.provenance())
        return answer

    def _job(self, experiment: Experiment) -> Job:
        movies = experiment.recordings[self._recording]
        names = {"blobs": "segment", "tracklets": "tracklets", "evidence": "classify"}
        files = {name: [experiment.artifact(stage, movie) for movie in movies] for name, stage in names.items()}
        missing = [path for paths in files.values() for path in paths if not path.is_file()]
        if missing:
            raise HerdbookError(f"{missing[0]}: is not there yet. Run the experiment first.")
        facts = [Path(experiment.animals.facts)] if experiment.animals.facts else []
        files |= {"facts": facts, "out": [reviewed_path(experiment, self._recording)]}
        return Job(STAGE, stage_version(STAGE), files, json.loads(experiment.settings(STAGE)), 1)

    def _read(self, job: Job) -> None:
        """Read what no answer changes, unless it is known."""
        inputs = [artifact_fingerprint(path) for name in ("blobs", "tracklets", "evidence") for path in job.files[name]]
        mark = hashlib.sha256(json.dumps([STAGE, job.version, job.settings, inputs], sort_keys=True).encode()).hexdigest()[:16]
        if mark != self._mark:
            self._tracklets, self._blobs, self._graph = read_recording(job.files, job.settings["numbers"])
            ways = Ways(job.file("out").with_suffix(".ways.json"), mark)
            self._memory, self._mark = Memory(partial(ways.follow, job.files)), mark

    def _before(self, experiment: Experiment) -> Identities | None:
        path = result_of(experiment, self._recording)
        return Identities.load(path) if path.is_file() else None


def count_changed(before: Identities, after: Identities, tracklets: Sequence[Tracklets]) -> int:
    """Frames of animals that have another name than before; `tracklets` of each of the movies."""
    changed = 0
    for number, movie in enumerate(after.movies):
        if movie not in before.movies:
            continue
        old, new = ({pair: 1 for pair in _pairs(one, movie)} for one in (before, after))
        lost, won = np.zeros(len(tracklets[number]), np.int64), np.zeros(len(tracklets[number]), np.int64)
        for tracklet, _ in old.keys() - new.keys():
            lost[tracklet] += 1
        for tracklet, _ in new.keys() - old.keys():
            won[tracklet] += 1
        changed += int((np.maximum(lost, won) * (tracklets[number].last - tracklets[number].first + 1)).sum())
    return changed


def expected_frames(found: Identities, tracklets: Sequence[Tracklets]) -> dict[str, float]:
    """The frames of animals that are expected to have a `wrong` name or none, and all `frames` of animals."""
    wrong = frames = 0.0
    for number, movie in enumerate(found.movies):
        part, animals = tracklets[number], found.animals_of(movie).astype(np.int64)
        animals = np.where(part.tracklet_kind == NOISE, 0, animals)
        long = (part.last - part.first + 1).astype(np.int64)
        mine = found.movie == found.movies.index(movie)
        held = np.bincount(found.tracklet[mine], minlength=len(part))
        doubt = (1.0 - found.confidence[mine].astype(np.float64)) * long[found.tracklet[mine]]
        wrong += float(doubt.sum() + (np.maximum(0, animals - held) * long).sum())
        frames += float((np.maximum(animals, held) * long).sum())
    return {"wrong": wrong, "frames": frames}


def _pairs(identities: Identities, movie: str) -> list[tuple[int, str]]:
    mine = identities.movie == identities.movies.index(movie)
    names = [identities.individuals[k] for k in identities.individual[mine].tolist()]
    return list(zip(identities.tracklet[mine].tolist(), names, strict=True))


def serve(naming: Naming, requests: IO[str], answers: IO[str]) -> None:
    """Answer requests until there are no more, or none for a long time."""
    while select.select([requests], [], [], IDLE_S)[0] and (line := requests.readline()):
        begun, used = time.monotonic(), time.process_time()
        try:
            answer: dict[str, Any] = naming.name(keep=line.strip() == "name")
        except HerdbookError as error:
            answer = {"fault": str(error)}
        except Exception as error:  # the process must go on after a mistake in the program, too
            answer = {"fault": f"{type(error).__name__}: {error}", "mistake": True}
        answers.write(
            json.dumps(answer | {"seconds": round(time.monotonic() - begun, 3), "cpu_s": round(time.process_time() - used, 3)}) + "\n"
        )
        answers.flush()


def main(arguments: Sequence[str]) -> None:
    """Serve the recording that the command line names."""
    # Whatever else is printed must not be taken for an answer.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    serve(Naming(Path(arguments[0]), arguments[1]), sys.stdin, answers)


if __name__ == "__main__":
    main(sys.argv[1:])
