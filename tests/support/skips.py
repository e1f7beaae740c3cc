"""A plugin of pytest: `--known-skips FILE` makes a run fail in which a test is skipped for a reason that the file does not list.

The file has the beginning of a reason on each line; empty lines and those that begin with # are comments.
"""

from collections.abc import Sequence
from pathlib import Path

import pytest

OPTION = "--known-skips"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    parser.addoption(OPTION, type=Path, metavar="FILE", help="fail if a test is skipped for a reason that this file does not list")


def pytest_configure(config: pytest.Config) -> None:
    """Watch the tests, in the process that counts them."""
    path = config.getoption(OPTION)
    if path and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Watch(path))


class _Watch:
    def __init__(self, path: Path) -> None:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
        self._path, self._known = path, tuple(line for line in lines if line and not line.startswith("#"))
        self._unknown: dict[str, list[str]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._note(report)

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            reason = str(report.longrepr[2] if isinstance(report.longrepr, Sequence) else report.longrepr).removeprefix("Skipped: ")
            if not reason.startswith(self._known):
                self._unknown.setdefault(reason, []).append(report.nodeid)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._unknown and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for reason, tests in self._unknown.items():
            terminalreporter.write_line(f"skipped, and not listed in {self._path}: {tests[0]} ({len(tests)} tests): {reason}", red=True)
