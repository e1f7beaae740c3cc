"""What speaks against the animals that were found without labels, in words that tell what to do."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from herdbook.arrays import Floats
from herdbook.classifier.unmarked.clusters import never_together

# Each animal should be seen alone for so long (s), and in so many images.
LEAST_SECONDS, LEAST_IMAGES = 20.0, 30
# Two animals are hard to tell apart when tracklets of the one are taken for the other this often, by their images alone.
MOST_CONFUSED = 0.15
# More single animals than there are, in this share of the frames, are no dirt.
MOST_CROWDED = 0.02
# An animal with less than this share of what the median one has is hardly there.
LEAST_SHARE = 0.1


def find_warnings(
    names: Sequence[str],
    arena: NDArray[np.integer],
    posterior: Floats,
    confusion: Floats,
    together: csr_array,
    images: Floats,
    frames: Floats,
    seconds: Floats,
    crowded: Floats,
    *,
    clean: bool,
    disagreement: float,
) -> list[str]:
    """The warnings, none for good animals.

    `names` and `arena` (animals,); `posterior` (tracklets, animals); `confusion` (animals, animals): share of the frames of each animal
    that images alone give to each; `together` as in `clusters`; `images`, `frames` (tracklets,); `seconds` (arenas,) that animals are seen
    alone, summed; `crowded` (arenas,): share of the frames with more single animals than there are; `clean`, `disagreement` as in
    `unmarked_train.Learned`.
    """
    if not len(posterior):
        return ["no animal is ever seen alone: nothing can be learned of who is who; look at the overlay and at segment.area"]
    found = []
    numbers = np.bincount(arena, minlength=len(seconds))
    alone = float(np.min(seconds / np.maximum(1, numbers)))
    each = images @ posterior
    if alone < LEAST_SECONDS or np.median(each) < LEAST_IMAGES:
        found.append(
            f"too few frames: an animal is seen alone for {alone:.0f} s, in {np.median(each):.0f} images; expected {LEAST_SECONDS:.0f} s "
            f"and {LEAST_IMAGES} images or more. Film longer; until then take the names as a proposal"
        )
    if not clean:
        found.append(
            f"the animals are hard to tell apart: learned twice from different beginnings, {100 * disagreement:.0f} % of the frames go to "
            "another animal. Look at the images of each animal in the report; sharper or larger images help, or marks"
        )
    for k, share in enumerate(crowded):
        if share > MOST_CROWDED:
            found.append(
                f"number may be too small: {100 * share:.0f} % of the frames of arena {k + 1} show more than {numbers[k]} single animals. "
                "Count them in the overlay movie, or raise the smallest segment.area if it is dirt"
            )
    pairs = set(never_together(posterior, together))
    for a, b in sorted(pairs):
        if arena[a] == arena[b]:
            found.append(f"{names[a]} and {names[b]} are never seen at the same time: they may be one animal. Is the number right?")
    for a in range(len(names)):
        for b in range(a + 1, len(names)):
            mixed = max(confusion[a, b], confusion[b, a])
            if mixed > MOST_CONFUSED and (a, b) not in pairs:
                found.append(f"{names[a]} and {names[b]} look alike: {100 * mixed:.0f} % would be mixed up by their images alone")
    much = frames @ posterior
    for k in np.unique(arena).tolist():
        mine = np.flatnonzero(arena == k)
        few = [names[a] for a in mine.tolist() if much[a] < LEAST_SHARE * np.median(much[mine])]
        if few:
            found.append(f"hardly anything was found of {', '.join(few)}. Is the number right?")
    return found
