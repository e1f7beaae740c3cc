"""The documents say what the code does: artifacts and their columns, stages, constants of the public table, links between documents."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import get_type_hints

import h5py
import numpy as np
import pytest

from herdbook.artifacts.background import Background
from herdbook.artifacts.classify import Evidence
from herdbook.artifacts.index import Index
from herdbook.artifacts.pose import FoundPoints
from herdbook.artifacts.pose_trainset import PoseExamples
from herdbook.artifacts.propagate import HOW_KNOWN, Identities
from herdbook.artifacts.repair import MISTAKES, RepairedPoints
from herdbook.artifacts.smooth import POINT_SOURCES, SOURCES, BodyPoints, Trajectories
from herdbook.artifacts.store import Artifact, Provenance
from herdbook.artifacts.tracklets import KINDS, Tracklets
from herdbook.artifacts.trainset import TrainingSet
from herdbook.stages import export
from herdbook.tables.positions import COLUMNS, body_point_table
from tests.conftest import ROOT
from tests.support.documents import DOCUMENTS, README
from tests.support.table_cases import no_body_points

ARTIFACTS, FIRST_HOUR = ROOT / "docs" / "artifacts.md", ROOT / "docs" / "first-hour.md"
EVERYWHERE = "In every HDF5 file"


def section(title: str) -> str:
    """The text of docs/artifacts.md below the heading that begins so."""
    found = re.search(rf"^## `?{re.escape(title)}.*?\n(.*?)(?=^## |\Z)", ARTIFACTS.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert found, f"docs/artifacts.md has no section {title}"
    return found[1]


def documented(title: str) -> dict[str, str]:
    """Names in the table of a section with their types."""
    return dict(re.findall(r"^\| `(\w+)` \| ([\w ]+) \|", section(title), re.MULTILINE))


def declared(kind: type[Artifact]) -> dict[str, str]:
    """Names of an artifact's fields with the type of a column's elements, or "attribute"."""
    hints = {name: str(hint) for name, hint in get_type_hints(kind).items() if name != "kind"}
    found = {name: re.search(r"(?i:ndarray).*numpy\.(\w+?)_?\]", hint) for name, hint in hints.items()}
    return {name: match[1] if match else "attribute" for name, match in found.items()}


def stored(path: Path) -> dict[str, str]:
    """Names in a file with their types; what every file carries is left out."""
    common = documented(EVERYWHERE)
    with h5py.File(path) as file:
        return {name: str(column.dtype) for name, column in file.items()} | {n: "attribute" for n in file.attrs if n not in common}


@pytest.mark.parametrize("kind", [Index, Background, Tracklets, TrainingSet, Evidence, Identities, Trajectories])
def test_the_tables_of_artifacts_are_those_of_the_dataclasses(kind: type[Artifact]) -> None:
    assert documented(f"{kind.kind}/") == declared(kind)


def test_the_tables_of_body_points_are_those_of_the_code() -> None:
    assert documented("points/<movie>.h5") == declared(BodyPoints)
    nothing = body_point_table("m", no_body_points(), np.zeros(0))
    assert tuple(documented("body_points.csv")) == tuple(nothing.columns)
    text = section("points/<movie>.h5")
    assert [word for number, word in enumerate(POINT_SOURCES) if f"{number} {word}" not in text] == []


@pytest.mark.parametrize(("title", "kind"), [("pose_trainset/", PoseExamples), ("pose/<movie>.h5", FoundPoints)])
def test_the_tables_of_points_that_are_found_are_those_of_the_code(title: str, kind: type) -> None:
    assert documented(title) == declared(kind)


def test_the_table_of_repaired_points_is_that_of_the_code() -> None:
    assert documented("repair/<movie>.h5") == declared(RepairedPoints)
    text = section("repair/<movie>.h5")
    assert [word for number, word in enumerate(MISTAKES) if f"{number} {word}" not in text] == []


def test_the_table_of_blobs_is_that_of_the_file(write_blobs: Callable[..., Path]) -> None:
    assert documented("segment/") == stored(write_blobs("m", [[(40, 40, 12, 6, 0)], [(42, 40, 12, 6, 0)]]))


def test_the_tables_of_trajectories_are_those_of_the_files(tmp_path: Path) -> None:
    origin, n = Provenance("test", 1), 2
    whole, real, small = np.zeros(n, np.int32), np.zeros(n), np.zeros(n, np.float32)
    Index(np.arange(n), np.arange(n) / 20, np.ones(n, bool), 64, 48, 20.0, "h264", True, True, "f").save(
        tmp_path / "index" / "m.h5", origin
    )
    whose = (["A"], n, np.arange(n, dtype=np.int32), whole)
    positions = Trajectories(*whose, real, real, real, real, small, small, np.zeros(n, np.uint8), small, np.zeros(n, bool))
    positions.save(tmp_path / "m.h5", origin)
    files = {"trajectories": "m.h5", "index": "index/m.h5", "out": "t.csv", "hdf5": "t.h5"}
    options = [part for name, file in files.items() for part in (f"--{name}", str(tmp_path / file))]
    export.main([*options, "--settings", json.dumps({"recordings": {"r": ["m"]}})])
    assert documented("trajectories.h5") == stored(tmp_path / "t.h5")
    assert tuple(documented("trajectories.csv")) == COLUMNS
    with h5py.File(tmp_path / "t.h5") as file:
        assert set(documented(EVERYWHERE)) <= set(file.attrs)


def test_every_common_attribute_is_documented() -> None:
    assert set(documented(EVERYWHERE)) == {*Provenance("s", 1).attributes(), "artifact", "columns", "fingerprint"}


@pytest.mark.parametrize(("title", "words"), [("tracklets/", KINDS), ("propagate/", HOW_KNOWN), ("smooth/", SOURCES)])
def test_the_meanings_of_numbers_are_documented(title: str, words: tuple[str, ...]) -> None:
    text = section(title)
    assert [word for number, word in enumerate(words) if f"{number} {word}" not in text] == []


def test_the_first_hour_describes_the_columns_and_sources_of_the_public_table() -> None:
    table = FIRST_HOUR.read_text(encoding="utf-8").partition("### trajectories.csv")[2].partition("## ")[0]
    first_cells = re.findall(r"^\| (`.+?) \|", table, re.MULTILINE)
    assert tuple(re.findall(r"`(\w+)`", " ".join(first_cells))) == COLUMNS
    assert set(SOURCES) <= set(re.findall(r"`(\w+)`: ", table))


def test_the_readme_shows_the_first_lines_of_the_public_table() -> None:
    assert f"```text\n{','.join(COLUMNS)}\nmovie01,0," in README.read_text(encoding="utf-8")


def test_the_readme_lists_every_stage_of_the_workflow() -> None:
    table = README.read_text(encoding="utf-8").partition("## How it works")[2].partition("\n## ")[0]
    workflow = "\n".join(path.read_text(encoding="utf-8") for path in ROOT.glob("workflow/rules/*.smk"))
    assert sorted(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == sorted(re.findall(r"^rule (\w+):", workflow, re.MULTILINE))


def test_the_page_on_clusters_gives_cores_memory_and_time_of_every_rule() -> None:
    rules = "\n".join(path.read_text(encoding="utf-8") for path in ROOT.glob("workflow/rules/*.smk"))
    pattern = r"^rule (\w+):.*?threads: (\d+).*?mem_mb=scaled\((\d+)\).*?runtime=scaled\((\d+)\)"
    asked = {name: numbers for name, *numbers in re.findall(pattern, rules, re.MULTILINE | re.DOTALL)}
    page = (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`\w+`.*?) \| (\d+) \| (\d+) \| (\d+) \|", page, re.MULTILINE)
    assert {name: numbers for names, *numbers in rows for name in re.findall(r"`(\w+)`", names)} == asked


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_between_documents_leads_somewhere(document: Path) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text(encoding="utf-8")):
        name, _, anchor = target.partition("#")
        if "://" in target:
            continue
        path = document.parent / name if name else document
        if not path.exists() or (anchor and anchor not in anchors(path)):
            broken.append(target)
    assert broken == []


def anchors(path: Path) -> set[str]:
    """The anchors that a reader of Markdown gives to the headings of a document."""
    titles: list[str] = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
