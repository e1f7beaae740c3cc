"""Each control of the left panel, the line of time, speeds and themes, up to the experiment file where they belong there."""

from itertools import pairwise

import pytest

from herdbook.app.form import controls
from tests.app.conftest import READ
from tests.support.numbered import BAR, BITS, write_numbered

# What each control is set to; all of them fit together, and the animals stay blobs.
SET = {
    "animals.number": 2,
    "segment.method": "background",
    "segment.polarity": "either",
    "segment.difference": 33,
    "segment.difference_noise": None,
    "segment.intensity": [0, 90],
    "segment.channel": "green",
    "segment.area": [15, 300],
    "segment.min_contrast": 5,
    "segment.drop_border": True,
    "segment.blur": 1,
    "segment.close": 1,
    "segment.open": 1,
    "segment.fill_holes": True,
    "segment.reduce": 2,
    "segment.flicker": True,
    "segment.flat_field": True,
    "segment.on_excess": "warn",
    "background.statistic": "mean",
    "background.resting": False,
    "background.frames": 30,
    "background.scope": "recording",
    "background.window_s": 600,
}


def test_each_control_is_written(open_page):
    screen = open_page()
    screen.ready()
    page, asked = screen.page, {}
    for group in page.locator("#controls details:not([open]) summary").all():
        group.click()
    for group in controls():
        for control in group["controls"]:
            key, value = control["key"], SET[control["key"]]
            row = page.locator(f".control[data-key='{key}']")
            if value is None or value == control["default"]:
                continue
            if key == "background.window_s":
                # Windows and the background of a recording exclude each other.
                continue
            if control["kind"] == "choice":
                row.locator("select").select_option(value)
            elif control["kind"] == "switch":
                row.locator("input[type=checkbox]").set_checked(value)
            else:
                fields = row.locator("input[type=number]")
                for place, number in enumerate(value if isinstance(value, list) else [value]):
                    fields.nth(place).fill(str(number))
                    fields.nth(place).press("Enter")
            asked[key] = value
    count = len([key for key in asked if key != "animals.number"])
    screen.wait("Number(d.draft) >= arg", count)
    values = screen.save()
    assert {key: values[key.split(".")[0]][key.split(".")[1]] for key in asked} == asked
    assert screen.file.read_text().startswith("# a comment that stays\n")


def test_units_of_noise_replace_the_difference(open_page):
    screen = open_page()
    screen.ready()
    screen.page.get_by_label("use difference_noise").check()
    segment = screen.save()["segment"]
    assert "difference" not in segment
    assert segment["difference_noise"] == 6


def test_the_interval_of_one_of_two_movies_is_its_own(open_page, tmp_path):
    folder = tmp_path / "second"
    folder.mkdir()
    movies = [{"name": name, "file": str(write_numbered(place, "b_frames", 40))} for name, place in (("a", folder), ("b", tmp_path))]
    screen = open_page(movies=movies)
    screen.ready()
    screen.press("Alt+ArrowRight")
    screen.page.locator("#movie").evaluate("one => one.value")
    screen.wait("document.querySelector('#movie').value === 'b' && d.shown === '0'")
    screen.press("Shift+ArrowRight")
    screen.shows(10)
    screen.press("i")
    screen.wait("d.draft === '1'")
    values = screen.save()
    assert values["movies"][1]["override"] == {"segment": {"intervals": [[10, 60]]}}
    assert "override" not in values["movies"][0]
    assert "intervals" not in values["segment"]


def test_the_next_frame_with_another_number_of_blobs_and_a_click_on_the_plot(open_page):
    screen = open_page(animals=2)
    screen.ready()
    field = screen.page.locator("#c-animals-number")
    field.fill("3")
    field.press("Enter")
    screen.wait("d.samples && Number(d.samples.split(':')[0]) >= 50 && d.draft === '1'")
    screen.page.locator("#samples-note", has_text="another number than 3").wait_for()
    screen.page.locator("#view").focus()
    screen.press("n")
    screen.wait("Number(d.shown) > 0")
    assert screen.number() == int(screen.data("shown"))
    box = screen.page.locator("#plot .u-over").bounding_box()
    screen.page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + 20)
    screen.page.mouse.click(box["x"] + box["width"] * 0.8, box["y"] + 20)
    screen.wait("Number(d.shown) > 40")
    assert screen.number() == int(screen.data("shown"))
    assert screen.save()["animals"]["number"] == 3


def test_a_higher_speed_leaves_out_frames_evenly_and_tells_true_numbers(open_page):
    screen = open_page(frames=200)
    screen.ready()
    screen.page.locator("#speed").select_option("16")
    screen.page.locator("#view").focus()
    screen.page.evaluate(
        f"""() => {{ window.seen = []; const read = {READ};
        window.herdbook.player.watchers.add(head => window.seen.push([head.frame, read([{BITS}, {BAR}])])); }}"""
    )
    screen.press("Space")
    screen.wait("window.seen.length && window.seen[window.seen.length - 1][0] >= 185")
    seen = screen.page.evaluate("window.seen")
    assert all(frame == number for frame, number in seen)
    steps = {after - before for (before, _), (after, _) in pairwise(seen)}
    assert len(steps) == 1
    assert steps.pop() > 1


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_theme_is_kept(open_page, theme):
    screen = open_page(scheme="dark" if theme == "light" else "light")
    screen.page.locator("#theme").select_option(theme)
    ground = screen.page.evaluate("getComputedStyle(document.body).backgroundColor")
    screen.page.reload()
    screen.wait("d.shown !== undefined")
    assert screen.page.locator("#theme").input_value() == theme
    assert screen.page.evaluate("getComputedStyle(document.body).backgroundColor") == ground
    assert (sum(int(part) for part in ground.strip("rgb()").split(",")[:3]) > 380) == (theme == "light")


def test_the_meaning_of_a_control_is_shown(open_page):
    screen = open_page()
    row = screen.page.locator(".control[data-key='segment.polarity']")
    assert not row.locator(".meaning").is_visible()
    row.locator(".info").click()
    assert row.locator(".meaning").is_visible()
