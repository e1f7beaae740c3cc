"""The page is usable by all, as far as a program can tell: axe-core finds nothing on any screen, light and dark.

axe-core is no part of the project; `.ci/page` installs it, and HERDBOOK_AXE is the path of its axe.min.js.
"""

import os
from pathlib import Path

import pytest

from tests.support.crossing_run import write_crossing
from tests.support.labelled_run import place_of as place_of_tracklet
from tests.support.labelled_run import write_labelled, write_learned
from tests.support.littered import LARGE, place_of, write_littered
from tests.support.numbered import write_numbered
from tests.support.watched_run import DOUBT_FRAME, write_watched

AXE = os.environ.get("HERDBOOK_AXE")
pytestmark = pytest.mark.skipif(AXE is None, reason="needs axe-core: .ci/page")
RUN = "axe.run(document).then(found => found.violations.map(one => [one.id, one.nodes.map(node => node.html)]))"


def faults(screen):
    """What axe-core finds on the page as it is: rule and elements."""
    # Transitions of colours would be measured half way.
    screen.page.wait_for_timeout(300)
    screen.page.evaluate(f"{Path(AXE or '').read_text(encoding='utf-8')};0")
    return screen.page.evaluate(RUN)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_finding_animals(open_page, tmp_path, scheme):
    screen = open_page(file=write_littered(tmp_path, resting=(160, 70), until=42), scheme=scheme)
    screen.ready()
    screen.wait("d.resting === '1'")
    assert faults(screen) == []
    screen.press("0")
    screen.click(*place_of(LARGE, 0))
    screen.wait("d.proposed === 'segment.area'")
    assert faults(screen) == []
    for group in screen.page.locator("#controls summary").all():
        if group.evaluate("one => !one.parentElement.open"):
            group.click()
    for info in screen.page.locator(".info").all()[:3]:
        info.click()
    assert faults(screen) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_arenas_keys_and_a_conflict(open_page, scheme):
    screen = open_page(scheme=scheme)
    screen.ready()
    screen.page.locator("#tab-arenas").click()
    screen.page.locator("summary", has_text="Grid of wells").click()
    assert faults(screen) == []
    screen.press("?")
    assert faults(screen) == []
    screen.press("Escape")
    screen.page.locator("#tab-find").click()
    screen.page.locator("#c-segment-difference").fill("41")
    screen.page.locator("#c-segment-difference").press("Enter")
    screen.wait("d.draft === '1'")
    screen.file.write_text(screen.file.read_text().replace("difference: 30", "difference: 35"))
    screen.wait("d.disputed === 'segment.difference'")
    screen.press("Control+s")
    screen.page.locator("#dialog tr").first.wait_for()
    assert faults(screen) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_opening_and_a_new_experiment(open_page, tmp_path, scheme):
    (tmp_path / "videos").mkdir()
    for name in ("a", "b"):
        write_numbered(tmp_path / "videos", "b_frames", 10).rename(tmp_path / "videos" / f"{name}.mp4")
    screen = open_page(folder=True, frames=3, scheme=scheme)
    page = screen.page
    page.locator("#welcome button", has_text=tmp_path.name).click()
    page.locator("#welcome button", has_text="videos/").click()
    page.get_by_text("There is no experiment file").wait_for()
    assert faults(screen) == []
    page.get_by_role("button", name="New experiment").click()
    page.get_by_role("button", name="Choose all").click()
    page.get_by_label("one recording in parts").check()
    page.locator(".seam figure").nth(1).wait_for()
    page.locator("input[name=marking][value=marked]").check()
    for colour in ("blue", "green"):
        page.locator(f"input[value={colour}]").check()
    page.get_by_role("button", name="GG", exact=True).click()
    assert faults(screen) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_reviewing_judging_and_events(open_page, tmp_path, scheme):
    screen = open_page(file=write_crossing(tmp_path), scheme=scheme)
    screen.press("Alt+6")
    screen.wait("d.questions && d.asked && Number(d.loops) > 0")
    screen.press("Space")
    assert faults(screen) == []
    screen.page.locator("input[name=review-mode][value=validate]").check()
    screen.wait("d.judged === '0'")
    screen.page.locator("#validate-draw").click()
    screen.wait("d.judging")
    assert faults(screen) == []
    screen.press("2")
    screen.wait("d.who === 'true'")
    assert faults(screen) == []
    screen.press("Escape", "Alt+4")
    screen.wait("d.tracks && d.events !== undefined")
    screen.page.locator("#event-kind").fill("feeding")
    screen.page.locator("#event-add").click()
    screen.page.locator("#view").focus()
    screen.press("e")
    screen.wait("d.going === 'feeding'")
    assert faults(screen) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_run_and_its_log(open_run, scheme):
    screen = open_run(scheme=scheme)
    screen.wait("d.planned")
    assert faults(screen) == []
    screen.page.locator("#run-start").click()
    row = screen.page.locator("[data-job='index/m']", has_text="frames")
    row.wait_for()
    assert faults(screen) == []
    row.click()
    screen.page.locator("#log-text", has_text="frames/s").wait_for()
    assert faults(screen) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_watching(open_page, tmp_path, scheme):
    screen = open_page(file=write_watched(tmp_path), scheme=scheme)
    screen.press("Alt+4")
    screen.wait("d.watched && d.lanes")
    assert faults(screen) == []
    screen.press("n", "k")
    screen.shows_only(DOUBT_FRAME)
    assert faults(screen) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_labelling(open_page, tmp_path, scheme):
    file = write_labelled(tmp_path)
    write_learned(file)
    screen = open_page(file=file, scheme=scheme)
    screen.press("Alt+5")
    screen.wait("d.labelling && d.references !== undefined")
    screen.page.locator(".head").first.click()
    screen.wait("d.leftOut === '1'")
    assert faults(screen) == []
    screen.page.locator("#label-words").click()
    screen.press("e")
    screen.wait("d.together")
    assert faults(screen) == []
    screen.press("Escape", "v")
    screen.wait("d.montage")
    assert faults(screen) == []
    screen.press("Escape", "Alt+4")
    screen.wait("d.watched && d.tracks")
    screen.click(*place_of_tracklet(1, 0))
    screen.wait("d.here === 'm/1'")
    assert faults(screen) == []
