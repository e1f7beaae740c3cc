"""Suggestions are for animals without labels, where classifier and graph are uncertain, and never for what is known."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from herdbook.commands.labelling.choice import Candidates, describe_looks, suggest_labels, suggest_together, uncertainty


def candidates(
    spans: list[tuple[int, int]],
    *,
    looks: list[float] | None = None,
    label: list[int] | None = None,
    posterior: list[list[float]] | None = None,
    doubt: list[float] | None = None,
    arena: list[int] | None = None,
    animals: int = 4,
) -> Candidates:
    """Tracklets with these first and last frames; looks are single numbers."""
    first, last = np.array(spans).T
    count = len(spans)
    return Candidates(
        first=first,
        last=last,
        frames=last - first + 1,
        arena=np.array(arena or [0] * count),
        looks=np.array(looks if looks is not None else np.zeros(count), float)[:, None],
        label=np.array(label or [-1] * count),
        open=np.ones(count, bool),
        posterior=None if posterior is None else np.array(posterior),
        doubt=np.array(doubt) if doubt else np.ones(count),
        animals=animals,
    )


def rows(found: Candidates, count: int) -> list[int]:
    return [suggestion.row for suggestion in suggest_labels(found, count)]


def test_before_training_animals_seen_together_come_before_a_longer_one_that_may_be_the_same() -> None:
    found = candidates([(0, 120), (0, 98), (0, 97), (0, 96), (200, 300)])
    assert rows(found, 5) == [0, 1, 2, 3, 4]


def test_appearance_separates_new_animals_from_suggested_ones(rng: np.random.Generator) -> None:
    # Ten animals of very different appearance, seen one after the other and five times each; coexisting pairs show how different they are.
    animal = np.tile(np.arange(10), 5)
    spans = [(50 * (k // 2), 50 * (k // 2) + 40) for k in range(50)]
    found = candidates(spans, looks=(10.0 * animal + rng.normal(0, 0.2, 50)).tolist(), animals=10)
    assert len(set(animal[rows(found, 10)].tolist())) == 10


def test_what_is_labelled_is_not_suggested_again_and_counts() -> None:
    found = candidates([(0, 99), (200, 299), (200, 299)], looks=[0, 0, 50], label=[2, -1, -1])
    assert rows(found, 5) == [2, 1]


def test_the_unsure_comes_before_the_sure_and_the_doubtful_before_what_the_graph_knows() -> None:
    sure, unsure = [0.97, 0.01, 0.01, 0.01], [0.25, 0.25, 0.25, 0.25]
    spans = [(0, 99), (200, 299), (400, 499)]
    assert rows(candidates(spans, posterior=[sure, unsure, sure], doubt=[0.5, 0.5, 0.5]), 1) == [1]
    assert rows(candidates(spans, posterior=[unsure, unsure, unsure], doubt=[0.0, 0.0, 1.0]), 1) == [2]


def test_after_training_an_animal_with_few_labels_is_preferred() -> None:
    halves = [[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.1, 0.9]]
    found = candidates([(0, 9), (20, 29), (100, 199), (300, 399)], label=[0, 0, -1, -1], posterior=halves, animals=2)
    assert rows(found, 1) == [3]


def test_long_tracklets_are_worth_more_than_short_ones() -> None:
    assert rows(candidates([(0, 9), (100, 180), (300, 330)]), 1) == [1]


def test_animals_of_two_arenas_are_never_the_same() -> None:
    found = candidates([(0, 99), (200, 299), (400, 480)], looks=[0, 0, 0], arena=[0, 0, 1], animals=2)
    assert rows(found, 2) == [0, 2]


def test_no_more_are_suggested_than_there_are_and_only_open_ones() -> None:
    found = candidates([(0, 9), (0, 9)])
    assert sorted(rows(found, 9)) == [0, 1]
    found.open[0] = False
    assert rows(found, 9) == [1]
    assert rows(candidates([(0, 9)]), 1) == [0]


@pytest.mark.parametrize(("posterior", "expected"), [([0.5, 0.5], 1.0), ([1.0, 0.0], 0.0), ([1.0], 0.0)])
def test_uncertainty_is_a_share_of_the_greatest(posterior: list[float], expected: float) -> None:
    assert uncertainty(np.array([posterior]))[0] == pytest.approx(expected)


def test_looks_see_colour_more_than_brightness() -> None:
    def image(colour: tuple[int, int, int]) -> NDArray[np.uint8]:
        return np.full((1, 48, 32, 3), colour, np.uint8)

    base = describe_looks(image((100, 100, 100)))
    brighter, redder = describe_looks(image((110, 110, 110))), describe_looks(image((90, 90, 120)))
    assert np.abs(redder - base).sum() > np.abs(brighter - base).sum()


def test_those_seen_in_one_frame_come_first_the_longest_before_others() -> None:
    # Four are seen together in frames 10 to 14; one of them is labelled, and one may not be.
    spans = [(0, 20), (5, 14), (10, 40), (30, 60), (10, 14)]
    found = replace(candidates(spans, label=[-1, -1, 2, -1, -1]), open=np.array([True, True, False, True, False]))
    assert suggest_together(found) == [0, 1]
    assert suggest_together(replace(candidates(spans), open=np.zeros(5, bool))) == []
