"""Doubts answered in the page, random positions judged, events noted: each scenario ends at the table on the disk."""

import csv
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml

from herdbook.artifacts.propagate import Identities
from tests.support.crossing_run import AFTER, BETWEEN, places, write_crossing


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_crossing(tmp_path_factory.mktemp("crossing"))


@pytest.fixture
def file(made, tmp_path):
    shutil.copytree(made.parent, tmp_path, dirs_exist_ok=True)
    return tmp_path / made.name


@pytest.fixture
def screen(open_page, file):
    found = open_page(file=file)
    found.press("Alt+6")
    found.wait("d.questions === '4' && d.asked && Number(d.loops) > 0")
    return found


def rows(screen, table="facts.csv"):
    with (screen.file.parent / table).open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def named(screen, renamed=None):
    """Until names were found again after an answer."""
    screen.wait("d.renamed !== undefined && d.renamed !== arg", renamed)
    return screen.data("renamed")


def animal_at(frame, x, y):
    return min(places(frame), key=lambda name: np.hypot(*np.subtract(places(frame)[name], (x, y))))


def asked(screen):
    return screen.page.evaluate("(({movie, frame, x, y, name}) => ({movie, frame, x, y, name}))(window.herdbook.review.asked)")


def names_at(file, frame):
    """Who is where in a frame, by the names that were found again."""
    from herdbook.artifacts.segment import Blobs
    from herdbook.artifacts.tracklets import Tracklets

    results = file.parent / "results" / "e"
    blobs, tracklets = Blobs.load(results / "segment" / "m.h5"), Tracklets.load(results / "tracklets" / "m.h5")
    found = Identities.load(results / "app" / "review" / "m.h5")
    who = {}
    for tracklet, individual in zip(found.tracklet.tolist(), found.individual.tolist(), strict=True):
        for row in np.flatnonzero((tracklets.blob_tracklet == tracklet) & (blobs.frame == frame)):
            who[found.individuals[individual]] = animal_at(frame, blobs.x[row], blobs.y[row])
    return who


def test_right_is_a_fact_on_the_disk_and_the_names_are_found_again(screen):
    question = asked(screen)
    assert question["name"] == animal_at(question["frame"], question["x"], question["y"]) == "A"
    screen.press("Enter")
    named(screen)
    (fact,) = rows(screen)
    assert fact | {"x": float(fact["x"]), "y": float(fact["y"])} == question | {"frame": str(question["frame"]), "fact": "is", "last": ""}
    values = screen.values()
    assert values["animals"]["facts"] == "facts.csv"
    assert screen.file.read_text().startswith("# a comment that stays\n")
    assert "frames" in screen.page.locator("#review-told").inner_text()
    assert {name: true for name, true in names_at(screen.file, AFTER).items() if name != "C"} == {"A": "A", "B": "B"}
    # What the run made is as it was: the next run makes it again.
    assert not (screen.file.parent / "results" / "e" / "propagate" / "facts").exists()


def test_answers_by_letters_put_the_middle_right(screen):
    while asked(screen)["frame"] != BETWEEN:
        screen.press("s")
    question = asked(screen)
    true = animal_at(BETWEEN, question["x"], question["y"])
    assert true != question["name"]
    screen.press({"A": "q", "B": "e", "C": "r"}[true])
    renamed = named(screen)
    # Both animals of the middle have another name now.
    assert int(renamed.split(":")[0]) >= 2 * 70
    assert {name: true for name, true in names_at(screen.file, BETWEEN).items()} == {"A": "A", "B": "B", "C": "C"}
    assert [(row["fact"], row["name"]) for row in rows(screen)] == [("is", true)]
    # What is drawn over the movie follows.
    screen.press("Space")
    screen.page.locator("#number").fill(str(BETWEEN))
    screen.page.locator("#number").press("Enter")
    screen.wait("d.shown === arg && d.tracks !== ''", str(BETWEEN))
    screen.page.wait_for_function(
        """([x, y]) => { const w = window.herdbook.watch, k = w.tracks.who.indexOf(w.summary.names.indexOf("A"));
        return k >= 0 && Math.hypot(w.tracks.x[k] - x, w.tracks.y[k] - y) < 2; }""",
        arg=list(places(BETWEEN)["A"]),
    )


def test_a_digit_names_the_other_one_that_it_can_be(screen):
    while asked(screen)["frame"] != BETWEEN:
        screen.press("s")
    question = asked(screen)
    screen.press("2")
    named(screen)
    assert [(row["fact"], row["name"]) for row in rows(screen)] == [("is", "B" if question["name"] == "A" else "A")]


def test_a_swap_is_two_facts_in_one_step(screen):
    while asked(screen)["frame"] != BETWEEN:
        screen.press("s")
    screen.press("Space")
    screen.page.locator("#number").fill(str(BETWEEN))
    screen.page.locator("#number").press("Enter")
    screen.page.locator("#view").focus()
    screen.wait("d.shown === arg && d.tracks !== ''", str(BETWEEN))
    screen.press("w")
    renamed = named(screen)
    facts = rows(screen)
    assert {row["name"]: animal_at(BETWEEN, float(row["x"]), float(row["y"])) for row in facts} == {"A": "A", "B": "B"}
    assert {(row["frame"], row["fact"]) for row in facts} == {(str(BETWEEN), "is")}
    screen.press("z")
    named(screen, renamed)
    assert rows(screen) == []


def test_not_here_and_nowhere(screen):
    while asked(screen)["frame"] != BETWEEN:
        screen.press("s")
    name = asked(screen)["name"]
    screen.press("h")
    named(screen)
    assert [(row["fact"], row["name"], row["frame"], row["last"]) for row in rows(screen)] == [("not", name, str(BETWEEN), "")]
    assert names_at(screen.file, BETWEEN)["A"] == "A"
    while asked(screen)["frame"] < BETWEEN + 20:
        screen.press("s")
    question = screen.page.evaluate("window.herdbook.review.asked")
    renamed = screen.data("renamed")
    screen.press("Shift+H")
    named(screen, renamed)
    last = rows(screen)[-1]
    span = question["from_frame"], question["to_frame"]
    assert (last["fact"], last["name"], int(last["frame"]), int(last["last"])) == ("absent", question["name"], *span)


def test_an_answer_that_contradicts_another_one_is_not_kept(screen):
    screen.press("Enter")
    renamed = named(screen)
    kept = rows(screen)
    assert renamed
    # The same animal somewhere else at the same time.
    screen.page.evaluate(
        """kept => window.herdbook.review.send([{movie: "m", frame: Number(kept.frame), x: 161, y: 95, fact: "is", name: kept.name}])""",
        kept[0],
    )
    screen.page.locator("#alarm", has_text="was not kept").wait_for()
    assert rows(screen) == kept


def test_answers_are_undone_one_by_one_also_after_the_page_was_closed(screen, open_page):
    screen.press("Enter")
    first = named(screen)
    while asked(screen)["frame"] != BETWEEN:
        screen.press("s")
    screen.press("h")
    named(screen, first)
    assert len(rows(screen)) == 2
    screen.page.context.close()
    other = open_page(file=screen.file)
    other.press("Alt+6")
    other.wait("d.reviewSteps !== undefined && d.questions")
    other.press("z")
    named(other)
    assert [row["fact"] for row in rows(other)] == ["is"]
    other.press("z")
    other.wait("d.reviewSteps === '0'")
    assert rows(other) == []


def test_a_click_on_an_animal_names_it_from_here_on(screen):
    screen.press("Space")
    screen.page.locator("#number").fill(str(AFTER))
    screen.page.locator("#number").press("Enter")
    screen.page.locator("#fit").click()
    screen.wait("d.shown === arg && d.unknown === '2'", str(AFTER))
    screen.click(*places(AFTER)["B"])
    screen.wait("d.asked.startsWith('m 150')")
    assert "Who is this animal" in screen.page.locator("#review-question").inner_text()
    screen.page.locator(".who [data-name=B]").click()
    named(screen)
    (fact,) = rows(screen)
    assert (fact["frame"], fact["name"], fact["fact"]) == (str(AFTER), "B", "is")
    assert animal_at(AFTER, float(fact["x"]), float(fact["y"])) == "B"
    assert names_at(screen.file, AFTER) == {"A": "A", "B": "B", "C": "C"}


def test_positions_are_moved_by_mouse_and_by_keys(screen):
    screen.press("Space")
    screen.page.locator("#number").fill("20")
    screen.page.locator("#number").press("Enter")
    screen.page.locator("#fit").click()
    screen.wait("d.shown === '20' && d.tracks !== ''")
    start, end = screen.at(*places(20)["A"]), screen.at(60, 40)
    screen.page.keyboard.down("Shift")
    screen.page.mouse.move(*start)
    screen.page.mouse.down()
    screen.page.mouse.move(*end, steps=4)
    screen.page.mouse.up()
    screen.page.keyboard.up("Shift")
    screen.page.locator("#review-told", has_text="position is kept").wait_for()
    (row,) = rows(screen, "corrections.csv")
    assert (row["movie"], row["frame"], row["individual"], row["point"]) == ("m", "20", "A", "")
    assert np.hypot(float(row["x"]) - 60, float(row["y"]) - 40) < 1.5
    assert screen.values()["smooth"]["corrections"] == "corrections.csv"
    # Once more, by keys: the row is replaced.
    before = screen.page.evaluate("() => window.herdbook.review.state.steps")
    screen.click(*places(20)["A"])
    screen.page.wait_for_function("() => window.herdbook.review.asked.name === 'A'")
    screen.press("m", "Shift+ArrowLeft", "ArrowUp", "Space")
    screen.page.wait_for_function("before => window.herdbook.review.state.steps > before", arg=before)
    (row,) = rows(screen, "corrections.csv")
    assert (float(row["x"]), float(row["y"])) == (86, 59)


def judge(screen):
    screen.page.locator("input[name=review-mode][value=validate]").check()
    screen.wait("d.judged === '0'")
    screen.page.locator("#validate-draw").click()
    screen.wait("d.judging")


def test_random_positions_are_judged_by_keys_and_a_wrong_one_becomes_a_fact(screen):
    judge(screen)
    counts = {"right": 0, "wrong": 0, "cannot say": 0}
    for turn in range(8):
        number = screen.data("judging")
        point = screen.page.evaluate("window.herdbook.review.validate.state.next")
        true = animal_at(point["frame"], point["x"], point["y"])
        word = "cannot say" if turn == 0 else "right" if true == point["individual"] else "wrong"
        screen.press({"right": "1", "wrong": "2", "cannot say": "3"}[word])
        if word == "wrong":
            screen.wait("d.who === 'true'")
            screen.press({"A": "q", "B": "e", "C": "r"}[true])
            screen.wait("d.fact === arg", f"{number} {true}")
        screen.wait("d.judging !== arg", number)
        counts[word] += 1
        row = next(row for row in rows(screen, "answers.csv") if row["number"] == number)
        assert row["answer"] == word
    found = [row["answer"] for row in rows(screen, "answers.csv")]
    assert {word: found.count(word) for word in counts} == counts
    assert len(rows(screen)) == counts["wrong"] if counts["wrong"] else not (screen.file.parent / "facts.csv").exists()
    assert screen.values()["animals"]["answers"] == "answers.csv"
    shown = screen.page.locator("[data-rate=all]").inner_text()
    assert f"{counts['wrong']} of {counts['right'] + counts['wrong']}" in shown
    number = screen.data("judging")
    screen.press("z")
    screen.wait("d.judging !== arg", number)
    assert sum(bool(row["answer"]) for row in rows(screen, "answers.csv")) == 7


def test_judging_stops_at_the_interval_that_was_asked_for(screen):
    judge(screen)
    screen.page.locator("#validate-width").select_option("0.1")
    turns = 0
    while screen.data("enough") == "false":
        number = screen.data("judging")
        if not number:
            screen.page.locator("#validate-draw").click()
            screen.wait("d.judging")
            continue
        screen.press("1")
        screen.wait("d.judging !== arg", number)
        turns += 1
    # None wrong of 36: at most 9.7 %.
    assert turns == 36
    assert "Enough" in screen.page.locator("#validate-enough").inner_text()
    assert sum(row["answer"] == "right" for row in rows(screen, "answers.csv")) == 36


def test_events_are_noted_by_keys_while_watching(screen):
    screen.press("Alt+4", "Home")
    screen.wait("d.tracks !== '' && d.shown === '0' && d.events === '0'")
    screen.press("o")
    screen.page.keyboard.type("feeding")
    screen.press("Enter", "k", "i", "PageDown")
    screen.wait("d.shown === '100'")
    screen.press("e")
    screen.wait("d.going === 'feeding'")
    assert rows(screen, "noted_events.csv") == [
        {"movie": "m", "first": "100", "last": "100", "individuals": "A", "event": "feeding", "note": ""}
    ]
    screen.press("Shift+ArrowRight")
    screen.wait("d.shown === '110'")
    screen.press("Shift+Digit1")
    screen.wait("d.going === ''")
    assert [(row["first"], row["last"]) for row in rows(screen, "noted_events.csv")] == [("100", "110")]
    assert screen.values()["animals"]["events"] == "noted_events.csv"
    screen.press("Shift+E")
    screen.page.locator("#event-table .doubt", has_text=re.compile("^100$")).wait_for()
    assert [(row["first"], row["last"]) for row in rows(screen, "noted_events.csv")] == [("100", "100")]
    screen.page.get_by_role("button", name="delete feeding in frame 100").click()
    screen.wait("d.events === '0'")
    assert rows(screen, "noted_events.csv") == []


def test_events_are_there_when_watching_begins_though_no_frame_moves(screen):
    screen.press("Space")
    # What was asked for while the loop ran is there.
    screen.wait("!window.herdbook.player.playing")
    screen.page.wait_for_timeout(500)
    screen.press("Alt+4")
    screen.wait("d.events === '0'")


def test_an_event_of_somebody_unknown_is_refused(screen):
    screen.press("Alt+4")
    screen.wait("d.tracks !== ''")
    screen.page.locator("#event-kind").fill("flight")
    screen.page.locator("#event-add").click()
    screen.page.locator("#event-who").fill("Q")
    screen.page.locator("#event-kinds button").click()
    screen.page.locator("#alarm", has_text="'Q' is none of the animals").wait_for()
    assert not (screen.file.parent / "noted_events.csv").exists()
    assert "events" not in yaml.safe_load(screen.file.read_text())["animals"]
