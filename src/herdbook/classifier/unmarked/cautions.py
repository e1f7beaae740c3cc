"""Warnings about animals found without labels, each with its remedy."""

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Floats, Ints
from herdbook.artifacts.trainset import UnmarkedSet
from herdbook.classifier.unmarked.clusters import never_together, together_matrix
from herdbook.classifier.unmarked.learning import Crowd, Learned

# Each animal should be seen alone for so long (s), and in so many images.
LEAST_SECONDS, LEAST_IMAGES = 20.0, 30
# Two animals are hard to tell apart when tracklets of the one are taken for the other this often, by their images alone.
MOST_CONFUSED = 0.15
# More single animals than there are, in this share of the frames, are no dirt.
MOST_CROWDED = 0.02
# An animal with less than this share of what the median one has is hardly there.
LEAST_SHARE = 0.1


def find_warnings(
    names: Sequence[str], arena: NDArray[np.integer], confusion: Floats, learned: Learned, crowd: Crowd, found: UnmarkedSet
) -> list[str]:
    """The warnings, none for good animals.

    `names` and `arena` (animals,) in the order of the columns of `learned`; `confusion` (animals, animals): share of the frames of each
    animal that images alone give to each.
    """
    if not len(learned.posterior):
        return ["no animal is ever seen alone: nothing can be learned of who is who; look at the overlay and at segment.area"]
    numbers = np.bincount(arena, minlength=len(found.seconds))
    return [
        *_too_few_frames(numbers, found.seconds, crowd.images @ learned.posterior),
        *_unclean(learned),
        *_crowded(numbers, found.crowded),
        *_alike(names, arena, confusion, never_together(learned.posterior, together_matrix(crowd.pairs, len(crowd.arena)))),
        *_hardly_there(names, arena, crowd.frames @ learned.posterior),
    ]


def _too_few_frames(numbers: Ints, seconds: Floats, images: Floats) -> Iterator[str]:
    alone = float(np.min(seconds / np.maximum(1, numbers)))
    if alone < LEAST_SECONDS or np.median(images) < LEAST_IMAGES:
        yield (
            f"too few frames: an animal is seen alone for {alone:.0f} s, in {np.median(images):.0f} images; expected {LEAST_SECONDS:.0f} s "
            f"and {LEAST_IMAGES} images or more. Film longer; until then take the names as a proposal"
        )


def _unclean(learned: Learned) -> Iterator[str]:
    if not learned.clean:
        yield (
            f"the animals are hard to tell apart: learned twice from different beginnings, {100 * learned.disagreement:.0f} % of the "
            "frames go to another animal. Look at the images of each animal in the report; sharper or larger images help, or marks"
        )


def _crowded(numbers: Ints, crowded: Floats) -> Iterator[str]:
    for k, share in enumerate(crowded):
        if share > MOST_CROWDED:
            yield (
                f"number may be too small: {100 * share:.0f} % of the frames of arena {k + 1} show more than {numbers[k]} single animals. "
                "Count them in the overlay movie, or raise the smallest segment.area if it is dirt"
            )


def _alike(names: Sequence[str], arena: NDArray[np.integer], confusion: Floats, apart: Sequence[tuple[int, int]]) -> Iterator[str]:
    """Pairs that may be one animal, because they are never seen together, and pairs that look alike."""
    for a, b in sorted(apart):
        if arena[a] == arena[b]:
            yield f"{names[a]} and {names[b]} are never seen at the same time: they may be one animal. Is the number right?"
    for a, b in combinations(range(len(names)), 2):
        mixed = max(confusion[a, b], confusion[b, a])
        if mixed > MOST_CONFUSED and (a, b) not in apart:
            yield f"{names[a]} and {names[b]} look alike: {100 * mixed:.0f} % would be mixed up by their images alone"


def _hardly_there(names: Sequence[str], arena: NDArray[np.integer], frames: Floats) -> Iterator[str]:
    for k in np.unique(arena).tolist():
        mine = np.flatnonzero(arena == k)
        few = [names[a] for a in mine.tolist() if frames[a] < LEAST_SHARE * np.median(frames[mine])]
        if few:
            yield f"hardly anything was found of {', '.join(few)}. Is the number right?"
