"""Tracklets of one movie, and its links, made from a part of its outlines at a time."""

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

from herdbook.tracklets import building
from herdbook.tracklets.building import build_tracklets, movie_links
from herdbook.tracklets.linking import Links


class Columns(SimpleNamespace):
    """The columns of blobs that are needed."""

    def __len__(self):
        return len(self.frame)


class Bars:
    """Outlines and columns of three bars of 20 px by 1 px that lie in every frame; parts of the outlines are views of all of them."""

    def __init__(self, frames: int) -> None:
        self.frames, count = frames, 3 * frames
        self.frame = np.repeat(np.arange(frames), 3)
        self.frame_offsets = 3 * np.arange(frames + 1)
        self.area = np.full(count, 20, np.int32)
        row = np.tile([10, 20, 30], frames)
        self._runs = np.column_stack([row, np.full(count, 5), np.full(count, 24)]).astype(np.int32)
        self._boxes = np.column_stack([np.full(count, 5), row, np.full(count, 25), row + 1]).astype(np.int32)
        self._offsets = np.arange(count + 1)

    def runs(self, first, last):
        return self._runs[first:], self._offsets[: last - first + 1]

    def boxes(self, first, last):
        return self._boxes[first:last]


@pytest.mark.parametrize("block", [1, 3, 7, 1000])
def test_each_pair_of_frames_is_linked_once_however_many_outlines_are_held(monkeypatch, block):
    monkeypatch.setattr(building, "BLOCK_BLOBS", block)
    bars = Bars(12)
    links = movie_links(bars, bars)
    assert links.parent.tolist() == list(range(33))
    assert links.child.tolist() == list(range(3, 36))
    assert (links.weight == 1).all()


def test_what_vanishes_is_not_linked_to_what_appears_in_another_arena_or_interval():
    """An animal in each of three arenas, out of view in every fifth frame; frame 20 is not tracked."""
    at = [(t, k) for t in range(40) for k in range(3) if t % 5 != k + 1 and t != 20]
    frame, arena = np.array(at).T
    count = len(frame)
    blobs = Columns(
        frames=40, intervals=np.array([[0, 20], [21, 40]]), frame=frame.astype(np.int32), arena=arena.astype(np.int16),
        x=10.0 + arena, y=np.full(count, 10.0), area=np.full(count, 50, np.int32), intensity=np.full(count, 90, np.float32),
        border=np.zeros(count, bool),
    )  # fmt: skip
    none = Links(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.float32))
    found = build_tracklets(blobs, none, body_length_px=20.0, numbers=[1, 1, 1], max_step_px=5.0, bridge_frames=1)
    for tracklet in range(len(found.first)):
        mine = found.blob_tracklet == tracklet
        assert len(set(arena[mine])) == 1
        assert len(set(frame[mine] < 20)) == 1
    assert sorted(found.arena.tolist()) == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize(("border", "animals"), [(False, 0), (True, 1)])
def test_a_dim_animal_may_leave_at_the_border_alone(border, animals):
    """One animal is in view all the time; a smaller blob from frame 30 to frame 60, where it may be at the border."""
    at = sorted([*((t, 0) for t in range(100)), *((t, 1) for t in range(30, 61))])
    frame, dim = np.array(at).T
    count = len(at)
    blobs = Columns(
        frames=100, intervals=np.array([[0, 100]]), frame=frame.astype(np.int32), arena=np.zeros(count, np.int16),
        x=10.0 + 80 * dim, y=np.full(count, 10.0), area=(100 - 20 * dim).astype(np.int32), intensity=np.full(count, 90, np.float32),
        border=border & (dim == 1) & (frame == 60),
    )  # fmt: skip
    pairs = sorted(pair for which in (0, 1) for pair in pairwise(np.flatnonzero(dim == which).tolist()))
    links = Links(*np.array(pairs, np.int32).T, np.ones(len(pairs), np.float32))
    found = build_tracklets(blobs, links, body_length_px=20.0, numbers=[None], max_step_px=5.0, bridge_frames=0)
    assert found.animals.tolist() == [1, animals]
