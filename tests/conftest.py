"""What the tests of the whole workflow share: snakemake, called as a user calls it, with the real stages."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

pytest_plugins = ["tests.support.skips"]

ROOT = Path(__file__).resolve().parents[1]

Done = subprocess.CompletedProcess[str]


def dtype_of(hint: Any) -> np.dtype[Any]:
    """The dtype of a field with the type NDArray[...], whose parts depend on the version of NumPy."""
    last = hint.__args__[-1]
    return np.dtype(getattr(last, "__args__", [last])[0])


@pytest.fixture(autouse=True)
def usual_priority() -> Iterator[None]:
    """No test leaves its process, and with it all that later tests start, at a real-time priority, where it would starve all others."""
    yield
    assert os.sched_getscheduler(0) not in (os.SCHED_FIFO, os.SCHED_RR)


@pytest.fixture(scope="session")
def stand_ins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stages that do nothing, of which `index` waits until it may go on."""
    # It needs ROOT of this module.
    from tests.workflow.stand_ins import write_stand_ins

    folder = tmp_path_factory.mktemp("stand-ins")
    write_stand_ins(folder, slow=["index"])
    return folder


@pytest.fixture(scope="session")
def snakemake() -> Callable[..., Done]:
    """Write an experiment into a folder and run snakemake on it there; `stdout` of the result is all that a terminal shows."""
    # Kernels compiled by an earlier session serve again: without them a small experiment takes half a minute longer.
    environment = os.environ | {"NUMBA_CACHE_DIR": str(ROOT / ".numba_cache"), "COLUMNS": "80"}

    def run(folder: Path, experiment: dict[str, Any], *options: str) -> Done:
        file = folder / "experiment.yaml"
        file.write_text(yaml.safe_dump(experiment, sort_keys=False), encoding="utf-8")
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--configfile", str(file), "--cores", "2"]
        return subprocess.run(
            [*command, *options],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of recordings to measure on, which lies beside the project."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"needs the recordings in {folder}")
    return folder
