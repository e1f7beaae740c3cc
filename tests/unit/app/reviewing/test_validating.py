"""How far judging has come: intervals are those of scipy, and what is asked next is a random sample."""

import pytest
from scipy.stats import binomtest

from herdbook.app.reviewing.validating import needed, progress
from herdbook.experiment.sheets.answers import CANNOT_SAY, NOT_ASSIGNED, RIGHT, WRONG, Point


def points(*answers, source="single"):
    return [Point(k, "r", "m", k, 0.0, "A", 1.0, 2.0, 0.9, source, "classified", answer) for k, answer in enumerate(answers)]


@pytest.mark.parametrize(("wrong", "judged"), [(0, 1), (0, 100), (1, 20), (7, 83), (20, 20), (3, 400)])
def test_intervals_are_the_exact_ones_of_scipy(wrong, judged):
    given = points(*[WRONG] * wrong, *[RIGHT] * (judged - wrong))
    rate = progress(given, 0.05)["rates"]["all"]
    exact = binomtest(wrong, judged).proportion_ci(0.95, method="exact")
    assert (rate["low"], rate["high"]) == pytest.approx((exact.low, exact.high), abs=1e-9)
    assert (rate["wrong"], rate["judged"]) == (wrong, judged)


def test_alone_and_in_contact_are_counted_apart():
    given = [*points(RIGHT, WRONG, CANNOT_SAY), *points(WRONG, WRONG, source="resolved"), *points(RIGHT, source="merged")]
    rates = progress(given, 0.05)["rates"]
    assert {name: (rate["wrong"], rate["judged"], rate["cannot_say"]) for name, rate in rates.items()} == {
        "all": (3, 5, 1),
        "alone": (1, 2, 1),
        "contact": (2, 3, 0),
    }


def test_it_is_enough_when_the_interval_is_as_narrow_as_was_asked():
    count = needed(0, 0, 0.1)
    assert not progress(points(*[RIGHT] * (count - 1)), 0.1)["enough"]
    assert progress(points(*[RIGHT] * count), 0.1)["enough"]
    assert binomtest(0, count).proportion_ci(method="exact").high <= 0.1 < binomtest(0, count - 1).proportion_ci(method="exact").high
    assert needed(5, 50, 0.1) > count


def test_positions_come_in_random_order_and_those_without_a_position_never():
    given = points(*[""] * 200)
    lacking = [Point(500, "r", "m", 500, 0.0, "A", float("nan"), float("nan"), float("nan"), "", NOT_ASSIGNED)]
    order = []
    while (state := progress([*given, *lacking], 0.05))["next"]:
        order.append(state["next"]["number"])
        given[order[-1]] = points(*[RIGHT] * (order[-1] + 1))[-1]
    assert sorted(order) == list(range(200))
    # The first half holds about as many early as late ones.
    assert 35 <= sum(number < 100 for number in order[:100]) <= 65
    assert order != sorted(order)
