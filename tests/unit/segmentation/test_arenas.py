"""Arenas: pixels, blobs, tracklets and names of closed groups; no animal leaves its arena."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from scipy.special import logsumexp

from herdbook.artifacts.propagate import Identities
from herdbook.artifacts.segment import Blobs, open_blob_images
from herdbook.artifacts.tracklets import Tracklets
from herdbook.artifacts.trainset import TrainingSet
from herdbook.commands.check import check_experiment
from herdbook.errors import HerdbookError
from herdbook.experiment.file import parse_experiment
from herdbook.experiment.frame_faults import arena_faults
from herdbook.experiment.tracking import PropagateSection
from herdbook.geometry.regions import ellipse_mask, polygon_mask
from herdbook.geometry.runs import runs_to_mask
from herdbook.identity.evidence import restrict_evidence
from herdbook.segmentation.arenas import arena_edges, map_arenas, split_touching
from herdbook.stages import propagate, trainset
from herdbook.tracklets.linking import Links, link_by_motion
from tests.support.classifier_cases import settings_of, write_background
from tests.support.identity_cases import Body, Track, arguments, write_evidence
from tests.support.identity_cases import write_movie as write_artifacts
from tests.support.stage_chain import Chain

SIZE, GROUND, ANIMAL = (240, 120), 200, 60
SHAPE = SIZE[::-1]


def disc(x: float, y: float = 60, radius: float = 50) -> dict[str, Any]:
    return {"ellipse": {"centre": [x, y], "axes": [radius, radius]}}


def box(x0: float, y0: float, x1: float, y1: float) -> dict[str, Any]:
    return {"polygon": [[x0, y0], [x1, y0], [x1, y1], [x0, y1]]}


LEFT, RIGHT = {"name": "left", "include": [disc(60)]}, {"name": "right", "include": [disc(180)]}
HALVES = [{"name": "left", "include": [box(0, 0, 120, 120)]}, {"name": "right", "include": [box(120, 0, 240, 120)]}]


def masks_by_arena(path: Path) -> tuple[Blobs, np.ndarray]:
    """The blobs, and the pixels of each arena's blobs: (frames, 2, height, width)."""
    blobs = Blobs.load(path)
    masks = np.zeros((blobs.frames, 2, blobs.height, blobs.width), bool)
    with open_blob_images(path) as images:
        runs, offsets = images.runs(0, len(blobs))
    for k in range(len(blobs)):
        masks[blobs.frame[k], blobs.arena[k]] |= runs_to_mask(runs[offsets[k] : offsets[k + 1]], 0, 0, blobs.width, blobs.height)
    return blobs, masks


# Pixels


def test_arenas_are_numbered_in_their_order_and_the_rest_belongs_to_none():
    number = map_arenas([LEFT, RIGHT], SHAPE)
    assert np.array_equal(number == 0, ellipse_mask(SHAPE, (60, 60), (50, 50)))
    assert np.array_equal(number == 1, ellipse_mask(SHAPE, (180, 60), (50, 50)))
    assert np.array_equal(np.unique(number), [-1, 0, 1])
    assert (map_arenas([], SHAPE) == 0).all()


def test_only_what_is_excluded_is_missing_from_the_frame():
    holes = ellipse_mask(SHAPE, (60, 60), (20, 20)) | polygon_mask(SHAPE, [(150, 20), (190, 20), (190, 50), (150, 50)])
    for arena in (
        {"exclude": [disc(60, 60, 20), box(150, 20, 190, 50)]},
        {"regions": [{"exclude": disc(60, 60, 20)}, {"exclude": box(150, 20, 190, 50)}]},
    ):
        assert np.array_equal(map_arenas([arena], SHAPE) < 0, holes)


def test_an_island_in_a_moat_belongs_to_the_arena():
    moat = [{"include": disc(60)}, {"exclude": disc(60, 60, 30)}, {"include": disc(60, 60, 10)}]
    inside = map_arenas([{"regions": moat}], SHAPE) == 0
    large, ring, island = (ellipse_mask(SHAPE, (60, 60), (r, r)) for r in (50, 30, 10))
    assert np.array_equal(inside, large & ~ring | island)


@pytest.mark.parametrize("kind", ["grey", "colour", "transparent", "deep"])
def test_a_mask_image_is_the_arena_where_it_is_not_black(tmp_path, kind):
    inside = ellipse_mask(SHAPE, (60, 60), (40, 25))
    pixels = inside.astype(np.uint8)
    if kind == "colour":
        pixels = np.stack([0 * pixels, 0 * pixels, 9 * pixels], 2)
    elif kind == "transparent":
        pixels = np.dstack([pixels, pixels, pixels, np.full_like(pixels, 255)])
    elif kind == "deep":
        pixels = 256 * inside.astype(np.uint16)
    cv2.imwrite(str(tmp_path / "m.png"), pixels)
    arena = {"mask": "m.png", "exclude": [disc(60, 60, 5)]}
    assert np.array_equal(map_arenas([RIGHT, arena], SHAPE, [tmp_path / "m.png"]) == 1, inside & ~ellipse_mask(SHAPE, (60, 60), (5, 5)))


@pytest.mark.parametrize(
    ("content", "expected"),
    [(None, "cannot be read"), (b"no image", "cannot be read"), (np.ones((60, 80), np.uint8), r"is 80 x 60 px, the movie 240 x 120 px")],
)
def test_an_unusable_mask_is_reported_with_its_arena(tmp_path, content, expected):
    path = tmp_path / "dish.png"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        cv2.imwrite(str(path), content)
    with pytest.raises(HerdbookError, match=rf"dish\.png: the mask of the arena 'left' {expected}"):
        map_arenas([LEFT | {"mask": "dish.png"}], SHAPE, [path])


def test_arenas_that_overlap_are_refused_by_name_and_all_at_once():
    arenas = [LEFT, {"name": "middle", "include": [box(100, 0, 140, 120)]}, RIGHT, {"name": "none", "exclude": [box(-1, -1, 250, 130)]}]
    with pytest.raises(HerdbookError) as caught:
        map_arenas(arenas, SHAPE)
    shared = (ellipse_mask(SHAPE, (60, 60), (50, 50)) & polygon_mask(SHAPE, [(100, 0), (140, 0), (140, 120), (100, 120)])).sum()
    assert f"the arenas 'left' and 'middle' overlap in {shared} px" in str(caught.value)
    assert "the arenas 'middle' and 'right' overlap" in str(caught.value)
    assert "the arena 'none' contains no pixel" in str(caught.value)
    assert "'left' and 'right'" not in str(caught.value)


def test_separate_arenas_need_one_mask_and_touching_ones_two():
    assert len(split_touching(map_arenas([LEFT, RIGHT], SHAPE))) == 1
    for corner in ([box(0, 0, 120, 60), box(120, 60, 240, 120)], [box(120, 0, 240, 60), box(0, 60, 120, 120)]):  # touch at a corner
        parts = split_touching(map_arenas([{"name": str(k), "include": [region]} for k, region in enumerate(corner)], SHAPE))
        assert len(parts) == 2


def test_no_two_arenas_touch_in_a_part_and_no_pixel_is_lost(rng):
    for _ in range(20):
        corners = [(x, y) for x in range(0, 240, 40) for y in range(0, 120, 40) if rng.random() < 0.8]
        number = map_arenas([{"name": f"{x} {y}", "include": [box(x, y, x + rng.choice([40, 38]), y + 40)]} for x, y in corners], SHAPE)
        parts = split_touching(number)
        assert len(parts) <= 4
        assert np.array_equal(np.sum(parts, axis=0), number >= 0)
        for part in parts:
            _, label = cv2.connectedComponents(part.astype(np.uint8), connectivity=8)
            assert all(len(np.unique(number[label == k])) == 1 for k in range(1, label.max() + 1))


def test_the_edge_of_an_arena_is_where_it_meets_anything_else():
    edge = arena_edges(map_arenas(HALVES, SHAPE))
    expected = np.ones(SHAPE, bool)
    expected[1:-1, 1:119] = expected[1:-1, 121:-1] = False
    assert np.array_equal(edge, expected)


# Experiment file


def experiment(folder: Path, arenas: list[dict[str, Any]], **animals: Any):
    marked = {"marking": "marked", "labels": "labels.csv"} if "identities" in animals or "marking" not in animals else {}
    raw = {"experiment": "e", "movies": [{"name": "m", "file": "m.mp4"}], "animals": marked | animals, "arenas": arenas}
    return parse_experiment(raw, folder / "e.yaml")


AB, CD = {"identities": ["A", "B"]}, {"identities": ["C", "D"]}


@pytest.mark.parametrize(
    ("arenas", "animals", "expected"),
    [
        ([LEFT | AB, LEFT | CD], {}, "the arena 'left' is named twice"),
        ([LEFT | AB, RIGHT | {"identities": ["B"]}], {}, "the identity 'B' is in 2 arenas ('left', 'right')"),
        ([LEFT | {"identities": ["A", "A"]}, RIGHT | CD], {}, "the identity 'A' is in 2 arenas ('left', 'left')"),
        ([LEFT | AB, RIGHT | CD], {"identities": ["A", "B", "C", "D", "E"]}, "the identity 'E' is in no arena"),
        ([LEFT | AB], {"identities": ["A", "B", "C"]}, "the identity 'C' is in no arena"),
        ([LEFT, RIGHT], {"identities": ["A"]}, "the identity 'A' is in no arena"),
        (
            [LEFT | AB, RIGHT | {"identities": ["Cc"]}],
            {"identities": ["A", "B", "CC"]},
            "arena 'right': animals.identities have no 'Cc'; did you mean 'CC'?",
        ),
        ([LEFT | AB | {"number": 1}, RIGHT | CD], {}, "arena 'left': number: 1 animals cannot have 2 identities"),
        ([LEFT | AB, RIGHT | CD], {"number": 5}, "animals.number is 5, but 4 live in the arenas (left: 2, right: 2)"),
        ([LEFT | {"number": 3}], {"marking": "none", "number": 2}, "animals.number is 2, but 3 live in the arenas (left: 3)"),
        ([LEFT | AB, RIGHT], {}, "the number of animals is not given for the arenas 'right'"),
        ([LEFT, RIGHT], {"marking": "none", "number": 5}, "the number of animals is not given for the arenas 'left', 'right'"),
        ([LEFT | {"number": 2}, RIGHT], {"marking": "none"}, "the number of animals is not given for the arenas 'right'"),
        (
            [LEFT | {"regions": [{"include": disc(9)}]}],
            {"marking": "none"},
            "either regions, which are applied in their order, or include and exclude",
        ),
        ([{"regions": [{"include": disc(9), "exclude": disc(8)}]}], {"marking": "none"}, "a step includes or excludes one region"),
    ],
)
def test_what_does_not_fit_between_arenas_and_animals_is_reported(tmp_path, arenas, animals, expected):
    with pytest.raises(HerdbookError) as caught:
        experiment(tmp_path, arenas, **animals)
    assert expected in str(caught.value)


def test_animals_that_the_arenas_name_are_those_of_the_experiment(tmp_path):
    named = experiment(tmp_path, [LEFT | AB | {"number": 3}, RIGHT | CD])
    assert named.animals.identities == ["A", "B", "C", "D"]
    assert named.number == 5
    assert json.loads(named.settings("tracklets"))["numbers"] == [3, 2]
    assert json.loads(named.settings("propagate"))["homes"] == [["A", "B"], ["C", "D"]]
    turned = experiment(tmp_path, [LEFT | AB, RIGHT | CD], identities=["D", "B", "A", "C"])
    assert json.loads(turned.settings("propagate"))["homes"] == [["B", "A"], ["D", "C"]]


@pytest.mark.parametrize(
    ("arenas", "animals", "numbers"),
    [
        ([], {"marking": "none"}, [None]),
        ([], {"marking": "none", "number": 3}, [3]),
        ([LEFT], {"marking": "none", "number": 3}, [3]),
        ([LEFT | {"number": 4}], {"marking": "none"}, [4]),
        ([LEFT], {"identities": ["A", "B"]}, [2]),
        ([LEFT | AB], {}, [2]),
        ([LEFT, RIGHT], {"marking": "none"}, [None, None]),
        ([LEFT | {"number": 2}, RIGHT | {"number": 5}], {"marking": "none"}, [2, 5]),
    ],
)
def test_each_arena_has_its_own_number_if_it_is_known(tmp_path, arenas, animals, numbers):
    found = experiment(tmp_path, arenas, **animals)
    assert json.loads(found.settings("tracklets"))["numbers"] == numbers
    assert found.number == (None if None in numbers else sum(numbers))


def test_a_stage_gets_only_the_settings_of_arenas_that_it_needs(tmp_path):
    arenas = [LEFT | AB, RIGHT | CD]
    before = experiment(tmp_path, arenas)
    moved = experiment(tmp_path, [LEFT | {"identities": ["A", "C"]}, RIGHT | {"identities": ["B", "D"]}], identities=["A", "B", "C", "D"])
    shifted = experiment(tmp_path, [LEFT | AB | {"include": [disc(59)]}, RIGHT | CD])
    counted = experiment(tmp_path, [LEFT | AB | {"number": 3}, RIGHT | CD])
    stages = (
        "index",
        "background",
        "segment",
        "tracklets",
        "trainset",
        "train",
        "classify",
        "propagate",
        "smooth",
        "export",
        "report",
        "overlay",
    )

    def told(other, before=before):
        return {stage for stage in stages if other.settings(stage) != before.settings(stage)}

    def of_labelled_images(one):
        return one.model_copy(update={"train": one.train.model_copy(update={"architecture": "small"})})

    # One network learns from all tracklets, in each arena as many animals as live there.
    assert told(moved) == {"trainset", "train", "propagate"}
    assert told(shifted) == {"segment"}
    assert told(counted) == {"tracklets", "trainset", "train", "propagate", "report"}
    # One that learns from labelled images alone knows nothing of it.
    assert told(of_labelled_images(moved), of_labelled_images(before)) == {"trainset", "propagate"}
    assert told(of_labelled_images(counted), of_labelled_images(before)) == {"tracklets", "propagate", "report"}


def test_masks_are_relative_to_the_experiment_file_and_passed_by_name(tmp_path):
    found = experiment(tmp_path, [{"name": "dish", "mask": "images/dish.png"}], marking="none")
    assert found.masks == {"dish": str(tmp_path / "images" / "dish.png")}
    assert json.loads(found.settings("segment"))["arenas"] == [{"name": "dish", "mask": "dish.png"}]


def test_regions_outside_the_frame_are_named_by_their_place():
    (fault,) = arena_faults([{"name": "dish", "regions": [{"include": disc(60)}, {"exclude": disc(400)}]}], *SIZE)
    assert "arena 'dish', regions 2, exclude (ellipse): lies outside the frame" in fault


def test_the_check_finds_arenas_that_overlap_and_masks_of_another_size(tmp_path, write_movie):
    write_movie("m.mp4", [np.full(SHAPE, GROUND, np.uint8)] * 5)
    cv2.imwrite(str(tmp_path / "small.png"), np.ones((60, 80), np.uint8))
    overlapping = experiment(tmp_path, [LEFT, LEFT | {"name": "again"}], marking="none")
    assert any("the arenas 'left' and 'again' overlap" in fault for fault in check_experiment(overlapping).faults)
    small = experiment(tmp_path, [{"name": "dish", "mask": "small.png"}], marking="none")
    assert any("small.png: the mask of the arena 'dish' is 80 x 60 px" in fault for fault in check_experiment(small).faults)


# Blobs and tracklets


def circling(t: int) -> list[tuple[float, float, float, float, float]]:
    """Two animals in the left dish, three in the right one, at the same places of their dishes but for the third."""
    places = [
        (x + radius * np.cos(t / 9 + turn), 60 + radius * np.sin(t / 9 + turn)) for x in (60, 180) for radius, turn in ((35, 0), (15, 2))
    ]
    return [(x, y, 8, 4, 0) for x, y in [*places, (180 - 35 * np.cos(t / 9), 60 - 35 * np.sin(t / 9))]]


@pytest.fixture
def chain(tmp_path, write_movie, draw):
    """An experiment on a drawn movie; its frames are lists of animals, or masks."""

    def make(frames, *, folder="run", **sections):
        masks = [frame if isinstance(frame, np.ndarray) else draw(frame, SIZE) for frame in frames]
        images = [np.where(mask, ANIMAL, GROUND).astype(np.uint8) for mask in masks]
        movie = write_movie("m.mp4", images, pixel_format="gray", keyframe_interval=10)
        return Chain(tmp_path / folder, movie, **{"segment": {"area": [5, 10_000]}} | sections)

    return make


def test_animals_are_counted_in_each_dish_by_its_own_number(chain):
    made = chain([circling(t) for t in range(60)], arenas=[LEFT | {"number": 2}, RIGHT | {"number": 3}])
    found = Tracklets.load(made.run("index", "background", "segment", "tracklets"))
    for arena, number in enumerate((2, 3)):
        in_view = [found.animals[(found.arena == arena) & (found.first <= t) & (t <= found.last)].sum() for t in range(60)]
        assert set(in_view) == {number}


def test_the_size_of_one_animal_is_that_of_its_own_dish(chain):
    frames = [
        [(60 + 30 * np.cos(t / 9), 60 + 30 * np.sin(t / 9), 14, 7, 0), *((180 + dx + t / 4, 60 + dx, 7, 3, 0) for dx in (-25, 0, 25))]
        for t in range(60)
    ]
    made = chain(frames, arenas=[LEFT, RIGHT])
    assert set(Tracklets.load(made.run("index", "background", "segment", "tracklets")).animals.tolist()) == {1}
    together = chain(frames, folder="joint")
    assert set(Tracklets.load(together.run("index", "background", "segment", "tracklets")).animals.tolist()) > {1}


@pytest.mark.parametrize("segment", [{}, {"close": 2}, {"fill_holes": True}], ids=str)
def test_animals_that_touch_over_the_border_of_two_arenas_stay_two(chain, draw, segment):
    frames = [draw([(112, 20 + t, 9, 4, 0), (129, 20 + t, 9, 4, 0), (20, 100 - t, 9, 4, 0)], SIZE) for t in range(60)]
    made = chain(frames, arenas=HALVES, segment={"area": [5, 10_000], **segment})
    blobs, masks = masks_by_arena(made.run("index", "background", "segment"))
    assert np.array_equal(masks[:, 0, :, :120], np.array(frames)[:, :, :120])
    assert np.array_equal(masks[:, 1, :, 120:], np.array(frames)[:, :, 120:])
    assert not masks[:, 0, :, 120:].any()
    assert not masks[:, 1, :, :120].any()
    assert blobs.border[np.abs(blobs.x - 120) < 20].all()
    found = Tracklets.load(made.run("tracklets"))
    assert sorted(zip(found.first, found.last, found.arena, strict=True)) == [(0, 59, 0), (0, 59, 0), (0, 59, 1)]
    assert len(found.edges) == 0
    whole = Tracklets.load(chain(frames, folder="joint").run("index", "background", "segment", "tracklets"))
    assert len(whole) == 2


def test_an_animal_that_vanishes_here_is_not_linked_to_one_that_appears_there():
    frame, x = np.array([0, 1, 2, 3], np.int32), np.array([10.0, 12, 14, 16])
    one, area = np.array([0]), np.full(4, 50, np.int32)
    links = Links(one, one + 1, np.ones(1))

    def linked(group):
        found = link_by_motion(links, frame, x, 0 * x, area, max_step_px=9, bridge_frames=2, group=group)
        return set(zip(found.parent.tolist(), found.child.tolist(), strict=True))

    assert linked(np.array([0, 0, 0, 0])) == linked(None) == {(0, 1), (1, 2), (2, 3)}
    assert linked(np.array([0, 0, 1, 1])) == {(0, 1), (2, 3)}
    assert linked(np.array([0, 0, 1, 0])) == {(0, 1), (1, 3)}


def test_a_mask_image_gives_the_same_blobs_as_its_regions(tmp_path, chain):
    inside = ellipse_mask(SHAPE, (60, 60), (50, 50))
    cv2.imwrite(str(tmp_path / "dish.png"), inside.astype(np.uint8) * 255)
    frames = [circling(t) for t in range(30)]
    by_mask = masks_by_arena(
        chain(frames, folder="a", arenas=[{"mask": str(tmp_path / "dish.png")}]).run("index", "background", "segment")
    )[1]
    by_region = masks_by_arena(chain(frames, folder="b", arenas=[LEFT]).run("index", "background", "segment"))[1]
    assert by_mask.any()
    assert np.array_equal(by_mask, by_region)


def test_an_overlap_stops_the_stage_with_both_names(chain, capsys):
    made = chain([circling(t) for t in range(3)], arenas=[LEFT, {"name": "all"}])
    with pytest.raises(SystemExit):
        made.run("index", "background", "segment")
    assert "the arenas 'left' and 'all' overlap" in capsys.readouterr().err


# Names


def named(found: Identities) -> dict[int, str]:
    return {int(t): found.individuals[i] for t, i in zip(found.tracklet, found.individual, strict=True)}


@pytest.fixture
def name_animals(tmp_path):
    """Who is in which tracklet, from the evidence of each; A and B live in the first arena, C and D in the second."""

    def run(tracks, evidence, frames=20, *, homes=(("A", "B"), ("C", "D")), labelled=None, **more):
        identities = [name for home in homes for name in home]
        blobs, tracklets = write_artifacts(tmp_path, "m", tracks, frames=frames, **more)
        found = write_evidence(tmp_path, "m", [*identities, "dirt"], evidence, labelled)
        section = PropagateSection().model_dump() | {"identities": identities, "homes": homes, "marking": "marked"}
        section["groups"] = [{} for _ in homes]
        section["numbers"] = [len(home) for home in homes]
        files = {"blobs": [blobs], "tracklets": [tracklets], "evidence": [found], "out": tmp_path / "day.h5"}
        propagate.main(arguments(files, section))
        return Identities.load(tmp_path / "day.h5")

    return run


WEST, EAST = [Body(30, y) for y in (30, 90)], [Body(120, y) for y in (30, 90)]
BOTH = [Track(0, 19, (body,), arena=arena) for arena, bodies in enumerate((WEST, EAST)) for body in bodies]


def test_an_animal_never_gets_a_name_of_another_arena(name_animals):
    # The classifier confuses each animal with its double in the other dish.
    evidence = [{"C": 9, "A": -4, "B": -20, "D": -20}, {"D": 9, "B": -4, "A": -20, "C": -20}]
    evidence += [{"A": 9, "C": -4, "D": -20, "B": -20}, {"B": 9, "D": -4, "C": -20, "A": -20}]
    assert named(name_animals(BOTH, evidence)) == {0: "A", 1: "B", 2: "C", 3: "D"}


def test_names_of_another_arena_stay_forbidden_however_sure_the_images_are(name_animals, rng):
    for _ in range(5):
        evidence = [dict(zip("ABCD", rng.normal(0, 30, 4).tolist(), strict=True)) for _ in BOTH]
        for tracklet, name in named(name_animals(BOTH, evidence)).items():
            assert name in ("AB" if tracklet < 2 else "CD")


def test_no_name_passes_a_gap_between_arenas(name_animals):
    tracks = [Track(0, 9, (Body(78, 60),)), Track(11, 19, (Body(82, 60),), arena=1), Track(11, 19, (Body(74, 60),))]
    assert named(name_animals(tracks, [{"A": 9, "B": -9}, None, None])) == {0: "A", 2: "A"}


def test_an_arena_without_animals_has_no_names(name_animals):
    found = name_animals(BOTH, [{"A": 9, "B": -9}, {"B": 9, "A": -9}, {"A": 9}, {"B": 9}], homes=(("A", "B"), ()))
    assert named(found) == {0: "A", 1: "B"}


def test_evidence_among_those_that_can_be_there_is_bayes_rule(rng):
    probability = rng.dirichlet(np.ones(6), 50)
    evidence = np.log(probability * 6)
    allowed = rng.random((50, 4)) < 0.5
    allowed[:, 0] |= ~allowed.any(axis=1)
    found = restrict_evidence(evidence, allowed)
    assert (found[~allowed] == -np.inf).all()
    for row in range(50):
        possible = np.r_[allowed[row], True, True]
        posterior = probability[row, possible] / probability[row, possible].sum() * possible.sum()
        assert found[row, allowed[row]] == pytest.approx(np.log(posterior)[: allowed[row].sum()])


def test_evidence_is_left_as_it_is_where_all_can_be_there(rng):
    evidence = rng.normal(0, 40, (30, 6))
    assert np.array_equal(restrict_evidence(evidence, np.ones((30, 4), bool)), evidence[:, :4])
    half = restrict_evidence(evidence, np.tile([True, True, False, False], (30, 1)))
    assert half[:, 0] - half[:, 1] == pytest.approx(evidence[:, 0] - evidence[:, 1])
    assert logsumexp(half, axis=1).shape == (30,)


def test_a_label_in_another_arena_than_the_animal_s_own_is_noted_and_not_used(tmp_path):
    blobs, tracklets = write_artifacts(tmp_path, "m", BOTH, frames=20)
    table = tmp_path / "labels.csv"
    table.write_text("movie,frame,x,y,label\nm,0,30,30,A\nm,0,120,30,C\nm,4,120,90,B\nm,5,30,90,dirt\n")
    section = settings_of("trainset", list("ABCD"), ["dirt"]) | {"homes": ["AB", "CD"]}
    files = {"labels": table, "blobs": [blobs], "tracklets": [tracklets], "out": tmp_path / "trainset.h5"}
    files["background"] = [write_background(tmp_path, "m")]
    trainset.main(arguments(files, section))
    examples = TrainingSet.load(files["out"])
    assert [examples.classes[examples.label[examples.group == g][0]] for g in range(3)] == ["A", "dirt", "C"]
    assert examples.group_tracklet.tolist() == [0, 1, 2]
    assert "line 4 (m, frame 4, B): the animal lives in another arena" in examples.notes
