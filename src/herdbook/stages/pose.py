"""Stage pose: body points of the named animals of a movie, found by the network in a crop of each."""

from collections.abc import Sequence

import cv2

from herdbook.artifacts.index import Index
from herdbook.artifacts.segment import Blobs
from herdbook.artifacts.smooth import Trajectories
from herdbook.bodypoints.learned.cards import read_pose_card
from herdbook.bodypoints.learned.finding import find_points, summary_of
from herdbook.geometry.ellipses import body_length
from herdbook.job import Job, run_stage
from herdbook.movie.reading import read_frames
from herdbook.system.words import say

STAGE = "pose"
STAGE_VERSION = 2


def _work(job: Job) -> None:
    cv2.setNumThreads(1)
    movie, card, index = job.file("movie"), read_pose_card(job.file("pose_card")), Index.load(job.file("index"))
    index.check_movie(movie)
    # Its library takes seconds to come.
    from herdbook.bodypoints.learned.network import Predictor, load_network
    from herdbook.classifier.network import use_threads

    # As in training, one thread gives the same answers everywhere.
    use_threads(1)
    predictor = Predictor(load_network(job.file("network"), card.size, len(card.points)))
    blobs, trajectories = Blobs.load(job.file("blobs"), without=("box", "image", "contrast")), Trajectories.load(job.file("trajectories"))
    # The animals of a network's own experiment have the size that it learned; those of another one are measured in each movie.
    body_px = body_length(blobs.moments) if card.given else card.body_px
    frames = (frame.grey() for frame in read_frames(movie, index))
    size, settings = (index.height, index.width), job.settings
    found = find_points(frames, size, trajectories, card, predictor, body_px, settings["most_error"], settings["points"])
    say(f"{STAGE}: {summary_of(found, job.file('blobs'))}")
    found.save(job.file("out"), job.provenance())


def main(argv: Sequence[str] | None = None) -> None:
    """Run the stage from its command line."""
    files = ("movie", "index", "blobs", "trajectories", "network", "pose_card", "out")
    run_stage(STAGE, STAGE_VERSION, _work, one=files, argv=argv)


if __name__ == "__main__":
    main()
