"""Notes on how movies are read, which `check` and the report show."""

from collections.abc import Mapping, Sequence

# A message of a thousand names is not read.
_MOST_NAMES = 5


def join_notes(notes: Mapping[str, Sequence[str]]) -> list[str]:
    """Sentences from the notes on each movie, by its name; movies with the same note share a sentence."""
    movies: dict[str, list[str]] = {}
    for name, texts in notes.items():
        for text in texts:
            movies.setdefault(text, []).append(name)
    return [f"{_title(names)}: {text}." for text, names in movies.items()]


def _title(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return f"movie{'s' if len(names) > 1 else ''} {', '.join(names[:_MOST_NAMES])}{more}"
