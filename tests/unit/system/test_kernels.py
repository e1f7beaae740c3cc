"""Where compiled kernels are kept."""

from pathlib import Path

from herdbook.system.kernels import kernel_folder


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
    assert not before.exists()
