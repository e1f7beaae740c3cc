"""How an identity is known, along paths of tracklets."""

from collections.abc import Sequence

import numpy as np

from herdbook.artifacts.propagate import ASSUMED, CLASSIFIED, ELIMINATED, LABELLED, PROPAGATED
from herdbook.identity.how_known import how_known


def known_along_path(evidence: Sequence[Sequence[float]], stated: Sequence[int] = ()) -> list[int]:
    """How it is known along a path of tracklets that all hold the first identity; without evidence where all is 0."""
    held = np.zeros((len(evidence), 2), bool)
    held[:, 0] = True
    words = np.zeros_like(held)
    words[list(stated), 0] = True
    values = np.array(evidence, float)
    return how_known(held, values, (values != 0).any(axis=1), words)[:, 0].tolist()


def test_a_path_with_evidence_somewhere_is_labelled_classified_or_propagated():
    known = known_along_path([[0, 0], [9, 0], [0, 0], [0, 0], [0.5, 0]], stated=[3])
    assert known == [PROPAGATED, CLASSIFIED, PROPAGATED, LABELLED, PROPAGATED]


def test_a_path_without_sure_evidence_is_eliminated():
    assert known_along_path([[0, 0], [1.0, 0], [0, 0]]) == [ELIMINATED] * 3


def test_a_name_against_the_images_is_assumed():
    assert known_along_path([[9, 0], [0, 4], [9, 0]]) == [CLASSIFIED, ASSUMED, CLASSIFIED]


def test_what_a_person_stated_is_labelled_whatever_the_images_say():
    assert known_along_path([[0, 9]], stated=[0]) == [LABELLED]
