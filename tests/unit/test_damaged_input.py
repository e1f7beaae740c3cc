"""Some damaged inputs of each kind, of which benchmarks/trust.py tries hundreds; and whether the judges would notice a fault."""

import faulthandler
import os
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import h5py
import numpy as np
import pytest

from herdbook.artifacts.index import Index
from herdbook.artifacts.store import Provenance
from herdbook.errors import HerdbookError
from herdbook.job import Job, run_stage
from herdbook.movie.reading import read_frames
from herdbook.stages import background, index
from tests.support.damage import artifacts, experiments, hostile, limits, movies, tables
from tests.support.damage.limits import FAULTS, PASSED, TOLD, run_limited

# Not that of benchmarks/trust.py.
SEED = 7
Argv = list[str]


@pytest.fixture(scope="module")
def whole_movies(whole_artifacts: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    # Kernels are compiled by the artifacts: not within the time of a case.
    return movies.write_movies(tmp_path_factory.mktemp("movies"))


@pytest.fixture(scope="module")
def whole_tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return tables.write_files(tmp_path_factory.mktemp("tables"))


@pytest.fixture(scope="module")
def whole_artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("artifacts") / "whole"
    artifacts.write_chain(folder)
    return folder


# One of each kind.
@pytest.mark.parametrize("number", range(11))
def test_a_damaged_movie_is_read_right_or_reported(whole_movies: list[Path], tmp_path: Path, number: int) -> None:
    case = movies.damage(whole_movies, number, tmp_path, SEED)
    became, words, _ = movies.judge(case, tmp_path)
    assert became not in FAULTS, f"{case}: {words}"


def test_a_damaged_experiment_file_is_read_or_reported(tmp_path: Path) -> None:
    whole = experiments.whole_files()
    for number in range(14):
        case = experiments.damage(whole, number, tmp_path, SEED)
        became, outcome = experiments.judge(case)
        assert became not in FAULTS, f"{case}: {outcome}"


def test_a_damaged_table_is_read_right_or_reported(whole_tables: dict[str, Path], tmp_path: Path) -> None:
    for number in range(len(whole_tables)):
        case = tables.damage(whole_tables, number, tmp_path, SEED)
        became, outcome = tables.judge(case)
        assert became not in FAULTS, f"{case}: {outcome}"


def test_tables_without_damage_are_read(whole_tables: dict[str, Path]) -> None:
    became = {kind: tables.judge(tables.Case(kind, "nothing", path))[0] for kind, path in whole_tables.items()}
    assert became == dict.fromkeys(whole_tables, PASSED)


def test_a_damaged_artifact_does_no_harm_or_is_reported(whole_artifacts: Path, tmp_path: Path) -> None:
    for number in range(len(artifacts.PAIRS)):
        case = artifacts.damage(whole_artifacts, number, tmp_path, SEED)
        became, outcome = artifacts.judge(case, whole_artifacts)
        assert became not in FAULTS, f"{case}: {outcome}"


@pytest.fixture(scope="module")
def whole_hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return hostile.write_whole(tmp_path_factory.mktemp("hostile"))


@pytest.mark.parametrize("kind", hostile.KINDS)
def test_a_hostile_file_does_no_harm(whole_hostile: Path, tmp_path: Path, kind: str) -> None:
    first = list(hostile.KINDS).index(kind)
    for number in range(first, first + 6 * len(hostile.KINDS), len(hostile.KINDS)):
        case = hostile.damage(whole_hostile, number, tmp_path, SEED)
        became, outcome = hostile.judge(case)
        assert became not in FAULTS, f"{case}: {outcome}"


def test_files_without_hostility_are_read_and_written(whole_hostile: Path, tmp_path: Path) -> None:
    shutil.copytree(whole_hostile, tmp_path / "copy")
    names = (*hostile.POSES, hostile.TRAINSET, hostile.IMAGES, hostile.NETWORK, hostile.DESCRIPTION)
    became = {name: hostile.judge(hostile.Case("none", name, "nothing", tmp_path / "copy" / name))[0] for name in names}
    assert became == dict.fromkeys(names, PASSED)


def test_a_reader_that_touches_another_file_is_noticed(whole_hostile: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(whole_hostile, tmp_path / "copy")
    case = hostile.Case("none", "sleap.h5", "nothing", tmp_path / "copy" / "sleap.h5")
    monkeypatch.setattr(hostile, "_use", lambda path: {"made": path.with_name("made").write_text("x")})
    assert hostile.judge(case)[0] == "wrong"


def test_what_is_damaged_follows_from_the_seed(whole_movies: list[Path], tmp_path: Path) -> None:
    contents = []
    for folder, seed in (("one", SEED), ("again", SEED), ("other", SEED + 1)):
        (tmp_path / folder).mkdir()
        contents.append(movies.damage(whole_movies, 0, tmp_path / folder, seed).path.read_bytes())
    assert contents[0] == contents[1] != contents[2]


def raise_value_error(argv: Argv) -> None:
    raise ValueError("invalid literal")


def say_little(argv: Argv) -> None:
    run_stage("index", 1, tell_nothing, one=("movie", "out"), argv=argv)


def tell_nothing(job: Job) -> None:
    raise HerdbookError("something is wrong")


def lose_a_frame(argv: Argv) -> None:
    index.main(argv)
    out = Path(argv[argv.index("--out") + 1])
    found = Index.load(out)
    shorter = replace(found, pts=found.pts[:-1], time_s=found.time_s[:-1], keyframe=found.keyframe[:-1])
    shorter.save(out, Provenance("index", index.STAGE_VERSION))


@pytest.mark.parametrize(
    ("main", "expected"),
    [(index.main, PASSED), (raise_value_error, "traceback"), (say_little, "unclear"), (lose_a_frame, "wrong")],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_faulty_reader_of_movies_is_noticed(
    whole_movies: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, main: Callable[[Argv], None], expected: str
) -> None:
    monkeypatch.setitem(movies.STAGES, "index", SimpleNamespace(main=main))
    case = movies.Case("h264.mp4", "nothing", 1, whole_movies[0])
    became, words, _ = movies.judge(case, tmp_path)
    assert became == expected, words


def test_frames_taken_for_others_are_noticed(whole_movies: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(movies, "read_frames", lambda path, table: [next(iter(read_frames(path, table)))] * len(table))
    became, words, _ = movies.judge(movies.Case("h264.mp4", "nothing", 1, whole_movies[0]), tmp_path)
    assert became == "wrong"
    assert "are not those that FFmpeg gives" in words


def hang() -> dict[str, Any]:
    while True:
        pass


def wait() -> dict[str, Any]:
    time.sleep(60)
    return {}


def hold_too_much() -> dict[str, Any]:
    return {"sum": float(np.ones(limits.MEMORY_BYTES // 4).sum())}


def raise_unexpected() -> dict[str, Any]:
    raise KeyError("frame")


def print_a_traceback_and_succeed() -> dict[str, Any]:
    print("Traceback (most recent call last):")
    return {}


def kill_itself() -> dict[str, Any]:
    # pytest's own would print where it happened.
    faulthandler.disable()
    os.kill(os.getpid(), signal.SIGSEGV)
    return {}


def tell() -> dict[str, Any]:
    raise HerdbookError("m.mp4: the file is empty; copy it again")


@pytest.mark.parametrize(
    ("work", "kind"),
    [
        (dict, PASSED),
        (tell, TOLD),
        (hang, "hang"),
        (hold_too_much, "memory"),
        (raise_unexpected, "traceback"),
        (print_a_traceback_and_succeed, "traceback"),
        (kill_itself, "crash"),
    ],
)
def test_what_becomes_of_work_is_reported_apart(monkeypatch: pytest.MonkeyPatch, work: Callable[[], dict[str, Any]], kind: str) -> None:
    monkeypatch.setattr(limits, "CPU_S", 1)
    assert run_limited(work).kind == kind


def test_a_hang_that_waits_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WALL_S", 1)
    assert run_limited(wait).kind == "hang"


def test_a_faulty_reader_of_experiment_files_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = experiments.damage(experiments.whole_files(), 0, tmp_path, SEED)
    monkeypatch.setattr(experiments, "load_experiment", lambda path: raise_unexpected())
    assert experiments.judge(case)[0] == "traceback"
    monkeypatch.setattr(experiments, "load_experiment", lambda path: tell())
    assert experiments.judge(case)[0] == "unclear"


def test_a_faulty_reader_of_tables_is_noticed(whole_tables: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = tables.Case("labels.csv", "nothing", whole_tables["labels.csv"])
    assert tables.judge(case)[0] == PASSED
    monkeypatch.setattr(tables, "read_labels", lambda path, movies, names: [SimpleNamespace(movie="m3", label="A", frame=0, x=1, y=1)])
    assert tables.judge(case)[0] == "wrong"


def test_a_result_of_damaged_data_is_noticed(whole_artifacts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "case"
    shutil.copytree(whole_artifacts, folder)
    case = artifacts.Case("index", "background", "nothing", folder)
    assert artifacts.judge(case, whole_artifacts)[0] == PASSED

    def darker(argv: Argv) -> None:
        background.main(argv)
        with h5py.File(argv[argv.index("--out") + 1], "r+") as file:
            file["luma"][...] = file["luma"][...] - 1

    monkeypatch.setitem(artifacts.READERS, "background", (SimpleNamespace(main=darker), artifacts.READERS["background"][1]))
    assert artifacts.judge(case, whole_artifacts)[0] == "wrong"
