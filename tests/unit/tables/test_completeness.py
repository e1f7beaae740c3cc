"""Completeness is counted against the number of animals in each arena."""

import numpy as np

from herdbook.artifacts.propagate import Identities
from herdbook.tables import completeness
from herdbook.tables.completeness import arenas_of_individuals, filled_places


def test_a_position_too_many_in_one_arena_does_not_stand_for_one_lacking_in_another():
    # Frame 0: three positions in the left arena, for two animals, none in the right one; frame 2: one in each.
    frame, arena = np.array([0, 0, 0, 2, 2]), np.array([0, 0, 0, 0, 1], np.int16)
    assert filled_places(frame, arena, [2, 1], 4).tolist() == [2, 0, 2, 0]


def test_positions_in_an_unknown_arena_count_up_to_the_number_of_all():
    frame, arena = np.zeros(5, np.int64), np.array([0, -1, -1, -1, -1], np.int16)
    assert filled_places(frame, arena, [2, 1], 1).tolist() == [3]


def test_blocks_of_frames_change_nothing(monkeypatch, rng):
    frame, arena = np.sort(rng.integers(0, 50, 400)), rng.integers(-1, 3, 400).astype(np.int16)
    whole = filled_places(frame, arena, [2, 1, 4], 50)
    monkeypatch.setattr(completeness, "CELLS_AT_ONCE", 20)
    assert filled_places(frame, arena, [2, 1, 4], 50).tolist() == whole.tolist()
    assert filled_places(frame[:0], arena[:0], [2], 3).tolist() == [0, 0, 0]


def test_the_arena_of_an_individual_is_that_of_its_tracklets():
    def column(*values):
        return np.array(values, np.int32)

    identities = Identities(
        ["a", "b"], ["x", "y", "nobody"], column(0, 1, 1), column(1, 0, 1), column(0, 0, 1), np.ones(3, np.float32), np.ones(3, np.uint8),
        np.ones(4, np.int16), np.array([0, 2, 4]), 0.0,
    )  # fmt: skip
    found = arenas_of_individuals(identities, {"a": np.array([1, 0], np.int16), "b": np.array([0, 1], np.int16)})
    assert found.tolist() == [0, 1, -1]
