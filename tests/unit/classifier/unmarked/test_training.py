"""Names of animals that were found without labels."""

from types import SimpleNamespace

import numpy as np
import pytest

from herdbook.classifier.unmarked.training import NAMELESS, _name_animals


@pytest.mark.parametrize(
    ("given", "match", "numbered", "names"),
    [
        ([None, None, None], [-1, 0, -1], True, ["C", "B", "A"]),
        ([None, None, None], [1, -1, 0], True, ["C", "A", "B"]),
        ([None, "A", None], [-1, 1, 0], True, ["C", "A", "B"]),
        ([None, None, None], None, True, ["B", "C", "A"]),
        ([None, "A", None], [-1, -1, 0], False, ["C", "A", "B"]),
        ([None, "A", None], None, False, ["?1", "A", "?3"]),
    ],
)
def test_names_are_those_of_a_person_then_of_an_earlier_animal_then_the_next_ones(given, match, numbered, names):
    # The animal of the last column appears first, then that of the first one, and in the next movie that of the second one. The earlier
    # classifier knows B and C.
    learned = SimpleNamespace(posterior=np.eye(3))
    found = SimpleNamespace(group_movie=np.array([0, 1, 0]), group_first=np.array([10, 5, 0]))
    matched = None if match is None else SimpleNamespace(name=match)
    told = _name_animals(SimpleNamespace(numbers=[3]), learned, found, [["A", "B", "C"]], given, matched, ["B", "C"], numbered=numbered)
    assert [name.replace(NAMELESS, "?") for name in told] == names
