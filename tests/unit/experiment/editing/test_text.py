"""The text of an experiment file after changes: what was meant, and every comment and every other line as it was."""

import copy
import re
from collections import Counter
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from herdbook.experiment.editing.text import UneditableError, same, with_content
from herdbook.experiment.new import NewAnimals, experiment_text

FILE = """\
# Ants in two dishes.
experiment: ants   # a name
movies:
  # the first day
  - {name: a, file: a.mp4}   # day 1
  - name: b   # day 2
    file: b.mp4
    override:
      segment: {difference: 12, intervals: [[0, 100], [200, 300]]}  # the lamp failed
animals: {marking: none, number: 6}
arenas:
  - name: left
    include: [{ellipse: {centre: [100, 100], axes: [50, 50]}}]
    number: 3
  # the window side
  - name: right
    include:
      - polygon:
          - [200, 10]   # corner of the door
          - [300, 10]
          - [300, 200]
    number: 3

segment:
  difference: 25   # seen on Monday
#  area: [60, 20000]   # px
  polarity: dark
"""


def changed_lines(before: str, after: str) -> tuple[list[str], list[str]]:
    """Lines that are only in one of two texts."""
    one, other = Counter(before.splitlines()), Counter(after.splitlines())
    return list((one - other).elements()), list((other - one).elements())


def after(change: Any, text: str = FILE) -> tuple[list[str], list[str]]:
    """Lines that go and lines that come when `change` is made to what a file contains."""
    wanted = yaml.safe_load(text)
    change(wanted)
    edited = with_content(text, wanted)
    assert same(yaml.safe_load(edited), wanted)
    return changed_lines(text, edited)


def new_right(raw: Any) -> None:
    raw["arenas"][1]["include"][0]["polygon"][1] = [310, 12]


def one_more_corner(raw: Any) -> None:
    raw["arenas"][1]["include"][0]["polygon"].append([200, 200])


def grid(raw: Any) -> None:
    raw["arenas"].append({"name": "third", "include": [{"polygon": [[0, 0], [1, 0], [1, 1]]}], "number": 1})


def swap(raw: Any) -> None:
    raw["arenas"].reverse()


def rename(raw: Any) -> None:
    raw["arenas"][0]["name"] = "west"


def no_left(raw: Any) -> None:
    del raw["arenas"][0]


def other_interval(raw: Any) -> None:
    raw["movies"][1]["override"]["segment"]["intervals"] = [[0, 100], [150, 180], [200, 310]]


def interval_of_the_first(raw: Any) -> None:
    raw["movies"][0]["override"] = {"segment": {"intervals": [[5, 10]]}}


def no_override(raw: Any) -> None:
    del raw["movies"][1]["override"]


def third_movie(raw: Any) -> None:
    raw["movies"].append({"name": "c", "file": "c.mp4"})


def eight(raw: Any) -> None:
    raw["animals"]["number"] = 8


def area(raw: Any) -> None:
    raw["segment"]["area"] = [80, 900]


def no_difference(raw: Any) -> None:
    del raw["segment"]["difference"]


def scale(raw: Any) -> None:
    raw["scale"] = {"px_per_mm": 10.5}


@pytest.mark.parametrize(
    ("change", "gone", "come"),
    [
        (new_right, ["          - [300, 10]"], ["          - [310, 12]"]),
        (one_more_corner, [], ["          - [200, 200]"]),
        (grid, [], ["  - name: third", "    include: [{polygon: [[0, 0], [1, 0], [1, 1]]}]", "    number: 1"]),
        (swap, [], []),
        (rename, ["  - name: left"], ["  - name: west"]),
        (no_left, ["  - name: left", "    include: [{ellipse: {centre: [100, 100], axes: [50, 50]}}]", "    number: 3"], []),
        (
            other_interval,
            ["      segment: {difference: 12, intervals: [[0, 100], [200, 300]]}  # the lamp failed"],
            ["      segment: {difference: 12, intervals: [[0, 100], [150, 180], [200, 310]]}  # the lamp failed"],
        ),
        (
            interval_of_the_first,
            ["  - {name: a, file: a.mp4}   # day 1"],
            ["  - {name: a, file: a.mp4, override: {segment: {intervals: [[5, 10]]}}}   # day 1"],
        ),
        (
            no_override,
            ["    override:", "      segment: {difference: 12, intervals: [[0, 100], [200, 300]]}  # the lamp failed"],
            ["#    override:", "#      segment: {difference: 12, intervals: [[0, 100], [200, 300]]}  # the lamp failed"],
        ),
        (third_movie, [], ["  - name: c", "    file: c.mp4"]),
        (eight, ["animals: {marking: none, number: 6}"], ["animals: {marking: none, number: 8}"]),
        (area, ["#  area: [60, 20000]   # px"], ["  area: [80, 900]      # px"]),
        (no_difference, ["  difference: 25   # seen on Monday"], ["#  difference: 25  # seen on Monday"]),
        (scale, [], ["", "scale:", "  px_per_mm: 10.5"]),
    ],
)
def test_only_what_is_meant_changes(change: Any, gone: list[str], come: list[str]) -> None:
    assert after(change) == (gone, come)


def test_a_file_of_herdbook_new_gets_its_lines_back() -> None:
    text = experiment_text("ants", {"a": "a.mp4"}, NewAnimals("none", number=3))
    raw = yaml.safe_load(text)
    edited = with_content(text, {**raw, "segment": {"difference": 12}})
    gone, come = changed_lines(text, edited)
    assert [line.split("  #")[0].rstrip() for line in come] == ["segment:", "  difference: 12"]
    again = with_content(edited, raw)
    assert [line.split("  #")[0].rstrip() for line in changed_lines(text, again)[1]] == ["#  difference: 12"]
    assert gone[0] == "#segment:"
    assert with_content(again, {**raw, "segment": {"difference": 12}}) == edited


def test_the_first_arena_is_written_in_lines() -> None:
    text = experiment_text("ants", {"a": "a.mp4"}, NewAnimals("none", number=3))
    arenas = [{"name": "dish", "include": [{"ellipse": {"centre": [1, 2], "axes": [3, 4], "angle": 0.0}}], "number": 3}]
    gone, come = changed_lines(text, with_content(text, {**yaml.safe_load(text), "arenas": arenas}))
    assert gone == ["#arenas:"]
    assert come == ["arenas:", "  - name: dish", "    include: [{ellipse: {centre: [1, 2], axes: [3, 4], angle: 0.0}}]", "    number: 3"]


@pytest.mark.parametrize(
    "text",
    [
        "base: &b {difference: 3}\nsegment: *b\n",
        "base: &b {difference: 3}\nsegment:\n  <<: *b\n  area: [1, 2]\nsmooth: *b\n",
        "{segment: {difference: 3}}\n",
        "segment:\n  difference: &d 3\n  area: [*d, 2]\n",
    ],
)
def test_what_cannot_be_edited_safely_is_refused_with_the_lines_to_paste(text: str) -> None:
    wanted = copy.deepcopy(yaml.safe_load(text))
    wanted["segment"] = {"difference": 9, "area": [5, 6]}
    if "smooth" in wanted:
        del wanted["segment"]["difference"]
    with pytest.raises(UneditableError, match="by hand") as error:
        with_content(text, wanted)
    assert yaml.safe_load(error.value.lines)["segment"] == wanted["segment"]


def test_a_comment_within_a_replaced_value_is_not_lost() -> None:
    text = "segment:\n  area: [1,   # the small ones\n    2]\n"
    with pytest.raises(UneditableError):
        with_content(text, {"segment": {"area": "none"}})


def test_a_remark_is_no_commented_key() -> None:
    text = "segment:\n#  area: ask Tim, he measured\n  difference: 3\n"
    edited = with_content(text, {"segment": {"difference": 3, "area": [1, 2]}})
    assert "#  area: ask Tim, he measured\n" in edited


# --- any values


texts = st.sampled_from(["a", "no", "12", "a: b", "#x", "it's", "a # b", "x\ny", "é", "", "- a", "[", "null", "a, b"])
scalars = st.one_of(st.integers(-50, 50), st.floats(-9, 9, allow_nan=False).map(lambda x: round(x, 3)), st.booleans(), texts)
keys = st.sampled_from(["difference", "area", "include", "number", "override", "x"])
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=8)
sections = st.dictionaries(keys, values, min_size=1, max_size=4)
named = st.lists(st.tuples(st.sampled_from("abcd"), sections), max_size=4, unique_by=lambda item: item[0]).map(
    lambda items: [{"name": name, **section} for name, section in items]
)
contents = st.fixed_dictionaries(
    {"experiment": texts}, optional={"segment": sections, "smooth": sections, "arenas": named, "movies": named, "seed": scalars}
)


def commented(text: str) -> tuple[str, list[str]]:
    """A text of YAML in lines with a comment above and behind lines where one may stand, and the comments."""
    lines, comments, within = [], [], False
    for line in text.splitlines():
        plain = re.fullmatch(r"[\s-]*\w+:( [\w.\[\], {}:-]*)?", line) is not None
        if plain and not within:
            comments += [f"# above {len(comments)}", f"# behind {len(comments)}"]
            lines += [comments[-2], f"{line}   {comments[-1]}"]
        else:
            lines.append(line)
        within = not plain
    return "\n".join(lines) + "\n", comments


@settings(max_examples=40, deadline=None)
@given(contents, st.lists(contents, min_size=1, max_size=3), st.booleans(), st.sampled_from(["\n", "\r\n"]))
def test_any_sequence_of_changes_gives_what_was_meant_and_keeps_comments(
    first: dict[str, Any], following: list[dict[str, Any]], in_brackets: bool, newline: str
) -> None:
    style = None if in_brackets else False
    text, comments = commented(yaml.safe_dump(first, default_flow_style=style, width=10**6, sort_keys=False, allow_unicode=True))
    if not same(yaml.safe_load(text), first):
        return
    text = text.replace("\n", newline)
    for wanted in following:
        try:
            text = with_content(text, wanted)
        except UneditableError:
            continue
        assert same(yaml.safe_load(text), wanted)
        kept = re.findall(r"# (?:above|behind) \d+", text)
        assert Counter(kept) == Counter(comments)
