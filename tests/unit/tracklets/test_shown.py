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
    # Together they have almost the area of two, though less than that of a pair: there may be four.
    always = [(first, last, 1.0) for first, last, _ in three_apart(2)] + [(0, 299, 1.45)]
    rows = [row for row in always if row[1] - row[0] < 100 and row[0] % 100 == 0] + [(0, 299, 1.45)]
    gaps = [(first, first + 49, 2.0) for first in (50, 150, 250)]
    found = shown(*rows, *gaps)
    assert (found.spells, found.most) == (3, 3)
    assert too_large(found, 4) is False


def test_the_areas_do_not_depend_on_the_number_that_is_in_question():
    # Counted with a number that is too large, each animal seems to be larger than one.
    larger = [(first, last, 1.2 * size) for first, last, size in three_apart()]
    assert shown(*larger) == Shown(3, 3, 3.0)
    assert too_large(shown(*larger), 4) is True


def test_few_spells_tell_nothing_and_specks_are_no_animals():
    assert too_large(shown((0, 49, 1.0), (0, 49, 1.0), (50, 299, 2.0)), 3) is None
    assert shown((0, 299, 1.0), (0, 299, 0.2)).most == 1


def test_one_movie_that_shows_all_is_enough():
    both = join_shown([[shown(*three_apart(2))], [shown(*three_apart(3))]])
    assert both == [Shown(6, 3, 3.0)]
    assert too_large(both[0], 3) is False
