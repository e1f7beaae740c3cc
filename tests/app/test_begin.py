"""A new experiment with the browser alone, up to the file on the disk and the page that it opens in."""

import pytest
import yaml

from tests.support.numbered import write_numbered


@pytest.fixture
def form(open_page, tmp_path):
    """The form for a new experiment in a folder with two movies, and one that is none."""
    folder = tmp_path / "videos"
    folder.mkdir()
    for name, frames in (("day10", 30), ("day2", 20)):
        write_numbered(folder, "b_frames", frames).rename(folder / f"{name}.mp4")
    (folder / "broken.mp4").write_bytes(b"no movie")
    screen = open_page(folder=True, frames=3)
    screen.folder = folder
    screen.page.locator("#welcome button", has_text=tmp_path.name).click()
    screen.page.locator("#welcome button", has_text="videos/").click()
    screen.page.get_by_role("button", name="New experiment").click()
    screen.page.locator("[data-movie='day2.mp4'] .note", has_text="1.0 s, 20 frames/s, 192 × 120").wait_for()
    return screen


def written(screen, name):
    screen.page.get_by_role("button", name="Write the experiment file").click()
    screen.wait("d.shown === '0'")
    return yaml.safe_load((screen.folder / f"{name}.yaml").read_text(encoding="utf-8"))


def test_marked_animals_with_names_from_four_colours(form):
    page = form.page
    page.get_by_role("button", name="Choose all").click()
    page.locator("[data-movie='broken.mp4'] .note.wrong").wait_for()
    page.locator(".chosen-movie").nth(1).wait_for()
    assert page.locator(".chosen-movie").count() == 2
    page.get_by_label("one recording in parts").check()
    page.locator(".seam figure").nth(1).wait_for()
    page.locator("input[name=marking][value=marked]").check()
    for colour in ("blue", "green", "orange", "pink"):
        page.locator(f"input[value={colour}]").check()
    page.locator(".chip").nth(15).wait_for()
    assert page.locator(".chip").count() == 16
    page.get_by_role("button", name="PP", exact=True).click()
    page.get_by_role("button", name="BG", exact=True).click()
    values = written(form, "videos")
    names = [a + b for a in "BGOP" for b in "BGOP"]
    assert values["animals"] == {
        "marking": "marked",
        "identities": [name for name in names if name not in ("BG", "PP")],
        "labels": "labels.csv",
    }
    assert [(one["name"], one["recording"]) for one in values["movies"]] == [("day2", "videos"), ("day10", "videos")]
    assert (form.folder / "labels.csv").read_text().startswith("movie,frame,")


def test_animals_without_marks_in_an_order_changed_by_keys(form):
    page = form.page
    for movie in ("day2.mp4", "day10.mp4"):
        page.locator(f"[data-movie='{movie}'] input").first.check()
    page.locator(".chosen-movie").nth(1).focus()
    form.press("Alt+ArrowUp")
    page.locator("input[name=marking][value=unmarked]").check()
    assert page.get_by_role("button", name="Write the experiment file").is_disabled()
    page.locator("#new-number").fill("2")
    page.locator("#new-name").fill("fish")
    values = written(form, "fish")
    assert values["animals"] == {"marking": "unmarked", "number": 2}
    assert [one["name"] for one in values["movies"]] == ["day10", "day2"]
    assert "recording" not in values["movies"][0]


def test_a_file_that_exists_is_not_overwritten(form):
    (form.folder / "videos.yaml").write_text("experiment: mine\n")
    page = form.page
    page.locator("[data-movie='day2.mp4'] input").check()
    page.locator("input[name=marking][value=none]").check()
    page.get_by_role("button", name="Write the experiment file").click()
    page.locator("#alarm", has_text="exists and is not overwritten").wait_for()
    assert (form.folder / "videos.yaml").read_text() == "experiment: mine\n"
    page.locator("#new-name").fill("other")
    assert written(form, "other")["animals"] == {"marking": "none"}


def test_colours_that_begin_alike_get_longer_names(form):
    page = form.page
    page.locator("[data-movie='day2.mp4'] input").check()
    page.locator("input[name=marking][value=marked]").check()
    page.get_by_label("tags on each animal").fill("1")
    for colour in ("blue", "black"):
        page.locator(f"input[value={colour}]").check()
    page.get_by_role("button", name="Bla", exact=True).wait_for()
    page.get_by_label("more names").fill("queen, drone")
    assert written(form, "videos")["animals"]["identities"] == ["Blu", "Bla", "queen", "drone"]
