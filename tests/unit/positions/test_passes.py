"""Two passes through a merge become one position: blended where they agree, with a confidence and a source that say how it is known."""

import numpy as np
import pytest

from herdbook.artifacts.smooth import FROM_MERGED, FROM_RESOLVED
from herdbook.positions.passes import GUESSED, NEVER_ALONE_FRAMES, SUREST, Members, Pass, join_passes, stray_chance, visits

WIDTH = 10.0
STRAY = 0.002


class Found:
    """What a pass found, given as (blob, individual): x, y, angle, frames inside, whether it was followed."""

    def __init__(self, found):
        keys = sorted(found)
        values = [found[key] for key in keys]
        self.members = Members(*np.array(keys, np.int64).T)
        self.found = Pass(np.array([v[:3] for v in values]), np.array([v[3] for v in values]), np.array([v[4] for v in values]))


def joined(forward, backward, chosen=None, probability=1.0):
    """Both passes joined, as (blob, individual): x, y, angle, confidence, source; `chosen` is the pass whose places count."""
    one, other = Found(forward), Found(backward)
    place = (Found(chosen) if chosen else one).found.place
    found = join_passes(one.members, one.found, other.found, WIDTH, place, np.full(len(place), probability), STRAY)
    rows = zip(found.place.tolist(), found.confidence.tolist(), found.source.tolist(), strict=True)
    return {(b, i): (*place, *rest) for b, i, (place, *rest) in zip(*(k.tolist() for k in one.members), rows, strict=True)}


def stay(places, *, own=True, since=1, individual=0):
    return {(blob, individual): (x, 5.0, 0.0, since + k, own) for k, (blob, x) in enumerate(places)}


def test_a_half_turn_of_the_axis_is_no_disagreement():
    forward = {(0, 0): (1.0, 5.0, 0.1, 1, True), (1, 0): (2.0, 5.0, 0.1, 2, True)}
    backward = {(0, 0): (1.0, 5.0, 0.1 + np.pi, 2, True), (1, 0): (2.0, 5.0, 0.1 + np.pi, 1, True)}
    found = joined(forward, backward)
    assert [found[key][2] for key in sorted(found)] == pytest.approx([0.1, 0.1])


def test_passes_that_agree_are_blended_by_how_long_ago_the_animal_was_alone():
    forward = {(k, 0): (10.0, 5.0, 0.0, k + 1, True) for k in range(9)}
    backward = {(k, 0): (14.0, 5.0, 0.0, 9 - k, True) for k in range(9)}
    x = [value[0] for _, value in sorted(joined(forward, backward).items())]
    assert x == pytest.approx([10 + 4 * (k + 1) / 10 for k in range(9)])


def test_passes_that_part_are_not_blended():
    forward, backward = stay([(0, 10.0), (1, 10.0)]), stay([(0, 40.0), (1, 40.0)])
    assert joined(forward, backward)[0, 0][0] == 10.0
    assert joined(forward, backward, chosen=backward)[0, 0][0] == 40.0


def test_a_place_is_blended_with_that_of_the_other_pass_beside_it_whoever_it_belongs_to_there():
    forward = stay([(0, 10.0)]) | stay([(0, 50.0)], individual=7)
    backward = stay([(0, 52.0)]) | stay([(0, 12.0)], individual=7)
    found = joined(forward, backward)
    assert (found[0, 0][0], found[0, 7][0]) == (11.0, 51.0)


def test_where_one_end_is_known_the_confidence_fades():
    entered = stay([(0, 10.0), (1, 11.0)])
    unseen = stay([(0, 30.0), (1, 31.0)], own=False, since=NEVER_ALONE_FRAMES)
    found = joined(entered, unseen)
    assert 1 > found[0, 0][3] > found[1, 0][3]
    assert found[0, 0][4] == FROM_RESOLVED


def test_where_no_end_is_known_the_position_is_called_merged():
    unseen = stay([(0, 30.0), (1, 31.0)], own=False, since=NEVER_ALONE_FRAMES)
    assert {value[3:] for value in joined(unseen, unseen).values()} == {(GUESSED, FROM_MERGED)}


def test_nobody_inside_a_merge_is_beyond_doubt():
    both = stay([(0, 10.0), (1, 11.0)])
    assert {value[3] for value in joined(both, both).values()} == {SUREST}
    assert {value[3] for value in joined(both, both, probability=0.6).values()} == {0.6}


def test_a_visit_ends_where_an_animal_is_alone_again():
    one = Found({(blob, 3): (0.0, 0.0, 0.0, since, True) for blob, since in ((2, 1), (5, 2), (9, 1), (12, 2), (15, 3))})
    assert [one.members.blob[rows].tolist() for rows in visits(one.members, one.found)] == [[2, 5], [9, 12, 15]]


def test_visits_of_several_animals_come_in_the_order_of_their_beginnings():
    keys = [(0, 4), (0, 1), (3, 1), (3, 4), (3, 2), (9, 2), (9, 1)]
    since = [1, 1, 2, 2, 1, 2, 1]
    one = Found({key: (0.0, 0.0, 0.0, k, True) for key, k in zip(keys, since, strict=True)})
    found = [
        list(zip(one.members.blob[rows].tolist(), one.members.individual[rows].tolist(), strict=True))
        for rows in visits(one.members, one.found)
    ]
    assert found == [[(0, 1), (3, 1)], [(0, 4), (3, 4)], [(3, 2), (9, 2)], [(9, 1)]]


def test_an_animal_with_one_known_end_is_another_one_half_of_the_time_in_the_end():
    assert stray_chance(np.array([0, 10**9]), STRAY).tolist() == [0.0, 0.5]
    assert stray_chance(np.array([1]), STRAY)[0] == pytest.approx(STRAY, rel=0.01)
