"""A skip that nobody knows of makes the checks fail."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

TESTS = {
    "skipped": "import pytest\n\n@pytest.mark.skip(reason='no camera here')\ndef test_it(): pass\n",
    "skipped inside": "import pytest\n\ndef test_it(): pytest.skip('no camera here')\n",
    "module": "import pytest\npytest.skip('no camera here', allow_module_level=True)\n",
    "expected failure": "import pytest\n\n@pytest.mark.xfail\ndef test_it(): assert False\n",
    "passes": "def test_it(): pass\n",
}


def run(folder: Path, test: str, known: str, *options: str) -> tuple[int, str]:
    (folder / "test_a.py").write_text(f"{test}\ndef test_other(): pass\n", encoding="utf-8")
    (folder / "skips").write_text(known, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "tests.support.skips", "-p", "no:cacheprovider", "--rootdir", str(folder)]
    command += ["--known-skips", str(folder / "skips"), *options, str(folder / "test_a.py")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(("case", "options"), [("skipped", ()), ("skipped", ("-n", "2")), ("skipped inside", ()), ("module", ())])
def test_a_skip_that_is_not_listed_fails_and_one_that_is_passes(tmp_path: Path, case: str, options: tuple[str, ...]) -> None:
    code, words = run(tmp_path, TESTS[case], "# no camera here\n\nno microscope\n", *options)
    assert code == 1, words
    assert re.search(r"skipped, and not listed in .*skips: .*test_a\.py.*: no camera here", words)
    code, words = run(tmp_path, TESTS[case], "no camera\n", *options)
    # pytest itself says so of a run without a test.
    assert code == (5 if case == "module" else 0), words


@pytest.mark.parametrize("case", ["expected failure", "passes"])
def test_other_outcomes_are_no_skips(tmp_path: Path, case: str) -> None:
    code, words = run(tmp_path, TESTS[case], "")
    assert code == 0, words


def test_each_listed_reason_is_given_by_a_test() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "tests").rglob("*.py")) if path.name != "test_skips.py")
    for name in ("skips", "skips_tools"):
        lines = (ROOT / ".ci" / name).read_text(encoding="utf-8").splitlines()
        reasons = [line for line in lines if line and not line.startswith("#")]
        assert reasons
        assert [reason for reason in reasons if reason not in source] == []
