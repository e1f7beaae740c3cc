"""Strips of the review list: images of the animal in question, and of who it can be."""

from dataclasses import replace

import numpy as np
import pytest

from herdbook.identity.doubts import Doubt
from herdbook.report import strips as review_strips
from herdbook.report.figures.review import plot_strips
from herdbook.report.strips import GROUND, MOST_IMAGES, candidates_of, read_strips, spread_rows
from tests.support.report_cases import grey_of, place_of, write_recording

NAMES = ["Ada", "Bea", "Cleo"]
DOUBT = Doubt("m", 21, *place_of(1, 21), "is", "Bea", "", "", 0.6, "Ada 0.30; Cleo 0.10", "m", 0, "m", 59, 60, 30.0)


@pytest.fixture
def files(tmp_path):
    return write_recording(tmp_path, NAMES, 60, nobody=(1,), more=("n",))


def test_a_strip_shows_the_blob_of_the_doubt_around_its_frame(files):
    (strip,) = read_strips([DOUBT], files, {"day": ["m", "n"]})
    assert strip.frames == [0, 10, 20, 30, 35, 45, 55]
    assert strip.frames[strip.place] == 20
    assert all(strip.inside)
    assert all((image[3:-3, 3:-3] == grey_of(1)).all() for image in strip.images)


def test_the_candidates_have_sure_images_of_their_own(files):
    (strip,) = read_strips([DOUBT], files, {"day": ["m", "n"]})
    assert [name for name, _ in strip.candidates] == ["Bea", "Ada", "Cleo"]
    assert strip.candidates[0][1] is None
    assert [int(image[5, 5, 0]) for _, image in strip.candidates[1:]] == [grey_of(0), grey_of(2)]


def test_rows_keep_their_order_whatever_their_movie(files):
    doubts = [replace(DOUBT, movie="n", frame=33), DOUBT, replace(DOUBT, movie="n", x=place_of(2, 21)[0], y=place_of(2, 21)[1])]
    strips = read_strips(doubts, files, {"day": ["m", "n"]})
    assert [strip.doubt for strip in strips] == doubts
    assert int(strips[2].images[0][5, 5, 0]) == grey_of(2)
    assert read_strips([], files, {"day": ["m", "n"]}) == []


def test_a_frame_without_blobs_has_a_strip_without_images(files, tmp_path):
    empty = write_recording(tmp_path / "short", NAMES, 3)
    (strip,) = read_strips([replace(DOUBT, frame=21)], empty, {"day": ["m"]})
    assert (list(strip.images), strip.place) == ([], -1)
    assert "no image of it is kept" in [text.get_text() for text in plot_strips([strip], {}).axes[0].texts]


@pytest.mark.parametrize(("rows", "frame", "place"), [(1, 50, 0), (3, 12, 1), (100, 500, MOST_IMAGES // 2), (100, 0, 0), (100, 990, 6)])
def test_chosen_rows_are_spread_and_hold_the_nearest(rows, frame, place):
    frames = 10 * np.arange(rows, dtype=np.int32)
    chosen, found = spread_rows(np.arange(rows), frames, frame, MOST_IMAGES)
    assert found == place
    assert len(chosen) == min(rows, MOST_IMAGES)
    assert (np.diff(chosen) > 0).all()
    assert chosen[found] == np.abs(frames - frame).argmin()


def test_candidates_are_individuals_each_once_the_most_probable_first():
    doubt = replace(DOUBT, name="workers", others="Cleo 0.30; x y 0.2", assigned="Ada Cleo")
    assert candidates_of(doubt, [*NAMES, "x y"]) == ["Cleo", "x y", "Ada"]


def test_what_was_there_before_and_after_a_short_blob_fills_its_strip(files, monkeypatch):
    monkeypatch.setattr(review_strips._Source, "_images", lambda self, *_: (np.flatnonzero(self.blobs.frame == 30)[1:2], 0))
    monkeypatch.setattr(review_strips, "REACH_FRAMES", 8)
    (strip,) = read_strips([DOUBT], files, {"day": ["m", "n"]})
    # In frame 40 it is at the other end of its row.
    assert strip.frames == [20, 25, 30, 35]
    assert strip.inside == [False, False, True, False]
    assert strip.place == 2
    assert {int(image[5, 5, 0]) for image in strip.images} == {grey_of(1)}


def test_the_picture_says_what_is_asked_and_frames_candidates_in_their_colours(files):
    strips = read_strips([DOUBT], files, {"day": ["m", "n"]})
    (axes,) = plot_strips(strips, {"Ada": "#ff0000", "Bea": "#00ff00", "Cleo": "#0000ff"}).axes
    words = [text.get_text() for text in axes.texts]
    assert "1.  m, frame 21" in words
    assert "assigned: nobody" in words
    assert "Bea 0.60;  Ada 0.30" in words
    frames = [patch.get_edgecolor()[:3] for patch in axes.patches]
    assert frames[-3:] == [(0, 1, 0), (1, 0, 0), (0, 0, 1)]
    assert frames.count((0, 0, 0)) == 1
    canvas = axes.images[0].get_array()
    assert (canvas == grey_of(1)).all(axis=2).any()
    assert (canvas == GROUND).all(axis=2).any()
