"""What Snakemake prints, read while it runs: the jobs, which of them run, are done or failed, and the steps."""

import re
from collections import deque
from dataclasses import dataclass
from pathlib import Path

WAITING, RUNNING, DONE, FAILED = "waiting", "running", "done", "failed"
_TAIL_BYTES = 1 << 16
_PROGRESS = re.compile(r"^\w+: (\d+)/(\d+) (\w+) \(\d+ %\), (\d+) \w+/s, (\d+) s left$")


@dataclass
class LoggedJob:
    """A job that was begun: its rule, the movie, scene or recording that it is for, its state, and its log, relative to the results.

    `failed_at`: where in the output its failure begins, byte; -1 if it did not fail.
    """

    rule: str
    unit: str = ""
    state: str = RUNNING
    log: str = ""
    failed_at: int = -1


@dataclass(frozen=True)
class Pace:
    """How far a job is: `done` of `total` units (frames, mostly), per second, and the seconds left."""

    done: int
    total: int
    unit: str
    per_s: float
    left_s: float


class RunLog:
    """The output of a run, of which each call of `refresh` reads what is new. `jobs` are by Snakemake's number, `steps` done and in all.

    `read`: bytes that were read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.jobs: dict[int, LoggedJob] = {}
        self.steps = (0, 0)
        self.last_lines: deque[str] = deque(maxlen=30)
        self.read = 0
        self._block: LoggedJob | None = None
        self._failing = False

    def refresh(self) -> None:
        """Read what was printed since the last call."""
        size = self.path.stat().st_size if self.path.exists() else 0
        if size < self.read:
            self.__init__(self.path)  # type: ignore[misc]
        if size == self.read:
            return
        with self.path.open("rb") as file:
            file.seek(self.read)
            data = file.read()
        for line in data[: data.rfind(b"\n") + 1].splitlines(keepends=True):
            self._take(line.decode("utf-8", "replace").rstrip())
            self.read += len(line)

    def _take(self, line: str) -> None:
        text = line.strip()
        if text:
            self.last_lines.append(line)
        if found := re.fullmatch(r"(?:local)?(?:rule|checkpoint) (\w+):", text):
            self._block, self._failing = LoggedJob(found[1]), False
        elif found := re.fullmatch(r"Error in (?:rule|group) .*:", text):
            self._block, self._failing = None, True
        elif found := re.match(r"Finished job(?:id: )?\s*(\d+)", text):
            self._set(int(found[1]), DONE)
        elif found := re.match(r"(\d+) of (\d+) steps", text):
            self.steps = (int(found[1]), int(found[2]))
        elif found := re.fullmatch(r"total +(\d+)", text):
            self.steps = (self.steps[0], int(found[1]))
        elif found := re.fullmatch(r"jobid: (\d+)", text):
            if self._failing:
                self._set(int(found[1]), FAILED)
            elif self._block:
                self.jobs[int(found[1])] = self._block
        elif self._block and (found := re.fullmatch(r"wildcards: \w+=(.*)", text)):
            self._block.unit = found[1]
        elif self._block and (found := re.match(r"log: (.*?)(?: \(check log.*)?$", text)):
            self._block.log = found[1]

    def _set(self, number: int, state: str) -> None:
        if number in self.jobs:
            self.jobs[number].state = state
            self.jobs[number].failed_at = self.read if state == FAILED else -1


def tail(path: Path, most_bytes: int = _TAIL_BYTES) -> str:
    """The end of a log, whole lines, "" if there is none."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - most_bytes))
            data = file.read()
    except OSError:
        return ""
    cut = data.find(b"\n") + 1 if size > most_bytes else 0
    return data[cut:].decode("utf-8", "replace")


def pace_of(log: str) -> Pace | None:
    """The pace that the last line of progress in a log tells."""
    for line in reversed(log.splitlines()):
        if found := _PROGRESS.match(line.strip()):
            return Pace(int(found[1]), int(found[2]), found[3], float(found[4]), float(found[5]))
    return None
