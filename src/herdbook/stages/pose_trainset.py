"""Stage pose_trainset: body points that a person labelled become crops of animals, head up."""

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import numpy as np

from herdbook.arrays import Floats, Image, Ints
from herdbook.artifacts.index import Index
from herdbook.artifacts.segment import Blobs, open_blob_images
from herdbook.artifacts.smooth import Trajectories
from herdbook.bodypoints.learned.examples import CropRequest, LabelledMovie, gather_crops, positions_of
from herdbook.bodypoints.learned.labels import LabelledAnimal, give_to_animals, partners, point_names, read_point_labels
from herdbook.geometry.ellipses import body_length
from herdbook.job import Job, run_stage
from herdbook.movie.reading import read_frame_samples
from herdbook.system.words import say

STAGE = "pose_trainset"
STAGE_VERSION = 1


def _grey(path: Path, index: Index, frames: Sequence[int]) -> Iterable[Image]:
    return (frame.grey() for frame in read_frame_samples(path, index, frames))


def _movie(job: Job, number: int, labels: Sequence[LabelledAnimal], points: Sequence[str], opened: ExitStack) -> LabelledMovie:
    movie, index, path, tracks = (job.files[name][number] for name in ("movie", "index", "blobs", "trajectories"))
    table, blobs, trajectories = Index.load(index), Blobs.load(path), Trajectories.load(tracks)
    table.check_movie(movie)

    def at(frames: Ints) -> Floats:
        return positions_of(trajectories, frames)[0]

    own = [label for label in labels if label.movie == path.stem]
    frame, who, xy = give_to_animals(own, trajectories, points, body_length(blobs.moments), at)
    images = opened.enter_context(open_blob_images(path))
    return LabelledMovie(path.stem, frame, who, xy, trajectories, blobs, images, partial(_grey, movie, table))


def _work(job: Job) -> None:
    settings, file = job.settings, ", ".join(map(str, job.files["labels"]))
    labels = read_point_labels(job.files["labels"], settings["movies"], settings["individuals"])
    points = point_names(labels, settings["points"], file)
    wanted = CropRequest(points, partners(points, settings["mirror"]), settings["crop_body"], settings["size"])
    with ExitStack() as opened:
        movies = [_movie(job, number, labels, points, opened) for number in range(len(job.files["blobs"]))]
        examples = gather_crops(movies, wanted, [], file)
    for note in examples.notes:
        say(f"note: {note}", log=False)
    frames = len(np.unique(np.stack([examples.movie, examples.frame]), axis=1).T)
    say(f"{len(examples.frame)} labelled animals in {frames} frames, {len(examples.points)} points each")
    examples.save(job.file("out"), job.provenance())


def main(argv: Sequence[str] | None = None) -> None:
    """Run the stage from its command line."""
    many = ("labels", "movie", "index", "blobs", "trajectories")
    run_stage(STAGE, STAGE_VERSION, _work, one=("out",), many=many, argv=argv)


if __name__ == "__main__":
    main()
