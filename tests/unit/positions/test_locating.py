"""Positions inside merges on drawn animals whose places are known; gaps; headings."""

import numpy as np
import pytest

from herdbook.artifacts.segment import Blobs, open_blob_images
from herdbook.artifacts.smooth import FROM_INTERPOLATED, FROM_MERGED, FROM_RESOLVED, FROM_SINGLE
from herdbook.geometry.ellipses import body_length, wrap_angle
from herdbook.positions.fills import fill_gaps
from herdbook.positions.locating import head_directions, locate_animals
from herdbook.positions.scene import Positions, make_scene
from herdbook.tracklets.building import build_tracklets, movie_links

BODY = (12.0, 5.0)  # semi-axes, px
FRAMES = 60


def walk(start, end, frames=FRAMES):
    """Places (frames, 2) on a line, with the direction of the line in degrees."""
    return np.linspace(start, end, frames), np.degrees(np.arctan2(end[1] - start[1], end[0] - start[0]))


CROSSING = [walk((30, 30), (130, 90)), walk((30, 90), (130, 30))]
IN_FILE = [walk((20, 60), (115, 60)), walk((70, 20), (75, 110))]


@pytest.fixture
def locate(write_blobs, name_tracklets):
    """Positions of drawn animals: (table, blobs, truth (frames, animals, 2)); the animals left out by `named` stay unknown, and
    those in `lost_outside` are known inside merges only."""

    def run(walks, *, named=None, lost_outside=(), shown=slice(None)):
        truth = np.stack([places for places, _ in walks], 1)[shown]
        frames = [[(*places, *BODY, degrees) for places, (_, degrees) in zip(at, walks, strict=True)] for at in truth]
        path = write_blobs("m", frames)
        blobs = Blobs.load(path)
        with open_blob_images(path) as images:
            runs, offsets = images.runs(0, len(blobs))
            links = movie_links(blobs, images)
        length = body_length(blobs.moments)
        tracklets = build_tracklets(blobs, links, body_length_px=length, numbers=[len(walks)], max_step_px=None, bridge_frames=2)
        known = truth if named is None else np.where(np.isin(np.arange(len(walks)), named)[:, None], truth, -99)
        identities = name_tracklets(path, tracklets, known)
        kept = ~np.isin(identities.individual, lost_outside) | (tracklets.animals[identities.tracklet] > 1)
        for name in ("movie", "tracklet", "individual", "confidence", "how"):
            setattr(identities, name, getattr(identities, name)[kept])
        scene = make_scene(blobs, tracklets, identities, "m")
        return locate_animals(scene, lambda blob: runs[offsets[blob] : offsets[blob + 1]]), blobs, truth

    return run


def errors_px(table, truth):
    return np.hypot(*(np.stack([table.x, table.y], 1) - truth[table.frame, table.individual]).T)


def merged_frames(blobs):
    return np.flatnonzero(np.bincount(blobs.frame) == 1)


@pytest.mark.parametrize("walks", [CROSSING, CROSSING[::-1], IN_FILE], ids=["crossing", "crossing, renamed", "one across the other"])
def test_two_animals_crossing_keep_their_names_and_places(locate, walks):
    table, blobs, truth = locate(walks)
    inside = np.isin(table.frame, merged_frames(blobs))
    assert 8 < inside.sum() / 2 < 40
    assert len(table) == 2 * FRAMES
    errors = errors_px(table, truth)
    assert errors[~inside].max() < 0.6
    assert errors[inside].mean() < 2.5
    assert errors[inside].max() < BODY[1] + 1
    assert (table.source == np.where(inside, FROM_RESOLVED, FROM_SINGLE)).all()


def test_axes_inside_a_merge_are_those_of_the_animals(locate):
    table, blobs, _ = locate(CROSSING)
    truth = np.radians([degrees for _, degrees in CROSSING])
    wrong = np.abs(wrap_angle(table.angle - truth[table.individual], np.pi))
    assert wrong.mean() < np.radians(5)
    assert wrong[np.isin(table.frame, merged_frames(blobs))].max() < np.radians(35)


def test_two_animals_that_touch_and_turn_back_keep_their_names(locate):
    apart = 7 + 18 * np.abs(np.linspace(-1, 1, FRAMES))
    walks = [(np.stack([np.linspace(40, 120, FRAMES), 60 + side * apart / 2], 1), 0.0) for side in (-1, 1)]
    table, blobs, truth = locate(walks)
    assert len(merged_frames(blobs)) > 3
    assert errors_px(table, truth).max() < 2


def test_one_row_per_animal_and_frame_in_order(locate):
    table, _, _ = locate(CROSSING)
    assert table.frame.tolist() == np.repeat(np.arange(FRAMES), 2).tolist()
    assert table.individual.tolist() == [0, 1] * FRAMES


def test_confidence_is_lower_inside_a_merge_than_outside(locate):
    table, blobs, _ = locate(CROSSING)
    inside = np.isin(table.frame, merged_frames(blobs))
    assert table.confidence[inside].max() < table.confidence[~inside].min()
    assert table.confidence[inside].min() > 0.5


@pytest.mark.parametrize(("shown", "away"), [(slice(30, 60), 1), (slice(0, 30), -1)], ids=["begins", "ends"])
def test_a_movie_that_begins_or_ends_inside_a_merge_is_followed_from_the_other_side(locate, shown, away):
    table, blobs, truth = locate(CROSSING, shown=shown)
    inside = np.isin(table.frame, merged_frames(blobs))
    assert 5 < inside.sum() / 2 < 20
    assert (table.source == np.where(inside, FROM_RESOLVED, FROM_SINGLE)).all()
    assert errors_px(table, truth).max() < BODY[1] + 1
    # The surer the nearer to where it is seen alone.
    assert (np.diff(table.confidence[inside & (table.individual == 0)]) * away > 0).all()


def test_animals_never_seen_alone_get_a_place_of_their_own_and_say_so(locate):
    table, blobs, truth = locate([walk((40, 40), (100, 40)), walk((50, 46), (110, 46)), walk((30, 100), (120, 100))])
    assert len(blobs) == 2 * FRAMES
    assert len(table) == 3 * FRAMES
    pair = table.take(np.flatnonzero(table.individual < 2))
    assert (pair.source == FROM_MERGED).all()
    assert pair.confidence == pytest.approx(0.25 * 0.9)
    x, y = pair.x.reshape(-1, 2), pair.y.reshape(-1, 2)
    assert (np.hypot(np.diff(x), np.diff(y)) > 8).all()  # 11.7 px in truth
    assert np.hypot(x.mean(axis=1) - truth[:, :2, 0].mean(axis=1), y.mean(axis=1) - truth[:, :2, 1].mean(axis=1)).max() < 3


def test_a_named_animal_that_crosses_an_unknown_one_keeps_its_place(locate):
    table, blobs, truth = locate(CROSSING, named=[1])
    assert (table.individual == 1).all()
    assert len(table) == FRAMES
    errors, inside = errors_px(table, truth), np.isin(table.frame, merged_frames(blobs))
    assert errors[inside].mean() < 2.5
    assert errors.max() < BODY[1] + 1


def test_an_animal_known_only_inside_a_merge_is_whoever_else_came_in(locate):
    table, blobs, truth = locate(CROSSING, lost_outside=[0])
    mine = table.take(np.flatnonzero(table.individual == 0))
    assert mine.frame.tolist() == merged_frames(blobs).tolist()
    assert (mine.source == FROM_RESOLVED).all()
    assert errors_px(mine, truth)[: len(mine) // 2].max() < BODY[1] + 1
    assert (np.diff(mine.confidence) < 0).all()


def test_nobody_named_gives_no_positions(locate):
    table, _, _ = locate(CROSSING, named=[])
    assert len(table) == 0
    assert table.x.dtype == np.float64
    assert len(fill_gaps(table, 5)) == len(head_directions(table, VARIANCES)) == 0


def table_of(tracks):
    """A table of {individual: [(frame, x, y, angle), ...]}, sorted by frame, individual."""
    rows = sorted((frame, individual, x, y, angle) for individual, track in tracks.items() for frame, x, y, angle in track)
    frame, individual, x, y, angle = (np.array(c) for c in zip(*rows, strict=True))
    n = len(rows)
    return Positions(frame, individual, x.astype(float), y.astype(float), angle.astype(float), np.full(n, 0.9), np.zeros(n, np.uint8))


def test_a_short_gap_is_a_straight_line():
    table = table_of({0: [(0, 10, 0, 0), (1, 10, 0, 0), (5, 18, 4, 0)], 1: [(0, 5, 5, 0), (3, 8, 5, 0)]})
    table.confidence[-1] = 0.4
    filled = fill_gaps(table, 3)
    assert filled.frame.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 5]
    first = filled.take(np.flatnonzero(filled.individual == 0))
    assert first.x.tolist() == [10, 10, 12, 14, 16, 18]
    assert first.y.tolist() == [0, 0, 1, 2, 3, 4]
    assert (first.source == FROM_INTERPOLATED).tolist() == [False, False, True, True, True, False]
    assert first.confidence.tolist() == [0.9, 0.9, 0.4, 0.4, 0.4, 0.4]
    assert filled.x[filled.individual == 1].tolist() == [5, 6, 7, 8]


@pytest.mark.parametrize(("most", "rows"), [(2, 2), (3, 5)])
def test_a_longer_gap_stays_a_gap(most, rows):
    assert len(fill_gaps(table_of({0: [(0, 10, 0, 0), (4, 18, 4, 0)]}), most)) == rows


def test_gaps_between_two_individuals_are_none():
    table = table_of({0: [(0, 10, 0, 0)], 1: [(3, 10, 0, 0)]})
    assert len(fill_gaps(table, 5)) == 2


VARIANCES = (100.0, 16.0)  # variances of a body of 40 x 16 px


def walker(direction, axis, frames=30, speed=2.0, start=0):
    """A track along a direction with a body axis that differs from it by some half turns."""
    t = np.arange(frames)
    return [(start + k, 50 + speed * k * np.cos(direction), 50 + speed * k * np.sin(direction), axis[k]) for k in t]


@pytest.mark.parametrize("direction", [0.0, 1.0, np.pi / 2, 3.0, -2.5])
def test_heading_points_where_a_walker_walks(rng, direction):
    axis = direction + rng.normal(0, 0.1, 30) + np.pi * rng.integers(-2, 3, 30)
    heading = head_directions(table_of({0: walker(direction, axis)}), VARIANCES)
    assert heading.dtype == np.float32
    assert np.abs(heading).max() <= np.float32(np.pi)
    assert np.abs(wrap_angle(heading - direction)).max() < 0.5


def test_each_walker_has_its_own_heading():
    table = table_of({0: walker(0.0, np.full(30, np.pi)), 1: walker(np.pi, np.full(30, np.pi))})
    heading = head_directions(table, VARIANCES)
    assert heading[table.individual == 0] == pytest.approx(0, abs=1e-5)
    assert np.abs(heading[table.individual == 1]) == pytest.approx(np.pi)


def test_a_walker_that_backs_up_for_a_while_does_not_turn_round():
    x = np.cumsum([2.0] * 20 + [-1.0] * 8 + [2.0] * 20)
    heading = head_directions(table_of({0: [(t, x[t], 50, np.pi) for t in range(48)]}), VARIANCES)
    assert heading == pytest.approx(0, abs=1e-5)


def test_heading_follows_a_walker_round_a_circle():
    turn = np.linspace(0, 4 * np.pi, 200)
    axis = np.arctan(np.tan(turn + np.pi / 2))  # as orientations come: in (-pi/2, pi/2]
    heading = head_directions(
        table_of({0: [(t, 50 + 30 * np.cos(a), 50 + 30 * np.sin(a), axis[t]) for t, a in enumerate(turn)]}), VARIANCES
    )
    assert np.abs(wrap_angle(heading - turn - np.pi / 2)).max() < 0.05


def test_after_a_gap_the_heading_is_found_anew():
    there, back = walker(0.0, np.zeros(20), 20), walker(np.pi, np.zeros(20), 20, start=60)
    heading = head_directions(table_of({0: there + back}), VARIANCES)
    assert heading[:20] == pytest.approx(0, abs=1e-5)
    assert np.abs(heading[20:]) == pytest.approx(np.pi)


def test_one_bad_frame_does_not_turn_the_rest_of_a_track_round():
    # At a fast turn the axis of one frame lies across, and says nothing of which way the body turned.
    axis = np.zeros(120)
    axis[60] = np.pi / 2
    there = [(t, 3.0 * t, 50.0, axis[t]) for t in range(60)]
    back = [(60 + t, 180 - 3.0 * t, 50.0, axis[60 + t]) for t in range(60)]
    heading = head_directions(table_of({0: there + back}), VARIANCES)
    assert heading[:58] == pytest.approx(0, abs=1e-5)
    assert np.abs(heading[63:]) == pytest.approx(np.pi)


def test_an_animal_that_rests_keeps_the_heading_with_which_it_came(rng):
    x = np.concatenate([np.arange(30) * 3.0, np.full(300, 90.0)]) + rng.normal(0, 0.3, 330)
    heading = head_directions(table_of({0: [(t, x[t], 50.0, 0.0) for t in range(330)]}), VARIANCES)
    assert heading == pytest.approx(0, abs=1e-5)
