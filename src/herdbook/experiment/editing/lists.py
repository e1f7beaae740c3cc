"""Changes of lists with one item per line or lines: items change, come, go and move."""

from difflib import SequenceMatcher
from typing import Any

import yaml

from herdbook.experiment.editing.flow import EditValue
from herdbook.experiment.editing.rendering import item_lines
from herdbook.experiment.editing.splices import Splices, UnsafeEditError, end_of, token

# Values of items are those of sections, two levels below the file.
_INSIDE = 2


def edit_list(splices: Splices, node: yaml.SequenceNode, have: list[Any], wanted: list[Any], edit_value: EditValue) -> None:
    """Change a list with one item per line or lines, which has at least one item, to `wanted`, which has at least one, too.

    Items with a name are known by it. One that only moves takes its lines along.
    """
    places = [_lines_of(splices, item) for item in node.value]
    before, after = _names_of(have, wanted)
    removed: list[int] = []
    inserted: list[tuple[int, range]] = []
    for kind, first, last, new_first, new_last in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        pairs = min(last - first, new_last - new_first)
        moved = kind == "replace" and (set(before[first:last]) & set(after) or set(after[new_first:new_last]) & set(before))
        pairs = 0 if moved else pairs
        for k in range(pairs):
            edit_value(splices, None, node.value[first + k], have[first + k], wanted[new_first + k], _INSIDE)
        removed += range(first + pairs, last)
        if new_last > new_first + pairs:
            inserted.append((first + pairs, range(new_first + pairs, new_last)))
    texts = {token(have[k]): splices.text[slice(*places[k])] for k in removed}
    indent = " " * (splices.text.index("-", places[0][0]) - places[0][0])
    in_one_line = all(isinstance(item, yaml.CollectionNode) and bool(item.flow_style) for item in node.value)
    moving = set()
    for place, items in inserted:
        at = places[place - 1][1] if place else places[0][0]
        lines = []
        for k in items:
            name = token(wanted[k])
            moving |= {name} & texts.keys()
            lines.append(texts.pop(name).rstrip("\r\n") if name in texts else item_lines(wanted[k], indent, in_one_line, splices.newline))
        splices.insert_lines(at, lines)
    for k in removed:
        if token(have[k]) in moving:
            moving.remove(token(have[k]))
            splices.replace(places[k][0], places[k][1], "")
        else:
            splices.remove_lines(*places[k])


def _names_of(have: list[Any], wanted: list[Any]) -> tuple[list[str], list[str]]:
    """A text for each item by which it is known: its name, or all of it where some have none or the same one."""
    names = [[item.get("name") if isinstance(item, dict) else None for item in items] for items in (have, wanted)]
    if all(all(isinstance(name, str) for name in some) and len(set(some)) == len(some) for some in names):
        return [str(name) for name in names[0]], [str(name) for name in names[1]]
    return [token(item) for item in have], [token(item) for item in wanted]


def _lines_of(splices: Splices, item: yaml.Node) -> tuple[int, int]:
    """Where the lines of an item begin and end, from that with its dash on."""
    dash = splices.text.rfind("-", 0, item.start_mark.index)
    start = splices.line_start(dash)
    if dash < 0 or splices.text[start:dash].strip() or splices.text[dash + 1 : item.start_mark.index].strip():
        raise UnsafeEditError("an item that does not begin with its line")
    return start, splices.line_end(end_of(item))
