"""The body points of a movie found by a trained network: what trajectories know, and the artifact that comes of it."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from herdbook.arrays import Image
from herdbook.artifacts.pose import FoundPoints
from herdbook.artifacts.smooth import Trajectories
from herdbook.bodypoints.learned.cards import MOST_RATIO, PoseCard
from herdbook.bodypoints.learned.crops import CropView
from herdbook.bodypoints.learned.examples import positions_of
from herdbook.bodypoints.learned.movies import read_movie, without_doubles
from herdbook.bodypoints.learned.network import Predictor
from herdbook.bodypoints.learned.reading import PoseReader
from herdbook.errors import HerdbookError


def find_points(
    frames: Iterator[Image],
    size: tuple[int, int],
    trajectories: Trajectories,
    card: PoseCard,
    predictor: Predictor,
    body_px: float,
    most_error: float,
    points: Sequence[str] | None = None,
) -> FoundPoints:
    """Points of the animals of `trajectories` in all grey `frames` of a movie of this size (rows, columns).

    `body_px` is the length of its animals; points that are expected to be farther off than `most_error` body lengths are unknown; `points`
    are those that are wanted (None: all). Raises HerdbookError if the network learned animals of quite another size.
    """
    check_size(card, body_px)
    reader = PoseReader(
        predictor,
        CropView(card.side_body * body_px, card.size),
        card.shape * body_px,
        (card.half_axes[0] * body_px, card.half_axes[1] * body_px),
    )
    place, heading, single = positions_of(trajectories, np.arange(trajectories.frames))
    read = read_movie(frames, size, place, heading, ~single, reader, card.usual_fit, body_px)
    expected = np.full(read.score.shape, np.nan) if card.errors is None else card.errors.expected(read.score) * body_px
    expected[np.isnan(read.score)] = np.nan
    refused = (expected > most_error * body_px) | without_doubles(read.xy, read.score, body_px)
    known = ~refused & ~np.isnan(read.xy[..., 0])
    chosen = [card.points.index(name) for name in points or card.points]
    xy = np.where(known[..., None], read.xy, np.nan)[:, :, chosen]
    trust, told, given = card.headings, None, None
    if trust is not None:
        told = trust.of_points(read.fit).astype(np.float32)
        given = np.where(np.isnan(heading), np.nan, trust.of_trajectories(single)).astype(np.float32)
    return FoundPoints(
        individuals=list(trajectories.individuals),
        points=[card.points[k] for k in chosen],
        x=xy[..., 0],
        y=xy[..., 1],
        score=read.score[:, :, chosen].astype(np.float32),
        expected_error=expected[:, :, chosen].astype(np.float32),
        refused=refused[:, :, chosen],
        heading=read.heading.astype(np.float32),
        turned=read.turned,
        heading_confidence=told,
        trajectory_confidence=given,
    )


def check_size(card: PoseCard, body_px: float) -> None:
    """Raise HerdbookError if the animals of a movie are of quite another size than those that the network learned."""
    ratio = body_px / card.body_px
    if not 1 / MOST_RATIO < ratio < MOST_RATIO:
        raise HerdbookError(
            f"{card.path}: the network learned animals of {card.body_px:.0f} px, those of this movie are {body_px:.0f} px long. Label some "
            "frames of this movie: pose.labels."
        )


def summary_of(found: FoundPoints, file: Path) -> str:
    """A line on what was found: how many points, how many of them unknown, and how far off they are expected to be."""
    asked = int((~np.isnan(found.score)).sum())
    known = int((~np.isnan(found.x)).sum())
    told = found.expected_error[~np.isnan(found.x) & ~np.isnan(found.expected_error)]
    error = f", expected to be {float(np.median(told)):.1f} px off (half of them less)" if len(told) else ""
    turned = f"; {int(found.turned.sum())} headings were turned round" if found.turned.any() else ""
    return f"{file.stem}: {known:,} of {asked:,} points are known{error}{turned}"
