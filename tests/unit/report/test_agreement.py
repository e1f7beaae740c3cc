"""The report says which movies are not smoothed, and why."""

import numpy as np
import pytest

from herdbook.report.agreement import smoothing_sentences
from herdbook.report.summaries import MovieSummary


def movie(agreement=(), points=()):
    return MovieSummary("m1", 10, 10, 1.0, 10, 10, 10.0, "h264", agreement=np.array(agreement), points_agreement=np.array(points))


@pytest.mark.parametrize(
    ("agreement", "words"),
    [
        ([], []),
        ([np.nan], []),
        ([0.97], []),
        ([0.2], ["The positions of m1 are not smoothed", "does not agree with the blobs at 80.0 %"]),
        ([0.7], ["At 30.0 % of the positions of m1", "as they were found, not smoothed"]),
        ([0.3, 0.99, np.nan], ["The positions of m1 in 1 interval of 2 are not smoothed", "at 70.0 %"]),
    ],
)
def test_positions_that_are_not_smoothed_are_told(agreement, words):
    sentences = smoothing_sentences([movie(agreement)])
    assert len(sentences) == bool(words)
    for word in words:
        assert word in sentences[0].replace("\u00a0", " ")


def test_body_points_are_told_by_themselves():
    (sentence,) = smoothing_sentences([movie([0.99], [0.1])])
    assert sentence.startswith("The body points of m1 are not smoothed")
