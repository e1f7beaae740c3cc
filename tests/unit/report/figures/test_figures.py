"""What stands in the report's pictures: data, colours, units, names."""

import numpy as np
import pytest

from herdbook.artifacts.smooth import FROM_SINGLE
from herdbook.report.figures import files as pictures
from herdbook.report.figures.classifier import plot_classifier
from herdbook.report.figures.files import as_picture
from herdbook.report.figures.motion import plot_spread
from herdbook.report.figures.pairs import plot_contacts, plot_distances
from herdbook.report.figures.space import (
    NOBODY_COLOUR,
    SEVERAL_COLOUR,
    FrameView,
    plot_background,
    plot_occupancy,
    plot_samples,
    plot_trajectories,
    view_of,
)
from herdbook.report.figures.time import plot_expected_error, plot_timeline
from herdbook.report.motion_summaries import Measure, spread_of
from herdbook.report.samples import NOBODY, SEVERAL, SampleFrame
from herdbook.report.summaries import HIDDEN, UNKNOWN

RED, GREEN = "#ff0000", "#00ff00"
GROUND = np.zeros((40, 60, 3), np.uint8)


def texts(figure):
    """All words of a figure."""
    figure.draw_without_rendering()
    return [text.get_text() for text in figure.findobj(lambda one: hasattr(one, "get_text")) if text.get_text()]


def test_timeline_figure_has_the_matrix_the_names_and_a_legend_of_what_occurs():
    matrix = np.array([[FROM_SINGLE, UNKNOWN], [HIDDEN, HIDDEN]], np.uint8)
    figure = plot_timeline(matrix, np.array([0.0, 300, 600]), ["a", "b"], [RED, GREEN])
    (axes,) = figure.axes
    assert axes.collections[0].get_array().reshape(2, 2).tolist() == matrix.tolist()
    assert axes.get_xlim() == (0, 10)
    assert axes.get_xlabel() == "time (min)"
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["single", "unknown", "hidden"]


def test_trajectory_figure_has_the_paths_in_their_colours():
    line = np.array([[0.0, 0], [10, 20]])
    figure = plot_trajectories(GROUND, [line, line[:0]], ["a", "b"], [RED, GREEN])
    paths, ends = figure.axes[0].collections
    assert ends.get_offsets()[0].tolist() == [10, 20]
    assert paths.get_segments()[0].tolist() == line.tolist()
    assert paths.get_colors()[0][:3].tolist() == [1, 0, 0]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", "b"]


def test_a_hundred_names_are_no_legend():
    lines = [np.array([[k, 0.0], [k, 20.0]]) for k in range(100)]
    figure = plot_trajectories(GROUND, lines, [f"a{k}" for k in range(100)], [RED] * 100)
    assert not figure.legends
    assert not [word for word in texts(figure) if word.startswith("a")]


def test_with_a_scale_places_are_in_mm():
    view = FrameView((0, 0, 60, 40), "mm", 2.0)
    figure = plot_trajectories(GROUND, [np.array([[10.0, 20.0], [12, 22]])], ["a"], [RED], view)
    assert figure.axes[0].collections[0].get_segments()[0].tolist() == [[5, 10], [6, 11]]
    assert {"x (mm)", "y (mm)"} <= set(texts(figure))
    assert figure.axes[0].get_ylim() == (19.75, -0.25)


def test_the_view_holds_all_arenas():
    arenas = np.full((100, 200), -1, np.int16)
    arenas[30:50, 60:90], arenas[70:80, 120:130] = 0, 1
    assert view_of(arenas, None).box == (56, 26, 134, 84)
    assert view_of(arenas, 4.0).unit == "mm"
    assert view_of(np.zeros((100, 200), np.int16), None).box == (0, 0, 200, 100)


@pytest.mark.parametrize(("arenas", "lines"), [((-1, 0), 1), ((0, 1), 2), ((0, 0), 0)])
def test_the_background_shows_the_outline_of_each_arena(arenas, lines):
    number = np.zeros((40, 60), np.int16)
    number[:, :30], number[:, 30:] = arenas
    figure = plot_background(GROUND, number, None)
    assert len(figure.axes[0].collections) == lines


def test_outlines_have_the_colour_of_who_is_in_them():
    line = np.array([[1.0, 1], [1, 5], [5, 5], [5, 1]])
    sample = SampleFrame("m", 7, 0.7, GROUND, [(line, "a"), (line + 9, SEVERAL), (line + 20, NOBODY)], ["a"], np.array([[3.0, 3.0]]))
    figure = plot_samples([sample], FrameView((0, 0, 60, 40)), {"a": RED, "b": GREEN}, 10.0)
    drawn = {lines.get_colors()[0][:3].tobytes(): lines.get_segments() for lines in figure.axes[0].collections if lines.get_segments()}
    for colour, shift in ((RED, 0), (SEVERAL_COLOUR, 9), (NOBODY_COLOUR, 20)):
        rgb = np.array([int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)])
        assert (drawn[rgb.tobytes()][0][:-1] == line + shift).all()
    assert "m, frame 7, 0.7 s" in texts(figure)
    assert "a" in texts(figure)


def test_samples_lie_side_by_side_where_animals_stay_legible():
    sample = SampleFrame("m", 0, 0.0, GROUND, [], [], np.zeros((0, 2)))
    view = FrameView((0, 0, 1000, 700))
    wide, narrow = (plot_samples([sample] * 4, view, {}, length) for length in (100.0, 5.0))
    assert len(wide.axes) == 4
    assert len(narrow.axes) == 2
    assert len(plot_samples([sample] * 4, view, {}, np.nan).axes) == 2


def test_occupancy_shows_the_share_of_the_positions_and_nothing_where_nobody_was():
    counts = np.array([[[3, 0], [1, 0]], [[0, 0], [0, 0]]])
    figure = plot_occupancy(counts, 20.0, GROUND, ["a", "b"], [RED, GREEN], FrameView((0, 0, 60, 40)))
    first, second = (axes.images[1].get_array() for axes in figure.axes[:2])
    assert np.ma.filled(first, np.nan)[:, 0].tolist() == [75, 25]
    assert np.isnan(np.ma.filled(first, np.nan)[:, 1]).all()
    assert np.isnan(np.ma.filled(second, np.nan)).all()
    assert figure.axes[0].spines["left"].get_edgecolor()[:3] == (1, 0, 0)


@pytest.mark.parametrize("number", [1, 2, 17, 60])
def test_each_animal_has_a_panel(number):
    names = [f"animal{k}" for k in range(number)]
    figure = plot_occupancy(np.ones((number, 2, 3), int), 20.0, GROUND, names, [RED] * number, FrameView((0, 0, 60, 40)))
    places = [tuple(np.round(axes.get_position().bounds[:2], 4)) for axes in figure.axes]
    assert len(set(places)) == number + 1
    assert all(0 <= x < 1 and 0 <= y < 1 for x, y in places)


def test_speed_is_shown_in_the_unit_of_the_scale():
    measure = Measure(np.arange(4), np.array([0, 1, 0, 1]), np.array([10.0, 20, 30, 40]))
    spread = spread_of(measure, 2, np.array([0, 2, 4]))
    figure = plot_spread(spread, np.array([0.0, 1, 2]), ["a", "b"], [RED, GREEN], "speed", "mm/s", 10.0)
    over, cells, strips, bars, _ = figure.axes
    assert over.get_ylabel() == "speed (mm/s)"
    assert bars.get_xlabel() == "speed (mm/s)"
    assert cells.get_xlim()[1] == pytest.approx(4, rel=0.01)
    assert strips.collections[0].get_array().reshape(2, 2).tolist() == [[1, 3], [2, 4]]
    assert [bar.get_facecolor()[:3] for bar in bars.patches] == [(1, 0, 0), (0, 1, 0)]


def test_matrices_tell_each_pair_in_its_cell():
    distances = np.array([[np.nan, 12.0], [12.0, np.nan]])
    figure = plot_distances(distances, np.array([[0, 5], [0, 0]]), ["a", "b"], "mm")
    left, right = figure.axes[:2]
    assert np.ma.filled(left.images[0].get_array(), -1).tolist() == [[-1, 12], [12, -1]]
    assert np.ma.filled(right.images[0].get_array(), -1).tolist() == [[-1, 100], [-1, -1]]
    assert "median distance (mm)" in texts(figure)
    contacts = plot_contacts(np.array([[0, 3], [3, 0]]), np.array([[0, 900.0], [900, 0]]), ["a", "b"])
    assert sorted(text.get_text() for text in contacts.axes[1].texts) == ["15", "15"]
    assert "time in contact (min)" in texts(contacts)


def test_a_matrix_of_a_hundred_has_a_name_for_every_third_row_and_no_numbers():
    names = [f"a{k}" for k in range(100)]
    figure = plot_contacts(np.ones((100, 100), int), np.ones((100, 100)), names)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == names[::3]
    assert not figure.axes[0].texts


def test_confusion_figure_writes_the_numbers():
    figure = plot_classifier(np.array([[5, 1], [0, 0]]), ["a", "b"], {"loss": [1.0]})
    assert sorted(text.get_text() for text in figure.axes[0].texts) == ["1", "5"]
    assert figure.axes[0].images[0].get_array()[0].tolist() == pytest.approx([5 / 6, 1 / 6])


def test_a_bundle_of_lines_is_rasterised_and_coarser_where_its_pdf_would_be_large(rng, monkeypatch):
    lines = [np.cumsum(rng.normal(0, 9, (200, 2)), axis=0) for _ in range(9)]

    def drawn():
        figure = plot_trajectories(np.zeros((80, 90, 3), np.uint8), lines, [f"a{k}" for k in range(9)], [RED] * 9)
        assert figure.axes[0].collections[0].get_rasterized()
        return as_picture("dense", figure, "")

    fine = drawn()
    assert fine.vector.startswith(b"%PDF")
    assert (fine.file, fine.vector_file) == ("dense.png", "dense.pdf")
    monkeypatch.setattr(pictures, "MOST_BYTES", len(fine.vector) - 1)
    assert len(drawn().vector) < len(fine.vector)


def test_the_same_figure_gives_the_same_files():
    one, two = (as_picture("p", plot_expected_error(np.array([0.1, np.nan]), np.arange(3.0)), "") for _ in range(2))
    assert one == two
