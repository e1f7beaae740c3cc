"""Mosaics: a tile for each animal, in its order and with its name, and a grid that fits any number of them."""

import numpy as np
import pytest

from herdbook.drawing import marks as drawing
from herdbook.drawing.mosaic import GROUND, LEAST_TILE_PX, Mosaic, choose_grid, fitting_label, share_tiles
from herdbook.drawing.views import View
from herdbook.stages import mosaic
from tests.support.tracked_movie_files import GREY, read_movie, run_movie_stage, write_tracked_movie

CAPTION = "0:00:00.0 · frame 0"


def view(individual, first, count, place=100.0):
    return View(individual, first, np.full(count, place), np.full(count, place), np.zeros(count))


@pytest.mark.parametrize("tiles", [1, 2, 3, 5, 7, 16, 37, 100, 300])
def test_tiles_do_not_overlap_and_stay_inside(tiles):
    grid = choose_grid(tiles, 1280, 20)
    width, height = grid.size
    covered = np.zeros((height, width), int)
    for tile in range(tiles):
        covered[grid.part(tile)] += 1
    assert covered.max() == 1
    assert covered.sum() == tiles * grid.tile_px**2
    assert not covered[:20].any()
    assert width <= 1280 or grid.tile_px == LEAST_TILE_PX
    assert grid.columns * (grid.rows - 1) < tiles <= grid.columns * grid.rows


@pytest.mark.parametrize(("tiles", "columns", "rows"), [(1, 1, 1), (2, 2, 1), (4, 2, 2), (8, 4, 2), (15, 5, 3), (100, 13, 8)])
def test_the_grid_has_the_shape_of_a_screen(tiles, columns, rows):
    grid = choose_grid(tiles, 1280, 0)
    assert (grid.columns, grid.rows) == (columns, rows)


def test_tiles_are_shared_only_by_animals_that_are_not_there_together(rng):
    views = [view(k, int(first), int(count)) for k, (first, count) in enumerate(rng.integers(1, 60, (80, 2)))]
    tiles = share_tiles(views)
    at_once = [sum(v.first <= place < v.end for v in views) for place in range(130)]
    assert max(tiles) + 1 == max(at_once)
    for place in range(130):
        there = [tile for v, tile in zip(views, tiles, strict=True) if v.first <= place < v.end]
        assert len(set(there)) == len(there)


@pytest.mark.parametrize("name", ["A", "an animal with a name that nobody can read", "Ω" * 80])
@pytest.mark.parametrize("width", [48, 300])
def test_a_name_fits_its_tile(name, width):
    label = fitting_label(name, width, 16)
    assert label.size[0] <= width
    assert label.letters.max() > 0.5
    if name == "A":
        assert label.size == drawing.make_label(name, 16).size


def test_each_animal_is_in_its_own_tile_under_its_name_even_where_it_is_not_seen(rng):
    frame = np.full((300, 300, 3), GREY, np.uint8)
    frame[100:132, 100:132] = (250, 60, 10)
    tiles = Mosaic([view(1, 0, 3), view(2, 1, 1)], ["x", "y", "z"], 32, 640, lasting=True)
    picture = tiles.picture(frame, 0, CAPTION)
    assert picture.shape == (*tiles.grid.size[::-1], 3)
    middle = tiles.grid.tile_px // 2
    levels = [picture[tiles.grid.part(tile)][middle, middle] for tile in range(3)]
    assert np.abs(levels[1].astype(int) - (250, 60, 10)).max() <= 1
    assert np.array_equal([levels[0], levels[2]], [GROUND, GROUND])
    for tile, dim in enumerate((True, False, True)):
        corner = picture[tiles.grid.part(tile)][:20, :20].astype(int)
        assert (np.abs(corner - (GROUND if dim else (250, 60, 10))).max(axis=-1) > 40).any(), tile


def test_the_mosaic_is_written_with_a_tile_for_each_animal(tmp_path, rng):
    places = np.full((6, 3, 2), 60.0) + np.arange(3)[None, :, None] * 40
    places[:4, 2] = np.nan
    images = [rng.integers(0, 256, (200, 200, 3), dtype=np.uint8) // 8 + 112 for _ in range(6)]
    for image in images:
        image[52:68, 52:68] = (255, 0, 0)
    write_tracked_movie(tmp_path, places, names=("a", "b", "c"), images=images, crf=5)
    movie, rate, times = read_movie(run_movie_stage(mosaic, tmp_path, "out/m.mp4", marking="unmarked", max_width=640))
    assert (len(movie), rate) == (6, pytest.approx(20))
    assert times == pytest.approx(np.arange(6) / 20, abs=1e-3)
    assert movie.shape[2] <= 640
    blue, red = movie[..., 0].astype(int), movie[..., 2].astype(int)
    thirds = np.array_split(blue - red, 3, axis=2)
    assert [bool((third > 150).mean() > 0.5) for third in thirds] == [True, False, False]
    dark = [np.array_split(image[40:].max(axis=2), 3, axis=1)[2][-60:, -60:].max() < 50 for image in movie]
    assert dark == [True] * 4 + [False] * 2


@pytest.mark.parametrize(("frames", "animals"), [(1, 1), (2, 0), (2, 100)])
def test_mosaic_of_any_number_of_animals(tmp_path, rng, frames, animals):
    write_tracked_movie(tmp_path, rng.uniform(0, 160, (frames, animals, 2)), size=(161, 141), pixel_format="gray")
    movie, _, _ = read_movie(run_movie_stage(mosaic, tmp_path, "out/m.mp4", head_up=True))
    assert len(movie) == frames
    assert 1.3 < movie.shape[2] / movie.shape[1] < 2.2 or animals < 2


def test_fragments_share_tiles(tmp_path):
    places = np.full((8, 4, 2), np.nan)
    for k in range(4):
        places[2 * k : 2 * k + 2, k] = 80
    write_tracked_movie(tmp_path, places)
    alone, _, _ = read_movie(run_movie_stage(mosaic, tmp_path, "one.mp4"))
    four, _, _ = read_movie(run_movie_stage(mosaic, tmp_path, "four.mp4", marking="unmarked"))
    shown = [np.abs(movie[:, -200:, -200:].astype(int) - GREY).max(axis=(1, 2, 3)) < 12 for movie in (alone, four)]
    assert shown[0].all()
    assert np.flatnonzero(shown[1]).tolist() == [6, 7]
