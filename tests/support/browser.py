"""A page in a real browser: headless Chromium, which opens it as a user does who clicks on the file."""

import json
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import pytest

OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--enable-logging=stderr", "--log-level=0", "--dump-dom"),
)
# The page is measured in frames as wide as a screen: a window of its own cannot be as narrow as a phone.
MEASURE = """<!DOCTYPE html><meta charset="utf-8"><body>%s<script>
addEventListener("load", () => {
  const found = [...document.querySelectorAll("iframe")].map(frame => {
    const page = frame.contentDocument, root = page.documentElement;
    return {
      width: frame.contentWindow.innerWidth,
      room: root.clientWidth,
      content: root.scrollWidth,
      images: [...page.images].map(image => [image.naturalWidth, image.getBoundingClientRect().width, image.alt]),
      headings: [...page.querySelectorAll("h1, h2, h3")].map(heading => heading.tagName),
      links: [...page.querySelectorAll("a[href]")].map(link => link.getAttribute("href")),
      ids: [...page.querySelectorAll("[id]")].map(one => one.id),
      text: page.body.textContent.length,
    };
  });
  const out = document.createElement("pre");
  out.textContent = JSON.stringify(found);
  document.body.replaceChildren(out);
});
</script>"""


@dataclass(frozen=True)
class Seen:
    """What a browser says of a page: errors and warnings of its console, and for each width (px) what the page is like."""

    console: list[str]
    frames: list[dict[str, Any]]


def look_at(page: Path, widths: tuple[int, ...] = (1280, 390)) -> Seen:
    """Open a page by its path, then measure it at each width; skips the test where there is no Chromium."""
    with tempfile.TemporaryDirectory() as folder:
        opened = _chromium(page, Path(folder, "opened"))
        measure = Path(folder, "measure.html")
        address = page.resolve().as_uri()
        frames = "".join(f'<iframe src="{address}" style="width: {width}px; height: 800px; border: 0"></iframe>' for width in widths)
        measure.write_text(MEASURE % frames, encoding="utf-8")
        measured = _chromium(measure, Path(folder, "measured"), "--allow-file-access-from-files")
    found = re.search(r"<pre>(\[.*\])</pre>", measured.stdout, re.DOTALL)
    assert found, measured.stdout[-2000:] + measured.stderr[-2000:]
    console = [line for run in (opened, measured) for line in run.stderr.splitlines() if ":CONSOLE" in line]
    return Seen(console, json.loads(unescape(found[1])))


def _chromium(page: Path, profile: Path, *options: str) -> subprocess.CompletedProcess[str]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("needs Chromium (Debian: apt-get install chromium)")
    command = [chromium, *OPTIONS, *options, f"--user-data-dir={profile}", page.resolve().as_uri()]
    return subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", timeout=120, check=True)
