"""The report's pictures of a recording."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from herdbook.drawing.colours import as_css, individual_colours
from herdbook.identity.doubts import Doubt
from herdbook.report import page
from herdbook.report.figures.files import as_picture
from herdbook.report.figures.motion import plot_spread
from herdbook.report.figures.pairs import plot_contacts, plot_distances
from herdbook.report.figures.review import plot_strips
from herdbook.report.figures.space import plot_background, plot_occupancy, plot_samples, plot_trajectories, view_of
from herdbook.report.figures.time import plot_counts, plot_expected_error, plot_timeline
from herdbook.report.motion_summaries import Measure, arenas_of, measure_neighbours, measure_speed, occupancy, pair_distances, spread_of
from herdbook.report.page import PageSection, Picture
from herdbook.report.strips import Files, read_strips
from herdbook.report.summaries import ABSENT, UNTRACKED, Recording, bin_ranges, expected_error, frame_bins, timeline_matrix, track_lines

TIME_BINS = 900  # about one for each pixel of a picture
SPREAD_BINS = 300  # a median needs several positions
ERROR_BINS = 150  # a share needs many positions
MOST_FRAGMENTS = 40
MOST_NAMES = 100  # rows, panels, sides of a matrix
LINE_POINTS = 20_000
# A cell of a heat map is half an animal long, but so many at most lie along the longer side of what is shown.
MOST_CELLS = 80


def recording_section(recording: Recording, marked: bool, number: int | None) -> PageSection:
    """The pictures of one recording; `marked`: its animals have lasting names, `number` is how many there are, if that is known."""
    tracks = recording.tracks
    pictures = [*_scene_pictures(recording), *_place_pictures(recording, marked), *_time_pictures(recording, marked, number)]
    if len(tracks.frame):
        pictures += [*_speed_pictures(recording, marked), *_pair_pictures(recording, marked)]
    sentences = []
    if marked and np.isfinite(recording.gap):
        by = f" by more than {page.percent(recording.gap)}" if recording.gap > 0 else ""
        sentences.append(f"Of all ways to give the names, none fits the evidence and the movements better{by}.")
    if marked and len(tracks.frame):
        wrong = page.percent(float(np.mean(1.0 - tracks.confidence.astype(np.float64))))
        sentences.append(f"By their confidence, {wrong} of the positions are expected to be wrong.")
    return PageSection(f"Recording {recording.name}", sentences, pictures=pictures)


def review_pictures(doubts: Sequence[Doubt], files: Files, recordings: Mapping[str, Sequence[str]], names: Sequence[str]) -> list[Picture]:
    """A strip of images for each of these rows of the review list, in one picture; none without rows.

    `files` and `recordings` as in `review_strips.read_strips`; `names` are those of all individuals, by whose order they have colours.
    """
    strips = read_strips(doubts, files, recordings)
    if not strips:
        return []
    colours = dict(zip(names, as_css(individual_colours(names)), strict=True))
    caption = (
        "The spans, numbered as in the table. The one in a black frame is nearest to the moment in question; those in a grey one are of "
        "the same blob, those without a frame of what was there before and after it."
    )
    return [as_picture("review", plot_strips(strips, colours), caption)]


def _scene_pictures(recording: Recording) -> Iterator[Picture]:
    names = recording.tracks.names
    if recording.samples:
        colours = dict(zip(names, as_css(individual_colours(names)), strict=True))
        yield as_picture(
            f"samples_{recording.name}",
            plot_samples(recording.samples, view_of(recording.arenas, recording.px_per_mm), colours, recording.body_length_px),
            "Frames with what was found in them. An outline has the colour of its animal; a white one holds several animals, a red one "
            "nobody who is known by name. What has no outline was not found.",
        )
    first = " That of the first movie." if len(recording.movies) > 1 else ""
    arenas = " Yellow lines are the arenas." if (recording.arenas != 0).any() else ""
    yield as_picture(
        f"background_{recording.name}",
        plot_background(recording.background, recording.arenas, recording.px_per_mm),
        f"The background, with which the frames are compared.{first}{arenas}",
    )


def _place_pictures(recording: Recording, marked: bool) -> Iterator[Picture]:
    tracks, view = recording.tracks, view_of(recording.arenas, recording.px_per_mm)
    names, colours = tracks.names, as_css(individual_colours(tracks.names))
    drawn = range(len(names)) if marked else np.unique(tracks.individual).tolist()
    lines = track_lines(tracks, LINE_POINTS)
    yield as_picture(
        f"trajectories_{recording.name}",
        plot_trajectories(recording.background, [lines[i] for i in drawn], [names[i] for i in drawn], [colours[i] for i in drawn], view),
        "Where the animals went, over the background image; a dot marks the last position.",
    )
    if not len(tracks.frame):
        return
    cell_px = float(np.nanmax([max(view.size) / MOST_CELLS, recording.body_length_px / 2]))
    cell = f" A cell is {cell_px / view.px_per_unit:.3g} {view.unit} wide."
    total = occupancy(tracks, np.zeros(len(names), np.int64), view.box, cell_px)
    yield as_picture(
        f"occupancy_{recording.name}",
        plot_occupancy(total, cell_px, recording.background, ["all animals"], ["#000000"], view),
        f"Where the animals spend their time, all together.{cell}",
    )
    if marked and len(names) > 1:
        shown = tracks.longest(MOST_NAMES)
        panel_of = np.full(len(names), -1)
        panel_of[shown] = np.arange(len(shown))
        counts = occupancy(tracks, panel_of, view.box, cell_px)
        yield as_picture(
            f"occupancy_each_{recording.name}",
            plot_occupancy(counts, cell_px, recording.background, [names[i] for i in shown], [colours[i] for i in shown], view),
            f"Where each animal spends its time.{cell}{_only(shown, names)}",
        )


def _time_pictures(recording: Recording, marked: bool, number: int | None) -> Iterator[Picture]:
    tracks, end = recording.tracks, recording.time_s
    colours = as_css(individual_colours(tracks.names))
    edges = frame_bins(recording.frames, TIME_BINS)
    shown = np.arange(len(tracks.names)) if marked else tracks.longest(MOST_FRAGMENTS)
    lacking = recording.lacking if marked else np.where(recording.lacking == UNTRACKED, UNTRACKED, ABSENT).astype(np.uint8)
    without = (
        " Unknown: it may be in a blob in which not everybody is known by name. Hidden: everybody who is seen has a name." if marked else ""
    )
    few = "" if len(shown) == len(tracks.names) else f" Only the {len(shown)} longest fragments are shown."
    yield as_picture(
        f"timeline_{recording.name}",
        plot_timeline(
            timeline_matrix(tracks, shown, edges, lacking), end[edges], [tracks.names[i] for i in shown], [colours[i] for i in shown]
        ),
        f"Where each position comes from, over time.{without}{few}",
    )
    if marked and len(tracks.frame):
        errors = expected_error(tracks, frame_bins(recording.frames, ERROR_BINS))
        yield as_picture(
            f"error_{recording.name}",
            plot_expected_error(errors, end[frame_bins(recording.frames, ERROR_BINS)]),
            "Share of the positions that are expected to be wrong, over time.",
        )
    yield as_picture(
        f"counts_{recording.name}",
        plot_counts(bin_ranges(recording.blobs, edges), bin_ranges(recording.animals, edges), end[edges], number),
        "Blobs in each frame, and the animals that they hold: several animals that touch are one blob.",
    )


def _speed_pictures(recording: Recording, marked: bool) -> Iterator[Picture]:
    speed = measure_speed(recording.tracks, recording.time_s)
    yield from _spread_picture(recording, marked, speed, "speed", "speed", "/s", "How fast the animals are")


def _pair_pictures(recording: Recording, marked: bool) -> Iterator[Picture]:
    tracks, arena = recording.tracks, arenas_of(recording.tracks, recording.arenas)
    distance, nearest = measure_neighbours(tracks, arena)
    if not np.isfinite(distance.value).any():
        return
    yield from _spread_picture(recording, marked, distance, "neighbours", "distance to nearest", "", "How far the nearest other animal is")
    if not marked:
        return
    unit, scale = _unit(recording)
    names, _, each = _rows(recording, marked)
    yield as_picture(
        f"distances_{recording.name}",
        plot_distances(pair_distances(tracks, each, arena) / scale, nearest[np.ix_(each, each)], names, unit),
        f"How far the animals are from each other, and who is the nearest of whom.{_only(each, tracks.names)}",
    )
    if recording.contacts is not None:
        pairs, contacts = np.ix_(each, each), recording.contacts
        yield as_picture(
            f"contacts_{recording.name}",
            plot_contacts(contacts.number[pairs], contacts.time_s[pairs], names),
            f"Who meets whom: two animals in one blob are in contact. From events.csv.{_only(each, tracks.names)}",
        )


def _spread_picture(recording: Recording, marked: bool, measure: Measure, key: str, what: str, per: str, caption: str) -> Iterator[Picture]:
    """A measure of the animals over time and in all, if there is any; `per` follows the unit of length in its unit."""
    if not np.isfinite(measure.value).any():
        return
    unit, scale = _unit(recording)
    edges = frame_bins(recording.frames, SPREAD_BINS)
    spread = spread_of(measure, len(recording.tracks.names) if marked else 0, edges)
    names, colours, each = _rows(recording, marked)
    yield as_picture(
        f"{key}_{recording.name}",
        plot_spread(spread.only(each), recording.time_s[edges], names, colours, what, f"{unit}{per}", scale),
        f"{caption}, over time and in all." + _how_to_read(recording, marked),
    )


def _unit(recording: Recording) -> tuple[str, float]:
    """Unit of lengths, mm if the scale is known, and how many px it has."""
    return ("mm", recording.px_per_mm) if recording.px_per_mm else ("px", 1.0)


def _rows(recording: Recording, marked: bool) -> tuple[list[str], list[str], NDArray[np.int64]]:
    """Names, colours and numbers of the animals that have a row of their own; fragments have none."""
    names = recording.tracks.names
    each = recording.tracks.longest(MOST_NAMES) if marked else np.zeros(0, np.int64)
    colours = as_css(individual_colours(names))
    return [names[i] for i in each], [colours[i] for i in each], each


def _how_to_read(recording: Recording, marked: bool) -> str:
    if not marked:
        return ""
    return " A bar is the middle half of an animal's values, its stroke the median, the line holds nine tenths of them." + _only(
        recording.tracks.longest(MOST_NAMES), recording.tracks.names
    )


def _only(shown: NDArray[np.int64], names: list[str]) -> str:
    return "" if len(shown) == len(names) else f" Only the {len(shown)} animals with the most positions are shown."
