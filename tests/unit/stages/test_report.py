"""The report's page: what it says of how well animals are known, where its links lead, which settings it shows, how it is written."""

import getpass
import json
import platform
import re
import tomllib
from dataclasses import replace
from html import unescape
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from herdbook.artifacts.smooth import FROM_MERGED, FROM_RESOLVED, FROM_SINGLE
from herdbook.errors import HerdbookError
from herdbook.report.expected import Expected, ExpectedError
from herdbook.report.gist import Gist
from herdbook.report.known import HOUR_S, measure_quality, merges_in_bins, merges_of, round_edges_s
from herdbook.report.links import files_section, find_links
from herdbook.report.origin import PACKAGES, Made, settings_section
from herdbook.report.page import MOST_ROWS, Cell, Page, PageSection, Table, count, duration, percent, render_page, time_span
from herdbook.report.reading import read_recording
from herdbook.report.summaries import HIDDEN, UNKNOWN, UNTRACKED, IndividualTotals, MovieSummary, RecordingTracks
from herdbook.stages import report
from tests.conftest import ROOT
from tests.support.page_cases import write_page
from tests.support.report_cases import write_recording


def rendered(*sections, **keys):
    return render_page(Page("a title", "below it", [("1", "animal")], sections, **keys))


def test_every_text_is_escaped():
    table = Table(("<h>",), [[Cell("<i>cell</i>")]], "<caption>")
    text = rendered(PageSection("<q>", ["<u>"], [table], "<pre>", terms=[("<t>", "<m>")], links=[Cell("<l>", path='a"b/ü #1.csv')]))
    for written in ("<h>", "<i>cell</i>", "<q>", "<u>", "<t>", "<m>", "<l>"):
        assert written not in text
        assert written in unescape(text)
    assert 'href="a%22b/%C3%BC%20%231.csv"' in text


def test_a_long_table_is_folded_and_its_sum_stands_apart():
    rows = [[Cell(str(k)), Cell("1")] for k in range(MOST_ROWS + 1)]
    assert not Table(("a", "b"), rows[:-1]).is_folded
    text = rendered(PageSection("s", tables=[Table(("a", "b"), rows, "Many", total=[Cell("all"), Cell("27")])]))
    folded = text[text.index("<details") : text.index("</details>")]
    assert f"({MOST_ROWS + 1} rows)" in folded
    assert folded.count('<th scope="row">') == MOST_ROWS + 2
    assert re.search(r"<tfoot><tr><th scope=\"row\">all</th>\s*<td>27</td></tr></tfoot>", folded)


def test_a_page_runs_no_script_and_names_no_place_outside_of_it():
    text = rendered(PageSection("s", ["a sentence"]))
    assert "default-src 'none'" in text
    assert not re.search(r"<script|<link|<iframe|@import|url\(|https?:|//\w", text)


@pytest.mark.parametrize("duration_s", [0.05, 0.9, 11.9, 12.1, 80.0, 3599, 3601, 86_400, 86_520.3, 40 * 86_400])
def test_bins_of_time_cover_the_recording_in_round_steps(duration_s):
    edges_s = round_edges_s(duration_s, 12, HOUR_S)
    assert edges_s[0] == 0
    assert edges_s[-1] == duration_s
    assert (np.diff(edges_s) > 0).all()
    assert len(edges_s) <= 13 or np.allclose(np.diff(edges_s)[:-1], HOUR_S)
    assert len(round_edges_s(duration_s, 24)) <= 25


def drawn_recording(rows, lacking, names=("a", "b")):
    """A recording of one frame per second with positions (frame, individual, source, confidence)."""
    frame, individual, source, confidence = (np.array(column) for column in zip(*sorted(rows), strict=True))
    tracks = RecordingTracks(
        list(names), frame, individual, 0.0 * frame, 0.0 * frame, source.astype(np.uint8), confidence.astype(np.float32)
    )
    movie = MovieSummary("m", len(lacking), len(lacking), float(len(lacking)), 10, 10, 1.0, "h264")
    return SimpleNamespace(
        name="day",
        tracks=tracks,
        time_s=np.arange(len(lacking) + 1.0),
        lacking=np.array(lacking, np.uint8),
        duration_s=float(len(lacking)),
        frames=len(lacking),
        movies=[movie],
    )


def test_frames_without_a_position_are_unknown_or_hidden_or_not_tracked():
    rows = [(0, 0, FROM_SINGLE, 1.0), (1, 0, FROM_RESOLVED, 0.5), (3, 0, FROM_MERGED, 0.75), (0, 1, FROM_SINGLE, 1.0)]
    recording = drawn_recording(rows, [UNKNOWN, UNKNOWN, HIDDEN, HIDDEN, UNTRACKED])
    quality = measure_quality(recording, np.array([0.0, 2.0, 5.0]))
    assert quality.tracked.tolist() == [2, 2]
    assert quality.positions.tolist() == [[2, 1], [1, 0]]
    assert quality.merged.tolist() == [[1, 1], [0, 0]]
    assert quality.unknown.tolist() == [[0, 0], [1, 0]]
    assert quality.hidden.tolist() == [[0, 1], [0, 2]]
    assert quality.doubt.tolist() == [[0.5, 0.25], [0, 0]]
    assert quality.lost.tolist() == [[0.5, 0.25], [1, 0]]


def test_merges_count_for_everybody_in_them_and_when_they_begin():
    merges = pd.DataFrame({"time": [0.0, 9.9, 10.0, 20.0], "individuals": ["a;b", '"b;c";a', "", "a"]})
    assert merges_in_bins(merges, np.array([0.0, 10.0, 20.0])).tolist() == [2, 2]
    assert merges_of(merges, ["a", "b", "b;c"]).tolist() == [3, 1, 1]


@pytest.fixture
def undrawn(monkeypatch):
    """Pages without pictures: they take seconds."""
    monkeypatch.setattr(report, "recording_section", lambda *_: PageSection("Recording"))
    monkeypatch.setattr(report, "card_sections", lambda *_: ())
    monkeypatch.setattr(report, "review_pictures", lambda *_: [])


@pytest.mark.usefixtures("undrawn")
def test_the_page_tells_by_animal_what_was_drawn(tmp_path):
    page = write_page(tmp_path, ["Ada", "Bea", "Cleo"], nobody=(2,))
    text = unescape(page.read_text(encoding="utf-8"))
    by_animal = text[text.index("By animal, in 30 frames") :]
    cells = {
        name: re.findall(r"<td[^>]*>([^<]*)</td>", by_animal[by_animal.index(f"{name}</th>") :].split("</tr>")[0])
        for name in ("Ada", "Bea", "Cleo", "all")
    }
    assert cells["Ada"] == ["100 %", "10.0 %", "0 %", "0 %", "0 %", "1"]
    assert cells["Cleo"] == ["0 %", "–", "100 %", "0 %", "0 %", "0"]
    assert cells["all"] == ["66.7 %", "10.0 %", "33.3 %", "0 %", "0 %", "1"]


@pytest.mark.usefixtures("undrawn")
def test_the_page_shows_the_first_spans_that_are_worth_a_look(tmp_path):
    page = write_page(tmp_path, ["Ada", "<Bea>"], spans=30)
    text = unescape(page.read_text(encoding="utf-8"))
    section = text[text.index("Where to look</h2>") :]
    assert "30 spans are worth a look" in section
    assert section.count("Ada 0.60; <Bea> 0.35") == 20
    assert "nobody" in section
    assert "0 to 29" in section
    assert "30 spans are worth a look." in text[: text.index("<main>")]
    assert "No span is in doubt" in write_page(tmp_path, ["Ada"]).read_text(encoding="utf-8")


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(("off_px", "correct"), [(0, 1.0), (30, 0.5)])
def test_the_page_tells_how_right_the_positions_are(tmp_path, off_px, correct):
    page = write_page(tmp_path, ["a", "b"], off_px=off_px, score={"truth": "truth.csv", "radius": 3})
    score = json.loads((page.parent / "score.json").read_text(encoding="utf-8"))
    assert score["correct"] == correct
    text = unescape(page.read_text(encoding="utf-8"))
    assert (page.parent / "score.txt").read_text(encoding="utf-8").strip() in text
    assert f"{percent(correct)} are right (within 3 px" in text


def test_a_truth_without_settings_is_a_clear_error(tmp_path, capsys):
    with pytest.raises(SystemExit):
        write_page(tmp_path, ["a"], off_px=0)
    assert "no section score" in capsys.readouterr().err


def test_many_fragments_have_one_row_together_and_the_longest_ones_a_picture(tmp_path):
    text = write_page(tmp_path, [f"m_{k}" for k in range(60)], frames=2, marking="none").read_text(encoding="utf-8")
    assert "the 40 longest" in text
    assert "60 fragments with 120 positions" in text
    assert "m_59" not in text


def test_an_artifact_that_is_missing_is_a_clear_error(tmp_path):
    files = write_recording(tmp_path, ["a"], 2)
    with pytest.raises(HerdbookError, match="no file for 'm3'"):
        read_recording("day", ["m", "m3"], files)


@pytest.mark.parametrize("marking", ["marked", "unmarked", "none"])
def test_a_page_without_any_position_is_made(tmp_path, marking, monkeypatch):
    monkeypatch.setattr(report, "card_sections", lambda *_: ())
    page = write_page(tmp_path, ["a", "b"], frames=1, marking=marking, nobody=(0, 1))
    text = re.sub(r'src="[^"]*"', "", page.read_text(encoding="utf-8"))
    assert "nan" not in text
    assert ("No position was found" if marking == "none" else "0 % of their frames") in text.replace("\u00a0", " ")


def links_of(shown, files=()):
    recording = drawn_recording([(0, 0, 0, 1.0)], [HIDDEN] * 100)
    return find_links([recording], files, shown)


def test_a_moment_leads_to_where_the_overlay_movie_shows_it():
    links = links_of({"overlay": {"m": {"every": 10, "speed": 5.0, "intervals": [], "intervals_in": "frames"}}})
    assert links.moment("m", 31) == Cell("0:00:31.0", path="../overlay/m.mp4", fragment="t=8.0")
    assert links.moment("m", 99).fragment == "t=18.0"
    assert links.moment("m", 31).href == "../overlay/m.mp4#t=8.0"
    assert links_of({}).moment("m", 31) == Cell("0:00:31.0")


def test_an_overlay_that_shows_nothing_is_a_clear_error():
    with pytest.raises(HerdbookError, match=r"overlay\.intervals"):
        links_of({"overlay": {"m": {"every": None, "speed": 1.0, "intervals": [[200, 300]], "intervals_in": "frames"}}})


def test_each_file_is_linked_once_and_told_what_it_is():
    files = ["trajectories.csv", "events.csv", "mot/m.csv", "mot/m.names.csv", "poses/m.csv", "body_points.csv"]
    section = files_section(links_of({"mosaic": {"m": {}}}, files), scored=True)
    paths = [cell.path for table in section.tables for row in table.rows for cell in row if cell.path]
    assert sorted(paths) == sorted(["score.txt", "score.json", "../mosaic/m.mp4", *(f"../{path}" for path in files)])
    told = {row[0].text: row[1].text for table in section.tables[:2] for row in table.rows}
    assert all(told[name] for name in ("trajectories.csv", "events.csv", "mot/<movie>.csv", "mosaic/<movie>.mp4", "score.txt"))


def test_settings_that_differ_from_the_defaults_come_first():
    made = [
        Made("tracklets", "3", "0.1.0", '{"bridge": 5, "max_step": null, "numbers": [9]}', ["a"]),
        Made("tracklets", "3", "0.1.0", '{"bridge": 2, "max_step": null, "numbers": [9]}', ["b"]),
        Made("train", "2", "0.1.0", '{"augmentation": {"hue": 0.5}, "epochs": 20, "seed": 4}', ["classifier"]),
    ]
    section = settings_section(made, "marked")
    differ = section.tables[0]
    assert [[cell.text for cell in row[:3]] for row in differ.rows] == [
        ["tracklets.bridge (a)", "5", "2"],
        ["train.augmentation.hue", "0.5", "0.02"],
    ]
    assert all(row[3].text for row in differ.rows)
    assert made[0].settings in [row[2].text for row in section.tables[-1].rows]
    assert all(table.folded for table in section.tables[1:])
    same = settings_section(made[1:2], "marked")
    assert "defaults" in same.sentences[0]
    assert same.tables[0].folded


def test_the_versions_that_are_reported_are_those_of_the_project():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert sorted(re.match(r"[\w-]+", one)[0] for one in project["dependencies"]) == sorted(PACKAGES)


@pytest.mark.usefixtures("undrawn")
def test_the_page_tells_the_software_but_not_whose_machine_it_was(tmp_path):
    text = write_page(tmp_path, ["Ada"], frames=2).read_text(encoding="utf-8")
    assert platform.python_version() in text
    assert "numpy" in text
    plain = re.sub(r'src="[^"]*"', "", text)
    for name in (str(tmp_path), platform.node(), f"/{getpass.getuser()}"):
        assert name not in plain


def test_the_first_sentences_agree_in_number():
    totals = IndividualTotals(["a"], np.array([[3, 0, 0, 0, 0]]), np.zeros((1, 5), np.int64), np.ones(1))
    recording = SimpleNamespace(movies=[1], tracked=4, frames=4, duration_s=4.0, wanted=np.ones(4), filled=np.array([1, 1, 0, 1]), number=1)
    expected = Expected(100, 0.25, 0.1, 0.5)
    error = ExpectedError(expected, expected._replace(share=0.02), expected._replace(share=0.5))
    one = Gist([recording], totals, "marked", False, 1, None, error, 0.0)
    assert " ".join(one.sentences()) == (
        "1 animal with marks was followed for 4.0 s; 25.0\u00a0% (10.0\u00a0% to 50.0\u00a0%) of the positions are expected to be another "
        "animal's: 2.0\u00a0% of those alone, 50.0\u00a0% of those in contact with others. In 75.0\u00a0% of its frames it has a position, "
        "in the others it is hidden or outside. 1 span is worth a look."
    )
    several = replace(one, marking="none", error=None, spans=0)
    assert several.sentences()[0] == "Animals without names were followed for 4.0 s, in 1 fragment."
    assert (
        replace(several, kept=True).sentences()[0] == "Animals without names were followed for 4.0 s, under 1 number kept through contacts."
    )
    assert one.key_figures()[0] == ("1", "animal")


def test_words_for_numbers_and_spans():
    assert [count(1, "frame"), count(1200, "frame")] == ["1 frame", "1,200 frames"]
    assert time_span(0, 10, 80) == "0 to 10 s"
    assert time_span(3600, 7200, 86_400) == "1 to 2 h"
    assert time_span(0, 86_400, 40 * 86_400) == "0 to 1 d"


@pytest.mark.parametrize(
    ("share", "text"), [(0, "0 %"), (1, "100 %"), (0.5, "50.0 %"), (0.99999, "99.99 %"), (1e-7, "0.01 %"), (float("nan"), "–")]
)
def test_what_is_not_all_or_nothing_never_reads_so(share, text):
    assert percent(share) == text


@pytest.mark.parametrize(("seconds", "text"), [(0.05, "0.1 s"), (90, "90.0 s"), (3599, "60 min"), (7260, "2 h 01 min")])
def test_durations(seconds, text):
    assert duration(seconds) == text
