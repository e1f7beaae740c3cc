"""How many animals movies show at once, and whether a number is larger than that."""

import numpy as np

from herdbook.tracklets.shown import Shown, animals_shown, join_shown, too_large


def shown(*tracklets, frames=300, fps=10.0):
    """What rows (first, last, size) of tracklets show."""
    first, last, size = np.array(tracklets, float).T
    spans = first.astype(np.int64), last.astype(np.int64), np.zeros(len(first), np.int64)
    return animals_shown(*spans, size, arenas=1, frames=frames, fps=fps)[0]


def three_apart(of=3):
    """Animals that are apart in three spells, between which two of them are one blob."""
    rows = []
    for first in (0, 100, 200):
        rows += [(first, first + 49, 1.0)] * of
        rows += [(first + 50, first + 99, 2.0)] + [(first + 50, first + 99, 1.0)] * (of - 2)
    return rows


def test_animals_are_counted_where_none_touches_another():
    assert shown(*three_apart()) == Shown(3, 3, 3.0)


def test_a_number_one_too_large_is_told_and_the_right_one_is_not():
    assert too_large(shown(*three_apart()), 4) is True
    assert too_large(shown(*three_apart()), 3) is False


def test_two_animals_that_always_touch_are_no_proof():
    # Together they have the area of two, though it stays below that of a pair.
    always = [(first, last, 1.0) for first, last, size in three_apart() if size == 1] + [(0, 299, 1.45)]
    assert too_large(shown(*always, *[(f, f + 49, 1.0) for f in (0, 100, 200)]), 5) is None or not too_large(shown(*always), 4)


def test_few_spells_tell_nothing_and_specks_are_no_animals():
    assert too_large(shown((0, 49, 1.0), (0, 49, 1.0), (50, 299, 2.0)), 3) is None
    assert shown((0, 299, 1.0), (0, 299, 0.2)).most == 1


def test_one_movie_that_shows_all_is_enough():
    both = join_shown([[shown(*three_apart(2))], [shown(*three_apart(3))]])
    assert both == [Shown(6, 3, 3.0)]
    assert too_large(both[0], 3) is False
