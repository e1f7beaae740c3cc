"""Choice between two passes through a merge, against enumeration of all ways and on stays whose truth is known."""

from itertools import product

import numpy as np
import pytest

from herdbook.artifacts.smooth import FROM_MERGED, FROM_RESOLVED
from herdbook.positions.passes import (
    AGREED,
    CHANGE_COST,
    CHANGE_COST_PER_WIDTH,
    GUESSED,
    NEVER_ALONE_FRAMES,
    SURE_FRAMES,
    Members,
    Pass,
    Stay,
    choose_passes,
    join_passes,
    learn_straying,
    stray_chance,
    visits,
)

WIDTH = 10.0
RATE = 0.004


def silent(blob, members, places):
    return None


def enumerated(distance, gains):
    """Score of every way through the two passes that begins with the forward and ends with the backward one."""
    n = len(distance)
    run = np.arange(n)
    gain = gains + np.log(np.stack([1 - stray_chance(run + 1.0, RATE), 1 - stray_chance(n - run + 0.0, RATE)], 1))
    change = CHANGE_COST + CHANGE_COST_PER_WIDTH * np.minimum(distance[1:], distance[:-1]) ** 2
    ways = np.array(list(product((0, 1), repeat=n)))
    score = gain[np.arange(n), ways].sum(axis=1) - (np.diff(ways, axis=1) != 0) @ change
    # To begin with the backward pass, or to end with the forward one, is one more change.
    return ways, score - (ways[:, 0] == 1) * change[0] - (ways[:, -1] == 0) * change[-1]


def test_the_way_taken_and_its_posterior_are_those_of_enumeration(rng):
    for _ in range(40):
        n = int(rng.integers(2, 9))
        distance, gains = rng.exponential(1.0, n) + 1.01, rng.normal(0, 3, (n, 2))
        ways, score = enumerated(distance, gains)
        weight, confidence = choose_passes(distance, gains, RATE)
        best = ways[score.argmax()]
        assert np.array_equal(weight, 1 - best)  # never within a width of each other: nothing is blended
        probability = np.exp(score - np.logaddexp.reduce(score))
        posterior = [(probability * (ways[:, t] == best[t])).sum() for t in range(n)]
        assert confidence == pytest.approx(np.array(posterior))


def test_without_images_the_passes_change_where_they_meet():
    distance = np.abs(np.arange(21) - 13) / 2.0
    weight, confidence = choose_passes(distance, np.zeros((21, 2)), RATE)
    assert (weight[:11] == 1).all()
    assert (weight[16:] == 0).all()
    assert (np.diff(weight) <= 0).all()
    assert 0 < weight[13] < 1
    assert 0.4 < confidence[13] < 1


def test_images_decide_between_two_meetings():
    """Both passes went astray between frames 8 and 22; until then the forward pass is right, afterwards the backward one."""
    distance = np.full(30, 4.0)
    distance[[7, 8, 22, 23]] = 0.0
    for right in (0, 1):
        gains = np.zeros((30, 2))
        gains[10:20:3, right] = 2.0
        weight, confidence = choose_passes(distance, gains, RATE)
        assert (weight[10:20] == 1 - right).all()
        assert (confidence[10:20] > 0.99).all()
    assert (choose_passes(distance, np.zeros((30, 2)), RATE)[1][10:20] < 0.7).all()


def test_a_track_may_leave_a_pass_and_come_back():
    distance = np.full(40, 4.0)
    distance[[9, 10, 20, 21, 30, 31]] = 0.0
    gains = np.zeros((40, 2))
    gains[12:19, 1] = gains[23:29, 0] = 3.0
    weight, _ = choose_passes(distance, gains, RATE)
    assert (weight[:9] == 1).all()
    assert (weight[12:19] == 0).all()
    assert (weight[23:29] == 1).all()
    assert (weight[32:] == 0).all()


def test_passes_that_agree_are_blended_smoothly():
    weight, confidence = choose_passes(np.zeros(31), np.zeros((31, 2)), RATE)
    assert np.abs(np.diff(weight)).max() < 0.2
    assert (confidence > 0.4).all()


def test_a_stay_of_one_frame_has_a_position():
    weight, confidence = choose_passes(np.array([3.0]), np.zeros((1, 2)), RATE)
    assert weight[0] in (0.0, 1.0)
    assert 0 < confidence[0] <= 1


class Told:
    """What a pass found, told as (blob, individual): x, y, angle, frames inside, whether it was followed."""

    def __init__(self, found):
        keys = sorted(found)
        values = [found[key] for key in keys]
        self.members = Members(*np.array(keys, np.int64).T)
        self.found = Pass(np.array([v[:3] for v in values]), np.array([v[3] for v in values]), np.array([v[4] for v in values]))


def joined(forward, backward, evidence=silent):
    """Both passes joined, as (blob, individual): x, y, angle, confidence, source."""
    one, other = Told(forward), Told(backward)
    found = join_passes(one.members, one.found, other.found, WIDTH, evidence)
    rows = zip(found.place.tolist(), found.confidence.tolist(), found.source.tolist(), strict=True)
    return {(b, i): (*place, *rest) for b, i, (place, *rest) in zip(*(k.tolist() for k in one.members), rows, strict=True)}


def stay(places, *, own=True, since=1, individual=0):
    return {(blob, individual): (x, 5.0, 0.0, since + k, own) for k, (blob, x) in enumerate(places)}


def test_a_half_turn_of_the_axis_is_no_disagreement():
    forward = {(0, 0): (1.0, 5.0, 0.1, 1, True), (1, 0): (2.0, 5.0, 0.1, 2, True)}
    backward = {(0, 0): (1.0, 5.0, 0.1 + np.pi, 2, True), (1, 0): (2.0, 5.0, 0.1 + np.pi, 1, True)}
    found = joined(forward, backward)
    assert [found[key][2] for key in sorted(found)] == pytest.approx([0.1, 0.1])


def test_where_one_end_is_known_that_pass_counts_and_fades():
    entered = stay([(0, 10.0), (1, 11.0)])
    unseen = stay([(0, 30.0), (1, 31.0)], own=False, since=NEVER_ALONE_FRAMES)
    found = joined(entered, unseen)
    assert [found[k, 0][0] for k in (0, 1)] == [10.0, 11.0]
    assert found[0, 0][3] > found[1, 0][3]
    found = joined(unseen, entered)
    assert [found[k, 0][0] for k in (0, 1)] == [10.0, 11.0]
    assert found[0, 0][4] == FROM_RESOLVED


def test_where_no_end_is_known_the_position_is_called_merged():
    unseen = stay([(0, 30.0), (1, 31.0)], own=False, since=NEVER_ALONE_FRAMES)
    assert {value[3:] for value in joined(unseen, unseen).values()} == {(GUESSED, FROM_MERGED)}


def test_evidence_is_asked_of_all_members_only_where_the_passes_part():
    asked = []

    def evidence(blob, members, places):
        asked.append((blob, tuple(members), places[:, 0].tolist()))
        return np.array([[0.0, 50.0], [0.0, 0.0]]) if members[0] == 0 else None

    forward = stay([(0, 10.0), (1, 10.0), (2, 10.0)]) | stay([(0, 50.0), (1, 50.0), (2, 50.0)], individual=7)
    backward = stay([(0, 50.0), (1, 50.0), (2, 12.0)]) | stay([(0, 50.0), (1, 50.0), (2, 50.0)], individual=7)
    found = joined(forward, backward, evidence)
    assert asked == [(0, (0, 7), [10.0, 50.0]), (1, (0, 7), [10.0, 50.0])]
    assert found[1, 0][0] == 50.0


def test_a_visit_ends_where_an_animal_is_alone_again():
    told = Told({(blob, 3): (0.0, 0.0, 0.0, since, True) for blob, since in ((2, 1), (5, 2), (9, 1), (12, 2), (15, 3))})
    assert [told.members.blob[rows].tolist() for rows in visits(told.members, told.found)] == [[2, 5], [9, 12, 15]]


def test_visits_of_several_animals_come_in_the_order_of_their_beginnings():
    keys = [(0, 4), (0, 1), (3, 1), (3, 4), (3, 2), (9, 2), (9, 1)]
    since = [1, 1, 2, 2, 1, 2, 1]
    told = Told({key: (0.0, 0.0, 0.0, k, True) for key, k in zip(keys, since, strict=True)})
    found = [
        list(zip(told.members.blob[rows].tolist(), told.members.individual[rows].tolist(), strict=True))
        for rows in visits(told.members, told.found)
    ]
    assert found == [[(0, 1), (3, 1)], [(0, 4), (3, 4)], [(3, 2), (9, 2)], [(9, 1)]]


def test_a_position_on_which_both_passes_agree_is_believed():
    forward = {(k, 0): (10.0 + k, 5.0, 0.0, k + 1, True) for k in range(6)}
    backward = {(k, 0): (11.0 + k, 5.0, 0.0, 6 - k, True) for k in range(6)}
    assert {value[3] for value in joined(forward, backward).values()} == {AGREED}


def random_stay(rng, rate):
    """Exchanges there and back come at random; the backward pass goes astray alike, seen from the other end."""
    n = int(rng.integers(2 * SURE_FRAMES, 200))
    swapped = np.cumsum(rng.random((2, n)) < rate, axis=1) % 2
    distance = np.where(swapped[0] == swapped[1][::-1], 0.2, 4.0)
    run = np.arange(1.0, n + 1)
    return Stay(np.arange(n), np.zeros((n, 3)), np.zeros((n, 3)), distance, run, run[::-1], True, True)


@pytest.mark.parametrize("rate", [0.0005, 0.002, 0.01])
def test_how_often_passes_go_astray_is_learned_from_the_movie(rng, rate):
    found = learn_straying([random_stay(rng, rate) for _ in range(600)])
    assert rate / 2 < found < rate * 2


def test_a_movie_without_known_stays_goes_by_what_is_usual():
    assert learn_straying([]) == pytest.approx(1 / 1000, rel=0.01)


def test_a_pass_is_wrong_half_of_the_time_in_the_end():
    assert stray_chance(np.array([0.0, 1e9]), 0.01).tolist() == [0.0, 0.5]
    assert stray_chance(np.array([1.0]), 0.001)[0] == pytest.approx(0.001, rel=0.01)
