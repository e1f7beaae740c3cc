"""What is asked of positions and of body points: who tells the jitter, and how far the flow may lead at most."""

import numpy as np
import pytest

from herdbook.artifacts.smooth import FROM_CORRECTED, FROM_INTERPOLATED, FROM_MERGED, FROM_RESOLVED, FROM_SINGLE
from herdbook.formats.poses import Poses
from herdbook.positions.agreement import (
    ALONE,
    INSIDE_MERGES,
    farthest_px,
    find_agreement,
    join_kinds,
    kinds_of_points,
    kinds_of_positions,
)
from herdbook.positions.scene import Positions
from herdbook.smoothing.jumps import LEAST_JUMP_PX
from tests.support.drifting import Source, drifting


def test_only_animals_alone_tell_the_jitter():
    source = np.array([FROM_SINGLE, FROM_RESOLVED, FROM_MERGED, FROM_INTERPOLATED, FROM_CORRECTED], np.uint8)
    zero, frame = np.zeros(5), np.arange(5)
    table = Positions(frame, np.zeros(5, np.int64), zero, zero, zero, zero, source)
    kinds = kinds_of_positions(table, (frame, np.zeros(5, np.int64)), (5, 2), width_px=12.0)
    assert kinds.kind[:, 0].tolist() == [ALONE, INSIDE_MERGES, INSIDE_MERGES, ALONE, ALONE]
    assert kinds.measured[:, 0].tolist() == [True, False, False, False, False]
    assert not kinds.measured[:, 1].any()
    assert kinds.limit.tolist() == [6.0, 6.0]


def test_each_body_point_is_a_kind_after_those_of_positions():
    known, corrected = np.array([[True, True], [False, True]]), np.array([[False, True], [False, False]])
    points = kinds_of_points(known, corrected, np.array([3.0, 4.0]))
    assert points.measured.tolist() == [[True, False], [False, True]]
    joined = join_kinds(points, points)
    assert joined.kind.tolist() == [[0, 1, 2, 3]] * 2
    assert joined.limit.tolist() == [3, 4, 3, 4]


def test_a_point_is_nearer_to_its_own_place_than_half_way_to_the_others():
    xy = np.full((4, 2, 3, 2), np.nan)
    xy[:, 0] = [(0, 0), (20, 0), (40, 0)]
    xy[3, 0, 1:] = np.nan  # one point alone tells no size
    xy[:, 1, 1] = 7.0
    limit = farthest_px(Poses(("a", "b"), ("x", "y", "z"), xy, np.ones((4, 2, 3))))
    assert limit.tolist() == [10.0] * 3 + [LEAST_JUMP_PX] * 3


@pytest.mark.parametrize("engine", ["numba", "opencv"])
def test_what_a_person_gave_is_asked_by_both_engines(rng, engine):
    frames, points = drifting(30, rng)
    trusted = np.zeros(points.shape[:2], bool)
    trusted[4, 1] = True
    kinds = kinds_of_points(np.ones(trusted.shape, bool), trusted, np.full(3, 5.0))
    agreement = find_agreement(Source(frames).source, points, kinds, trusted, engine)
    assert agreement.tolerance[4, 1] == 5.0
    others = agreement.tolerance[~trusted]
    assert np.isinf(others).all() if engine == "opencv" else (others < 1.0).all()
    nobody = np.zeros(trusted.shape, bool)
    asked = find_agreement(Source(frames).source, points, kinds, nobody, engine)
    assert (asked is None) == (engine == "opencv")
