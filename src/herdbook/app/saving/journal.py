"""The journal of what was done: one line of JSON for each step, only ever appended to, from which undo and redo are computed.

It lies in the results of an experiment, so that undo and redo work over tabs and survive the end of the app.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from herdbook.errors import HerdbookError
from herdbook.system.files import append_durably

CHANGE, UNDO, REDO, SAVE = "change", "undo", "redo", "save"
# A step that can no longer be undone or redone, for something else changed its values: those before it can.
VOID = "void"
# A value that was written into the experiment file at once, beside its draft.
SET = "set"
Entry = dict[str, Any]


class NothingToUndoError(HerdbookError):
    """There is nothing to undo or redo, or it was changed since."""


class Journal:
    """The steps of an experiment in their order; each has a number `n`, a time, a `subject` (the file that it changes) and a `kind`.

    Writers hold the lock of the journal's folder.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "journal.jsonl"
        self.entries: list[Entry] = []
        self._read = 0

    def refresh(self) -> None:
        """Read what other processes appended; a line that a crash cut off does not count."""
        size = self.path.stat().st_size if self.path.exists() else 0
        if size < self._read:
            self.entries, self._read = [], 0
        if size == self._read:
            return
        with self.path.open("rb") as file:
            file.seek(self._read)
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if isinstance(entry, dict) and isinstance(entry.get("n"), int):
                self.entries.append(entry)

    def append(self, subject: str, kind: str, **values: Any) -> Entry:
        """Write a step to the disk."""
        self.refresh()
        if self.path.exists() and self.path.stat().st_size > self._read:
            # What a crash cut off would swallow the next line.
            append_durably(self.path, b"\n")
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        entry = {"n": self.entries[-1]["n"] + 1 if self.entries else 1, "time": now, "subject": subject, "kind": kind, **values}
        append_durably(self.path, json.dumps(entry, ensure_ascii=False).encode() + b"\n")
        self.refresh()
        return entry

    def of(self, subject: str) -> list[Entry]:
        """The steps of a subject."""
        return [entry for entry in self.entries if entry["subject"] == subject]

    def to_undo(self, subject: str) -> Entry:
        """The last change that is not undone. Raises NothingToUndoError if there is none."""
        done, _ = self._stacks(subject)
        if not done:
            raise NothingToUndoError("there is nothing to undo")
        return done[-1]

    def to_redo(self, subject: str) -> Entry:
        """The change that was undone last, unless another one followed. Raises NothingToUndoError if there is none."""
        _, undone = self._stacks(subject)
        if not undone:
            raise NothingToUndoError("there is nothing to redo")
        return undone[-1]

    def depth(self, subject: str) -> tuple[int, int]:
        """How many changes can be undone and redone."""
        done, undone = self._stacks(subject)
        return len(done), len(undone)

    def _stacks(self, subject: str) -> tuple[list[Entry], list[Entry]]:
        done: list[Entry] = []
        undone: list[Entry] = []
        for entry in self.of(subject):
            if entry["kind"] == CHANGE:
                done.append(entry)
                undone.clear()
            elif entry["kind"] == UNDO and done:
                undone.append(done.pop())
            elif entry["kind"] == REDO and undone:
                done.append(undone.pop())
            elif entry["kind"] == VOID:
                done, undone = ([one for one in stack if one["n"] != entry["of"]] for stack in (done, undone))
        return done, undone


def step(before: Any, after: Any, missing: Any) -> Mapping[str, Any]:
    """The change of one value for the journal; a value that is `missing` is left out."""
    return {name: value for name, value in (("before", before), ("after", after)) if value is not missing}
