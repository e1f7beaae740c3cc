"""Tracklets of drawn movies: numbers, kinds and edges; links across the border between two movies of a recording."""

import numpy as np
import pytest

from herdbook.artifacts.segment import Blobs, open_blob_images
from herdbook.artifacts.tracklets import MULTIPLE, NOISE, SINGLE, Tracklets
from herdbook.stages import tracklets
from herdbook.tracklets import building
from herdbook.tracklets.linking import Links

NO_LINKS = Links(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))


def animal(x, y, angle=0.0):
    return (x, y, 10, 4, angle)


@pytest.fixture
def track(stage_settings):
    """Run the stage on a segment artifact."""

    def run(path, out, *, previous=None, number=None, **section):
        previous = [] if previous is None else ["--previous", str(previous)]
        settings = stage_settings("tracklets", number=number, tracklets=section)
        tracklets.main(["--blobs", str(path), *previous, "--out", str(out), "--settings", settings])
        return Tracklets.load(out)

    return run


def meeting(frames=60):
    """Two animals side by side that touch in the middle third."""
    half = np.where(np.abs(np.arange(frames) - frames / 2 + 0.5) < frames / 6, 3.5, 9.0)
    return [[animal(30 + t, 60 - d), animal(30 + t, 60 + d)] for t, d in enumerate(half)]


@pytest.mark.parametrize("number", [None, 2])
def test_two_animals_that_touch_make_five_tracklets(write_blobs, track, tmp_path, number):
    found = track(write_blobs("m", meeting()), tmp_path / "t.h5", number=number)
    assert found.animals.tolist() == [1, 1, 2, 1, 1]
    assert found.tracklet_kind.tolist() == [SINGLE, SINGLE, MULTIPLE, SINGLE, SINGLE]
    assert found.first.tolist() == [0, 0, 20, 40, 40]
    assert found.last.tolist() == [19, 19, 39, 59, 59]
    assert found.edges.tolist() == [[0, 2], [1, 2], [2, 3], [2, 4]]
    assert (found.edge_weight > 0).all()
    assert (found.animals_margin > 0.2).all()
    assert found.frames == 60


def test_every_blob_is_in_the_tracklet_that_spans_its_frame(write_blobs, track, tmp_path, rng):
    walks = np.array([80, 60]) + np.cumsum(rng.normal(0, 4, (80, 6, 2)), axis=0)
    path = write_blobs("m", [[animal(x, y, rng.uniform(0, 180)) for x, y in at] for at in walks])
    blobs, found = Blobs.load(path), track(path, tmp_path / "t.h5", number=6)
    assert found.blob_tracklet.shape == (len(blobs),)
    for tracklet in range(len(found)):
        frames = blobs.frame[found.blob_tracklet == tracklet]
        assert (frames[0], frames[-1]) == (found.first[tracklet], found.last[tracklet])
        assert (np.diff(frames) > 0).all()
    in_view = [found.animals[(found.first <= t) & (t <= found.last)].sum() for t in range(80)]
    assert max(in_view) <= 6


@pytest.mark.parametrize(("number", "in_view"), [(None, 2), (2, 2), (1, 1)])
def test_the_number_of_animals_is_respected(write_blobs, track, tmp_path, number, in_view):
    path = write_blobs("m", [[animal(30 + t, 30), animal(30 + t, 90)] for t in range(40)])
    assert track(path, tmp_path / "t.h5", number=number).animals.sum() == in_view


def test_specks_are_noise_and_do_not_cut_the_animal_they_touch(write_blobs, track, tmp_path):
    frames = [[animal(40 + t, 40)] for t in range(60)]
    for t in range(20, 30):
        frames[t].append((40 + t, 47 if t in (20, 29) else 46, 1.5, 1.5, 0))  # beside it, then on it
    path = write_blobs("m", frames)
    blobs, found = Blobs.load(path), track(path, tmp_path / "t.h5", number=1)
    large = blobs.area > 20
    assert (~large).any()
    assert len(set(found.blob_tracklet[large].tolist())) == 1
    assert found.animals[found.blob_tracklet[large]].tolist() == [1] * 60
    assert set(found.tracklet_kind[found.blob_tracklet[~large]].tolist()) == {NOISE}
    assert not len(found.edges)


@pytest.mark.parametrize(("bridge", "tracklets_seen"), [(0, 2), (2, 1)])
def test_a_drop_out_does_not_cut_a_tracklet(write_blobs, track, tmp_path, bridge, tracklets_seen):
    frames = [[] if t in (20, 21) else [animal(20 + 2 * t, 60)] for t in range(40)]
    assert len(track(write_blobs("m", frames), tmp_path / "t.h5", bridge=bridge)) == tracklets_seen


@pytest.mark.parametrize(("max_step", "tracklets_seen"), [(None, 1), (35, 1), (25, 30)])
def test_the_longest_step_is_learned_or_given(write_blobs, track, tmp_path, max_step, tracklets_seen):
    frames = [[animal(15 + 28 * t, 60)] for t in range(30)]
    assert len(track(write_blobs("m", frames, (900, 120)), tmp_path / "t.h5", max_step=max_step, bridge=0)) == tracklets_seen


def test_arenas_have_their_own_animals(write_blobs):
    blobs = Blobs.load(write_blobs("m", meeting()))
    blobs.arena[:] = blobs.y > 60
    found = tracklets.build_tracklets(blobs, NO_LINKS, body_length_px=20, numbers=[1, 1], max_step_px=20, bridge_frames=2)
    assert np.array_equal(found.arena[found.blob_tracklet], blobs.arena)
    for arena in (0, 1):
        in_view = [found.animals[(found.arena == arena) & (found.first <= t) & (t <= found.last)].sum() for t in range(60)]
        assert max(in_view) == 1


def test_a_movie_without_blobs_has_no_tracklets(write_blobs):
    blobs = Blobs.load(write_blobs("m", [[animal(40, 40)]]))
    for name in Blobs.columns:
        setattr(blobs, name, getattr(blobs, name)[:0])
    found = tracklets.build_tracklets(blobs, NO_LINKS, body_length_px=20, numbers=[3], max_step_px=None, bridge_frames=2)
    assert len(found) == 0
    assert found.edges.shape == (0, 2)


def test_without_a_previous_movie_there_are_no_border_edges(write_blobs, track, tmp_path):
    assert track(write_blobs("m", meeting()), tmp_path / "t.h5").border_edges.shape == (0, 2)


@pytest.fixture
def border_edges(write_blobs, track, tmp_path):
    """Border edges of two movies, whose last and first frame are given, as pairs of places (x, y); all other blobs are decoys."""

    def run(before, after, **section):
        decoys = [[animal(60, 20), animal(100, 60)], [animal(60, 20)]]
        old, new = write_blobs("old", [*decoys, before]), write_blobs("new", [after, *decoys])
        found = track(new, tmp_path / "t.h5", previous=old, **section)
        first, second = Blobs.load(old), Blobs.load(new)
        assert (first.frame[found.border_edges[:, 0]] == 2).all()
        assert (second.frame[found.border_edges[:, 1]] == 0).all()
        return [((round(first.x[a]), round(first.y[a])), (round(second.x[b]), round(second.y[b]))) for a, b in found.border_edges]

    return run


def test_animals_are_linked_across_the_border_of_two_movies(border_edges):
    edges = border_edges([animal(40, 90), animal(90, 30)], [animal(88, 32), animal(43, 91)])
    assert sorted(edges) == [((40, 90), (43, 91)), ((90, 30), (88, 32))]


def test_movies_in_the_wrong_order_are_not_linked(write_blobs, track, tmp_path, capsys):
    def movie(first):
        return [[animal(20 + 2 * k, 30), animal(120 - 2 * k, 60), animal(20 + 2 * k, 90)] for k in range(first, first + 30)]

    one, other = write_blobs("one", movie(0)), write_blobs("other", movie(30))
    found = track(other, tmp_path / "t.h5", previous=one)
    assert (found.seam_broken, len(found.border_edges)) == (False, 3)
    found = track(one, tmp_path / "u.h5", previous=other)
    assert found.seam_broken
    assert found.border_edges.shape == (0, 2)
    assert "the end of other does not fit the beginning of one" in capsys.readouterr().err


def test_animals_that_merge_at_the_border_keep_both_edges(border_edges):
    edges = border_edges([animal(60, 80), animal(60, 90)], [animal(60, 82), animal(60, 88)])
    assert sorted(edges) == [((60, 80), (60, 85)), ((60, 90), (60, 85))]


def test_a_fast_animal_is_linked_across_the_border_within_its_longest_step(border_edges):
    before, after = [animal(30, 90)], [animal(58, 90)]
    assert border_edges(before, after) == [((30, 90), (58, 90))]
    assert border_edges(before, after, max_step=20) == []


@pytest.mark.parametrize(("before", "after"), [([], [animal(40, 90)]), ([animal(40, 90)], []), ([], [])])
def test_no_animal_on_one_side_of_the_border_gives_no_edge(border_edges, before, after):
    assert border_edges(before, after) == []


def test_the_artifact_records_its_inputs(write_blobs, track, tmp_path):
    old, new = write_blobs("old", meeting(6)), write_blobs("new", meeting(6))
    track(new, tmp_path / "t.h5", previous=old)
    same = (tmp_path / "t.h5").read_bytes()
    track(new, tmp_path / "t.h5", previous=old)
    assert (tmp_path / "t.h5").read_bytes() == same
    assert b"previous/old.h5" in same
    assert b"blobs/new.h5" in same


@pytest.mark.parametrize("block", [1, 3, 7])
def test_links_do_not_depend_on_how_many_outlines_are_held(write_blobs, monkeypatch, block):
    walks = [[(20 + 2 * t, 30, 8, 4, 10), (70 - 2 * t, 32, 8, 4, 170), (40, 70, 8, 4, 0)][: 3 - (t % 5 == 4)] for t in range(20)]
    path = write_blobs("m", walks)
    blobs = Blobs.load(path)
    with open_blob_images(path) as images:
        whole = tracklets.movie_links(blobs, images)
        monkeypatch.setattr(building, "BLOCK_BLOBS", block)
        parts = tracklets.movie_links(blobs, images)
    assert len(whole.parent) > 40
    for name in ("parent", "child", "weight"):
        assert np.array_equal(getattr(whole, name), getattr(parts, name))
