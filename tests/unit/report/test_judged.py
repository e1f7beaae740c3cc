"""Answers of a person correct the expected error."""

from types import SimpleNamespace

import numpy as np
import pytest

from herdbook.experiment.sheets.answers import CANNOT_SAY, RIGHT, WRONG, Point
from herdbook.report.expected import Expected, ExpectedError, correct_error, sentence_of, still_valid


def points(wrong: int, right: int, source: str = "single") -> list[Point]:
    answers = [WRONG] * wrong + [RIGHT] * right
    return [Point(k, "r", "m", k, 0.0, "A", 1.0, 2.0, 0.9, source, "classified", answer) for k, answer in enumerate(answers)]


def error_of(share: float) -> ExpectedError:
    return ExpectedError(*(Expected(10_000, share, share / 2, share * 2) for _ in range(3)))


def test_without_answers_nothing_changes():
    unanswered = [*points(0, 0), Point(1, "r", "m", 1, 0.0, "A", 1, 2, 0.9, "single", "classified", CANNOT_SAY)]
    assert correct_error(error_of(0.01), unanswered) == error_of(0.01)


def test_answers_that_agree_narrow_it():
    found = correct_error(error_of(0.02), points(20, 980)).whole
    assert found.share == pytest.approx(0.02, rel=0.1)
    assert 0.01 < found.low < found.share < found.high < 0.04


def test_answers_that_contradict_it_replace_it():
    found = correct_error(error_of(0.0005), points(10, 90)).whole
    assert found.share == pytest.approx(0.1, rel=0.1)
    assert found.low > 0.05
    assert found.high < 0.17


def test_none_wrong_of_few_says_little_about_a_small_error():
    found = correct_error(error_of(0.0005), points(0, 100)).whole
    assert found.share < 0.002
    assert found.high < 0.01


def test_alone_and_in_contact_are_corrected_by_their_own_answers():
    found = correct_error(error_of(0.001), [*points(0, 200), *points(20, 20, "resolved")])
    assert found.alone.share < 0.002
    assert found.contact.share == pytest.approx(0.5, rel=0.1)
    assert 0.05 < found.whole.share < 0.12


@pytest.mark.parametrize("factor", [0.5, 1.0, 2.0, 10.0])
@pytest.mark.parametrize("told", [0.005, 0.05])
def test_the_interval_holds_the_truth_of_random_samples(told: float, factor: float):
    rng = np.random.default_rng(5)
    true, counts = told * factor, {}
    for wrong in rng.binomial(400, true, 200).tolist():
        counts[wrong] = counts.get(wrong, 0) + 1
    found = {wrong: correct_error(error_of(told), points(wrong, 400 - wrong)).whole for wrong in counts}
    assert sum(times for wrong, times in counts.items() if found[wrong].low <= true <= found[wrong].high) >= 0.7 * 200


def test_answers_about_positions_that_have_changed_do_not_count():
    # The second movie begins with frame 10 of the recording.
    movies = [SimpleNamespace(name="m1", frames=10), SimpleNamespace(name="m2", frames=10)]
    frame, individual = np.repeat(np.arange(20), 2), np.tile([0, 1], 20)
    tracks = SimpleNamespace(names=["A", "B"], frame=frame, individual=individual, x=10.0 * frame, y=50.0 * individual)
    recordings = [SimpleNamespace(movies=movies, tracks=tracks, body_length_px=np.nan)]
    drawn = [
        ("m1", 3, "A", 30.0, 0.0),
        ("m2", 3, "B", 130.4, 50.0),
        ("m2", 4, "B", 145.0, 50.0),
        ("m3", 4, "B", 0, 0),
        ("m1", 4, "C", 0, 0),
    ]
    mine = [Point(k, "r", movie, t, 0.0, name, x, y, 0.9, "single", "classified", WRONG) for k, (movie, t, name, x, y) in enumerate(drawn)]
    valid = still_valid(mine, recordings)
    assert [point.number for point in valid] == [0, 1]
    assert sentence_of(mine, valid).startswith("Of 2 random positions that a person judged 2 have the wrong name")
    assert "3 more answers are about older results" in sentence_of(mine, valid)


def test_answers_survive_another_segmentation_that_moves_centres_a_little():
    tracks = SimpleNamespace(names=["A", "B"], frame=np.array([3, 3]), individual=np.array([0, 1]), x=np.array([30.0, 60.0]), y=np.zeros(2))
    recordings = [SimpleNamespace(movies=[SimpleNamespace(name="m1", frames=10)], tracks=tracks, body_length_px=30.0)]
    drawn = [
        Point(k, "r", "m1", 3, 0.0, name, x, 0.0, 0.9, "single", "classified", WRONG)
        for k, (name, x) in enumerate([("A", 35.5), ("B", 53.5)])
    ]
    assert [point.individual for point in still_valid(drawn, recordings)] == ["A"]
