"""Detected points are handed to the animals they belong to: exchanged bodies, drifted and jumped points, points that nobody can know."""

import numpy as np
import pytest

from herdbook.artifacts.repair import DRIFTED, JUMPED, KEPT, MISSING, REFUSED, SWITCHED
from herdbook.bodypoints import repairing
from herdbook.bodypoints.repairing import hand_points, learned_frames, points_of
from tests.support.walking import BODY_PX, in_contact, seen_by, walk

LEAST, TAIL, FOOT = 0.9, 3, 4


@pytest.fixture
def walked(rng):
    return walk(rng)


def repaired(xy, walked, **options):
    """The points of all animals, and how they were handed."""
    _, middle, heading = walked
    names = options.pop("names", np.arange(xy.shape[1]))
    handed = hand_points(xy, seen_by(xy, middle, heading, options.pop("outlines", True)), names, LEAST, **options)
    return points_of(xy, handed.slot), handed


def wrong(found, true):
    """Share of the points that are known and farther from the truth than a tenth of a body."""
    away = np.hypot(*np.moveaxis(found - true, -1, 0))
    return float((away > BODY_PX / 10).sum() / away.size)


def test_points_that_are_right_stay_as_they_are(walked):
    found, handed = repaired(walked[0], walked)
    assert wrong(found, walked[0]) == 0
    assert np.isnan(found[..., 0]).mean() < 0.01
    assert (handed.kind == KEPT).mean() > 0.99


@pytest.mark.parametrize("outlines", [True, False])
def test_bodies_that_were_exchanged_get_their_names_back(walked, outlines):
    xy = walked[0].copy()
    for first, end, a, b in ((40, 90, 0, 1), (200, 203, 1, 2), (300, 450, 0, 2)):
        xy[first:end, [a, b]] = xy[first:end, [b, a]]
    found, handed = repaired(xy, walked, outlines=outlines)
    assert wrong(found, walked[0]) < 0.001
    assert (handed.kind[300:450, [0, 2]] == SWITCHED).mean() > 0.98
    assert (handed.kind[300:450, 1] == KEPT).mean() > 0.98
    assert (handed.kind == SWITCHED).sum() == pytest.approx(2 * 6 * 203, rel=0.02)


def test_an_exchange_while_two_touch_is_found(walked):
    frames = np.flatnonzero(in_contact(walked[1])[:, 0] & in_contact(walked[1])[:, 1])
    xy = walked[0].copy()
    xy[frames[3] : frames[-3], [0, 1]] = xy[frames[3] : frames[-3], [1, 0]]
    assert wrong(xy, walked[0]) > 0.02
    assert wrong(repaired(xy, walked)[0], walked[0]) < 0.002


def test_points_that_jumped_come_back(walked):
    xy = walked[0].copy()
    for t in range(5, 600, 7):
        xy[t, [0, 2], t % 6] = xy[t, [2, 0], t % 6]
    found, handed = repaired(xy, walked)
    assert wrong(found, walked[0]) == 0
    assert np.isnan(found[..., 0]).mean() < 0.01
    jumped = np.array([handed.kind[t, [0, 2], t % 6] for t in range(5, 600, 7)])
    assert (jumped == JUMPED).mean() > 0.97
    assert (handed.kind == JUMPED).sum() < 1.05 * jumped.size


def test_a_part_that_drifted_to_the_neighbour_is_unknown(walked, rng):
    xy, frames = walked[0].copy(), np.flatnonzero(in_contact(walked[1])[:, 0] & in_contact(walked[1])[:, 1])
    xy[frames, 0, TAIL] = xy[frames, 1, TAIL] + rng.normal(0, 1, (len(frames), 2))
    found, handed = repaired(xy, walked)
    far = np.hypot(*(xy[frames, 0, TAIL] - walked[0][frames, 0, TAIL]).T) > BODY_PX / 10
    assert far.sum() > 20
    assert np.isnan(found[frames[far], 0, TAIL, 0]).mean() > 0.95
    assert (handed.kind[frames[far], 0, TAIL] == DRIFTED).mean() > 0.95
    # The neighbour keeps its own.
    assert (np.hypot(*(found[frames, 1, TAIL] - walked[0][frames, 1, TAIL]).T) < 1e-9).mean() > 0.95


def test_a_part_that_was_marked_on_the_neighbour_alone_is_given_back(walked):
    xy, frames = walked[0].copy(), np.flatnonzero(in_contact(walked[1])[:, 0] & in_contact(walked[1])[:, 1])
    xy[frames, 0, TAIL] = xy[frames, 1, TAIL]
    xy[frames, 1, TAIL] = np.nan
    found, handed = repaired(xy, walked)
    far = np.hypot(*(xy[frames, 0, TAIL] - walked[0][frames, 0, TAIL]).T) > BODY_PX / 5
    assert far.sum() > 20
    assert (np.hypot(*(found[frames[far], 1, TAIL] - walked[0][frames[far], 1, TAIL]).T) < 1e-9).mean() > 0.9
    assert (handed.kind[frames[far], 0, TAIL] == DRIFTED).mean() > 0.7


def test_what_is_missing_stays_missing(walked, rng):
    xy = walked[0].copy()
    lost = rng.random(xy.shape[:3]) < 0.1
    xy[lost] = np.nan
    xy[100:110] = np.nan
    found, handed = repaired(xy, walked)
    assert np.isnan(found[lost]).all()
    assert np.isnan(found[100:110]).all()
    assert (handed.kind[lost] == MISSING).all()
    assert wrong(found, walked[0]) == 0


def test_a_point_beyond_all_bodies_is_refused(walked):
    xy = walked[0].copy()
    xy[::10, 1, FOOT] = [900, 900]
    found, handed = repaired(xy, walked)
    assert np.isnan(found[::10, 1, FOOT]).all()
    assert (handed.kind[::10, 1, FOOT] == REFUSED).all()


def test_slots_without_names_are_named_by_who_is_in_them(walked):
    xy = walked[0][:, [2, 0, 1]]
    found, handed = repaired(xy, walked, names=np.full(3, -1))
    assert wrong(found, walked[0]) == 0
    assert handed.stands.tolist() == [2, 0, 1]
    assert (handed.kind == KEPT).mean() > 0.99


@pytest.mark.parametrize("slots", [1, 2, 5])
def test_there_may_be_fewer_slots_than_animals_or_more(walked, slots):
    xy = np.full((600, slots, 6, 2), np.nan)
    xy[:, : min(slots, 3)] = walked[0][:, :slots]
    found, handed = repaired(xy, walked, names=np.full(slots, -1))
    assert wrong(found, walked[0]) == 0
    assert (~np.isnan(found[..., 0])).any(axis=(0, 2)).tolist() == [k < slots for k in range(3)]
    assert (handed.stands >= 0).tolist() == [k < 3 for k in range(slots)]


def test_names_that_are_believed_are_not_exchanged(walked):
    xy = walked[0].copy()
    xy[300:330, [0, 2]] = xy[300:330, [2, 0]]
    found, handed = repaired(xy, walked, believe_names=True)
    assert np.nanmax(np.abs(found[300:330, 0] - walked[0][300:330, 2])) == 0
    assert (handed.kind == SWITCHED).sum() == 0


def test_blocks_change_nothing(walked, monkeypatch):
    xy = walked[0].copy()
    xy[190:210, [0, 1], TAIL] = xy[190:210, [1, 0], TAIL]
    whole, _ = repaired(xy, walked)
    monkeypatch.setattr(repairing, "BLOCK", 200)
    parts, _ = repaired(xy, walked)
    assert np.array_equal(whole, parts, equal_nan=True)


def test_without_a_heading_nothing_can_be_learned(walked):
    points, middle, heading = walked
    with pytest.raises(ValueError, match="no animal has a heading"):
        hand_points(points, seen_by(points, middle, np.full_like(heading, np.nan)), np.arange(3), LEAST)


def test_points_of_another_place_cannot_be_handed_on(walked):
    points, middle, heading = walked
    with pytest.raises(ValueError, match="no point lies within a body's length"):
        hand_points(points + 5000, seen_by(points + 5000, middle, heading), np.arange(3), LEAST)


def test_frames_to_learn_from_are_spread_over_long_movies():
    frames = learned_frames(np.ones(200_000, bool))
    assert len(frames) == repairing.MOST_LEARNED
    assert frames[0] == 0
    assert frames[-1] == 199_999
    assert set(np.diff(frames[:200])) == {1}
    assert learned_frames(np.array([False, True, False, True])).tolist() == [1, 3]
