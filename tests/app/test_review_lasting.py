"""Facts, corrections, answers and events last: the server is killed after each of them, and two tabs write at once."""

import csv
import shutil
import socket
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.app.conftest import Apart
from tests.support.crossing_run import places, write_crossing


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_crossing(tmp_path_factory.mktemp("crossing"))


@pytest.fixture
def file(made, tmp_path):
    shutil.copytree(made.parent, tmp_path, dirs_exist_ok=True)
    return tmp_path / made.name


def rows(file, table):
    path = file.parent / table
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def started(file):
    """A server that can be killed, as soon as it listens."""
    server = Apart(file)
    for _ in range(600):
        with suppress(OSError), socket.create_connection(("127.0.0.1", server.port), 1):
            return server
        time.sleep(0.05)
    raise AssertionError("the server does not listen")


def reviewing(screen):
    screen.press("Alt+6")
    screen.wait("d.questions && d.asked !== undefined")
    return screen


def on_disk(screen, table, count):
    """Until a table has so many rows: what the page shows as written is there."""
    for _ in range(600):
        if len(rows(screen.file, table)) == count:
            return
        screen.page.wait_for_timeout(50)
    raise AssertionError(rows(screen.file, table))


def at_frame(screen, frame):
    screen.press("Space")
    screen.page.locator("#number").fill(str(frame))
    screen.page.locator("#number").press("Enter")
    screen.page.locator("#fit").click()
    screen.wait("d.shown === arg && d.tracks !== ''", str(frame))
    screen.page.locator("#view").focus()


def test_facts_corrections_answers_and_events_survive_a_server_that_is_killed_after_each(open_page, file):
    server = started(file)
    screen = reviewing(open_page(file=file, by=server))
    # At once: names are found again while the server dies.
    screen.press("Enter")
    screen.wait("d.answerMs !== undefined")
    server.kill()
    assert len(rows(file, "facts.csv")) == 1
    server = started(file)
    screen = reviewing(open_page(file=file, by=server))
    at_frame(screen, 20)
    screen.click(*places(20)["A"])
    screen.press("m", "ArrowUp", "Space")
    screen.page.locator("#review-told", has_text="position is kept").wait_for()
    server.kill()
    assert len(rows(file, "corrections.csv")) == 1
    server = started(file)
    screen = reviewing(open_page(file=file, by=server))
    screen.page.locator("input[name=review-mode][value=validate]").check()
    screen.wait("d.judged === '0'")
    screen.page.locator("#validate-draw").click()
    screen.wait("d.judging")
    screen.press("1")
    screen.wait("d.judged === '1'")
    server.kill()
    drawn = rows(file, "answers.csv")
    assert [row["answer"] for row in drawn].count("right") == 1
    server = started(file)
    screen = open_page(file=file, by=server)
    screen.press("Alt+4")
    screen.wait("d.tracks !== '' && d.events === '0'")
    screen.page.locator("#event-kind").fill("rest")
    screen.page.locator("#event-add").click()
    screen.page.locator("#view").focus()
    screen.press("e")
    screen.wait("d.going === 'rest'")
    server.kill()
    assert [row["event"] for row in rows(file, "noted_events.csv")] == ["rest"]
    # All of it is there again, and is undone step by step.
    screen = reviewing(open_page(file=file, by=started(file)))
    screen.wait("Number(d.reviewSteps) > 0")
    screen.press("z")
    on_disk(screen, "corrections.csv", 0)
    screen.press("z")
    on_disk(screen, "facts.csv", 0)
    assert rows(file, "answers.csv") == drawn
    assert file.read_text().startswith("# a comment that stays\n")


def test_two_tabs_write_facts_and_events_and_lose_none(open_page, file):
    one = reviewing(open_page(file=file))
    two = reviewing(open_page(file=file))
    two.press("s")
    two.wait("d.asked.includes(' 141 ')")
    one.press("Enter")
    two.press("q" if two.page.evaluate("window.herdbook.review.asked.x") < 70 else "e")
    on_disk(one, "facts.csv", 2)
    two.wait("Number(d.questions) <= 2 && d.renamed")
    one.wait("Number(d.questions) <= 2 && d.renamed")
    assert sorted(row["name"] for row in rows(file, "facts.csv")) == ["A", "B"]
    for screen in (one, two):
        screen.press("Alt+4")
        screen.wait("d.tracks !== '' && d.events !== undefined")
    for screen, kind in ((one, "feeding"), (two, "flight")):
        screen.page.locator("#event-kind").fill(kind)
        screen.page.locator("#event-add").click()
        screen.page.locator("#view").focus()
        screen.press("e")
        screen.wait("d.going === arg", kind)
    one.wait("d.events === '2'")
    two.wait("d.events === '2'")
    one.press("ArrowRight", "e")
    one.wait("d.going === ''")
    two.press("Shift+ArrowRight", "e")
    two.wait("d.going === ''")
    assert sorted(row["event"] for row in rows(file, "noted_events.csv")) == ["feeding", "flight"]


def test_an_editor_that_adds_a_fact_meanwhile_keeps_it(open_page, file):
    screen = reviewing(open_page(file=file))
    screen.press("Enter")
    on_disk(screen, "facts.csv", 1)
    with (file.parent / "facts.csv").open("a", encoding="utf-8") as appended:
        appended.write("m,10,40,50,is,A,\n")
    screen.wait("d.renamed")
    screen.press("z")
    on_disk(screen, "facts.csv", 1)
    assert [row["frame"] for row in rows(file, "facts.csv")] == ["10"]
