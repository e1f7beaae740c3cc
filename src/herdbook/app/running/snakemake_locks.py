"""Locks that Snakemake holds on files while it runs: each is a list of files, relative to the folder in which it works."""

from contextlib import suppress
from pathlib import Path


def lock_files(results: Path, experiment: str) -> list[Path]:
    """The locks in a folder of results that list files of an experiment: several experiments may run in one folder."""
    found = []
    for path in sorted((results / ".snakemake" / "locks").glob("*.lock")):
        with suppress(OSError):
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
            if any(line.startswith(f"{experiment}/") for line in lines):
                found.append(path)
    return found


def remove_locks(results: Path, experiment: str) -> None:
    """Take away the locks of an experiment. Whoever calls it knows that no run holds them any more."""
    for path in lock_files(results, experiment):
        path.unlink(missing_ok=True)
