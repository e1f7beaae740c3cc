"""Frames and animals, as somebody at the page sees them."""

import pytest

from tests.app.conftest import READ
from tests.support.numbered import BAR, BITS, KINDS


@pytest.mark.parametrize("kind", [*KINDS, "images"])
def test_number_shown_is_image_shown_while_stepping(open_page, kind):
    screen = open_page(kind)
    screen.shows(0)
    frame = 0
    for key, step in (("ArrowRight", 1), ("d", 1), ("Shift+ArrowRight", 10), ("Control+ArrowRight", 20), ("ArrowLeft", -1), ("a", -1)):
        if kind in ("images", "variable_rate") and "Control" in key:
            continue
        screen.press(key)
        frame += step
        screen.shows(frame)
    for key, frame in (("End", 59), ("Home", 0), ("PageDown", 59)):
        screen.press(key)
        screen.shows(frame)


@pytest.mark.parametrize("kind", [*KINDS, "images"])
def test_dragging_shows_true_numbers_and_ends_at_the_exact_frame(open_page, kind):
    screen = open_page(kind, frames=200)
    screen.shows(0)
    box = screen.page.locator("#strip canvas").bounding_box()
    at = lambda frame: (box["x"] + (frame + 0.3) / 199 * box["width"], box["y"] + 10)  # noqa: E731
    screen.page.mouse.move(*at(10))
    screen.page.mouse.down()
    for frame in range(10, 181, 10):
        screen.page.mouse.move(*at(frame))
        screen.wait("d.shown !== ''")
        shown, number = screen.page.evaluate(f"[Number(document.documentElement.dataset.shown), ({READ})([{BITS}, {BAR}])]")
        assert shown == number
    screen.page.mouse.up()
    screen.shows(180)


@pytest.mark.parametrize("kind", [*KINDS, "images"])
def test_playing_leaves_no_frame_out_and_none_comes_late(open_page, kind):
    screen = open_page(kind)
    screen.ready()
    screen.page.evaluate(
        f"""() => {{ window.seen = []; const read = {READ};
        window.herdbook.player.watchers.add(head => window.seen.push([head.frame, read([{BITS}, {BAR}]), head.kept])); }}"""
    )
    screen.press("Space")
    screen.shows(59)
    seen = screen.page.evaluate("window.seen")
    assert [frame for frame, _, _ in seen] == list(range(1, 60))
    assert all(frame == number and kept == 2 for frame, number, kept in seen)


def test_playing_goes_on_while_settings_change_and_leaves_no_frame_out(open_page):
    screen = open_page()
    screen.ready()
    screen.page.evaluate(
        """() => { window.seen = []; const { player } = window.herdbook;
        player.watchers.add(head => { window.seen.push(head.frame);
            if (player.playing) player.again({ "segment.difference": head.frame % 2 ? 125 : 40 }); }); }"""
    )
    screen.press("Space")
    screen.shows(59)
    frames = screen.page.evaluate("window.seen")
    assert set(frames) - {0} == set(range(1, 60))
    assert frames == sorted(frames)


def test_a_control_that_moves_changes_the_outlines_and_saving_writes_it(open_page):
    screen = open_page()
    screen.ready()
    assert screen.data("kept") == "2"
    field = screen.page.locator("#c-segment-difference")
    field.fill("125")
    screen.wait("d.kept === '0'")
    field.fill("40.5")
    screen.wait("d.kept === '2'")
    field.press("Enter")
    values = screen.save()
    assert values["segment"]["difference"] == 40.5
    assert screen.file.read_text().startswith("# a comment that stays\n")


def test_handles_of_the_histogram_set_the_area(open_page):
    screen = open_page()
    screen.ready()
    screen.wait("d.samples && Number(d.samples.split(':')[0]) >= 50")
    box = screen.page.locator("#histogram canvas").bounding_box()
    # The largest area is dragged below that of the animals, 49 px.
    screen.page.mouse.move(box["x"] + box["width"] * 0.95, box["y"] + 30)
    screen.page.mouse.down()
    screen.page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 30, steps=4)
    screen.page.mouse.up()
    screen.wait("d.kept === '0' && d.dropped === '2'")
    screen.wait("d.samples.split(':')[1].split(',').every(kept => kept === '0')")
    smallest, largest = screen.save()["segment"]["area"]
    assert smallest == 20
    assert 20 <= largest < 49


def test_undo_and_redo_by_keys(open_page):
    screen = open_page()
    screen.ready()
    screen.page.locator("#c-segment-polarity").select_option("bright")
    screen.wait("d.kept === '0' && d.draft === '1'")
    screen.page.locator("#view").focus()
    screen.press("Control+z")
    screen.wait("d.kept === '2' && d.draft === '0'")
    screen.press("Control+y")
    screen.wait("d.kept === '0' && d.draft === '1'")
    assert screen.save()["segment"]["polarity"] == "bright"


def test_values_that_do_not_fit_together_are_told_and_not_saved(open_page):
    screen = open_page()
    screen.ready()
    before = screen.file.read_bytes()
    screen.page.locator("#c-segment-area").fill("9000")
    screen.page.locator("#message:not([hidden])", has_text="the smaller value must be first").wait_for()
    assert screen.data("kept") == "2"
    assert screen.file.read_bytes() == before


def test_two_tabs_see_the_same_draft(open_page):
    one = open_page()
    two = open_page(file=one.file)
    one.ready()
    two.ready()
    one.page.locator("#c-segment-difference").fill("125")
    one.page.locator("#c-segment-difference").press("Enter")
    two.wait("d.draft === '1'")
    assert two.page.locator("#c-segment-difference").input_value() == "125"
    two.press("ArrowRight")
    two.wait("d.shown === '1' && d.kept === '0'")
    assert one.data("shown") == "0"
    assert two.save()["segment"]["difference"] == 125
    one.wait("d.draft === '0'")


def test_a_change_by_an_editor_is_taken_over(open_page):
    screen = open_page()
    screen.ready()
    screen.file.write_text(screen.file.read_text().replace("difference: 30", "difference: 126"))
    screen.wait("document.querySelector('#c-segment-difference').value === '126'")
    screen.press("ArrowRight")
    screen.wait("d.shown === '1' && d.kept === '0'")


def test_an_interval_is_set_by_keys_and_written(open_page):
    screen = open_page()
    screen.ready()
    screen.page.locator("#view").focus()
    screen.press("Shift+ArrowRight")
    screen.shows(10)
    screen.press("i", "Shift+ArrowRight", "Shift+ArrowRight")
    screen.shows(30)
    screen.press("o")
    screen.wait("d.draft === '1'")
    assert screen.save()["segment"]["intervals"] == [[10, 31]]


def test_the_background_is_a_view(open_page):
    screen = open_page()
    screen.ready()
    x, y = screen.page.evaluate("Array.from(window.herdbook.view.blobs.outlines[0].points.slice(0, 2))")
    level = "([x, y]) => { const v = window.herdbook.view, [px, py] = v.to(x + 3, y + 3); return v.picture.getContext('2d').getImageData(px, py, 1, 1).data[1]; }"  # noqa: E501
    assert screen.page.evaluate(level, [x, y]) < 110
    screen.press("b")
    screen.wait(f"({level})(arg) > 150", [x, y])


def test_the_table_of_keys_is_shown_and_closed(open_page):
    screen = open_page()
    screen.press("?")
    assert screen.page.locator("#keys kbd").count() > 30
    screen.press("Escape")
    assert not screen.page.locator("#keys").is_visible()


def test_an_experiment_is_opened_from_its_folder(open_page):
    screen = open_page(folder=True)
    folders = screen.page.locator("#welcome li button")
    folders.first.click()
    screen.page.get_by_role("button", name="experiment.yaml").click()
    screen.wait("d.shown === '0'")
