"""A look at some frames of a movie for `herdbook check`: whether as many blobs are found as there are animals, and if not, why."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts.background import Background
from herdbook.commands.tuning.footage import Footage, read_background, read_footage
from herdbook.commands.tuning.lacking import few_words, lacking_arenas
from herdbook.experiment.model import Experiment
from herdbook.segmentation.components import FrameBlobs, Labeller
from herdbook.segmentation.segmenter import Segmenter
from herdbook.system.progress import progress

STAGE = "check"
LOOKED_AT = 20
# Notes are given above these shares of frames that cannot be segmented, and of frames with more blobs than animals.
MANY_BROKEN, MANY_EXCESS = 0.1, 0.1
# Something in the background is like an animal if its area is that of a typical one times something between these.
LIKE_AN_ANIMAL = 1 / 3, 3.0
MOST_PLACES = 5


def spread_movies(experiment: Experiment, most: int) -> list[str]:
    """At most `most` movies, spread over those of the experiment."""
    names = [movie.name for movie in experiment.movies]
    return [names[k] for k in np.unique(np.linspace(0, len(names) - 1, min(most, len(names))).round().astype(int)).tolist()]


def look_at_movie(experiment: Experiment, movie: str) -> list[str]:
    """What is wrong with the blobs of some frames of a movie, found with the settings of the experiment, each in one or two sentences.

    Raises HerdbookError for a movie that cannot be read, or arenas that do not fit it.
    """
    background = read_background(experiment, movie, experiment.section("segment", movie).polarity, stage=STAGE)
    footage = read_footage(experiment, movie, LOOKED_AT)
    segmenter = Segmenter(background, footage.settings, footage.index.full_range, footage.masks)
    found = [segmenter.blobs(frame) for frame in progress(footage.frames, total=len(footage.frames), stage=STAGE, unit="frames")]
    good = [blobs for blobs in found if blobs is not None]
    notes = []
    broken = len(found) - len(good)
    if broken > MANY_BROKEN * len(found):
        notes.append(
            f"{broken} of {len(found)} frames looked at are black or differ from the background as a whole, and give no blobs. Look at "
            "background and movie; segment.flicker matches their brightness, segment.intervals leaves frames out."
        )
    if not good:
        return notes
    counts = np.array([_counts(blobs, footage) for blobs in good])
    if not counts.any():
        return [*notes, "there is not one blob in the frames looked at. `herdbook tune` proposes how to find the animals."]
    few = lacking_arenas(counts, footage.numbers, [arena.name for arena in experiment.arenas])
    if few:
        places = resting_places(background, footage, good)
        shown = ", ".join(f"x {x:.0f} y {y:.0f}" for x, y in places[:MOST_PLACES])
        more = f" and {len(places) - MOST_PLACES} more" if len(places) > MOST_PLACES else ""
        why = (
            f"The background shows something like an animal at {shown}{more}: what rests for long becomes part of it, and is not found."
            if places
            else "Animals touch or hide there, or are not found."
        )
        notes.append(f"{few_words(few)} {why} `herdbook tune` compares ways to find them.")
    known = [number for number in footage.numbers if number is not None]
    many = float((counts > np.array([np.inf if number is None else number for number in footage.numbers])).any(axis=1).mean())
    if known and many > MANY_EXCESS:
        notes.append(
            f"There are more blobs than animals in {many:.0%} of the frames: specks are taken for animals, animals fall into parts, or "
            "animals.number is too small. `herdbook tune` proposes other values."
        )
    return notes


def resting_places(background: Background, footage: Footage, blobs: Sequence[FrameBlobs]) -> list[tuple[float, float]]:
    """Places x, y (px) of what looks in the background like the animals that were found: of their brightness and about of their area.

    blobs: those of the frames of the footage. A pixel belongs to an animal if its level is nearer to theirs than to that of the ground.
    """
    area = np.concatenate([here.area for here in blobs])
    if not len(area):
        return []
    scene, inside = background.luma[0], footage.arena >= 0
    animal = float(np.median(np.concatenate([here.intensity_sum for here in blobs]) / area))
    ground = float(np.median(scene[inside]))
    middle = round((animal + ground) / 2)
    dark = animal < ground
    low = np.where(inside & dark, middle, 0).astype(np.uint8)
    high = np.where(inside & (not dark), middle, 255).astype(np.uint8)
    least, most = (round(share * float(np.median(area))) for share in LIKE_AN_ANIMAL)
    like = Labeller(*scene.shape).label(scene, low, high, min_area=max(1, least), max_area=most)
    return list(zip(like.x.tolist(), like.y.tolist(), strict=True))


def _counts(blobs: FrameBlobs, footage: Footage) -> NDArray[np.int64]:
    heads = blobs.runs[blobs.run_offsets[:-1]]
    return np.bincount(footage.arena[heads[:, 0], heads[:, 1]], minlength=len(footage.numbers))
