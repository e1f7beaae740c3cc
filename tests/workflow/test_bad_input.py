"""Faults of users: each is reported on one screen with its place and its remedy, and leaves nothing that looks finished."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from herdbook.artifacts.segment import Blobs
from herdbook.experiment.model import Experiment
from herdbook.movie.writing import MovieWriter
from tests.conftest import Done

SCREEN_LINES, SCREEN_COLUMNS = 24, 80
MESSAGE = re.compile(r"^Logfile \S+/logs/(\S+)\.log:\n=+\n(.*?)\n=+$", re.M | re.S)
HEADER = "movie,frame,x,y,label\n"


def assert_reported(message: str, *expected: str) -> None:
    """The message contains all expected texts and fits on a terminal."""
    assert [words for words in expected if words not in message] == [], message
    assert "Traceback" not in message
    assert sum(1 + len(line) // SCREEN_COLUMNS for line in message.splitlines()) <= SCREEN_LINES


def messages(printed: str) -> dict[str, str]:
    """The messages of failed stages on the terminal, by stage/name."""
    return dict(MESSAGE.findall(printed))


def files(folder: Path) -> set[str]:
    """All artifacts in a folder of results, finished or not."""
    kept = {"logs", "benchmarks"}
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.relative_to(folder).parts[0] not in kept}


ANIMALS = {"BB": (150, 60, 40), "GG": (40, 120, 50), "RR": (50, 40, 150)}


def write_movie(path: Path, frames: int = 60, width: int = 320, height: int = 240) -> Path:
    """The three animals, coloured bars that cross a bright ground side by side, each 60 px below the one before."""
    ground = np.random.default_rng(5).integers(200, 220, (height, width, 3), dtype=np.uint8)
    with MovieWriter(path, width, height, 20.0, crf=15, options={"preset": "ultrafast"}) as writer:
        for number in range(frames):
            image = ground.copy()
            left = 20 + number * 4 % (width - 60)
            for row, colour in enumerate(ANIMALS.values()):
                image[60 * row + 55 : 60 * row + 65, left : left + 24] = colour
            writer.write(image)
    return path


def label(movie: str, frame: int, name: str) -> str:
    """A line of labels.csv: the middle of an animal in a movie of 60 frames."""
    return f"{movie},{frame},{20 + frame * 4 + 11.5},{60 * list(ANIMALS).index(name) + 59.5},{name}\n"


def experiment(*movies: dict[str, Any], **sections: Any) -> dict[str, Any]:
    return {"experiment": "e", "movies": list(movies), "animals": {"marking": "none"}, **sections}


def marked(identities: list[str]) -> dict[str, Any]:
    return {"marking": "marked", "identities": identities, "labels": "labels.csv"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"movies": [{"name": "lost", "file": "lost.mp4"}]}, ["movie lost", "lost.mp4", "correct the path"]),
        ({"segment": {"diference": 20}}, ["experiment.yaml", "segment.diference: unknown key", "did you mean 'difference'?"]),
        ({"animals": marked(["BB", "GG"])}, ["labels.csv", "line 3", "'BBG'", "did you mean 'BB'?"]),
        ({"animals": {"marking": "unmarked"}}, ["animals", "unmarked animals need number"]),
    ],
    ids=["missing movie", "unknown key", "label that is no identity", "unmarked without number"],
)
def test_a_fault_of_the_experiment_ends_before_any_job(
    snakemake: Callable[..., Done], tmp_path: Path, changes: dict[str, Any], expected: list[str]
) -> None:
    (tmp_path / "m.mp4").write_bytes(b"never read")
    (tmp_path / "labels.csv").write_text(HEADER + "m,3,10,20,BB\nm,4,10,20,BBG\n", encoding="utf-8")
    done = snakemake(tmp_path, experiment({"name": "m", "file": "m.mp4"}) | changes)
    assert done.returncode != 0
    assert_reported(done.stdout, *expected)
    assert not (tmp_path / "results").exists()


@pytest.fixture(scope="module")
def broken(snakemake: Callable[..., Done], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Done]:
    """Results of an experiment whose movies are all faulty but one, and what snakemake printed."""
    folder = tmp_path_factory.mktemp("broken")
    whole = write_movie(folder / "whole.mkv").read_bytes()
    write_movie(folder / "wide.mkv", width=480)
    (folder / "empty.mp4").touch()
    (folder / "text.mp4").write_text("name\tfile\n" * 50, encoding="utf-8")
    (folder / "cut.mkv").write_bytes(whole[: len(whole) * 3 // 5])
    movies = [{"name": Path(file).stem, "file": file} for file in ("empty.mp4", "text.mp4", "cut.mkv")]
    movies += [{"name": name, "file": f"{name}.mkv", "recording": "day1"} for name in ("whole", "wide")]
    return folder / "results" / "e", snakemake(folder, experiment(*movies), "--until", "background")


@pytest.mark.parametrize(
    ("job", "expected"),
    [
        ("index/empty", ["empty.mp4", "the file is empty", "copy the file again"]),
        ("index/text", ["text.mp4", "it is not a movie", "copy the file again"]),
        ("index/cut", ["cut.mkv", "bytes are missing", "the last good frame is", "on_broken: keep"]),
        ("background/wide", ["wide.mkv", "480 x 240", "(whole)", "320 x 240", "give this one another recording"]),
    ],
)
def test_a_faulty_movie_is_reported(broken: tuple[Path, Done], job: str, expected: list[str]) -> None:
    _, done = broken
    assert done.returncode != 0
    assert_reported(messages(done.stdout)[job], *expected)


def test_only_whole_movies_leave_artifacts(broken: tuple[Path, Done]) -> None:
    folder, done = broken
    assert set(messages(done.stdout)) == {"index/empty", "index/text", "index/cut", "background/wide"}
    assert files(folder) == {"index/whole.h5", "index/wide.h5", "background/whole.h5"}


class Marked:
    """An experiment with three marked animals in a folder, and snakemake on it."""

    def __init__(self, folder: Path, snakemake: Callable[..., Done]) -> None:
        self.folder, self._snakemake = folder, snakemake
        self.results = folder / "results" / "e"
        write_movie(folder / "bars.mp4")
        self.labels = HEADER + "".join(label("bars", frame, name) for name in ANIMALS for frame in (5, 40))
        self.next_line = len(self.labels.splitlines()) + 1

    def run(self, *options: str, labels: str = "", **sections: Any) -> Done:
        """Run with further lines of labels."""
        (self.folder / "labels.csv").write_text(self.labels + labels, encoding="utf-8")
        sections = {"animals": marked([*ANIMALS]), "train": {"epochs": 1}, "overlay": {"write": False}} | sections
        return self._snakemake(self.folder, experiment({"name": "bars", "file": "bars.mp4"}, **sections), *options)


@pytest.fixture(scope="module")
def bars(snakemake: Callable[..., Done], tmp_path_factory: pytest.TempPathFactory) -> Marked:
    return Marked(tmp_path_factory.mktemp("bars"), snakemake)


def test_a_label_away_from_all_blobs_is_reported_and_the_others_are_used(bars: Marked) -> None:
    done = bars.run(labels="bars,7,3,4,BB\n")
    assert done.returncode == 0, done.stdout
    note = f"line {bars.next_line} (bars, frame 7, BB): there is no blob at (3, 4)"
    assert note in (bars.results / "logs" / "trainset" / "trainset.log").read_text(encoding="utf-8")
    assert note in (bars.results / "report" / "report.html").read_text(encoding="utf-8")
    table = pd.read_csv(bars.results / "trajectories.csv")
    assert table["individual"].value_counts().to_dict() == dict.fromkeys(ANIMALS, 60)


def test_labels_outside_of_the_movie_are_reported(bars: Marked) -> None:
    done = bars.run("--until", "trainset", labels="bars,60,100,100,BB\nbars,7,400,100,GG\n")
    assert done.returncode != 0
    late = f"line {bars.next_line}: bars has frames 0 to 59, found frame 60"
    beside = f"line {bars.next_line + 1}: (400, 100) is outside the frame of bars, which is 320 x 240 px"
    assert_reported(messages(done.stdout)["trainset/trainset"], "labels.csv", late, beside, "correct or delete their lines")
    assert not any(path.startswith("trainset/") for path in files(bars.results))


def test_an_arena_outside_of_the_frame_is_reported(bars: Marked) -> None:
    arena = {"name": "dish", "include": [{"ellipse": {"centre": [507, 363], "axes": [300, 300]}}]}
    done = bars.run("--until", "segment", arenas=[arena])
    assert done.returncode != 0
    expected = ("bars.mp4", "arena 'dish', include 1 (ellipse)", "320 x 240", "of another resolution?")
    assert_reported(messages(done.stdout)["segment/bars"], *expected)
    assert not any(path.startswith("segment/") for path in files(bars.results))


FRAMES = 3000


def stage(name: str, folder: Path, **files: str) -> list[str]:
    """The command that runs a stage on a movie in a folder."""
    settings = Experiment.model_validate(experiment({"name": "movie", "file": "movie.mp4"})).settings(name, "movie")
    given = [word for option, file in files.items() for word in (f"--{option}", str(folder / file))]
    return [sys.executable, "-m", f"herdbook.stages.{name}", *given, "--settings", settings]


@pytest.fixture(scope="module")
def long_movie(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a movie that takes a while to segment, its index and its background."""
    folder = tmp_path_factory.mktemp("long")
    write_movie(folder / "movie.mp4", frames=FRAMES)
    subprocess.run(stage("index", folder, movie="movie.mp4", out="index.h5"), check=True)
    scene = stage("background", folder, movie="movie.mp4", index="index.h5", reference="index.h5", out="background.h5")
    subprocess.run(scene, check=True)
    return folder


@pytest.mark.parametrize("fatal", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_a_stage_that_is_killed_leaves_nothing_that_looks_finished(long_movie: Path, tmp_path: Path, fatal: signal.Signals) -> None:
    out = tmp_path / "movie.h5"
    command = stage("segment", long_movie, movie="movie.mp4", index="index.h5", background="background.h5", out=str(out))
    # Processes started in the background of a shell inherit that the interrupt is ignored.
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)) as running:
        while not any(tmp_path.iterdir()):
            assert running.poll() is None
            time.sleep(0.001)
        running.send_signal(fatal)
    assert running.returncode != 0
    # SIGKILL leaves no time to tidy up.
    assert [path.suffix for path in tmp_path.iterdir()] == ([".part"] if fatal == signal.SIGKILL else [])
    subprocess.run(command, check=True)
    assert Blobs.load(out).frames == FRAMES
