"""The report's page in a browser, on a wide screen and on a phone."""

import re
import shutil
from collections.abc import Callable
from functools import lru_cache
from html import unescape
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from herdbook.report.page import Page, PageSection, render_page
from tests.conftest import Done
from tests.support.browser import Seen, look_at
from tests.support.page_cases import write_page
from tests.workflow.conftest import EXPERIMENT, MOVIES

ODD = ['it\'s; "Ä" & <b>', "#1 ünï", "a%20b?"]
PAGES = {
    "one animal in one frame": {"names": ["Ada"], "frames": 1},
    "two animals, with all there is": {
        **{
            "names": ["Ada", "Bea"],
            "spans": 3,
            "off_px": 0,
            "score": {"truth": "truth.csv"},
            "closeups": {"write": True},
            "mosaic": {"write": True},
        },
        "overlay": {"every": 3, "speed": 2.0},
    },
    "no identity at all": {"names": [f"track{k:04d}" for k in range(1, 31)], "marking": "none", "overlay": {"write": False}},
    "100 animals": {"names": [f"ant{k:03d}" for k in range(100)], "frames": 20, "spans": 40, "nobody": (3, 7)},
    "odd names": {"names": ODD, "spans": 2, "nobody": (1,), "movie": "m; #1 50%"},
}


def check(page: Path, seen: Seen) -> None:
    """No error, all pictures there, nothing wider than the screen, all links lead somewhere."""
    assert seen.console == []
    for frame in seen.frames:
        assert frame["content"] <= frame["room"], f"{frame['content']} px wide on {frame['room']}"
        for natural, shown, alt in frame["images"]:
            assert natural > 0, alt
            assert shown <= frame["room"]
            assert alt
        assert frame["headings"][0] == "H1"
        assert set(frame["headings"][1:]) == {"H2"}
        assert len(frame["ids"]) == len(set(frame["ids"]))
        assert lost_links(page, frame) == []


def lost_links(page: Path, frame: dict[str, list[str]]) -> list[str]:
    """The links of a page that lead nowhere."""
    lost = []
    for link in frame["links"]:
        parts = urlsplit(link)
        found = (page.parent / unquote(parts.path)).exists() if parts.path else parts.fragment in frame["ids"]
        lost += [link] * (parts.scheme != "" or not found)
    return lost


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The page of a case; each is made once."""

    @lru_cache
    def made(case: str) -> Path:
        return write_page(tmp_path_factory.mktemp("page"), **PAGES[case], filmed=True)

    return made


@pytest.mark.parametrize("case", PAGES)
def test_the_page_is_right_on_a_wide_screen_and_on_a_phone(pages: Callable[[str], Path], case: str) -> None:
    page = pages(case)
    check(page, look_at(page))


def test_all_of_100_animals_are_in_tables_that_are_folded(pages: Callable[[str], Path]) -> None:
    text = unescape(pages("100 animals").read_text(encoding="utf-8"))
    assert all(f"{name}</th>" in text for name in PAGES["100 animals"]["names"])
    assert re.search(r"<details[^>]*><summary>By animal, in 20 frames", text)


def test_the_page_works_when_it_is_moved_alone(pages: Callable[[str], Path], tmp_path: Path) -> None:
    moved = Path(shutil.copy(pages("one animal in one frame"), tmp_path / "moved #2 ü.html"))
    seen = look_at(moved)
    assert seen.console == []
    assert seen.frames[0]["images"]
    assert all(natural > 0 for frame in seen.frames for natural, _, _ in frame["images"])


# Faults of a page, and the message about each.
FAULTS = {
    '<script>throw new Error("broken")</script>': "script",
    '<img src="https://example.org/a.png" alt="elsewhere">': "example.org",
    '<img src="data:image/png;base64,AAAA" alt="broken">': "broken",
    '<div style="width: 2000px">wide</div>': "px wide on",
    '<a href="no such file.csv">lost</a>': "no such file",
    "<h3>too deep</h3>": "H3",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_a_page_is_seen(tmp_path: Path, fault: str) -> None:
    page = tmp_path / "page.html"
    page.write_text(render_page(Page("faulty", "", [], [PageSection("a section")])).replace("</main>", f"{fault}</main>"), encoding="utf-8")
    seen = look_at(page)
    with pytest.raises(AssertionError, match=FAULTS[fault]):
        check(page, seen)


def test_the_page_of_a_finished_experiment_is_right(finished: Path) -> None:
    page = finished / "report" / "report.html"
    seen = look_at(page)
    check(page, seen)
    links = {unquote(urlsplit(link).path) for link in seen.frames[0]["links"]}
    wanted = ["trajectories.csv", "trajectories.h5", "events.csv", "doubtful.csv", "data_dictionary.csv"]
    assert links >= {f"../{path}" for path in [*wanted, *(f"overlay/{movie}.mp4" for movie in MOVIES)]}


@pytest.mark.parametrize("kind", ["html", "zip"])
def test_the_report_of_snakemake_has_captions_and_categories(
    finished: Path, snakemake: Callable[..., Done], tmp_path: Path, kind: str
) -> None:
    out = tmp_path / f"report.{kind}"
    done = snakemake(finished.parents[1], EXPERIMENT, "--report", str(out))
    assert done.returncode == 0, done.stdout
    if kind == "zip":
        shutil.unpack_archive(out, tmp_path)
        out = tmp_path / "report" / "report.html"
        assert {path.name for path in (tmp_path / "report" / "data").rglob("*.*")} >= {"report.html", *(f"{movie}.mp4" for movie in MOVIES)}
    text = out.read_text(encoding="utf-8")
    for category in ("Report", "Movies", "Where to look", "Compared with the truth"):
        assert f'"{category}"' in text
    for caption in ("the outlines of blobs", "for a person to check"):
        assert caption in text
