"""Values as lines of an experiment file: sections and lists of sections in lines of their own, all else within a line."""

import json
import re
from typing import Any

from herdbook.experiment.docs import as_yaml

INDENT = "  "
_QUOTED = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\'\'|[^\'])*\'')
_COMMENT = re.compile(r"(?:^|\s)#")
# What follows a key that is commented out: nothing, one word, or brackets; more words are a remark of a person.
_COMMENTED_VALUE = r"(?:\S*|\[.*?\]|\{.*?\}|\"[^\"]*\"|'[^']*')"


def inline(value: Any) -> str:
    """A value within a line."""
    text = as_yaml(value)
    return json.dumps(value, ensure_ascii=False) if "\n" in text else text


def block_lines(key: Any, value: Any, indent: str, depth: int, newline: str = "\n") -> str:
    """The line or lines of a key; those of a section or of a list of sections stand below it. The last one has no end."""
    head = f"{indent}{inline(key)}:"
    below = lines_below(value, indent, depth, newline)
    return f"{head}{newline}{below}" if below else f"{head} {inline(value)}"


def lines_below(value: Any, indent: str, depth: int, newline: str = "\n") -> str:
    """The lines that stand below the key of a section or of a list of sections, "" for other values."""
    if depth == 0 and isinstance(value, dict) and value:
        return newline.join(f"{indent}{INDENT}{inline(key)}: {inline(inner)}" for key, inner in value.items())
    if depth == 0 and isinstance(value, list) and value and all(isinstance(item, dict) and item for item in value):
        return newline.join(item_lines(item, indent + INDENT, False, newline) for item in value)
    return ""


def item_lines(item: Any, indent: str, in_one_line: bool, newline: str) -> str:
    """The line or lines of an item of a list; a section has one key per line."""
    if not isinstance(item, dict) or not item or in_one_line:
        return f"{indent}- {inline(item)}"
    lines = [f"{inline(key)}: {inline(value)}" for key, value in item.items()]
    return newline.join(f"{indent}{'- ' if k == 0 else INDENT}{line}" for k, line in enumerate(lines))


def has_comment(line: str) -> bool:
    """Whether a comment stands in a line; in doubt, as in texts of several lines, it does."""
    return bool(_COMMENT.search(_QUOTED.sub("''", line)))


def commented_key(key: str, indent: str) -> re.Pattern[str]:
    """Matches the line of a key that is commented out, with its meaning, a comment, in the group `meaning`."""
    space = " ?" if not indent else re.escape(indent)
    return re.compile(rf"#{space}{re.escape(key)}:[ \t]*{_COMMENTED_VALUE}[ \t]*(?P<meaning>(?<=\s)#[^\r\n]*)?(?P<end>\r?\n?)$")


def uncommented(line: str, found: re.Match[str]) -> str:
    """The new `line` of a key, with the meaning and the end of the line that was commented out, at the same column."""
    meaning = found["meaning"]
    kept = f"{line.ljust(found.start('meaning') - 1)} {meaning}" if meaning else line
    return kept + found["end"]
