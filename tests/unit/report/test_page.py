"""The stage report: the page and its pictures, whatever the names are and however little there is."""

import re
from base64 import b64decode
from html import unescape

import pytest

from herdbook.report.figures import files as pictures
from herdbook.report.figures import style as plots
from tests.support.page_cases import write_page

ODD = '<b>"Ä" & $x_1$</b>'


@pytest.fixture(autouse=True)
def quickly(monkeypatch):
    """Pictures are drawn, but coarse and with an empty PDF."""
    monkeypatch.setattr(plots, "DPI", 20)
    monkeypatch.setattr(pictures, "_pdf_bytes", lambda _: b"%PDF")


def test_the_pictures_of_the_page_lie_beside_it_each_also_as_pdf(tmp_path):
    path = write_page(tmp_path, ["a", "b"], 20, spans=2, filmed=True)
    sources = re.findall(r'<img src="data:image/png;base64,([^"]*)"', path.read_text(encoding="utf-8"))
    names = {file.stem for file in path.parent.glob("*.png")}
    recorded = ["background", "contacts", "counts", "distances", "error", "neighbours", "occupancy", "occupancy_each", "samples", "speed"]
    assert names == {"classifier", "reliability", "review", *(f"{name}_day" for name in (*recorded, "timeline", "trajectories"))}
    assert {b64decode(source) for source in sources} == {file.read_bytes() for file in path.parent.glob("*.png")}
    assert {file.stem for file in path.parent.glob("*.pdf")} == names


def test_odd_names_are_shown_as_they_are(tmp_path):
    text = write_page(tmp_path, [ODD, "_hidden"], 20, movie="m 1").read_text(encoding="utf-8")
    assert '<b>"' not in text
    assert ODD in unescape(text)
    assert 'href="../overlay/m%201.mp4' in text


@pytest.mark.parametrize("marking", ["marked", "none"])
@pytest.mark.parametrize(("animals", "frames"), [(1, 1), (12, 2)])
def test_extremes_make_a_page(tmp_path, marking, animals, frames):
    path = write_page(tmp_path, [f"n{k}" for k in range(animals)], frames, marking=marking)
    text = re.sub(r'src="[^"]*"', "", path.read_text(encoding="utf-8"))
    assert text.count("<img") == len(list(path.parent.glob("*.png")))
    assert not re.search(r"\bnan\b", text)
