"""When the next round of learning is due, what the last one brought, and when labels no longer help."""

from pathlib import Path

import pytest

from herdbook.app.labelling.rounds import RoundDoubt, Rounds, answers_of_round, doubt_of, verdict
from herdbook.app.labelling.tags import tag_colours
from herdbook.experiment.file import load_experiment
from tests.support.labelled_run import TRACKS, write_labelled, write_learned


def test_what_is_in_doubt_is_weighed_by_time(tmp_path: Path) -> None:
    file = write_labelled(tmp_path)
    experiment = load_experiment(file)
    assert doubt_of(experiment) is None
    write_learned(file, labelled=(0, 1), sure=0.9)
    found = doubt_of(experiment)
    frames = [track.last - track.first + 1 for track in TRACKS]
    assert found is not None
    assert found.wrong == pytest.approx(0.1 * sum(frames[2:]) / sum(frames), rel=1e-5)
    assert found.nameless == 0


def test_a_round_is_kept_once(tmp_path: Path) -> None:
    rounds = Rounds(tmp_path / "app")
    assert rounds.past() == []
    assert len(rounds.take(RoundDoubt(0.1, 0.2, "a"), 16)) == 1
    assert len(rounds.take(RoundDoubt(0.1, 0.2, "a"), 18)) == 1
    with rounds.path.open("a") as file:
        file.write('{"labels": 3')
    assert [one["labels"] for one in Rounds(tmp_path / "app").past()] == [16]


def test_later_rounds_are_shorter() -> None:
    assert [answers_of_round(16, 0), answers_of_round(16, 1), answers_of_round(100, 2)] == [16, 5, 30]


def one(labels: int, wrong: float) -> dict[str, float]:
    return {"labels": labels, "wrong": wrong, "nameless": 0.0}


@pytest.mark.parametrize(
    ("doubt", "rounds", "unlabelled", "words", "enough"),
    [
        (None, [], [], "Nothing is learned yet.", False),
        (RoundDoubt(0.0004, 0.0, "a"), [one(16, 0.0004)], ["GG"], "0.04 % of the time of animals alone is in doubt. More labels", True),
        (RoundDoubt(0.03, 0.02, "a"), [one(16, 0.05)], ["GG", "BY"], "in doubt (2.0 % without a name). Without a label: GG, BY.", False),
        (RoundDoubt(0.03, 0.0, "a"), [one(16, 0.05), one(21, 0.03)], [], "3.0 % of the time of animals alone is in doubt. More", False),
        (RoundDoubt(0.045, 0.0, "a"), [one(16, 0.05), one(21, 0.045)], [], "Before the last 5 it was 5.0 %: more hardly help", True),
        (RoundDoubt(0.05, 0.0, "a"), [one(16, 0.05)], [], "More labels help.", False),
    ],
)  # fmt: skip
def test_what_is_said_of_a_round(doubt, rounds, unlabelled, words, enough) -> None:  # type: ignore[no-untyped-def]
    text, found = verdict(doubt, rounds, unlabelled)
    assert words in text
    assert found is enough


def test_names_made_of_letters_of_colours_have_the_colours_of_their_tags() -> None:
    found = tag_colours(["BG", "GB", "GG"])
    assert found["BG"] == found["GB"][::-1]
    assert found["GG"][0] == found["GG"][1] == found["GB"][0]
    assert list(tag_colours(["red", "green"])) == ["red", "green"]
    assert tag_colours(["red", "green"])["red"] == [tag_colours(["RR", "GG"])["RR"][0]]
    for names in (["BG", "Max"], ["BG", "BGG"], ["B", "G"], ["ant1", "ant2"]):
        assert tag_colours(names) == {}
