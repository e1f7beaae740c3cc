"""The draft of an experiment: values that were changed on the page and do not yet stand in the experiment file.

The journal is what counts: `draft.json` is its sum up to one of its steps, so that a crash between the two writes loses nothing.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from herdbook.app.keys import MISSING, value_at, with_all, with_value, within
from herdbook.app.saving.journal import CHANGE, REDO, SAVE, UNDO, Entry
from herdbook.experiment.editing.text import same
from herdbook.system.files import read_json, write_durably


@dataclass(frozen=True)
class Drafted:
    """A changed value, None if the key is taken out; `base` is that of the file when it was changed, None for none."""

    value: Any
    base: Any


@dataclass
class ExperimentDraft:
    """The changed values by dotted key, in the order of their changes; `n` is the last step of the journal that they contain."""

    subject: str
    n: int = 0
    keys: dict[str, Drafted] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path, subject: str) -> "ExperimentDraft":
        """The draft in a file, an empty one if there is none or it is damaged: the journal holds all of it."""
        try:
            values = read_json(path)
            if values["subject"] != subject:
                return cls(subject)
            keys = {key: Drafted(pair["value"], pair["base"]) for key, pair in values["keys"].items()}
            return cls(subject, int(values["n"]), keys)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return cls(subject)

    def write(self, path: Path) -> None:
        """Write the draft to the disk."""
        keys = {key: {"value": one.value, "base": one.base} for key, one in self.keys.items()}
        values = {"subject": self.subject, "n": self.n, "keys": keys}
        write_durably(path, json.dumps(values, ensure_ascii=False, indent=1).encode() + b"\n")

    @property
    def values(self) -> dict[str, Any]:
        """The changed values by dotted key."""
        return {key: one.value for key, one in self.keys.items()}

    def over(self, raw: Any) -> Any:
        """The content of the file with the changed values. Raises HerdbookError if an item that is changed is no longer there."""
        return with_all(raw, self.values)

    def steps_to(self, raw: Any, changes: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """What `changes` do to the draft, for the journal: by key the value of the file, and the value that is seen before and after.

        A change within a value that is changed as a whole changes that one.
        """
        found: dict[str, dict[str, Any]] = {}
        seen = self.over(raw)
        for key, value in changes.items():
            outer = next((other for other in (*found, *self.keys) if other != key and within(key, other)), None)
            after = with_value(seen, key, value)
            place = outer or key
            before = found[place].get("before", MISSING) if place in found else value_at(seen, place)
            base = self.keys[place].base if place in self.keys else _none(value_at(raw, place))
            found[place] = {"before": _none(before), "after": _none(value_at(after, place)), "base": base}
            seen = after
        return {key: one for key, one in found.items() if not same(one["before"], one["after"])}

    def apply(self, entry: Entry, raw: Any, revision: str) -> None:
        """Take over one step of the journal; `raw` is what the file contains now, and `revision` its state."""
        self.n = entry["n"]
        if entry["kind"] == SAVE:
            # A crash may have come between this step and the file.
            if revision == entry["after"]:
                self.keys = {}
            return
        if entry["kind"] not in (CHANGE, UNDO, REDO):
            return
        for key, one in entry["keys"].items():
            for inner in [other for other in self.keys if within(other, key)]:
                del self.keys[inner]
            if not same(one["after"], _none(value_at(raw, key))):
                self.keys[key] = Drafted(one["after"], one["base"])


def _none(value: Any) -> Any:
    return None if value is MISSING else value
