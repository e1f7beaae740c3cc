"""Nothing is lost: crashes of server and browser, editors and other tabs, undo over restarts. Each scenario ends at the file."""

import pytest
import yaml

from tests.app.conftest import Apart
from tests.support.numbered import write_experiment


def change(screen, key, value):
    """Type a value into a control, and wait until it is a step of the draft."""
    before = screen.page.evaluate("Number(document.documentElement.dataset.draft)")
    field = screen.page.locator(f"#c-segment-{key}")
    field.fill(str(value))
    field.press("Enter")
    screen.wait("Number(d.draft) > arg", before)
    screen.page.locator("#view").focus()


def replaced(file, old, new):
    """What an editor does: the file is written anew with another text."""
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture
def file(tmp_path):
    return write_experiment(tmp_path)


@pytest.fixture
def disputed(open_page):
    """A page with a difference of 41 in its draft, and one of 35 that an editor wrote."""
    screen = open_page()
    screen.ready()
    change(screen, "difference", 41)
    replaced(screen.file, "difference: 30", "difference: 35")
    screen.wait("d.disputed === 'segment.difference'")
    screen.press("Control+s")
    dialog = screen.page.locator("#dialog")
    row = dialog.locator("tr", has_text="segment.difference")
    row.wait_for()
    assert row.locator("td").all_inner_texts() == ["segment.difference", "35", "41"]
    assert screen.values()["segment"]["difference"] == 35
    return screen


def test_of_two_values_that_of_the_page_is_saved(disputed):
    disputed.page.get_by_role("button", name="Save what is here").click()
    disputed.wait("d.draft === '0' && d.disputed === ''")
    assert disputed.values()["segment"]["difference"] == 41
    assert disputed.file.read_text().startswith("# a comment that stays\n")


def test_of_two_values_that_of_the_file_is_taken(disputed):
    disputed.page.get_by_role("button", name="Take what is in the file").click()
    disputed.wait("d.draft === '0' && d.disputed === ''")
    assert disputed.values()["segment"]["difference"] == 35
    assert disputed.page.locator("#c-segment-difference").input_value() == "35"


def test_neither_value_yet_and_the_question_comes_again(disputed):
    disputed.page.get_by_role("button", name="Neither yet").click()
    assert disputed.data("draft") == "1"
    disputed.press("Control+s")
    disputed.page.locator("#dialog tr", has_text="segment.difference").wait_for()
    assert disputed.values()["segment"]["difference"] == 35


def test_a_change_elsewhere_in_the_file_stays_when_the_page_saves(open_page):
    screen = open_page()
    screen.ready()
    change(screen, "difference", 41)
    replaced(screen.file, "experiment: test\n", "experiment: test  # by an editor\n")
    replaced(screen.file, "number: 2", "number: 3")
    screen.page.locator("#counts", has_text="of 3 animals").wait_for()
    values = screen.save()
    assert (values["segment"]["difference"], values["animals"]["number"]) == (41, 3)
    assert "experiment: test  # by an editor\n" in screen.file.read_text()


def test_two_tabs_and_an_editor_lose_no_line(open_page):
    one = open_page()
    two = open_page(file=one.file)
    one.ready()
    two.ready()
    change(one, "difference", 41)
    two.wait("d.draft === '1'")
    change(two, "blur", 1)
    one.wait("d.draft === '2'")
    with one.file.open("a", encoding="utf-8") as appended:
        appended.write("# the last line, by an editor\n")
    two.press("Control+s")
    one.wait("d.draft === '0'")
    change(one, "difference", 42)
    values = one.save()
    assert (values["segment"]["difference"], values["segment"]["blur"]) == (42, 1)
    text = one.file.read_text()
    assert text.startswith("# a comment that stays\n")
    assert "# the last line, by an editor\n" in text


def test_a_killed_server_loses_nothing_between_any_two_steps(open_page, file):
    """The server is killed after each step: of a draft, of an undo, of saving; the next one goes on from there."""

    def again(expected):
        server = Apart(file)
        screen = open_page(file=file, by=server)
        screen.ready()
        screen.wait("d.draft === arg", str(expected))
        return server, screen

    server, screen = again(0)
    change(screen, "difference", 41)
    server.kill()
    server, screen = again(1)
    assert screen.page.locator("#c-segment-difference").input_value() == "41"
    change(screen, "blur", 1)
    server.kill()
    server, screen = again(2)
    screen.press("Control+z")
    screen.wait("d.draft === '1'")
    server.kill()
    server, screen = again(1)
    screen.save()
    server.kill()
    server, screen = again(0)
    assert yaml.safe_load(file.read_text())["segment"] == {"difference": 41, "area": [20, 400]}
    assert file.read_text().startswith("# a comment that stays\n")


def test_a_browser_that_is_gone_leaves_its_draft(open_page):
    screen = open_page()
    screen.ready()
    change(screen, "difference", 41)
    screen.page.context.close()
    other = open_page(file=screen.file)
    other.wait("d.draft === '1'")
    assert other.save()["segment"]["difference"] == 41


def test_undo_and_redo_go_on_after_a_restart_and_over_a_save(open_page, file):
    original = file.read_bytes()
    server = Apart(file)
    screen = open_page(file=file, by=server)
    screen.ready()
    change(screen, "difference", 41)
    screen.save()
    saved = file.read_bytes()
    server.kill()
    screen = open_page(file=file, by=Apart(file))
    screen.ready()
    screen.press("Control+z")
    screen.wait("d.draft === '1'")
    screen.save()
    assert file.read_bytes() == original
    screen.press("Control+y")
    screen.wait("d.draft === '1'")
    screen.save()
    assert file.read_bytes() == saved
