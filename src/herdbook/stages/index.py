"""Stage index: the frames of a movie, their times and keyframes; a broken file is found here."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from herdbook.artifacts.index import Index
from herdbook.errors import HerdbookError
from herdbook.experiment.sheets.times import read_times
from herdbook.job import Job, run_stage
from herdbook.movie.scanning import scan_movie
from herdbook.system.fingerprints import file_fingerprint
from herdbook.system.words import say

STAGE = "index"
STAGE_VERSION = 4


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
    path, times = job.file("movie"), job.files["times"]
    with unchanged(path):
        scan = scan_movie(path, times_s=read_times(times[0]) if times else None, **job.settings)
    for note in scan.notes:
        say(f"{STAGE}: {note}")
    Index.from_scan(scan, file_fingerprint(path)).save(job.file("out"), job.provenance())


def main(argv: Sequence[str] | None = None) -> None:
    """Run the stage from its command line."""
    run_stage(STAGE, STAGE_VERSION, _work, one=("movie", "out"), optional=("times",), argv=argv)


if __name__ == "__main__":
    main()
