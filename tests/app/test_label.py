"""Labelling by keys and clicks; each scenario ends at the tables on the disk."""

import csv
import json
from pathlib import Path

import pytest
import yaml

from herdbook.app.runs import Runs
from herdbook.classifier.image_folders import load_set, save_set
from herdbook.experiment.file import load_experiment
from tests.app.conftest import Apart
from tests.support.labelled_run import NAMES, OTHER, OWN, made_of, name_of, place_of, write_labelled, write_learned


def rows(file: Path, table: str = "labels.csv") -> list[dict[str, str]]:
    path = file.parent / table
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as opened:
        return list(csv.DictReader(opened))


def on_animal(row: dict[str, str], tracklet: int) -> bool:
    x, y = place_of(tracklet, int(row["frame"]))
    return abs(float(row["x"]) - x) < 2 and abs(float(row["y"]) - y) < 2


def tracklet_of(row: dict[str, str]) -> int:
    """The tracklet on which a row lies."""
    late = 4 if int(row["frame"]) >= 42 else 0
    (found,) = [k for k in range(late, late + 4) if on_animal(row, k)]
    return found


def shown(screen) -> int:
    screen.wait("d.labelling")
    return int(screen.data("labelling").split("/")[1])


def answer(screen, *keys: str) -> int:
    """Press keys that answer for the tracklet that is shown, and wait until the answer is on the disk; returns the tracklet."""
    tracklet, before = shown(screen), int(screen.page.evaluate("Number(document.documentElement.dataset.answered || 0)"))
    screen.press(*keys)
    screen.wait("Number(d.answered) === arg", before + 1)
    return tracklet


@pytest.fixture
def file(tmp_path):
    return write_labelled(tmp_path)


@pytest.fixture
def label(open_page):
    """Open the tab of an experiment, which does not learn by itself."""

    def start(file, **options):
        screen = open_page(file=file, **options)
        screen.press("Alt+5")
        screen.wait("d.labelling && d.rounds && d.references !== undefined")
        if screen.page.locator("#label-auto").is_checked():
            screen.page.locator("#label-auto").uncheck()
        screen.page.locator("#label-words").click()
        return screen

    return start


def test_all_animals_are_labelled_by_typing_their_names(label, file):
    screen = label(file)
    first = [answer(screen, *name_of(shown(screen)).lower()) for _ in NAMES]
    found = rows(file)
    assert [(row["movie"], row["label"]) for row in found] == [("m", name_of(k)) for k in first]
    assert all(on_animal(row, k) for row, k in zip(found, first, strict=True))
    counts = {chip.get_attribute("data-name"): chip.locator(".chip-count").inner_text() for chip in screen.page.locator(".name-chip").all()}
    times = [[name_of(k) for k in first].count(name) for name in NAMES]
    assert counts == {name: str(many) if many else "" for name, many in zip(NAMES, times, strict=True)}


def test_images_are_large_enough_and_the_tracklet_moves(label, file):
    screen = label(file)
    boxes = [head.bounding_box() for head in screen.page.locator(".head:visible").all()]
    assert len(boxes) == 5
    assert min(box["width"] for box in boxes) >= 250
    frames = set(screen.page.locator(".head:visible .note").all_inner_texts())
    screen.press("ArrowRight")
    screen.wait("d.labelPage === '1'")
    assert frames.isdisjoint(screen.page.locator(".head:visible .note").all_inner_texts())
    pixels = "document.querySelector('.loop canvas').toDataURL()"
    before = screen.page.evaluate(pixels)
    screen.page.wait_for_function(f"before => {pixels} !== before", arg=before)
    screen.page.wait_for_function("() => document.querySelector('#label-frame').naturalWidth > 0")
    assert rows(file) == []


def test_the_most_likely_name_is_accepted_and_others_are_numbers(label, file):
    write_learned(file)
    screen = label(file)
    first = answer(screen, "Enter")
    second = shown(screen)
    order = [
        chip.get_attribute("data-name")
        for chip in sorted(screen.page.locator(".name-chip").all(), key=lambda one: int(one.evaluate("e => e.style.order")))
    ]
    answer(screen, "3")
    guess = {k: NAMES[(k + (k == 7)) % 4] for k in range(8)}
    assert [(tracklet_of(row), row["label"]) for row in rows(file)] == [(first, guess[first]), (second, order[2])]
    assert order[0] == guess[second]


def test_enter_after_a_click_on_a_name_is_an_answer_of_its_own(label, file):
    write_learned(file, wrong=None)
    screen = label(file)
    first = shown(screen)
    screen.page.locator(f'.name-chip[data-name="{name_of(first)}"]').click()
    screen.wait("d.answered === '1'")
    second = answer(screen, "Enter")
    assert [(tracklet_of(row), row["label"]) for row in rows(file)] == [(first, name_of(first)), (second, name_of(second))]


def test_without_any_knowledge_enter_does_nothing(label, file):
    screen = label(file)
    before = shown(screen)
    screen.press("Enter")
    screen.page.locator("#spoken", has_text="nothing is known yet").wait_for(state="attached")
    assert shown(screen) == before
    assert rows(file) == []


def test_unreadable_several_and_no_animal_are_left_out_and_named_in_the_file(label, file):
    screen = label(file)
    answers = [(answer(screen, key), what) for key, what in (("u", "unreadable"), ("x", "nothing"), ("m", "several"))]
    assert [(tracklet_of(row), row["what"]) for row in rows(file, "left_out.csv")] == answers
    assert rows(file) == []
    text = file.read_text()
    assert text.startswith("# a comment that stays\n")
    assert yaml.safe_load(text)["trainset"] == {"left_out": "left_out.csv"}
    # They do not come again.
    screen.page.reload()
    screen.press("Alt+5")
    screen.wait("d.labelling")
    left = {int(one.split("/")[1]) for one in [screen.data("labelling")]}
    assert not left & {k for k, _ in answers}


def test_other_labels_of_the_experiment_take_what_is_no_animal(label, tmp_path):
    animals = {"marking": "marked", "identities": NAMES, "labels": "labels.csv", "other_labels": ["dirt", "unreadable"]}
    file = write_labelled(tmp_path, animals=animals)
    screen = label(file)
    answer(screen, "u")
    answer(screen, "x")
    assert [row["label"] for row in rows(file)] == ["unreadable", "dirt"]
    assert rows(file, "left_out.csv") == []


def test_skip_and_undo_of_both_tables_in_order(label, file):
    screen = label(file)
    first = shown(screen)
    screen.press("s")
    screen.wait("d.labelling !== arg", f"m/{first}")
    second = answer(screen, *"gg")
    third = answer(screen, "u")
    screen.press("z")
    screen.wait("d.undone === '1' && d.labelling === arg", f"m/{third}")
    assert (rows(file, "left_out.csv"), len(rows(file))) == ([], 1)
    screen.press("z")
    screen.wait("d.undone === '2' && d.labelling === arg", f"m/{second}")
    assert rows(file) == []
    answer(screen, *"yr")
    assert [(tracklet_of(row), row["label"]) for row in rows(file)] == [(second, "YR")]


def test_images_that_are_pressed_are_no_examples_until_pressed_again(label, file):
    screen = label(file)
    tracklet = shown(screen)
    heads = screen.page.locator(".head:visible")
    for k in (1, 3):
        heads.nth(k).click()
        screen.wait("d.leftOut === arg", "1" if k == 1 else "2")
    found = rows(file, "left_out.csv")
    assert [(tracklet_of(row), row["what"]) for row in found] == [(tracklet, "image")] * 2
    assert [f"frame {row['frame']}" for row in found] == [heads.nth(k).locator(".note").inner_text() for k in (1, 3)]
    heads.nth(1).click()
    screen.wait("d.leftOut === '1'")
    assert rows(file, "left_out.csv") == found[1:]
    assert yaml.safe_load(file.read_text())["trainset"] == {"left_out": "left_out.csv"}


def test_everybody_in_a_frame_is_labelled_with_the_names_of_now(label, file):
    write_learned(file, wrong=None)
    screen = label(file)
    screen.press("e")
    screen.wait("d.together")
    frame = int(screen.data("together").split("/")[1])
    late = 4 if frame >= 42 else 0
    # One is not certain enough for this person.
    screen.page.locator(".together button", has_text=NAMES[2]).click()
    screen.press("e")
    screen.wait("d.answered === '1'")
    assert {(tracklet_of(row), row["label"], row["frame"]) for row in rows(file)} == {(late + k, NAMES[k], str(frame)) for k in (0, 1, 3)}
    screen.press("z")
    screen.wait("d.undone === '1'")
    assert rows(file) == []


def test_the_last_animal_of_a_frame_is_who_is_left_over(label, file):
    screen = label(file)
    done = []
    while len(done) < 3:
        tracklet = shown(screen)
        if tracklet < 4:
            answer(screen, *name_of(tracklet).lower())
            done.append(tracklet)
        else:
            screen.press("s")
            screen.wait("d.labelling !== arg", f"m/{tracklet}")
    (left,) = set(range(4)) - set(done)
    while shown(screen) >= 4:
        before = screen.data("labelling")
        screen.press("s")
        screen.wait("d.labelling !== arg", before)
    screen.press("e")
    screen.page.locator(".together button", has_text="left over").wait_for()
    screen.press("Enter")
    screen.wait("d.answered === '4'")
    assert (tracklet_of(rows(file)[-1]), rows(file)[-1]["label"]) == (left, name_of(left))


def test_orders_and_filters(label, file):
    write_learned(file)
    screen = label(file)
    page = screen.page

    def first(field, value):
        before = int(screen.data("asked"))
        page.locator(f"#label-{field}").select_option(value)
        screen.wait("Number(d.asked) > arg", before)
        return shown(screen)

    assert first("order", "longest") == 0
    assert first("order", "time") in range(4)
    assert first("name", "GG") in (1, 5)
    assert first("order", "longest") == 1
    assert first("name", "YR") == 2
    assert first("name", "GG") == 1
    page.locator("#label-words").click()
    answer(screen, *"gg")
    assert len(rows(file)) == 1


def test_the_montage_shows_the_odd_one_first_and_its_label_is_mended(label, file):
    write_learned(file)
    (file.parent / "labels.csv").write_text("movie,frame,x,y,label\nm,50,{},{},RB\n".format(*place_of(7, 50)))
    screen = label(file)
    screen.press("v")
    screen.wait("d.montage === 'RB'")
    listed = [int(row.get_attribute("data-tracklet").split("/")[1]) for row in screen.page.locator(".montage-row").all()]
    assert set(listed) == {0, 4, 7}
    screen.page.locator('.montage-row[data-tracklet="m/7"]').click()
    screen.wait("d.labelling === 'm/7'")
    answer(screen, *"by")
    assert [(row["frame"], row["label"]) for row in rows(file)] == [("50", "BY")]


def test_a_click_on_an_animal_in_watch_labels_it(label, file):
    write_learned(file, wrong=None)
    screen = label(file)
    screen.press("Alt+4")
    screen.wait("d.watched && d.tracks")
    screen.click(*place_of(1, 0))
    screen.wait("d.here === 'm/1'")
    screen.press("Enter")
    screen.wait("d.here === 'GG'")
    screen.click(*place_of(2, 0))
    screen.wait("d.here === 'm/2'")
    screen.page.locator("#label-here button", has_text="BY").click()
    screen.wait("d.here === 'BY'")
    assert [(tracklet_of(row), row["frame"], row["label"]) for row in rows(file)] == [(1, "0", "GG"), (2, "0", "BY")]
    # Beside all animals nothing is asked.
    screen.click(120, 90)
    screen.wait("d.here === ''")
    assert screen.page.locator("#label-here").is_hidden()


def test_answers_of_two_tabs_are_all_there_and_no_tracklet_comes_twice(label, file):
    one = label(file)
    two = label(file)
    first = answer(one, *name_of(shown(one)).lower())
    two.wait("d.labels === '1'")
    answered = [first]
    for screen in (two, one, two):
        while shown(screen) in answered:
            before = screen.data("labelling")
            screen.press("s")
            screen.wait("d.labelling !== arg", before)
        count = len(rows(file))
        answered.append(answer(screen, *name_of(shown(screen)).lower()))
        assert len(rows(file)) == count + 1
    assert [(tracklet_of(row), row["label"]) for row in rows(file)] == [(k, name_of(k)) for k in answered]


def test_answers_survive_the_end_of_the_server_and_are_undone_after_it(label, file):
    server = Apart(file)
    screen = label(file, by=server)
    first = answer(screen, *"rb")
    second = answer(screen, "u")
    server.kill()
    assert [(tracklet_of(row), row["label"]) for row in rows(file)] == [(first, "RB")]
    screen = label(file, by=Apart(file))
    assert shown(screen) not in (first, second)
    screen.press("z")
    screen.wait("d.undone === '1' && d.labelling === arg", f"m/{second}")
    screen.press("z")
    screen.wait("d.undone === '2'")
    assert (rows(file), rows(file, "left_out.csv")) == ([], [])


def test_a_row_that_an_editor_adds_is_counted(label, file):
    screen = label(file)
    with (file.parent / "labels.csv").open("a", encoding="utf-8") as table:
        table.write("m,50,{},{},YR\n".format(*place_of(6, 50)))
    answer(screen, *name_of(shown(screen)).lower())
    screen.press("Alt+4", "Alt+5")
    screen.wait("d.labels === '2'")
    assert rows(file)[0]["label"] == "YR"


def test_a_round_begins_by_itself_and_the_page_says_when_labels_no_longer_help(open_page, file, monkeypatch):
    """The run is a stand-in that has learned all names by the third look at it."""
    targets, looks = [], []
    state = Runs.state

    def start(self, target="everything", cores=None, profile=None):
        targets.append(target)

    def running(self):
        looks.append(len(targets))
        if targets and looks.count(1) == 3:
            write_learned(file, labelled=tuple(tracklet_of(row) for row in rows(file)[:4]), wrong=None, sure=0.9995)
        return state(self) | {"running": bool(targets) and looks.count(1) < 3, "ok": True}

    monkeypatch.setattr(Runs, "start", start)
    monkeypatch.setattr(Runs, "state", running)
    screen = open_page(file=file)
    screen.press("Alt+5")
    screen.wait("d.labelling && d.rounds === '0'")
    screen.page.locator("#label-words").click()
    for _ in NAMES:
        answer(screen, *name_of(shown(screen)).lower())
    screen.wait("d.learning === 'names'")
    # The next ones come meanwhile.
    answer(screen, *name_of(shown(screen)).lower())
    screen.wait("d.rounds === '1' && d.enough === 'true'")
    told = screen.page.locator("#label-told").inner_text()
    assert told == "After 4 labels 0.02 % of the time of animals alone is in doubt. More labels will not help."
    assert targets == ["names"]
    assert [(tracklet_of(row), row["label"]) for row in rows(file)] == [(tracklet_of(row), name_of(tracklet_of(row))) for row in rows(file)]
    assert len(rows(file)) == 5
    (line,) = (file.parent / "results" / "e" / "app" / "rounds.jsonl").read_text().splitlines()
    assert json.loads(line)["labels"] == 4


def test_nothing_to_label_yet_says_what_to_do(open_page, tmp_path):
    file = write_labelled(tmp_path)
    (file.parent / "results" / "e" / "tracklets" / "m.h5").unlink()
    screen = open_page(file=file)
    screen.press("Alt+5")
    screen.page.locator("#label-empty button", has_text="Make what labels need").wait_for()
    assert rows(file) == []


def test_a_set_of_others_is_merged_after_its_contradictions_were_seen(label, file):
    save_set(made_of(OWN, 1), load_experiment(file).artifact("trainset"), "trainset import", [])
    save_set(made_of(OTHER, 2), file.parent / "other.h5", "trainset import", [])
    screen = label(file)
    page = screen.page
    page.locator("summary", has_text="Images and classifiers of others").click()
    page.locator("#sets-file").fill("other.h5")
    page.locator("#sets-compare").click()
    screen.wait("d.sets === 'compared 1'")
    captions = page.locator(".contradiction-image").all_inner_texts()
    assert captions == ["GG"] * 3 + ["RB"] * 3
    page.locator("#sets-leave_out").check()
    page.locator("#sets-merge").click()
    screen.wait("d.sets === 'merged merged.h5' && d.draft === '1'")
    assert screen.save()["trainset"] == {"use": "merged.h5"}
    assert len(load_set(file.parent / "merged.h5").images) == 18
