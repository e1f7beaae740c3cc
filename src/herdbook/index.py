"""Stage index: the frames of a movie, their times and keyframes; a broken file is found here."""

from collections.abc import Sequence

from herdbook.artifacts import Index
from herdbook.movie import scan_movie
from herdbook.stage import Job, run_stage
from herdbook.store import file_fingerprint

STAGE = "index"
STAGE_VERSION = 2


def _work(job: Job) -> None:
    path = job.file("movie")
    scan = scan_movie(path, on_broken=job.settings["on_broken"])
    Index(
        pts=scan.pts,
        time_s=scan.time_s,
        keyframe=scan.keyframe,
        width=scan.width,
        height=scan.height,
        fps=scan.fps,
        codec=scan.codec,
        grey=scan.grey,
        full_range=scan.full_range,
        movie_fingerprint=file_fingerprint(path),
    ).save(job.file("out"), job.provenance())


def main(argv: Sequence[str] | None = None) -> None:
    """Run the stage from its command line."""
    run_stage(STAGE, STAGE_VERSION, _work, one=("movie", "out"), argv=argv)


if __name__ == "__main__":
    main()
