"""Labels and facts are inside their movies."""

import pytest

from herdbook.experiment.sheets.facts import Fact
from herdbook.experiment.sheets.labels import Label
from herdbook.experiment.sheets.places import fact_place_faults, label_place_faults


def label(frame: int, x: float, y: float) -> Label:
    return Label("m", frame, x, y, "A", 2)


@pytest.mark.parametrize(
    ("place", "good"),
    [
        ((0, 0, 0), True),
        ((9, 63, 47), True),
        ((0, -0.5, -0.5), True),
        ((0, 63.4, 47.4), True),
        ((10, 0, 0), False),
        ((-1, 0, 0), False),
        ((0, 63.5, 0), False),
        ((0, 0, 47.5), False),
        ((0, -0.6, 0), False),
        ((0, float("nan"), 0), False),
    ],
)
def test_a_label_lies_in_a_pixel_of_a_frame(place: tuple[int, float, float], good: bool) -> None:
    faults = label_place_faults([label(*place)], {"m": 10}, {"m": (64, 48)})
    assert len(faults) == (0 if good else 1)
    assert all(fault.startswith("line 2: ") for fault in faults)


def test_a_label_may_be_wrong_in_time_and_place_and_movies_that_are_not_known_are_not_checked() -> None:
    assert len(label_place_faults([label(10, 64, 0)] * 3, {"m": 10}, {"m": (64, 48)})) == 6
    assert label_place_faults([label(10, 64, 0)], {}, {}) == []


def test_facts_outside_of_their_movie_are_reported() -> None:
    nan = float("nan")
    facts = [
        Fact("m1", 9, 5, 5, "is", "A", 9, 2),
        Fact("m1", 10, 5, 5, "is", "A", 10, 3),
        Fact("m1", 1, 50, 5, "not", "A", 1, 4),
        Fact("m1", 0, nan, nan, "absent", "A", 9, 5),
        Fact("m1", 4, nan, nan, "absent", "A", 10, 6),
        Fact("m9", 99, 999, 5, "is", "A", 99, 7),
    ]
    faults = fact_place_faults(facts, {"m1": 10}, {"m1": (40, 30)})
    assert [fault[:7] for fault in faults] == ["line 3:", "line 4:", "line 6:"]
    assert faults[2] == "line 6: m1 has frames 0 to 9, found frames 4 to 10"
