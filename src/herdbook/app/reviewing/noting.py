"""Events that a person notes while watching: rows of their own table, written when an event begins and changed when it ends."""

from collections.abc import Mapping
from typing import Any

from herdbook.app.live import Live
from herdbook.app.reviewing.people_files import made_table, table_of
from herdbook.errors import HerdbookError
from herdbook.experiment.sheets.noted import BETWEEN, NOTED_COLUMNS

MOST_CHARACTERS = 500


def events_of(live: Live) -> list[dict[str, str]]:
    """All events that were noted, in the order of the table."""
    table = table_of(live, "events")
    return table.rows() if table.path.is_file() else []


def note(live: Live, event: Any) -> dict[str, str]:
    """Write an event; its row."""
    row = _checked(live, event)
    made_table(live, "events").add(row)
    return _texts(row)


def change(live: Live, old: Any, new: Any) -> dict[str, str]:
    """Give an event, found by the values of its row, other values; its row."""
    row = _checked(live, new)
    made_table(live, "events").change(_known(old), row)
    return _texts(row)


def remove(live: Live, event: Any) -> None:
    """Take an event out."""
    made_table(live, "events").remove(_known(event))


def undo(live: Live) -> None:
    """Take back the last change of the events. Raises NothingToUndoError if there is none."""
    table_of(live, "events").undo()


def _checked(live: Live, event: Any) -> dict[str, Any]:
    """An event as the page sends it. Raises HerdbookError for anything else."""
    if not isinstance(event, dict):
        raise HerdbookError("the page sent an event that is not understood")
    movie, first, last = event.get("movie"), event.get("first"), event.get("last")
    individuals, kind, text = event.get("individuals", []), event.get("event"), event.get("note", "")
    whole = all(isinstance(frame, int) and not isinstance(frame, bool) for frame in (first, last))
    words = all(isinstance(word, str) and len(word) <= MOST_CHARACTERS for word in (kind, text))
    if not (isinstance(movie, str) and isinstance(individuals, list) and whole and words):
        raise HerdbookError("the page sent an event that is not understood")
    live.movie_exists(movie)
    frames = len(live.movie(movie).index)
    if not 0 <= first <= last < frames:  # type: ignore[operator]
        raise HerdbookError(f"frames {first} to {last} are not in {movie}, which has frames 0..{frames - 1}")
    if not str(kind).strip():
        raise HerdbookError("an event needs a word for what happens")
    known = live.watched(movie).names if individuals else []
    strangers = [name for name in individuals if name not in known]
    if strangers:
        raise HerdbookError(f"{strangers[0]!r} is none of the animals of {movie}")
    joined = BETWEEN.join(dict.fromkeys(individuals))
    return dict(zip(NOTED_COLUMNS, (movie, first, last, joined, str(kind).strip(), str(text).strip()), strict=True))


def _known(event: Any) -> dict[str, str]:
    if not isinstance(event, Mapping) or not set(event) <= set(NOTED_COLUMNS):
        raise HerdbookError("the page sent an event that is not understood")
    return {str(name): str(value) for name, value in event.items()}


def _texts(row: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in row.items()}
