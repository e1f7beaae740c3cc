"""The stage smooth on a small movie whose truth is known, and what it hands to the algorithms."""

import json
from itertools import combinations

import numpy as np
import pytest

from herdbook.artifacts.propagate import Identities
from herdbook.artifacts.segment import Blobs
from herdbook.artifacts.smooth import (
    CORRECTED,
    FROM_CORRECTED,
    FROM_INTERPOLATED,
    FROM_RESOLVED,
    FROM_SINGLE,
    GIVEN,
    INTERPOLATED,
    BodyPoints,
    Trajectories,
)
from herdbook.artifacts.store import Provenance
from herdbook.artifacts.tracklets import Tracklets
from herdbook.experiment.tracking import SmoothSection
from herdbook.formats.pose_files import read_poses
from herdbook.formats.poses import as_poses
from herdbook.geometry.regions import ellipse_mask
from herdbook.positions.scene import Positions, make_scene
from herdbook.positions.smoothed import slots_of
from herdbook.stages import index, smooth, tracklets

SIZE, FRAMES, BODY = (160, 120), 40, (14.0, 6.0)
ORIGIN = Provenance("test", 1)
PARALLEL = np.stack([np.stack([np.linspace(30, 120, FRAMES), np.full(FRAMES, y)], 1) for y in (35.0, 85.0)], 1)
# They touch for most of the time.
NEARING = np.interp(np.arange(FRAMES), [0, 6, 33, 39], [40, 60, 60, 40])
MEETING = np.stack([np.stack([np.linspace(30, 120, FRAMES), y], 1) for y in (NEARING, np.full(FRAMES, 70.0))], 1)


def picture(at, texture):
    """Animals with a pattern of their own, sharp to a fraction of a pixel, on a ground with another."""
    image = texture.copy()
    for x, y in at:
        rows, columns = np.nonzero(ellipse_mask(image.shape, (x, y), BODY))
        image[rows, columns] = 70 + 40 * np.sin((columns - x) / 1.7) * np.cos((rows - y) / 1.9)
    return np.clip(image, 0, 255).astype(np.uint8)


@pytest.fixture
def scene(tmp_path, rng, stage_settings, write_movie, write_blobs, name_tracklets):
    """Write the inputs of the stage: animals at their true places in the movie, and blobs that may lie beside them or be missing."""

    def write(truth, *, seen_at=None, missing=(), named=True):
        texture = 200 + rng.normal(0, 8, SIZE[::-1])
        movie = write_movie("m.mp4", [picture(at, texture) for at in truth])
        seen_at = truth if seen_at is None else seen_at
        drawn = [[(*at, *BODY, 0) for at in places] if t not in missing else [] for t, places in enumerate(seen_at)]
        path = write_blobs("m", drawn, SIZE)
        index.main(["--movie", str(movie), "--out", str(tmp_path / "index.h5"), "--settings", stage_settings("index")])
        settings = stage_settings("tracklets", number=truth.shape[1], tracklets={"bridge": 5})
        tracklets.main(["--blobs", str(path), "--out", str(tmp_path / "tracklets.h5"), "--settings", settings])
        places = seen_at if named else np.full(seen_at.shape, -99.0)
        name_tracklets(path, Tracklets.load(tmp_path / "tracklets.h5"), places).save(tmp_path / "identities.h5", ORIGIN)
        return path

    return write


def run(folder, blobs, *, threads=1, files=(), **keys):
    paths = {"movie": folder / "m.mp4", "index": folder / "index.h5", "blobs": blobs, "out": folder / "out.h5"}
    paths |= {name: folder / f"{name}.h5" for name in ("tracklets", "identities", "points")} | dict(files)
    arguments = [part for name, path in paths.items() for part in (f"--{name}", str(path))]
    settings = SmoothSection(**{"window_s": 0.4} | keys).model_dump(exclude={"corrections"})
    smooth.main([*arguments, "--settings", json.dumps(settings), "--threads", str(threads)])
    return Trajectories.load(paths["out"])


def errors_px(found, truth, suffix=""):
    x, y = getattr(found, f"x{suffix}"), getattr(found, f"y{suffix}")
    return np.hypot(*(np.stack([x, y], 1) - truth[found.frame, found.individual]).T)


def test_positions_of_lone_animals_are_true_and_their_headings_are_where_they_walk(tmp_path, scene):
    found = run(tmp_path, scene(PARALLEL))
    assert found.individuals == ["animal0", "animal1"]
    assert found.frames == FRAMES
    assert found.frame.tolist() == np.repeat(np.arange(FRAMES), 2).tolist()
    assert found.individual.tolist() == [0, 1] * FRAMES
    assert errors_px(found, PARALLEL).max() < 0.7
    assert np.abs(found.heading).max() < 0.1
    assert (found.source == FROM_SINGLE).all()
    assert found.confidence == pytest.approx(0.9)


def test_smoothing_takes_the_jitter_of_the_blobs_away(tmp_path, scene, rng):
    seen_at = PARALLEL + rng.normal(0, 1.5, PARALLEL.shape)
    found = run(tmp_path, scene(PARALLEL, seen_at=seen_at))
    assert errors_px(found, seen_at, "_raw").max() < 0.7
    raw, smoothed = errors_px(found, PARALLEL, "_raw"), errors_px(found, PARALLEL)
    assert 1.2 < raw.mean() < 3
    assert smoothed.mean() < 0.6 * raw.mean()


def test_without_smoothing_positions_are_those_of_the_blobs(tmp_path, scene, rng):
    path = scene(PARALLEL, seen_at=PARALLEL + rng.normal(0, 1.5, PARALLEL.shape))
    found, blobs = run(tmp_path, path, method="none"), Blobs.load(path)
    assert np.array_equal(found.x, found.x_raw)
    assert np.array_equal(found.y, found.y_raw)
    assert np.array_equal(np.sort(found.x), np.sort(blobs.x))


def test_animals_that_meet_are_resolved(tmp_path, scene):
    found = run(tmp_path, scene(MEETING))
    merged = np.flatnonzero(np.bincount(Blobs.load(tmp_path / "segment" / "m.h5").frame) == 1)
    assert 5 < len(merged) < 35
    assert (found.source == np.where(np.isin(found.frame, merged), FROM_RESOLVED, FROM_SINGLE)).all()
    assert errors_px(found, MEETING).max() < 3


@pytest.mark.parametrize(("window_s", "filled"), [(0.2, 4), (0.15, 0)])
def test_gaps_up_to_the_window_are_filled(tmp_path, scene, window_s, filled):
    missing = range(18, 22)
    found = run(tmp_path, scene(PARALLEL, missing=missing), method="none", window_s=window_s)
    rows = np.isin(found.frame, missing)
    assert rows.sum() == 2 * filled
    assert (found.source[rows] == FROM_INTERPOLATED).all()
    assert errors_px(found, PARALLEL).max() < 1


@pytest.mark.parametrize(("window_s", "frames"), [(0.02, 0), (0.06, 1), (2.1, 42)])
def test_a_window_that_does_not_fit_the_movie_is_a_clear_error(tmp_path, scene, capsys, window_s, frames):
    path = scene(PARALLEL)
    with pytest.raises(SystemExit) as stopped:
        run(tmp_path, path, window_s=window_s)
    assert stopped.value.code == 2
    message = capsys.readouterr().err
    assert "m.mp4" in message
    assert f"(window_s) of {window_s} s is {frames} frames" in message
    assert "at least 2 and at most the " in message
    assert "40 frames" in message
    assert not (tmp_path / "out.h5").exists()
    assert len(run(tmp_path, path, window_s=window_s, method="none").frame) == 2 * FRAMES


@pytest.mark.parametrize(("window_s", "frames"), [(0.1, 2), (2.0, 40)])
def test_the_shortest_and_the_longest_window_are_possible(tmp_path, scene, window_s, frames):
    assert errors_px(run(tmp_path, scene(PARALLEL), window_s=window_s), PARALLEL).max() < 1.5


def test_a_movie_of_one_frame_has_positions(tmp_path, scene):
    found = run(tmp_path, scene(PARALLEL[:1]))
    assert np.array_equal(found.x, found.x_raw)
    assert errors_px(found, PARALLEL).max() < 0.7


def test_nobody_named_gives_an_empty_artifact(tmp_path, scene):
    found = run(tmp_path, scene(PARALLEL, named=False))
    assert len(found.frame) == len(found.x) == len(found.heading) == 0
    assert found.frames == FRAMES


def fragments(rng, number):
    """Rows of individuals in no order, each with a first and a last frame of its own."""
    first = rng.integers(0, 300, number)
    spans = [np.arange(a, a + n) for a, n in zip(first, rng.integers(1, 40, number), strict=True)]
    frame = np.concatenate(spans)
    individual = np.repeat(rng.permutation(number) * 2, [len(s) for s in spans])  # half of the numbers are nobody's
    zero = np.zeros(len(frame))
    order = np.lexsort((individual, frame))
    return Positions(frame[order], individual[order], zero, zero, zero, zero, zero.astype(np.uint8))


@pytest.mark.parametrize("pause", [0, 1, 12])
def test_fragments_share_a_slot_only_with_a_pause_between_them(rng, pause):
    table = fragments(rng, 80)
    slot = slots_of(table, pause)
    spans = {}
    for individual in np.unique(table.individual):
        mine = table.individual == individual
        assert len(set(slot[mine].tolist())) == 1
        spans.setdefault(int(slot[mine][0]), []).append((table.frame[mine].min(), table.frame[mine].max()))
    for shared in spans.values():
        assert all(max(a[0], b[0]) - min(a[1], b[1]) - 1 >= pause for a, b in combinations(shared, 2))
    in_view = np.bincount(table.frame).max()
    assert len(spans) == slot.max() + 1
    assert in_view <= len(spans) < 80 / 2
    if pause == 0:
        assert len(spans) == in_view


def test_no_rows_have_no_slots():
    empty = np.zeros(0)
    whole = empty.astype(np.int64)
    assert slots_of(Positions(whole, whole, empty, empty, empty, empty, empty.astype(np.uint8)), 3).shape == (0,)


def test_a_scene_holds_the_animals_of_its_own_movie(scene, tmp_path):
    path = scene(MEETING)
    found = Tracklets.load(tmp_path / "tracklets.h5")
    ones = np.ones(3, np.float32)
    places = (np.array([0, 1, 1], np.int32), np.array([0, 0, 2], np.int32), np.array([5, 3, 4], np.int32))
    counts = np.concatenate([[9], found.animals]), np.array([0, 1, 1 + len(found)])
    identities = Identities(["other", "m"], [], *places, ones / 2, np.zeros(3, np.uint8), *counts, gap=0.0)
    made = make_scene(Blobs.load(path), found, identities, "m")
    assert made.occupants == {0: [(3, 0.5)], 2: [(4, 0.5)]}
    assert made.parents == {2: [0, 1], 3: [2], 4: [2]}
    assert made.children == {0: [2], 1: [2], 2: [3, 4]}
    assert made.variances == pytest.approx((BODY[0] ** 2 / 4, BODY[1] ** 2 / 4), rel=0.1)  # those of a single animal


def write_points(folder, truth, jitter=0.0, rng=None, missing=()):
    """Body points of two animals, a layer of DUSTrack per movie: the centre of each animal, known in all frames but the missing ones."""
    noise = np.zeros(truth.shape) if rng is None else rng.normal(0, jitter, truth.shape)
    places = truth + noise
    layer = {f"centre{k}": {str(t): places[t, k].tolist() for t in range(len(truth)) if t not in missing} for k in range(truth.shape[1])}
    (folder / "points.json").write_text(json.dumps(layer))
    return folder / "points.json"


def test_body_points_are_smoothed_with_the_positions(tmp_path, scene, rng):
    poses = write_points(tmp_path, PARALLEL, 1.5, rng, missing=range(20, 23))
    positions = run(tmp_path, scene(PARALLEL), files={"poses": poses}, fill=3)
    found = BodyPoints.load(tmp_path / "points.h5")
    assert (found.individuals, found.points) == (["animal"], ["centre0", "centre1"])
    assert len(found.frame) == 2 * FRAMES
    truth = PARALLEL[found.frame, found.point]
    raw, smoothed = np.hypot(*(np.stack([found.x_raw, found.y_raw], 1) - truth).T), np.hypot(*(np.stack([found.x, found.y], 1) - truth).T)
    assert smoothed.mean() < 0.6 * raw.mean()
    assert (found.source == np.where(np.isin(found.frame, range(20, 23)), INTERPOLATED, GIVEN)).all()
    assert np.isfinite(found.disagreement).all()
    assert np.isnan(found.likelihood).all()
    alone = run(tmp_path, tmp_path / "segment" / "m.h5")
    assert np.array_equal(positions.x, alone.x)
    assert len(BodyPoints.load(tmp_path / "points.h5").frame) == 0


def test_without_smoothing_body_points_are_those_of_the_file(tmp_path, scene, rng):
    poses = write_points(tmp_path, PARALLEL, 1.5, rng, missing=[7])
    run(tmp_path, scene(PARALLEL), files={"poses": poses}, method="none")
    found = BodyPoints.load(tmp_path / "points.h5")
    np.testing.assert_array_equal(as_poses(found).xy, read_poses([poses]).xy)


def test_body_points_of_another_movie_are_a_clear_error(tmp_path, scene, capsys):
    path = scene(PARALLEL)
    with pytest.raises(SystemExit):
        run(tmp_path, path, files={"poses": write_points(tmp_path, PARALLEL + 200)})
    message = capsys.readouterr().err
    assert "centre0 of animal in frame 0" in message
    assert "outside the frame of 160x120 px" in message


def test_corrections_are_smoothed_in_and_say_so(tmp_path, scene):
    wrong = PARALLEL.copy()
    wrong[18:22, 0] += (0, 12)
    path = scene(PARALLEL, seen_at=wrong)
    before = run(tmp_path, path)
    lines = [f"m,{t},animal0,,{PARALLEL[t, 0, 0]},{PARALLEL[t, 0, 1]}" for t in range(18, 22)]
    (tmp_path / "corrections.csv").write_text("\n".join(["movie,frame,individual,point,x,y", *lines, "elsewhere,3,nobody,,1,1"]))
    after = run(tmp_path, path, files={"corrections": tmp_path / "corrections.csv"})
    mine = (after.individual == 0) & np.isin(after.frame, range(18, 22))
    assert (after.source[mine] == FROM_CORRECTED).all()
    assert (after.source[~mine] == FROM_SINGLE).all()
    assert errors_px(before, PARALLEL).max() > 5
    assert errors_px(after, PARALLEL).max() < 0.7


def write_corrections(folder, places, point=""):
    """A table of corrections of the first animal, `places` by frame."""
    lines = [f"m,{t},{'animal' if point else 'animal0'},{point},{x},{y}" for t, (x, y) in places.items()]
    (folder / "corrections.csv").write_text("\n".join(["movie,frame,individual,point,x,y", *lines]))
    return {"corrections": folder / "corrections.csv"}


@pytest.mark.parametrize("engine", ["numba", "opencv"])
@pytest.mark.parametrize("truth", [PARALLEL, MEETING])
def test_corrections_are_published_as_given_and_drag_nobody(tmp_path, scene, truth, engine):
    path = scene(truth)
    before = run(tmp_path, path, engine=engine)
    # Far off, out of the frame, a little beside, two beside each other, and right: before, in and after the contact of those who meet.
    # In the contact they stay nearer to their own place than to that of the other one: they would exchange the two otherwise.
    offsets = {3: (90, 40), 4: (-60, 0), 12: (0, -9), 20: (4, -3), 21: (5, -3), 30: (0, 0), 36: (-3, 40)}
    places = {t: tuple((truth[t, 0] + by).round(2).tolist()) for t, by in offsets.items()}
    after = run(tmp_path, path, files=write_corrections(tmp_path, places), engine=engine)
    mine = (after.individual == 0) & np.isin(after.frame, list(places))
    assert [(x, y) for x, y in zip(after.x[mine], after.y[mine], strict=True)] == list(places.values())
    assert (after.source[mine] == FROM_CORRECTED).all()
    assert (after.confidence[mine] == 1).all()
    assert not after.jump[mine].any()
    moved = np.hypot(after.x - before.x, after.y - before.y)[~mine]
    assert moved.max() < 1.5


def test_corrected_body_points_are_published_as_given_and_drag_nobody(tmp_path, scene, rng):
    poses = write_points(tmp_path, PARALLEL, 0.5, rng)
    places = {9: (100.5, 90.25), 20: (70.0, 45.0), 21: (72.0, 46.0)}
    files = {"poses": poses, **write_corrections(tmp_path, places, "centre0")}
    run(tmp_path, scene(PARALLEL), files=files)
    found = BodyPoints.load(tmp_path / "points.h5")
    given = found.source == CORRECTED
    assert [(x, y) for x, y in zip(found.x[given], found.y[given], strict=True)] == list(places.values())
    error = np.hypot(*(np.stack([found.x, found.y], 1) - PARALLEL[found.frame, found.point]).T)
    assert error[~given].max() < 1.5


@pytest.fixture
def leaping(rng):
    """Animals that are somewhere else in each frame, each in a half of its own."""
    return np.stack([rng.uniform((20, y - 12), (140, y + 12), (FRAMES, 2)) for y in (35.0, 85.0)], 1)


def test_animals_that_the_flow_loses_stay_where_they_were_found(tmp_path, scene, leaping):
    poses = write_points(tmp_path, leaping)
    path = scene(leaping)
    found = run(tmp_path, path, files={"poses": poses})
    points = BodyPoints.load(tmp_path / "points.h5")
    for table in (found, points):
        assert np.array_equal(table.x, table.x_raw)
        assert np.array_equal(table.y, table.y_raw)
        assert np.isnan(table.disagreement).all()
    assert found.windows.tolist() == [0]
    assert found.agreement[0] < 0.5
    assert found.points_agreement[0] < 0.5
    published = run(tmp_path, path, engine="opencv")
    assert np.hypot(published.x - published.x_raw, published.y - published.y_raw).mean() > 5
    assert np.isnan(published.agreement).all()


def test_one_leap_stays_and_all_else_is_smoothed(tmp_path, scene, rng):
    truth = PARALLEL.copy()
    truth[20:, 1, 0] -= 55
    seen_at = truth + rng.normal(0, 0.5, truth.shape)
    found = run(tmp_path, scene(truth, seen_at=seen_at))
    raw, smoothed = errors_px(found, truth, "_raw"), errors_px(found, truth)
    assert smoothed.max() < raw.max() + 0.1
    assert smoothed.mean() < 0.8 * raw.mean()
    assert 0.8 < found.agreement[0] <= 1
    assert np.isnan(found.points_agreement).all()


def test_threads_do_not_change_a_bit(tmp_path, scene, rng):
    path = scene(PARALLEL, seen_at=PARALLEL + rng.normal(0, 1.5, PARALLEL.shape))
    one, two = run(tmp_path, path), run(tmp_path, path, threads=2)
    assert np.array_equal(one.x, two.x)
    assert np.array_equal(one.disagreement, two.disagreement)


def test_disagreement_is_large_where_blobs_and_flow_do_not_agree(tmp_path, scene, rng):
    shaken = PARALLEL.copy()
    shaken[:, 1] += rng.normal(0, 2.5, shaken[:, 1].shape)
    found = run(tmp_path, scene(PARALLEL, seen_at=shaken))
    calm, wild = (found.disagreement[found.individual == k].mean() for k in (0, 1))
    assert calm < 0.5
    assert wild > 2


def test_the_engine_opencv_is_near(tmp_path, scene):
    path = scene(PARALLEL)
    assert np.abs(run(tmp_path, path).x - run(tmp_path, path, engine="opencv").x).max() < 0.05
