"""The experiment file as the page edits it: a draft that survives crashes, undo and redo without limit, and saving that loses no line.

The file is the only truth. What is changed on the page is a draft until it is saved; a change by an editor or another tab is noticed.
"""

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from herdbook.app.keys import MISSING, plain, value_at, with_value
from herdbook.app.saving.drafts import ExperimentDraft
from herdbook.app.saving.journal import CHANGE, REDO, SAVE, SET, UNDO, VOID, Entry, Journal, NothingToUndoError
from herdbook.app.saving.locks import locked
from herdbook.errors import HerdbookError
from herdbook.experiment.editing.text import same, with_content
from herdbook.experiment.file import MOST_BYTES, parse_experiment
from herdbook.experiment.yaml_text import load_yaml
from herdbook.system.files import make_writable_folder, write_durably

FOLDER = "app"
# States of the text that are compared with what is wanted before it is edited, so that undoing gives the same bytes.
MOST_STATES, MOST_COMPARED_BYTES = 20, 200_000
MOST_TRIES = 5


@dataclass(frozen=True)
class Saved:
    """The file was written; `revision` is its state now."""

    revision: str


@dataclass(frozen=True)
class Conflict:
    """Nothing was written, for another program changed the same values: by dotted key what the file has now, and what the draft has.

    None is no value. To keep the draft, save again with this `revision`; to keep the file, set these keys to its values first.
    """

    revision: str
    keys: dict[str, tuple[Any, Any]]


@dataclass
class _State:
    data: bytes = b""
    raw: dict[str, Any] = field(default_factory=dict)
    revision: str = ""


class ExperimentFile:
    """An experiment file and its draft, as one tab or process sees them. All methods raise HerdbookError with what is to be done.

    `revision` is the state of the file when it was last read, by `values`, `changed` or `save`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self._state = _State()
        self._stamp: tuple[int, ...] = ()
        self._read()
        self.folder = self._folder()

    @property
    def revision(self) -> str:
        """A text that tells states of the file apart."""
        return self._state.revision

    def values(self) -> dict[str, Any]:
        """What the file contains, without the draft; dates are texts."""
        self._read()
        return dict(plain(self._state.raw))

    def drafted_values(self) -> dict[str, Any]:
        """What the file would contain if the draft were saved."""
        self._read()
        return dict(self._draft().over(plain(self._state.raw)))

    @property
    def draft(self) -> dict[str, Any]:
        """The values that are changed and not saved, by dotted key; None for a key that is taken out."""
        return self._draft().values

    def changes(self) -> dict[str, tuple[Any, Any]]:
        """By dotted key the value in the file and that of the draft, None for none."""
        raw = self.values()
        return {key: (_none(value_at(raw, key)), value) for key, value in self.draft.items()}

    def conflicts(self) -> dict[str, tuple[Any, Any]]:
        """By dotted key the value in the file and that of the draft where others changed the file since the draft was made."""
        raw = self.values()
        return _changed_elsewhere(raw, self._draft())

    def fault(self) -> str | None:
        """What is wrong with the experiment if the draft were saved, None if nothing is."""
        try:
            parse_experiment(self.drafted_values(), self.path)
        except HerdbookError as error:
            return str(error)
        return None

    def set_draft(self, changes: Mapping[str, Any]) -> None:
        """Change values by dotted key; None takes a key out, and a value that the file has ends the change of this key.

        The values need not be valid together: `fault` tells, and `save` refuses. Raises UneditableError for movies in a table of their own.
        """
        with self._locked():
            raw, draft = self.values(), self._draft()
            keys = draft.steps_to(raw, {key: plain(value) for key, value in changes.items()})
            if keys:
                self._take(draft, self._journal.append(self._subject, CHANGE, keys=keys, by=os.getpid()))

    def discard(self) -> None:
        """Give up the draft, as one step that can be undone."""
        self.set_draft({key: before for key, (before, _) in self.changes().items()})

    def undo(self) -> dict[str, Any]:
        """Undo the last change of the draft, also one that was saved; returns the values by key as they are then.

        The file itself changes when it is saved. Raises NothingToUndoError if there is none, or if another change came on top of it.
        """
        return self._step(self._journal.to_undo, UNDO, "after", "before")

    def redo(self) -> dict[str, Any]:
        """Make the change again that was undone last; returns the values by key. Raises NothingToUndoError if this cannot be done."""
        return self._step(self._journal.to_redo, REDO, "before", "after")

    def save(self, revision: str) -> Saved | Conflict:
        """Write the draft into the file; comments and all other lines stay.

        `revision` is the state of the file that the person saw. What others changed elsewhere in the file stays. Raises HerdbookError for
        values that are not valid, and UneditableError, with the lines to paste, for a text that cannot be edited safely.
        """
        with self._locked():
            for _ in range(MOST_TRIES):
                self._read(always=True)
                state, draft = self._state, self._draft()
                raw = plain(state.raw)
                others = _changed_elsewhere(raw, draft)
                if others and revision != state.revision:
                    return Conflict(state.revision, others)
                wanted = _with_dates(state.raw, raw, draft.over(raw))
                if same(wanted, state.raw):
                    data = state.data
                else:
                    parse_experiment(wanted, self.path)
                    data = self._edited(state, wanted)
                if self._write(state, data, draft):
                    return Saved(self.revision)
        raise HerdbookError(f"{self.path}: another program writes the file again and again. Close it there, then save again.")

    def set_now(self, key: str, value: Any) -> None:
        """Write one value into the file at once; the draft stays a draft. For files that the app makes, such as a table of facts.

        Raises HerdbookError, and UneditableError with the lines to paste, as `save` does.
        """
        with self._locked():
            self._read(always=True)
            raw = plain(self._state.raw)
            wanted = _with_dates(self._state.raw, raw, with_value(raw, key, value))
            parse_experiment(wanted, self.path)
            data, before = with_content(_text(self._state.data), wanted).encode(), self._state.data
            if self.path.read_bytes() != before:
                raise HerdbookError(f"{self.path}: another program wrote into the file just now. Try again.")
            self._journal.append(self._subject, SET, before=self.revision, after=_revision(data), key=key, value=value, by=os.getpid())
            write_durably(self.path, data)
            self._read(always=True)

    def changed(self) -> dict[str, str] | None:
        """Whether the file was changed since it was last read here, and by whom: `app` (another tab) or `editor`; None if it was not."""
        before = self.revision
        self._read()
        if self.revision == before:
            return None
        self._journal.refresh()
        ours = any(entry["kind"] in (SAVE, SET) and entry["after"] == self.revision for entry in self._journal.of(self._subject)[-50:])
        return {"file": self.path.name, "revision": self.revision, "by": "app" if ours else "editor"}

    @property
    def steps(self) -> tuple[int, int]:
        """How many changes can be undone and redone."""
        self._journal.refresh()
        return self._journal.depth(self._subject)

    # --- the file

    def _read(self, always: bool = False) -> None:
        try:
            stat = self.path.stat()
            stamp = (stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino)
            if stamp == self._stamp and not always:
                return
            if stat.st_size > MOST_BYTES:
                raise HerdbookError(f"{self.path}: has {stat.st_size >> 20} MB, too much for an experiment file. Is it the right file?")
            data = self.path.read_bytes()
        except OSError as error:
            raise HerdbookError(f"{self.path}: the experiment file cannot be read ({error.strerror}). Is it still there?") from error
        if data != self._state.data or not self._state.revision:
            self._state = _State(data, _content(data, self.path), _revision(data))
        self._stamp = stamp

    def _write(self, state: _State, data: bytes, draft: ExperimentDraft) -> bool:
        """Put new data in place of the file unless another program changed it in between, which is found out even after the change."""
        if data != state.data:
            keys = {key: one.value for key, one in draft.keys.items()}
            entry = {"before": state.revision, "after": _revision(data), "splice": _splice(_text(state.data), _text(data)), "keys": keys}
            with self.path.open("rb") as old:
                if old.read() != state.data:
                    return False
                step = self._journal.append(self._subject, SAVE, **entry, by=os.getpid())
                write_durably(self.path, data)
                old.seek(0)
                theirs = old.read()
            if theirs != state.data:
                # An editor wrote into the old file while it was replaced: its text counts, and the draft goes on top of it once more.
                write_durably(self.path, theirs)
                return False
        elif draft.keys:
            step = self._journal.append(self._subject, SAVE, before=state.revision, after=state.revision, splice=[0, "", ""], keys={})
        else:
            return True
        self._read(always=True)
        self._take(draft, step)
        self.folder = self._folder()
        return True

    def _edited(self, state: _State, wanted: dict[str, Any]) -> bytes:
        text = _text(state.data)
        if len(text) <= MOST_COMPARED_BYTES:
            for other in self._earlier_texts(text):
                if same(_content(other.encode(), self.path), wanted):
                    return other.encode()
        return with_content(text, wanted).encode()

    def _earlier_texts(self, text: str) -> list[str]:
        """Texts that the file had before or after steps of saving that begin or end with its text now, the nearest ones first."""
        saves = [entry for entry in self._journal.of(self._subject) if entry["kind"] == SAVE]
        found, texts = [_revision(text.encode())], [text]
        for place in range(MOST_STATES):
            if place >= len(found):
                break
            for entry in reversed(saves):
                start, old, new = entry["splice"]
                for here, there, here_text, there_text in (
                    (entry["after"], entry["before"], new, old),
                    (entry["before"], entry["after"], old, new),
                ):
                    if here == found[place] and there not in found:
                        other = texts[place][:start] + there_text + texts[place][start + len(here_text) :]
                        if _revision(other.encode()) == there:
                            found.append(there)
                            texts.append(other)
        return texts[1:]

    # --- the draft

    def _folder(self) -> Path:
        raw = self._state.raw
        folder = self.path.parent / str(raw.get("results") or "results") / str(raw.get("experiment")) / FOLDER
        self._journal = Journal(folder)
        self._subject = os.path.relpath(self.path, folder)
        return folder

    def _locked(self) -> Any:
        make_writable_folder(self.folder)
        return locked(self.folder / "journal.jsonl")

    def _draft(self) -> ExperimentDraft:
        """The draft on the disk, with the steps of the journal that a crash kept out of it."""
        draft = ExperimentDraft.read(self.folder / "draft.json", self._subject)
        self._journal.refresh()
        raw = plain(self._state.raw)
        for entry in self._journal.of(self._subject):
            if entry["n"] > draft.n:
                draft.apply(entry, raw, self.revision)
        return draft

    def _take(self, draft: ExperimentDraft, entry: Entry) -> None:
        draft.apply(entry, plain(self._state.raw), self.revision)
        draft.write(self.folder / "draft.json")

    def _step(self, find: Callable[[str], Entry], kind: str, now: str, then: str) -> dict[str, Any]:
        with self._locked():
            raw, draft = self.values(), self._draft()
            entry = find(self._subject)
            seen = draft.over(raw)
            for key, one in entry["keys"].items():
                value = _none(value_at(seen, key))
                if not same(value, one[now]):
                    self._journal.append(self._subject, VOID, of=entry["n"])
                    raise NothingToUndoError(f"{key} is {value} now and no longer {one[now]}: it was changed elsewhere. Change it by hand.")
            bases = {key: draft.keys[key].base if key in draft.keys else _none(value_at(raw, key)) for key in entry["keys"]}
            keys = {key: {"before": one[now], "after": one[then], "base": bases[key]} for key, one in entry["keys"].items()}
            self._take(draft, self._journal.append(self._subject, kind, keys=keys, of=entry["n"], by=os.getpid()))
            return {key: one[then] for key, one in entry["keys"].items()}


def _changed_elsewhere(raw: Any, draft: ExperimentDraft) -> dict[str, tuple[Any, Any]]:
    """By dotted key the value in the file and that of the draft, where the file has neither the value of before nor that of the draft."""
    pairs = {key: (_none(value_at(raw, key)), one.value) for key, one in draft.keys.items()}
    return {key: pair for key, pair in pairs.items() if not same(pair[0], draft.keys[key].base) and not same(*pair)}


def _revision(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def _text(data: bytes) -> str:
    return data.decode("utf-8")


def _content(data: bytes, path: Path) -> dict[str, Any]:
    try:
        raw = load_yaml(_text(data))
    except Exception as error:  # YAML makes dates, numbers and sets of texts, each with errors of its own
        raise HerdbookError(f"{path}: not valid YAML: {error}. Correct it in your editor.") from error
    if not isinstance(raw, dict):
        raise HerdbookError(f"{path}: expected keys such as experiment, movies and animals, found {type(raw).__name__}.")
    return raw


def _splice(before: str, after: str) -> list[Any]:
    """Where two texts begin to differ, and what stands there in each of them."""
    most = min(len(before), len(after))
    start = next((k for k in range(most) if before[k] != after[k]), most)
    end = next((k for k in range(most - start) if before[-1 - k] != after[-1 - k]), most - start)
    return [start, before[start : len(before) - end], after[start : len(after) - end]]


def _with_dates(raw: Any, shown: Any, wanted: Any) -> Any:
    """What is wanted, with the values of the file itself where they are not changed: dates, for example, are not texts there."""
    if same(shown, wanted):
        return raw
    if isinstance(raw, dict) and isinstance(wanted, dict):
        names = {str(key): key for key in raw}
        return {names.get(key, key): _with_dates(raw.get(names.get(key, key)), shown.get(key), value) for key, value in wanted.items()}
    if isinstance(raw, list) and isinstance(wanted, list) and len(raw) == len(wanted):
        return [_with_dates(*three) for three in zip(raw, shown, wanted, strict=True)]
    return wanted


def _none(value: Any) -> Any:
    return None if value is MISSING else value
