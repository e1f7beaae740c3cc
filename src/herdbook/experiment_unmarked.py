"""Names of animals that have none: counted, or taken over from the classifier of an earlier experiment."""

import json
from pathlib import Path
from typing import Any

from herdbook.experiment_base import MOST_ANIMALS

ANIMAL = "animal"


def with_unmarked_names(raw: Any) -> Any:
    """The content of an experiment file in which each unmarked animal has a name, in its arena if there are several.

    Beside those in `identities` as many are named animal1, animal2 and so on as `number` tells, of all animals or of an arena. With `like`
    the names are those of that classifier, first in first out of each arena. What is not as it should be is left as it is: the models
    tell it.
    """
    match raw:
        case {"animals": {"marking": "unmarked"} as animals}:
            arenas = raw.get("arenas")
        case _:
            return raw
    earlier = names_of(animals["like"]) if isinstance(animals.get("like"), str) else []
    told = animals.get("identities") if isinstance(animals.get("identities"), list) else []
    spare = [name for name in earlier if name not in told]
    taken = {name for name in [*told, *earlier] if isinstance(name, str)}

    def fill(known: list[Any], number: Any, every: bool) -> list[Any]:
        count = number if isinstance(number, int) and number <= MOST_ANIMALS else 0
        names = list(known)
        while spare and (every or len(names) < count):
            names.append(spare.pop(0))
        following = 1
        while len(names) < count:
            name = f"{ANIMAL}{following}"
            if name not in taken:
                names.append(name)
                taken.add(name)
            following += 1
        return names

    if isinstance(arenas, list) and len(arenas) > 1 and all(isinstance(arena, dict) for arena in arenas):
        filled = [arena | {"identities": fill(list(arena.get("identities") or []), arena.get("number"), False)} for arena in arenas]
        names = list(dict.fromkeys(name for arena in filled for name in arena["identities"]))
        return raw | {"animals": animals | {"identities": names}, "arenas": filled}
    inside = arenas[0] if isinstance(arenas, list) and arenas and isinstance(arenas[0], dict) else {}
    names = fill(list(told), inside.get("number", animals.get("number")), True)
    if inside.get("identities"):
        return raw | {"animals": animals | {"identities": names}, "arenas": [inside | {"identities": names}]}
    return raw | {"animals": animals | {"identities": names}}


def card_of(classifier: str) -> Path:
    """The card beside a classifier."""
    return Path(classifier).with_suffix(".json")


def names_of(classifier: str) -> list[str]:
    """Identities that a classifier knows by its card, none if that cannot be read: reading it in earnest tells why."""
    try:
        values = json.loads(card_of(classifier).read_text(encoding="utf-8"))
        return [name for name in values["classes"] if isinstance(name, str) and name not in values["others"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []
