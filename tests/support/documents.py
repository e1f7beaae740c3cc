"""The documents of the project: its pages in Markdown."""

from tests.conftest import ROOT

README = ROOT / "README.md"
DOCUMENTS = sorted([README, *(ROOT / name for name in ("CONTRIBUTING.md", "CHANGELOG.md", "config/README.md")), *ROOT.glob("docs/**/*.md")])
