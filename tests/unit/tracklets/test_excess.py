"""More lasting blobs as large as an animal than there are animals are found; specks and short ones are not."""

import numpy as np

from herdbook.tracklets.excess import excess_sentence, lasting_excess

FPS, FRAMES = 10.0, 100


def find(spans, numbers):
    """Tracklets (first, last, arena, size)."""
    first, last, arena, size = np.array(spans, float).T
    whole = (column.astype(np.int64) for column in (first, last, arena))
    return lasting_excess(*whole, size, numbers=numbers, frames=FRAMES, fps=FPS)


def test_one_animal_too_many_is_found_with_its_frames_and_arena():
    both = [(0, 99, 0, 1.0), (0, 99, 1, 1.0), (0, 60, 1, 0.9), (40, 99, 1, 1.1)]
    (found,) = find(both, [1, 2])
    assert (found.arena, found.animals, found.most) == (1, 2, 3)
    assert found.frames.tolist() == list(range(40, 61))
    words = excess_sentence(found, "right", FRAMES)
    assert words.startswith(
        "arena right: in 21 of 100 frames there are up to 3 blobs that last and are as large as an animal, but 2 animals"
    )
    assert "first in frame 40" in words


def test_specks_short_blobs_and_unknown_numbers_are_no_excess():
    alone = (0, 99, 0, 1.0)
    assert find([alone, (0, 99, 0, 0.3)], [1]) == []
    assert find([alone, *((k, k + 5, 0, 1.0) for k in range(0, 90, 7))], [1]) == []
    assert find([alone, alone, alone], [None]) == []
    assert find([alone, alone], [2]) == []


def test_an_overlap_shorter_than_a_second_is_no_excess():
    assert find([(0, 54, 0, 1.0), (50, 99, 0, 1.0)], [1]) == []
