"""Stage background: the image of the empty scene of a movie or a recording, or one for each window of time or scene of a movie."""

from collections.abc import Sequence

from herdbook.artifacts.index import Index
from herdbook.errors import HerdbookError
from herdbook.job import Job, run_stage
from herdbook.segmentation.scenes import make_background
from herdbook.segmentation.transitions import change_sentences
from herdbook.system.words import say

STAGE = "background"
STAGE_VERSION = 4


def _work(job: Job) -> None:
    movies, settings = job.files["movie"], job.settings
    indices = [Index.load(path) for path in job.files["index"]]
    reference = Index.load(job.file("reference"))
    for path, index in zip(movies, indices, strict=True):
        index.check_movie(path)
        if (index.width, index.height) != (reference.width, reference.height):
            raise HerdbookError(
                f"{path}: the frames are {index.width} x {index.height} px, but those of the recording's first movie "
                f"({job.file('reference').stem}) are {reference.width} x {reference.height} px. Movies of one recording must have the "
                f"same size: give this one another recording."
            )
    intervals = [settings["intervals"].get(path.stem, []) for path in job.files["index"]]
    image = job.file("image") if job.files["image"] else None
    made, broken = make_background(movies, indices, intervals, settings, image, stage=STAGE)
    if broken:
        sampled = broken + made.frames_used
        say(f"{STAGE}: {broken} of {sampled} sampled frames are black, broken or unlike the others and left out")
    for sentence in change_sentences(made):
        say(f"{STAGE}: {sentence} Each scene has a background of its own.")
    made.save(job.file("out"), job.provenance())


def main(argv: Sequence[str] | None = None) -> None:
    """Run the stage from its command line."""
    run_stage(STAGE, STAGE_VERSION, _work, one=("reference", "out"), many=("movie", "index"), optional=("image",), argv=argv)


if __name__ == "__main__":
    main()
