"""Values that follow from clicks on animals and on dirt, found in a movie with dirt of every kind."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from herdbook.app.live import Live
from herdbook.app.proposing.clicks import Click, Hit, Values, _with_areas, hit_at, values_for
from herdbook.app.proposing.comparing import ClickLook, compare, segmenter_of
from tests.support.littered import FAINT, LARGE, SMALL, animals_at, place_of, write_littered

FRAME = 12
ANIMALS = [Click(FRAME, x, y, True) for x, y in animals_at(FRAME)]


def dirt(*things: Any) -> list[Click]:
    return [Click(FRAME, *map(float, place_of(thing, FRAME)), False) for thing in things]


@pytest.fixture
def propose(tmp_path: Path, here: None) -> Callable[..., tuple[Values, list[bool]]]:
    """The proposal for clicks with settings of the section segment, and whether each click is right with it."""

    def found(clicks: list[Click], **segment: Any) -> tuple[Values, list[bool]]:
        live = Live(write_littered(tmp_path, 40, {"difference": 15, "area": [5, 2000]} | segment))
        try:
            movie = live.movie("m")
            look = ClickLook(movie, clicks, {})
            *_, values = values_for(clicks, movie.settings, look)
            assert values is not None
            return values, look.fulfilled({**movie.settings, **values.changes})
        finally:
            live.close()

    return found


def test_clicks_that_are_right_already_change_nothing(propose: Callable[..., Any]) -> None:
    assert propose(ANIMALS) == (Values({}), [True, True])


def test_dirt_that_is_smaller_or_larger_is_dropped_by_its_area(propose: Callable[..., Any]) -> None:
    values, right = propose(ANIMALS + dirt(SMALL, LARGE))
    assert all(right)
    assert set(values.changes) == {"area"}
    smallest, largest = values.changes["area"]
    assert 9 < smallest <= 49
    assert 49 <= largest < 315


def test_dirt_as_large_as_animals_is_dropped_by_the_difference(propose: Callable[..., Any]) -> None:
    values, right = propose(ANIMALS + dirt(FAINT))
    assert all(right)
    assert set(values.changes) == {"difference"}
    assert 30 < values.changes["difference"] < 120


def test_all_dirt_at_once(propose: Callable[..., Any]) -> None:
    values, right = propose(ANIMALS + dirt(FAINT, SMALL, LARGE))
    assert all(right)
    assert set(values.changes) == {"area", "difference"}


def test_an_animal_that_is_not_seen_lowers_the_difference(propose: Callable[..., Any]) -> None:
    values, right = propose([Click(FRAME, *map(float, place_of(FAINT, FRAME)), True)], difference=60)
    assert all(right)
    assert values.changes["difference"] < 30


def test_an_animal_of_the_other_polarity(propose: Callable[..., Any]) -> None:
    values, right = propose(ANIMALS, polarity="bright")
    assert all(right)
    assert values.changes["polarity"] == "dark"


def test_grey_levels_alone_and_units_of_noise(propose: Callable[..., Any]) -> None:
    values, right = propose(ANIMALS + dirt(FAINT), method="intensity", intensity=[0, 170])
    assert all(right)
    low, high = values.changes["intensity"]
    assert (low, 60 <= high < 150) == (0, True)


def test_contrast_and_border_give_way_to_animals(propose: Callable[..., Any]) -> None:
    values, right = propose(ANIMALS, min_contrast=200)
    assert all(right)
    assert 90 < values.changes["min_contrast"] < 120


def test_what_cannot_be_told_apart_says_why(propose: Callable[..., Any]) -> None:
    twin = Click(FRAME, ANIMALS[1].x, ANIMALS[1].y, False)
    assert "one blob" in propose([*ANIMALS, twin])[0].fault
    assert "as large as" in propose([ANIMALS[0], twin])[0].fault
    assert "Nothing differs" in propose([Click(FRAME, 180.0, 60.0, True)])[0].fault
    assert "inside of an arena" in propose([Click(FRAME, 4.0, 4.0, True)])[0].fault


def test_a_click_beside_a_blob_means_it(tmp_path: Path, here: None) -> None:
    live = Live(write_littered(tmp_path, 40))
    movie = live.movie("m")
    blobs, _ = segmenter_of(movie).judged(movie.source.exact(FRAME), 1) or (None, None)
    assert blobs is not None
    x, y = animals_at(FRAME)[0]
    inside = hit_at(blobs, x, y)
    assert inside >= 0
    assert hit_at(blobs, round(x) - 7, round(y)) == inside
    assert hit_at(blobs, round(x) - 20, round(y)) == -1
    live.close()


def test_what_a_proposal_changes_is_told(tmp_path: Path, here: None) -> None:
    live = Live(write_littered(tmp_path, 40))
    movie = live.movie("m")
    told = compare(movie, None, movie.source.exact(FRAME), {**movie.settings, "area": [20, 100]})
    assert told["here"] == [5, 3]
    assert told["come"] == [False] * 3
    assert told["gone"]
    live.close()


HITS = st.builds(Hit, blob=st.integers(0, 50), area=st.integers(1, 5000), contrast=st.floats(1, 100))


@given(
    st.lists(st.tuples(st.booleans(), HITS), min_size=1, max_size=12, unique_by=lambda pair: pair[1].blob),
    st.tuples(st.integers(1, 5000), st.integers(1, 5000)).map(sorted),
)
def test_areas_keep_animals_and_drop_dirt_or_are_refused(pairs: list[tuple[bool, Hit]], area: list[int]) -> None:
    clicks = [Click(0, 0.0, 0.0, animal) for animal, _ in pairs]
    settings = {"area": area, "drop_border": False, "min_contrast": 0}
    values = _with_areas(clicks, [hit for _, hit in pairs], settings)
    animals = [hit.area for animal, hit in pairs if animal]
    others = [hit.area for animal, hit in pairs if not animal]
    if values.fault:
        assert animals
        assert any(min(animals) <= other <= max(animals) for other in others)
        return
    smallest, largest = values.changes.get("area", area)
    assert 1 <= smallest <= largest
    assert all(smallest <= one <= largest for one in animals)
    assert not any(smallest <= one <= largest for one in others)
