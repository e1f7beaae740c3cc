"""Changes of a YAML text from what it has to what is wanted, node by node, as a list of places with other texts."""

from typing import Any

import yaml

from herdbook.experiment.editing.flow import edit_flow
from herdbook.experiment.editing.lists import edit_list
from herdbook.experiment.editing.rendering import block_lines, commented_key, has_comment, inline, lines_below, uncommented
from herdbook.experiment.editing.splices import Splices, UnsafeEditError, alike, end_of, keys_of

_INDENT = "  "


def edit_root(text: str, have: Any, wanted: Any) -> str:
    """The text of a mapping with one key per line, changed from what it has to `wanted`.

    Raises UnsafeEditError, or ValueError or YAMLError, if this cannot be done without risk. The caller checks that the text has what is
    wanted.
    """
    root = yaml.compose(text, yaml.SafeLoader)
    if not isinstance(root, yaml.MappingNode) or root.flow_style or not isinstance(have, dict):
        raise UnsafeEditError("not a mapping with one key per line")
    splices = Splices(text)
    _edit_mapping(splices, root, have, wanted, 0)
    return splices.applied()


def edit_value(splices: Splices, key: yaml.Node | None, node: yaml.Node, have: Any, wanted: Any, depth: int) -> None:
    """Change a value, which belongs to a `key` or is an item of a list (None); `depth` is 0 for the values of the file's own keys."""
    if alike(have, wanted):
        return
    grown = isinstance(wanted, dict | list) and bool(wanted) and bool(node.value)
    fits = grown and isinstance(wanted, dict) == isinstance(node, yaml.MappingNode) == isinstance(have, dict)
    if fits and isinstance(node, yaml.CollectionNode) and node.flow_style:
        edit_flow(splices, node, have, wanted, edit_value)
    elif fits and isinstance(node, yaml.MappingNode) and (key is not None or _first_key_stays(node, wanted)):
        _edit_mapping(splices, node, have, wanted, depth + 1)
    elif fits and isinstance(node, yaml.SequenceNode) and key is not None:
        edit_list(splices, node, have, wanted, edit_value)
    else:
        _replace(splices, key, node, wanted, depth)


def _first_key_stays(node: yaml.MappingNode, wanted: dict[Any, Any]) -> bool:
    return keys_of(node)[0][0] in wanted


def _edit_mapping(splices: Splices, node: yaml.MappingNode, have: dict[Any, Any], wanted: dict[Any, Any], depth: int) -> None:
    pairs = keys_of(node)
    known = [key for key, _, _ in pairs]
    for key, key_node, value in pairs:
        if key in wanted:
            edit_value(splices, key_node, value, have[key], wanted[key], depth)
        else:
            start, end = splices.line_start(key_node.start_mark.index), splices.line_end(_end_of_entry(key_node, value))
            # A section that `herdbook new` wrote keeps the place of its keys that are commented out.
            splices.remove_lines(start, end, keep=depth == 0 and splices.text.startswith(f"#{_INDENT}", end))
    added = {key: value for key, value in wanted.items() if key not in known}
    if not added:
        return
    column = node.start_mark.column
    if depth == 0:
        for key, value in added.items():
            _add_top(splices, key, value)
    elif depth == 1:
        _add_to_section(splices, splices.line_end(splices.text.rindex(":", 0, pairs[0][1].start_mark.index)), added, " " * column)
    else:
        end = splices.line_end(_end_of_entry(*pairs[-1][1:]))
        splices.insert_lines(end, [block_lines(key, value, " " * column, depth) for key, value in added.items()])


def _end_of_entry(key: yaml.Node, value: yaml.Node) -> int:
    return max(int(key.end_mark.index), end_of(value))


def _add_top(splices: Splices, key: Any, value: Any) -> None:
    """Add a section or a key of the file: where it is commented out, or else at the end."""
    text, place = splices.text, 0
    for line in text.splitlines(keepends=True):
        found = commented_key(str(key), "").match(line)
        bare = found and not line.split(":", 1)[1].strip()
        if found and bare == isinstance(value, dict | list):
            end = place + len(line)
            if isinstance(value, dict) and value:
                splices.replace(place, place + line.index(str(key)), "")
                _add_to_section(splices, end, value, _INDENT)
            else:
                splices.replace(place, end, uncommented(block_lines(key, value, "", 0, splices.newline), found))
            return
        place += len(line)
    value = dict(reversed(value.items())) if isinstance(value, dict) else value
    blank = [""] if isinstance(value, dict | list) and text.strip() and not text.endswith(splices.newline * 2) else []
    splices.insert_lines(len(text), [*blank, block_lines(key, value, "", 0, splices.newline)])


def _add_to_section(splices: Splices, top: int, added: dict[Any, Any], indent: str) -> None:
    """Add keys to a section whose keys begin at `top`: where they are commented out, or else there."""
    new = []
    for key, value in added.items():
        line = f"{indent}{inline(key)}: {inline(value)}"
        place = top
        for there in splices.text[top:].splitlines(keepends=True):
            if not there.strip() or not there.startswith(("#", " ")):
                new.append(line)
                break
            found = commented_key(str(key), indent).match(there)
            if found:
                splices.replace(place, place + len(there), uncommented(line, found))
                break
            place += len(there)
        else:
            new.append(line)
    splices.insert_lines(top, new[::-1])


def _replace(splices: Splices, key: yaml.Node | None, node: yaml.Node, wanted: Any, depth: int) -> None:
    """Write another value in place of a whole one, below its key if it is a section or a list of sections."""
    start, end = int(node.start_mark.index), end_of(node)
    in_block = isinstance(node, yaml.CollectionNode) and not node.flow_style
    in_brackets = isinstance(node, yaml.MappingNode) and not in_block
    below = lines_below(wanted, "", depth, splices.newline) if key is not None and not in_brackets else ""
    if in_block and key is not None:
        colon = splices.text.index(":", key.end_mark.index) + 1
        splices.replace(colon, colon, "" if below else f" {inline(wanted)}")
        first = splices.line_start(start)
        if first < colon:
            raise UnsafeEditError("a list within its line")
        splices.remove_lines(first, splices.line_end(end))
    else:
        lines = splices.text[start:end].split("\n")
        if (in_block and any(map(has_comment, lines))) or any(map(has_comment, lines[:-1])):
            raise UnsafeEditError("a comment stands within the value")
        space = " " if splices.text[start - 1 : start] in (":", "-") else ""
        splices.replace(start, end, "" if below else space + inline(wanted))
    if below:
        splices.insert_lines(splices.line_end(end), [below])
