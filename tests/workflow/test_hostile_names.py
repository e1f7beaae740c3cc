"""Names that a shell, a wildcard or a path could misread are used as they are, or refused; the real stages run."""

import csv
import html
import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from herdbook.artifacts.segment import Blobs
from herdbook.errors import HerdbookError
from herdbook.experiment.file import parse_experiment
from herdbook.movie.writing import MovieWriter
from tests.conftest import Done

FRAMES = 12
FOLDER = 'a folder\'s "$(touch pwned)" ünï `touch pwned`; touch pwned &'
EXPERIMENT = "ants \"16\" $(touch pwned) 'x'"
RECORDING = 'day "1" & touch pwned; `touch pwned`'
# Movies by name.
FILES = {
    "it's; touch pwned & $HOME": "-o $(touch pwned).mp4",
    '`touch pwned` "蟻" | tee pwned': "--out='pwned' \"b\"; touch pwned.mp4",
}
IDENTITIES = ["-B $(touch pwned)", "it's", '"G"; touch pwned', "`touch pwned`", "蟻 é", "../../pwned", "--out pwned"]
LABELS = "-labels of 'us' $(touch pwned).csv"


def write_movie(path: Path) -> None:
    """A dark bar that walks over a bright ground."""
    with MovieWriter(path, 96, 64, 20.0, crf=15, options={"preset": "ultrafast"}) as writer:
        for number in range(FRAMES):
            image = np.full((64, 96, 3), 200, np.uint8)
            image[24:36, 4 + 5 * number : 24 + 5 * number] = 50
            writer.write(image)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the movies and the labels."""
    folder = tmp_path_factory.mktemp("hostile") / FOLDER
    folder.mkdir()
    for file in FILES.values():
        write_movie(folder / file)
    named = [name.replace('"', '""') for name in IDENTITIES]
    movie = next(iter(FILES))
    lines = [f'"{movie}",3,29,29.5,"{name}"\n' for name in named]
    (folder / LABELS).write_text("movie,frame,x,y,label\n" + "".join(lines), encoding="utf-8")
    return folder


def described(**changes: Any) -> dict[str, Any]:
    """The experiment with all hostile names."""
    return {
        "experiment": EXPERIMENT,
        "results": "$(touch pwned) results",
        "movies": [{"name": name, "file": file, "recording": RECORDING} for name, file in FILES.items()],
        "animals": {"marking": "marked", "identities": IDENTITIES, "labels": LABELS},
        "background": {"scope": "recording"},
        "arenas": [{"name": "a 'dish' $(touch pwned)"}],
        "closeups": {"write": True},
        **changes,
    }


def pwned(folder: Path) -> list[Path]:
    """Files that a command hidden in a name would have made."""
    return [path for path in folder.parent.rglob("*") if path.name == "pwned"] + [
        path for path in (Path.cwd() / "pwned", Path.home() / "pwned") if path.exists()
    ]


def test_all_stages_get_hostile_names_as_they_are(snakemake: Callable[..., Done], place: Path) -> None:
    formats = ["hdf5", "parquet", "motion", "movement", "deeplabcut", "sleap", "idtracker", "jaaba", "mot"]
    sections = {"animals": {"marking": "none", "number": 1, "keep": True}, "export": {"formats": formats}, "mosaic": {"write": True}}
    done = snakemake(place, described(**sections))
    assert done.returncode == 0, done.stdout
    results = place / "$(touch pwned) results" / EXPERIMENT
    for folder, ending in (("segment", ".h5"), ("smooth", ".h5"), ("overlay", ".mp4"), ("mosaic", ".mp4"), ("closeups", "")):
        assert set(FILES) <= {path.name.removesuffix(ending) for path in (results / folder).iterdir()}, folder
    assert [path.stem for path in (results / "background").glob("*.h5")] == [RECORDING]
    assert all(Blobs.load(path).frames == FRAMES for path in (results / "segment").glob("*.h5"))
    with (results / "trajectories.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["movie"] for row in rows} == set(FILES)
    assert len(rows) == len(FILES) * FRAMES
    page = html.unescape((results / "report" / "report.html").read_text(encoding="utf-8"))
    assert all(name in page for name in (EXPERIMENT, *FILES))
    assert pwned(place) == []
    written = {"$(touch pwned) results", "experiment.yaml", LABELS, *FILES.values()}
    assert {path.name for path in place.iterdir()} - {".snakemake"} == written


def test_no_part_of_a_name_becomes_a_command(snakemake: Callable[..., Done], place: Path) -> None:
    done = snakemake(place, described(), "--dry-run", "--forceall", "--printshellcmds")
    assert done.returncode == 0, done.stdout
    lines = re.findall(r"^ *(?:Shell command: )?(python -m herdbook\..*)$", done.stdout, re.MULTILINE)
    stages = {line.split()[2] for line in lines}
    expected = ("segment", "trainset", "train", "classify", "propagate", "smooth", "export", "closeups", "report")
    assert {f"herdbook.stages.{stage}" for stage in expected} <= stages
    for line in lines:
        words = list(shlex.shlex(line, posix=True, punctuation_chars=True))
        # What the rules themselves write; settings of many movies come as a text on standard input.
        signs = [word for word in words if word and set(word) <= set("();<>|&")]
        assert signs in ([">", ">&"], [">", ">&", "<<<"]), line
        assert all("touch pwned" in word for word in words if "touch" in word), line
    commands = [shlex.split(line) for line in lines if "herdbook.stages.trainset " in line]
    assert [json.loads(words[words.index("--settings") + 1])["identities"] for words in commands] == [IDENTITIES]
    assert pwned(place) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"experiment": "a\ntouch pwned"}, r"'a\ntouch pwned'"),
        ({"movies": [{"name": "{movie}", "file": next(iter(FILES.values()))}], "animals": {"marking": "none"}}, "'{movie}'"),
        ({"results": "a<b>"}, "a<b>'"),
    ],
    ids=["line break", "wildcard", "path variable"],
)
def test_a_name_that_snakemake_cannot_quote_is_refused(
    snakemake: Callable[..., Done], place: Path, changes: dict[str, Any], expected: str
) -> None:
    before = set(place.rglob("*"))
    done = snakemake(place, described(**changes), "--dry-run")
    assert done.returncode != 0
    assert expected in done.stdout
    assert "names and paths must not contain any of { } < > or a line break" in done.stdout
    assert "Traceback" not in done.stdout
    assert {path for path in place.rglob("*") if ".snakemake" not in path.parts} <= before | {place / "experiment.yaml"}


OUTSIDE = ("../up", "../../up", "/tmp/up", "a/../../up", "..", ".", "-x", "a/b")


@pytest.mark.parametrize("name", OUTSIDE)
def test_no_name_leads_out_of_the_results(tmp_path: Path, name: str) -> None:
    movie = {"name": "m", "file": "m.mp4"}
    raw: dict[str, Any] = {"experiment": "e", "movies": [movie], "animals": {"marking": "none"}}
    for faulty, expected in (
        (raw | {"experiment": name}, r"experiment: is the name of a folder: it must not contain / nor start with -"),
        (
            raw | {"movies": [movie | {"name": name}]},
            rf"'{re.escape(name)}' cannot name a file: it must not contain / nor start with - or \.",
        ),
        (raw | {"movies": [movie | {"recording": name}]}, rf"'{re.escape(name)}' cannot name a file: it must not contain /"),
    ):
        with pytest.raises(HerdbookError, match=expected):
            parse_experiment(faulty, tmp_path / "e.yaml")
