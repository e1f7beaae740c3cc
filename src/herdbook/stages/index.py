"""Stage index: the frames of a movie, their times and keyframes; a broken file is found here."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from herdbook.artifacts.index import Index
from herdbook.errors import HerdbookError
from herdbook.job import Job, run_stage
from herdbook.movie.reading import scan_movie
from herdbook.system.fingerprints import file_fingerprint

STAGE = "index"
STAGE_VERSION = 3


@contextmanager
def unchanged(path: Path) -> Iterator[None]:
    """Raise HerdbookError, instead of any other error, if a movie is not the same any more when the block ends."""
    before = file_fingerprint(path) if path.exists() else ""
    try:
        yield
    finally:
        if before and file_fingerprint(path) != before:
            raise HerdbookError(
                f"{path}: the file changed while it was read: it is still being recorded or copied. Wait until that has ended, then run "
                "snakemake again."
            )


def _work(job: Job) -> None:
    path = job.file("movie")
    with unchanged(path):
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
