"""The figures of docs/trust.md: each script keeps its own in results/trust_<what>.json, and the page is written anew from all of them."""

import json
import os
import platform
import re
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from herdbook.system.files import write_text

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "trust.md"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
WIDTH = 140


def machine() -> str:
    """What the figures were measured on."""
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def keep_result(what: str, command: str, title: str, text: str, figures: Mapping[str, Any], tables: Sequence[Mapping[str, Any]]) -> None:
    """Write results/trust_<what>.json, and the page. A table has a `header` and `rows`."""
    result = {
        **{"title": title, "text": " ".join(text.split()), "command": command, "machine": machine()},
        **{"figures": dict(figures), "tables": list(tables)},
    }
    RESULTS.mkdir(exist_ok=True)
    write_text(RESULTS / f"trust_{what}.json", json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    write_page()


def write_page() -> None:
    """Write the part of docs/trust.md between its two marks anew, from all results that there are."""
    parts = [_chapter(json.loads(path.read_text(encoding="utf-8"))) for path in sorted(RESULTS.glob("trust_*.json"))]
    between = "\n\n".join([BEGIN, *parts, END])
    pattern = re.compile(f"{re.escape(BEGIN)}.*{re.escape(END)}", re.DOTALL)
    page, count = pattern.subn(lambda _: between, PAGE.read_text(encoding="utf-8"))
    if count != 1:
        raise SystemExit(f"{PAGE}: expected {BEGIN} and {END}, once")
    write_text(PAGE, page)


def _chapter(result: Mapping[str, Any]) -> str:
    measured = f"Measured by `{result['command']}`" + (f" ({result['machine']})." if "machine" in result else ".")
    figures = _table(["figure", "value"], list(result["figures"].items()))
    tables = [_table(table["header"], table["rows"]) for table in result["tables"]]
    return "\n\n".join([f"### {result['title']}", textwrap.fill(" ".join(result["text"].split()), WIDTH), measured, figures, *tables])


def _table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(value: Any) -> str:
    return str(value).replace("|", "\\|")
