"""What a network finds in labelled crops, read as animals of a movie are: at the places and headings of the trajectories."""

import numpy as np

from herdbook.arrays import Floats, Ints
from herdbook.artifacts.pose_trainset import PoseExamples
from herdbook.bodypoints.learned.crops import CropView, to_crop
from herdbook.bodypoints.learned.heading_trust import HeadingTrust, fit_headings
from herdbook.bodypoints.learned.network import Predictor
from herdbook.bodypoints.learned.reading import PoseReader, Readings, ShownAnimals

# One in so many readings of animals that are alone fits worse than is usual, and costs several more.
USUAL_SHARE = 0.05
# Headings of animals that are alone, and off by less than this (rad), are right: the rest are turned round.
RIGHT = np.radians(45)


def scene_of(examples: PoseExamples, rows: Ints) -> ShownAnimals:
    """The crops `rows` as pictures with an animal each, where the trajectories put it, in px of the crops."""
    wide = examples.pictures.shape[1]
    view = CropView(wide * examples.side_px / examples.size, wide)
    place = to_crop(examples.seen_place[rows, None], examples.place[rows], examples.heading[rows], view)[:, 0]
    # In a crop the heading that the points tell is up.
    heading = examples.seen_heading[rows] - examples.heading[rows] - np.pi / 2
    offsets = examples.other_offsets
    most = int(np.diff(offsets).max(initial=0))
    places, headings = np.full((len(rows), 1 + most, 2), np.nan), np.full((len(rows), 1 + most), np.nan)
    places[:, 0], headings[:, 0] = place, heading
    for k, row in enumerate(rows):
        own = examples.others[offsets[row] : offsets[row + 1]]
        places[k, 1 : 1 + len(own)], headings[k, 1 : 1 + len(own)] = own[:, :2], own[:, 4]
    numbers = np.arange(len(rows))
    return ShownAnimals([examples.pictures[row] for row in rows], numbers, place, heading, places, headings, np.zeros(len(rows), np.int64))


def crop_reader(predictor: Predictor, examples: PoseExamples) -> PoseReader:
    """A reader of the crops of a training set."""
    scale = examples.size / examples.side_px
    axes = float(examples.half_axes[0]) * scale, float(examples.half_axes[1]) * scale
    return PoseReader(predictor, CropView(examples.size, examples.size), examples.shape * scale, axes)


def usual_fit(reader: PoseReader, examples: PoseExamples, rows: Ints) -> float:
    """The fit that nearly all readings of animals reach that are alone and have the right heading."""
    turn = np.abs(np.angle(np.exp(1j * (examples.seen_heading - examples.heading)[rows])))
    sure = rows[examples.single[rows] & (turn < RIGHT)]
    sure = sure if len(sure) else rows
    scene = scene_of(examples, sure)
    return float(np.quantile(reader.once(scene, np.arange(len(sure)), scene.place, scene.heading).fit, USUAL_SHARE))


def test_points(reader: PoseReader, examples: PoseExamples, rows: Ints, usual: float) -> tuple[Floats, Floats, HeadingTrust]:
    """Scores (n, J) of the points in the crops `rows`, how far off (n, J) each is, px of the movie, NaN without a label, and how often
    headings are right.
    """
    every: Readings = reader.several(scene_of(examples, rows), ~examples.single[rows], usual)
    best = np.nanargmax(every.fit, axis=1)
    at = np.arange(len(rows)), best
    off = np.hypot(*np.moveaxis(every.points[at] - examples.xy[rows], -1, 0)) * examples.side_px / examples.size
    # In a crop the labelled heading is up.
    turned = np.angle(np.exp(1j * (every.heading[at] + np.pi / 2)))
    seen = np.angle(np.exp(1j * (examples.seen_heading - examples.heading)[rows]))
    return every.score[at], np.asarray(off), fit_headings(every.fit[at], turned, seen, examples.single[rows])
