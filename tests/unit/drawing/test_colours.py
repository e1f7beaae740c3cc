import numpy as np
import pytest

from herdbook.drawing.colours import PALETTE, SOURCE_COLOURS, as_bgr, as_css, individual_colours

# Machado et al. 2009, IEEE TVCG 15:1291, severity 1, for linear RGB.
PROTANOPIA = np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]])
DEUTERANOPIA = np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]])


def cielab(colours, sight):
    share = np.asarray(colours) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    linear = np.clip(linear @ sight.T, 0, 1)
    to_xyz = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]])
    xyz = linear @ to_xyz.T / np.array([0.95047, 1.0, 1.08883])
    root = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.stack([116 * root[:, 1] - 16, 500 * (root[:, 0] - root[:, 1]), 200 * (root[:, 1] - root[:, 2])], axis=1)


def least_distance(colours, sight):
    lab = cielab(colours, sight)
    distance = np.linalg.norm(lab[:, None] - lab[None], axis=2)
    return distance[~np.eye(len(lab), dtype=bool)].min()


@pytest.mark.parametrize(("sight", "least"), [(np.eye(3), 33), (PROTANOPIA, 19), (DEUTERANOPIA, 19)])
def test_sixteen_individuals_are_reported_apart_by_all_kinds_of_sight(sight, least):
    assert len(PALETTE) == 16
    assert least_distance(PALETTE, sight) > least


@pytest.mark.parametrize("sight", [np.eye(3), PROTANOPIA, DEUTERANOPIA])
def test_sources_are_reported_apart_by_all_kinds_of_sight(sight):
    assert least_distance(SOURCE_COLOURS, sight) > 19


def test_colours_are_light_enough_for_a_dark_halo():
    assert cielab(PALETTE, np.eye(3))[:, 0].min() > 45


def test_a_few_individuals_have_different_colours_and_keep_them():
    names = [f"ant {n}" for n in range(16)]
    colours = individual_colours(names)
    assert len(np.unique(colours, axis=0)) == 16
    assert np.array_equal(individual_colours(names[:5]), colours[:5])


def test_the_colour_of_a_fragment_does_not_depend_on_the_others():
    names = [f"a_{n}" for n in range(3000)]
    of_all = dict(zip(names, individual_colours(names).tolist(), strict=True))
    some = names[100:2000:3]
    assert [of_all[name] for name in some] == individual_colours(some).tolist()
    assert len(np.unique(individual_colours(names), axis=0)) == 16


def test_no_individuals_have_no_colours():
    assert individual_colours([]).shape == (0, 3)


def test_colours_are_written_as_each_library_wants_them():
    colours = np.array([[1, 2, 255]], np.uint8)
    assert as_bgr(colours) == [(255, 2, 1)]
    assert as_css(colours) == ["#0102ff"]
