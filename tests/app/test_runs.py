"""Runs, as somebody at the page starts, follows and stops them; the stages are stand-ins that wait until they may go on."""

import json
import time
from pathlib import Path

import pytest
import yaml


@pytest.fixture
def screen(open_run):
    return open_run()


def told(screen, job, text):
    """Until the row of a job says something."""
    screen.page.locator(f"[data-job='{job}']", has_text=text).wait_for()


def results(screen) -> Path:
    return screen.file.parent / "results" / "test"


def test_a_run_is_followed_and_found_again_after_the_page_and_the_server_were_closed(screen, open_page, served):
    screen.page.select_option("#run-target", "names")
    screen.page.locator("#run-cores").fill("1")
    screen.page.locator("#run-start").click()
    told(screen, "index/m", "30 of 300 frames, 15 per s, 18 s left")
    assert screen.page.locator("#run-start").is_disabled()
    screen.page.locator("[data-job='index/m']").click()
    screen.page.locator("#log-text", has_text="15 frames/s").wait_for()
    screen.page.keyboard.press("Escape")
    details = json.loads((results(screen) / "app" / "run.json").read_text())
    assert (details["target"], details["cores"], details["profile"]) == ("names", 1, None)
    # Page and server go; the run stays.
    screen.page.close()
    served.pop(screen.file).end()
    again = open_page(file=screen.file)
    again.press("Alt+3")
    told(again, "index/m", "15 per s")
    assert again.data("run") == "running"
    (screen.file.parent / "go").touch()
    again.wait("d.run === 'ok'")
    again.page.locator("summary", has_text="propagate").click()
    told(again, "propagate/m", "done")
    assert json.loads((results(screen) / "app" / "run.json").read_text())["status"] == 0
    assert (results(screen) / "propagate" / "m.h5").exists()
    assert not (results(screen) / "trajectories.csv").exists()


def test_a_run_is_stopped_within_five_seconds_and_goes_on_later(screen):
    screen.page.locator("#run-start").click()
    told(screen, "index/m", "15 per s")
    locks = results(screen).parent / ".snakemake" / "locks"
    assert list(locks.iterdir())
    begun = time.time()
    screen.page.locator("#run-stop").click()
    screen.wait("d.run === 'stopped'")
    ended = json.loads((results(screen) / "app" / "run.json").read_text())["ended"]
    assert ended - begun < 5
    assert not list(locks.glob("*"))
    (screen.file.parent / "go").touch()
    screen.page.locator("#run-start").click()
    screen.wait("d.run === 'ok'")
    assert (results(screen) / "report" / "report.html").exists()
    screen.wait("d.planned === ''")
    assert screen.page.locator("#planned").inner_text() == "nothing to run"


def test_what_would_run_stands_beside_save_and_saving_and_running_does_it(screen):
    (screen.file.parent / "go").touch()
    screen.page.select_option("#run-target", "names")
    screen.page.locator("#run-start").click()
    screen.wait("d.run === 'ok'")
    screen.press("Alt+1")
    field = screen.page.locator("#c-segment-difference")
    field.fill("40.5")
    field.press("Enter")
    screen.wait("d.draft === '1' && /segment:1.*propagate:1/.test(d.planned) && !/index/.test(d.planned)")
    assert "jobs would run" in screen.page.locator("#planned").inner_text()
    assert yaml.safe_load(screen.file.read_text())["segment"]["difference"] == 30
    screen.page.locator("#planned").click()
    before = (results(screen) / "propagate" / "m.h5").stat().st_mtime_ns
    screen.page.locator("#run-start", has_text="Save and").click()
    screen.wait("d.draft === '0' && d.run === 'running'")
    screen.wait("d.run === 'ok'")
    assert yaml.safe_load(screen.file.read_text())["segment"]["difference"] == 40.5
    assert (results(screen) / "propagate" / "m.h5").stat().st_mtime_ns > before


def test_a_job_that_fails_is_told_with_its_words(screen, stand_ins):
    broken = stand_ins / "herdbook" / "stages" / "segment.py"
    before = broken.read_text()
    broken.write_text('import sys\nSTAGE_VERSION = 1\nif __name__ == "__main__":\n    sys.exit("the disk is full")\n')
    try:
        (screen.file.parent / "go").touch()
        screen.page.locator("#run-start").click()
        screen.wait("d.run === 'failed'")
        told(screen, "segment/m", "failed")
        screen.page.locator("[data-job='segment/m']").click()
        screen.page.locator("#log-text", has_text="the disk is full").wait_for()
    finally:
        broken.write_text(before)
    assert "the disk is full" in next((results(screen) / "logs" / "segment").iterdir()).read_text()
