"""Error rates from answers: intervals contain the true rate as often as they should, points are drawn evenly, tables are read back."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from herdbook.commands.labelling.rates import draw_cells, exact_rate, hour_of, summarise, summarise_by
from herdbook.errors import HerdbookError
from herdbook.experiment.sheets.answers import CANNOT_SAY, NOT_ASSIGNED, RIGHT, WRONG, Point, read_answers, write_answers

POINT = Point(1, "day", "m1", 7, 0.7, "A", 10.2, 20.4, 0.912, "single", "classified")
NAN = float("nan")


def points(*answers: str) -> list[Point]:
    return [replace(POINT, number=k + 1, answer=answer) for k, answer in enumerate(answers)]


def test_no_error_in_a_hundred_is_not_no_error() -> None:
    rate = exact_rate(0, 100)
    assert (rate.low, rate.share) == (0, 0)
    # The rule of three, for a two-sided interval.
    assert rate.high == pytest.approx(1 - 0.025 ** (1 / 100))


def test_an_interval_is_the_mirror_of_that_of_the_rest() -> None:
    rate, rest = exact_rate(3, 40), exact_rate(37, 40)
    assert (rate.low, rate.high) == pytest.approx((1 - rest.high, 1 - rest.low))
    assert rate.low < 3 / 40 < rate.high


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5])
def test_intervals_hold_the_true_rate_at_least_as_often_as_they_promise(share: float, rng: np.random.Generator) -> None:
    drawn = rng.binomial(50, share, 400)
    rates = {count: exact_rate(count, 50) for count in set(drawn.tolist())}
    assert np.mean([rates[count].low <= share <= rates[count].high for count in drawn.tolist()]) >= 0.94


def test_nothing_judged_gives_no_rate() -> None:
    assert np.isnan(exact_rate(0, 0).share)


def test_an_answer_cannot_say_is_neither_right_nor_wrong() -> None:
    found = summarise([*points(RIGHT, RIGHT, RIGHT, WRONG, CANNOT_SAY, ""), replace(POINT, known=NOT_ASSIGNED)])
    assert (found.wrong.count, found.wrong.trials, found.cannot_say, found.unanswered) == (1, 4, 1, 1)
    assert (found.assigned.count, found.assigned.trials) == (6, 7)


def test_groups_share_out_all_points() -> None:
    given = [replace(point, individual="AB"[k % 2], time_s=3000.0 * k) for k, point in enumerate(points(RIGHT, WRONG, RIGHT, WRONG))]
    of_b = summarise_by(given, lambda point: point.individual)[1]
    assert (of_b.group, of_b.wrong.count, of_b.wrong.trials) == ("B", 2, 2)
    hours = summarise_by(given, hour_of)
    assert [(found.group, found.assigned.trials) for found in hours] == [
        ("day, hour 0 to 1", 2),
        ("day, hour 1 to 2", 1),
        ("day, hour 2 to 3", 1),
    ]


def test_all_cells_are_drawn_alike_and_none_twice(rng: np.random.Generator) -> None:
    frames = np.arange(10, 15)
    seen: Counter[tuple[int, int]] = Counter()
    for _ in range(600):
        cells = list(zip(*(column.tolist() for column in draw_cells(frames, 3, 5, rng)), strict=True))
        assert len(set(cells)) == 5
        seen.update(cells)
    assert len(seen) == 15
    assert min(seen.values()) > 130
    assert [len(column) for column in draw_cells(frames, 3, 99, rng)] == [15, 15]


def test_a_table_comes_back_as_it_was(tmp_path: Path) -> None:
    lost = replace(POINT, x=NAN, y=NAN, confidence=NAN, source="", known=NOT_ASSIGNED, individual='a, "b"')
    write_answers(tmp_path / "a.csv", [POINT, lost, replace(POINT, answer=WRONG)])
    assert list(map(repr, read_answers(tmp_path / "a.csv"))) == list(map(repr, [POINT, lost, replace(POINT, answer=WRONG)]))


def test_short_answers_are_accepted_and_others_reported_by_line(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    write_answers(path, points("r", "W", "?", "Right"))
    assert [point.answer for point in read_answers(path)] == [RIGHT, WRONG, CANNOT_SAY, RIGHT]
    write_answers(path, points(RIGHT, "perhaps"))
    with pytest.raises(HerdbookError, match=r"line 3: answer must be one of right, wrong, cannot say, or r, w, c, found 'perhaps'"):
        read_answers(path)
