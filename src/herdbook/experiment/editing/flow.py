"""Changes of lists and mappings in brackets: entries change, come and go where they stand."""

from collections.abc import Callable
from difflib import SequenceMatcher
from typing import Any

import yaml

from herdbook.experiment.editing.rendering import has_comment, inline
from herdbook.experiment.editing.splices import Splices, UnsafeEditError, end_of, keys_of, token

EditValue = Callable[[Splices, yaml.Node | None, yaml.Node, Any, Any, int], None]
# Deep enough that nothing is written in lines of its own.
_INSIDE = 9


def edit_flow(splices: Splices, node: yaml.CollectionNode, have: Any, wanted: Any, edit_value: EditValue) -> None:
    """Change a list or a mapping in brackets, which has at least one entry, to `wanted`, which has at least one, too."""
    if isinstance(node, yaml.MappingNode):
        pairs = keys_of(node)
        places = [(int(key.start_mark.index), max(int(key.end_mark.index), end_of(value))) for _, key, value in pairs]
        for key, key_node, value in pairs:
            if key in wanted:
                edit_value(splices, key_node, value, have[key], wanted[key], _INSIDE)
        stays = [key in wanted for key, _, _ in pairs]
        known = {key for key, _, _ in pairs}
        new = [f"{inline(key)}: {inline(value)}" for key, value in wanted.items() if key not in known]
        if len(pairs) != len(node.value) or not any(stays):
            _replace_inside(splices, node, [f"{inline(key)}: {inline(value)}" for key, value in wanted.items()])
            return
        _remove(splices, places, stays)
        last = max(k for k, kept in enumerate(stays) if kept)
        _insert(splices, places[last][1], new, splices.text[places[last][1] : end_of(node) - 1] if last == len(stays) - 1 else "")
        return
    places = [(int(item.start_mark.index), end_of(item)) for item in node.value]
    stays, inserted = [True] * len(places), []
    matcher = SequenceMatcher(None, [token(item) for item in have], [token(item) for item in wanted], autojunk=False)
    for kind, first, last, new_first, new_last in matcher.get_opcodes():
        if kind == "equal":
            continue
        pairs_here = min(last - first, new_last - new_first)
        for k in range(pairs_here):
            edit_value(splices, None, node.value[first + k], have[first + k], wanted[new_first + k], _INSIDE)
        stays[first + pairs_here : last] = [False] * (last - first - pairs_here)
        inserted.append((first + pairs_here, [inline(item) for item in wanted[new_first + pairs_here : new_last]]))
    _remove(splices, places, stays)
    for before, items in inserted:
        if items and before == 0:
            splices.replace(places[0][0], places[0][0], "".join(f"{item}, " for item in items))
        else:
            _insert(splices, places[before - 1][1] if before else 0, items)


def _insert(splices: Splices, place: int, items: list[str], blanks: str = "") -> None:
    """Insert entries after one that ends at `place`; `blanks` between it and the bracket are taken away."""
    if items:
        splices.replace(place, place + len(blanks) * blanks.isspace() * ("\n" not in blanks), "".join(f", {item}" for item in items))


def _remove(splices: Splices, places: list[tuple[int, int]], stays: list[bool]) -> None:
    """Take entries out, with the comma before them, or after them if none before them stays."""
    if not any(stays):
        raise UnsafeEditError("nothing stays")
    first = stays.index(True)
    spans = [(places[0][0], places[first][0])] if first else []
    spans += [(places[k - 1][1], places[k][1]) for k in range(first + 1, len(places)) if not stays[k]]
    for start, end in spans:
        if any(map(has_comment, splices.text[start:end].split("\n"))):
            raise UnsafeEditError("a comment stands within the value")
        splices.replace(start, end, "")


def _replace_inside(splices: Splices, node: yaml.CollectionNode, entries: list[str]) -> None:
    start, end = int(node.start_mark.index), end_of(node)
    if any(map(has_comment, splices.text[start:end].split("\n"))) or not splices.text.startswith("{", start):
        raise UnsafeEditError("a comment or a name stands within the value")
    splices.replace(start, end, "{" + ", ".join(entries) + "}")
