"""The pictures of a recording: what is read for them, which there are, and that extremes have them too."""

import numpy as np
import pandas as pd
import pytest

from herdbook.artifacts.propagate import HOW_KNOWN
from herdbook.artifacts.tracklets import Tracklets
from herdbook.errors import HerdbookError
from herdbook.identity.doubts import Doubt
from herdbook.report import recording as recording_report
from herdbook.report.figures import files as pictures
from herdbook.report.figures import style as plots
from herdbook.report.found import found_section, found_warnings, read_found
from herdbook.report.gist import Gist
from herdbook.report.page import Picture
from herdbook.report.reading import count_contacts, read_contacts, read_recording
from herdbook.report.recording import recording_section, review_pictures
from herdbook.report.summaries import HIDDEN, UNKNOWN, sum_individuals
from tests.support.report_cases import FPS, LONG, write_recording
from tests.support.table_cases import write_results

OF_ALL = ["background", "trajectories", "occupancy", "occupancy_each", "timeline", "error", "counts", "speed", "neighbours", "distances"]


@pytest.fixture
def quickly(monkeypatch):
    """Pictures are drawn, but coarse and without a PDF."""
    monkeypatch.setattr(plots, "DPI", 20)
    monkeypatch.setattr(pictures, "_pdf_bytes", lambda _: b"")


def kinds(section):
    return [picture.file.removesuffix("_day.png") for picture in section.pictures]


def test_time_runs_on_through_the_movies_of_a_recording(tmp_path):
    files = write_recording(tmp_path, ["a", "b"], 40, movie="m1", more=("m2",))
    recording = read_recording("day", ["m1", "m2"], files)
    assert recording.time_s == pytest.approx(np.arange(81) / FPS)
    assert recording.tracks.frame.max() == 79
    assert (recording.blobs == 2).all()
    assert (recording.animals == 2).all()
    assert recording.how_known.tolist() == [[0, 80, 0, 0, 0], [0, 0, 0, 0, 80]]
    assert recording.how_known.shape == (2, len(HOW_KNOWN))
    assert recording.tracklets == 4
    assert recording.body_length_px == pytest.approx(LONG)
    totals = sum_individuals([recording])
    assert totals.names == ["a", "b"]
    assert totals.sources.tolist() == [[80, 0, 0, 0, 0]] * 2
    assert totals.confidence == pytest.approx([0.9, 0.9])


def test_completeness_is_counted_against_the_number_of_animals_not_against_those_in_sight(tmp_path):
    files = write_recording(tmp_path, ["track1", "track2"], 40)
    in_sight, of_four = (read_recording("day", ["m"], files, numbers=numbers) for numbers in ([None], [4]))
    shares = [Gist([one], sum_individuals([one]), "none", False, 0, None, None, float("nan")).assigned for one in (in_sight, of_four)]
    assert shares == [1.0, 0.5]
    gist = Gist([of_four], sum_individuals([of_four]), "none", False, 0, None, None, float("nan"))
    assert "50.0\u00a0% of the frames of 4 animals have a position; in the others they were not found." in gist.sentences()
    assert ("50.0 %", "of the animals' frames have a position") in gist.key_figures()
    # Two of the animals have names: the share is still that of all four.
    named = Gist([of_four], sum_individuals([of_four]), "marked", False, 0, None, None, 0.0)
    assert named.assigned == 0.5
    assert "There are 4 animals, of which 2 have names." in named.sentences()


@pytest.mark.parametrize(
    ("number", "fewer", "more", "words"),
    [(2, 0, 0, []), (3, 40, 0, []), (1, 0, 40, ["in 40 of 40 frames there are up to 2 blobs that last"]), (None, 0, 0, [])],
)
def test_the_page_tells_where_blobs_are_fewer_or_more_than_animals(tmp_path, number, fewer, more, words):
    files = write_recording(tmp_path, ["a", "b"], 40)
    found = read_found("m", files["blobs"]["m"], Tracklets.load(files["tracklets"]["m"]), [number], ["dish"])
    assert (found.fewer.tolist(), found.more.tolist()) == ([fewer], [more])
    assert [warning.partition("dish: ")[2][: len(word)] for warning, word in zip(found.warnings, words, strict=True)] == words
    section = found_section([found], [number], ["dish"])
    rows = [[cell.text for cell in row] for table in section.tables for row in table.rows]
    shares = [f"{share} %" for share in (100 * fewer // 40, 100 * more // 40)]
    assert rows == ([["m", "dish", str(number), *shares]] if fewer or more else [])
    assert found_warnings([found]) == [f"Movie m: {warning}" for warning in found.warnings]


def test_who_has_no_position_is_unknown_only_where_somebody_has_no_name(tmp_path):
    known = read_recording("day", ["m"], write_recording(tmp_path / "known", ["a", "b"]))
    assert set(known.lacking.tolist()) == {HIDDEN}
    unknown = read_recording("day", ["m"], write_recording(tmp_path / "unknown", ["a", "b"], nobody=(1,)))
    assert set(unknown.lacking.tolist()) == {UNKNOWN}


def test_a_missing_artifact_is_a_clear_error(tmp_path):
    files = write_recording(tmp_path, ["a"])
    with pytest.raises(HerdbookError, match="--index: no file for 'n' among m"):
        read_recording("day", ["m", "n"], files)


def test_contacts_are_those_of_the_table_of_events(tmp_path):
    contacts = read_contacts(write_results(tmp_path) / "events.csv")
    counted = count_contacts(contacts, ["A", "B", "C"])
    assert counted.number.tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 0]]
    assert counted.time_s[0, 1] == 0.5


def test_contacts_of_odd_names_are_reported_apart():
    contacts = pd.DataFrame({"recording": "day", "individuals": ['"a;b";c', "c;d", '"a;b";c'], "duration": [1.0, 2.0, 4.0]})
    counted = count_contacts(contacts, ["a;b", "c", "d"])
    assert counted.number[0].tolist() == [0, 2, 0]
    assert counted.time_s[1].tolist() == [5, 0, 2]


def test_each_picture_is_there_as_png_and_pdf(tmp_path):
    files = write_recording(tmp_path, ["a", "b"], 20, filmed=True)
    contacts = pd.DataFrame({"recording": ["day"], "individuals": ["a;b"], "duration": [1.0]})
    section = recording_section(read_recording("day", ["m"], files, px_per_mm=2.0, contacts=contacts), True, 2)
    assert kinds(section) == ["samples", *OF_ALL, "contacts"]
    assert all(picture.png.startswith(b"\x89PNG") and picture.vector.startswith(b"%PDF") for picture in section.pictures)
    assert all(950 <= picture.size[0] <= 1050 for picture in section.pictures)


@pytest.mark.usefixtures("quickly")
@pytest.mark.parametrize(
    ("names", "frames", "options", "missing"),
    [
        (["a"], 30, {}, {"occupancy_each", "neighbours", "distances"}),
        (["a"], 1, {}, {"occupancy_each", "speed", "neighbours", "distances"}),
        (["a", "b"], 1, {}, {"speed"}),
        (["a", "b"], 30, {"nobody": (0, 1)}, {"occupancy", "occupancy_each", "error", "speed", "neighbours", "distances"}),
        (['<b>"Ä" & $x_1$</b>', "_hidden", "a very long name " * 4, "x\\y^2", "猫"], 4, {}, set()),
    ],
)
@pytest.mark.filterwarnings("error", "ignore:Glyph")
def test_extremes_have_all_pictures_that_they_can_have(tmp_path, names, frames, options, missing):
    recording = read_recording("day", ["m"], write_recording(tmp_path, names, frames, **options))
    section = recording_section(recording, True, len(names))
    assert kinds(section) == [kind for kind in OF_ALL if kind not in missing]
    assert "nan" not in " ".join([*section.sentences, *(picture.caption for picture in section.pictures)])


def test_a_hundred_animals_have_all_pictures(tmp_path, monkeypatch):
    monkeypatch.setattr(recording_report, "as_picture", lambda name, _, caption: Picture(f"{name}.png", b"", caption))
    names = [f"animal{k}" for k in range(100)]
    section = recording_section(read_recording("day", ["m"], write_recording(tmp_path, names, 3)), True, 100)
    assert kinds(section) == OF_ALL


@pytest.mark.usefixtures("quickly")
def test_fragments_have_no_picture_of_each(tmp_path):
    names = [f"track{k:04d}" for k in range(60)]
    section = recording_section(read_recording("day", ["m"], write_recording(tmp_path, names, 5)), False, None)
    assert kinds(section) == ["background", "trajectories", "occupancy", "timeline", "counts", "speed", "neighbours"]
    assert "the 40 longest" in " ".join(picture.caption for picture in section.pictures)
    assert not section.sentences


@pytest.mark.usefixtures("quickly")
def test_the_review_list_has_one_picture_or_none(tmp_path):
    files = write_recording(tmp_path, ["a", "b"])
    doubt = Doubt("m", 7, 10.0, 8.0, "is", "a", "", "a", 0.6, "b 0.35", "m", 3, "m", 9, 6, 3.0)
    (picture,) = review_pictures([doubt], files, {"day": ["m"]}, ["a", "b"])
    assert picture.file == "review.png"
    assert review_pictures([], files, {"day": ["m"]}, ["a", "b"]) == []
