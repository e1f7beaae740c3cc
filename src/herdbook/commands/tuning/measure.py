"""Measurements of `herdbook tune`: ways of finding animals are compared on sampled frames of a movie, and the best one is proposed."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from herdbook.artifacts.background import Background
from herdbook.commands.tuning.attempt import (
    FAIRLY_SURE_QUALITY,
    PLATEAU_QUALITY,
    SURE_QUALITY,
    Proposal,
    pixels_of,
    propose,
)
from herdbook.commands.tuning.footage import Footage, Way, read_background, read_footage
from herdbook.commands.tuning.lacking import lacking_arenas
from herdbook.commands.tuning.proposal import POOR_SEPARATION, difference_ladder
from herdbook.commands.tuning.shapes import with_shapes
from herdbook.errors import HerdbookError
from herdbook.experiment.model import Experiment

__all__ = ["FAIRLY_SURE_QUALITY", "PLATEAU_QUALITY", "SURE_QUALITY", "Comparison", "Proposal", "compare_ways", "tune_movie"]

OTHER = {"dark": "bright", "bright": "dark"}
# The statistic that shows an animal which rests only where it never moved away: the brightest level of a pixel if animals are dark.
UNCOVERING = {"dark": "max", "bright": "min"}
# Below the first quality the other polarity is tried; it is proposed if its quality is higher by the second factor.
DOUBTFUL, MUCH_BETTER = 0.5, 2.0
# Other ways are tried if more than this share of the animals is not found, and proposed if they find so many where the given one finds
# nothing: one of 20 animals that rests in half of the frames is 2.5 %. How many blobs there are does not decide, since each way cuts
# legs and shadows, and with them animals that touch, in another manner.
WORTH_IT = 0.02
# Two animals that rest side by side have up to this many times the area of one, with shadows; what is larger is something else. The
# smallest animal of a group is larger than this share of a typical one.
LEAST_OF_ANIMAL, MOST_OF_ANIMAL = 1 / 3, 3.0
# With many animals, or without a known number, it is enough to find this many per frame where the given way finds nothing: one that rests
# for half of the movie.
MORE_BLOBS = 0.5
# The background of a recording is tried if it has so few movies: all of them are scanned for it.
MOST_MEMBERS = 12


@dataclass(frozen=True)
class Comparison:
    """The proposal of a movie, and all ways that were tried, the given one first."""

    chosen: Proposal
    tried: list[Proposal]


def tune_movie(experiment: Experiment, movie: str, frames: int) -> Proposal:
    """Propose values for a movie of an experiment from at most `frames` of its frames, see `compare_ways`."""
    return compare_ways(experiment, movie, frames).chosen


def compare_ways(experiment: Experiment, movie: str, frames: int) -> Comparison:
    """Try to find the animals of a movie in at most `frames` of its frames, and propose the way and the values that find most of them.

    If the quality is low, the other polarity is tried as well, and proposed if it is much better. If animals are missing, other
    backgrounds and grey levels alone are tried, and proposed if they find more; then opening and closing, where animals hang together or
    fall into parts. Raises HerdbookError for a movie that cannot be read or tuned, and if nothing gives blobs that could be animals.
    """
    given = experiment.section("segment", movie)
    # Before the frames are read: this needs much memory for a short time.
    background = read_background(experiment, movie, given.polarity)
    footage = read_footage(experiment, movie, frames)
    first = propose(footage, Way(given.method, given.polarity, background))
    first = _other_polarity(experiment, movie, footage, given.polarity, first)
    tried = [first] if first else []
    if first is None or first.animals is None or _lacks_animals(first):
        polarity = first.polarity if first else given.polarity
        ways = _other_ways(experiment, movie, footage, polarity, background)
        if first and first.animals is None:
            # Without a number nothing says which way is better: only what is seen without a background is worth a warning.
            ways = (way for way in ways if way.method == "intensity")
        tried += [found for way in ways if (found := propose(footage, way))]
    if not tried:
        raise HerdbookError(
            f"movie {movie}: no difference from {difference_ladder()[0]:.0f} to {difference_ladder()[-1]:.0f} grey levels gives blobs "
            f"that could be animals in {len(footage.frames)} frames. Check segment.polarity ({given.polarity}), the arenas and the "
            "intervals, and whether the animals move: an animal that never moves becomes part of the background."
        )
    return Comparison(with_shapes(footage, _best(tried)), tried)


def _lacks_animals(found: Proposal) -> bool:
    """Whether animals are missing, in all arenas together or in one of many."""
    return found.agreement < 1 - WORTH_IT or bool(lacking_arenas(found.view_counts, found.numbers, []))


def _other_polarity(experiment: Experiment, movie: str, footage: Footage, polarity: str, found: Proposal | None) -> Proposal | None:
    """What was found, or what the other polarity finds if that is much better."""
    other, quality = OTHER.get(polarity), found.quality if found else 0.0
    if other is None or quality >= DOUBTFUL:
        return found
    method = footage.settings["method"]
    better = propose(footage, Way(method, other, read_background(experiment, movie, other)))
    return better if better and better.quality > max(MUCH_BETTER * quality, PLATEAU_QUALITY) else found


def _other_ways(experiment: Experiment, movie: str, footage: Footage, polarity: str, background: Background) -> Iterator[Way]:
    """Other ways of finding animals of a polarity than the given one."""
    section = experiment.background
    members = experiment.recordings[experiment.recording_of(movie)]
    alone = footage.settings["method"] == "intensity"
    if alone:
        yield Way("background", polarity, background, given=False)
    if section.file is None:
        if section.scope == "movie" and 1 < len(members) <= MOST_MEMBERS:
            yield _with_background(experiment, movie, polarity, {"scope": "recording"})
        statistic = UNCOVERING.get(polarity)
        if statistic and statistic != section.statistic:
            yield _with_background(experiment, movie, polarity, {"statistic": statistic})
    # The largest difference of three channels has no level of the ground.
    if not alone and polarity in OTHER and footage.settings["channel"] != "colour":
        yield Way("intensity", polarity, background, given=False)


def _with_background(experiment: Experiment, movie: str, polarity: str, changes: dict[str, str]) -> Way:
    return Way("background", polarity, read_background(experiment, movie, polarity, changes), given=False, changes=changes)


def _best(tried: list[Proposal]) -> Proposal:
    """The way with the best agreement of those that find animals where the first one finds nothing; without a known number the first."""
    first, best = tried[0], tried[0]
    if first.animals is None:
        return first
    worth = min(WORTH_IT * first.animals, MORE_BLOBS)
    for other in tried[1:]:
        animals, others = newly_found(first, other)
        clear = other.separation >= min(POOR_SEPARATION, first.separation) and animals >= worth > others
        if clear and other.agreement > best.agreement:
            best = other
    return best


def newly_found(first: Proposal, other: Proposal) -> tuple[float, float]:
    """How many blobs per frame another way accepts where the first one accepts not a single pixel: animals, and others.

    Others are far larger than the animals of the first way, such as the dark rim of a dish, which a background hides rightly; what is far
    smaller, such as dirt, counts as neither.
    """
    found = dict(zip((frame.index for frame in first.frames), zip(first.blobs, first.accepted, strict=True), strict=True))
    # Half of all area is in larger blobs: unlike the median, this does not depend on how many specks there are.
    ranked = np.sort(np.concatenate([blobs.area[kept] for blobs, kept in found.values()]))
    typical = float(ranked[np.searchsorted(np.cumsum(ranked), ranked.sum() / 2)]) if len(ranked) else 0.0
    new = [0, 0]
    for frame, blobs, kept in zip(other.frames, other.blobs, other.accepted, strict=True):
        if frame.index not in found:
            continue
        before, accepted = found[frame.index]
        seen = np.zeros(frame.luma.shape, bool)
        for blob in np.flatnonzero(accepted).tolist():
            seen[pixels_of(before.runs_of(blob))] = True
        for blob in np.flatnonzero(kept).tolist():
            size = blobs.area[blob] / max(typical, 1.0)
            if size >= LEAST_OF_ANIMAL and not seen[pixels_of(blobs.runs_of(blob))].any():
                new[int(size > MOST_OF_ANIMAL)] += 1
    return new[0] / len(other.frames), new[1] / len(other.frames)
