"""Where compiled kernels are kept."""

import os
from pathlib import Path

from herdbook.system.kernels import KEPT, kernel_folder


def test_kernels_of_another_state_of_the_code_are_not_read(tmp_path: Path) -> None:
    package, results = tmp_path / "package", tmp_path / "results"
    package.mkdir()
    (package / "a.py").write_text("one = 1")
    before = kernel_folder(results, package)
    before.mkdir(parents=True)
    (before / "kernel.nbi").write_bytes(b"compiled")
    assert kernel_folder(results, package) == before
    assert (before / "kernel.nbi").exists()
    (package / "a.py").write_text("two = 22")
    after = kernel_folder(results, package)
    assert after != before
    assert not after.exists()


def test_the_kernels_of_the_latest_states_are_kept(tmp_path: Path) -> None:
    package, results = tmp_path / "package", tmp_path / "results"
    package.mkdir()
    made = []
    for state in range(KEPT + 3):
        (package / "a.py").write_text("x" * state)
        made.append(kernel_folder(results, package))
        made[-1].mkdir(parents=True)
        os.utime(made[-1], (state, state))
    assert [path.exists() for path in made] == [False, False, *[True] * (KEPT + 1)]
