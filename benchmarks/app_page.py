"""What a person waits for: the page in a real browser on `herdbook app`, measured in the page itself, beside the CPU time of the server.

Movies carry their frame numbers in the pixels, so that the picture itself tells whether the number shown is right and no frame comes late.
"""

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

import herdbook
from herdbook.app.runs import Runs
from herdbook.movie.writing import MovieWriter
from tests.support.numbered import BAR, BITS, numbered_frame, walk

SIZES = {"1 Mpx": (1024, 1024), "1080p": (1920, 1080)}
FRAMES, ANIMALS, RATE, GOP = 400, 20, 25.0, 250
BODY_PX, NOISE = 21, 1.0
# Waits beyond this are faults of the page, s.
PATIENCE_S = 120
# Reads the number off the canvas.
READ = """(bits, bar) => { const view = window.herdbook.view, context = view.picture.getContext("2d");
  const level = k => { const [x, y] = view.to(k * bar + bar / 2 - 0.5, bar / 2 - 0.5);
    return context.getImageData(Math.round(x), Math.round(y), 1, 1).data[1]; };
  const middle = (level(0) + level(1)) / 2; let number = 0;
  for (let k = 0; k < bits; k++) number = number * 2 + (level(k + 2) > middle ? 1 : 0); return number; }"""
# A move and the time until what it leads to is painted, again and again.
MOVES = """async ([moves, kind]) => { const player = window.herdbook.player, walls = [];
  const painted = () => new Promise(done => { const w = head => { player.watchers.delete(w); done(head); }; player.watchers.add(w); });
  const field = document.getElementById("c-segment-difference");
  for (const move of moves) { const shown = painted(), begin = performance.now();
    if (kind === "step") player.step(move); else { field.value = move; field.dispatchEvent(new Event("input", { bubbles: true })); }
    await shown; walls.push(performance.now() - begin); await new Promise(done => setTimeout(done, 60)); }
  return walls; }"""
COUNTS = """async (moves) => { const field = document.getElementById("c-segment-difference"), root = document.documentElement, walls = [];
  for (const move of moves) { const begin = performance.now();
    const seen = new Promise(done => { const o = new MutationObserver(() => { o.disconnect(); done(); });
      o.observe(root, { attributeFilter: ["data-samples"] }); });
    field.value = move; field.dispatchEvent(new Event("input", { bubbles: true })); await seen; walls.push(performance.now() - begin);
    await new Promise(done => setTimeout(done, 400)); }
  return walls; }"""
DRAG = """async ([bits, bar, seconds]) => { const read = READ, player = window.herdbook.player, seen = []; let rest = 0;
  const w = head => { seen.push([head.frame, read(bits, bar)]); }; player.watchers.add(w);
  const begin = performance.now(); let frame = 0;
  while (performance.now() - begin < 1000 * seconds) { frame = Math.floor((performance.now() - begin) / (1000 * seconds)
    * (player.movie.frames - 1));
    player.go(frame, true); await new Promise(done => setTimeout(done, 16)); }
  const end = performance.now(), target = player.wanted;
  while (player.frame !== target) await new Promise(done => setTimeout(done, 2));
  rest = performance.now() - end; player.watchers.delete(w);
  return [seen.length / seconds, seen.filter(([a, b]) => a !== b).length, rest]; }""".replace("READ", READ)
PLAY = """async ([bits, bar, seconds]) => { const read = READ, player = window.herdbook.player, seen = [];
  player.go(0); await new Promise(done => setTimeout(done, 1500));
  const w = head => { seen.push([head.frame, read(bits, bar), performance.now()]); }; player.watchers.add(w);
  player.speed = 4; Object.defineProperty(player, "stride", { get: () => 1, configurable: true });
  player.play(); await new Promise(done => setTimeout(done, 1000 * seconds)); player.stop(); player.watchers.delete(w);
  player.speed = 1; delete player.stride;
  const late = seen.filter(([frame, number], k) => frame !== number || (k && frame !== seen[k - 1][0] + 1)).length;
  return [(seen.length - 1) / (seen.at(-1)[2] - seen[0][2]) * 1000, late, seen.length]; }""".replace("READ", READ)


@dataclass(frozen=True)
class Row:
    """A figure: what, its value and unit, and its bar; `least`: more is better."""

    what: str
    value: float
    unit: str
    bar: float
    least: bool = False

    @property
    def good(self) -> bool:
        """Whether it keeps its bar."""
        return self.value >= self.bar if self.least else self.value <= self.bar

    def __str__(self) -> str:
        return (
            f"{self.what:52}{self.value:9.1f} {self.unit:9}{'>=' if self.least else '<='} {self.bar:6.0f}{'' if self.good else '   MISSED'}"
        )


def write_movie(folder: Path, name: str) -> Path:
    """A movie with noise, `ANIMALS` dark animals and the frame number in the pixels; made once."""
    path = folder / f"{name.replace(' ', '_')}.mp4"
    if path.exists():
        return path
    size, rng = SIZES[name], np.random.default_rng(3)
    noise = rng.normal(0, NOISE, (8, size[1], size[0]))
    half = BODY_PX // 2
    with MovieWriter(path, *size, RATE, keyframe_interval=GOP) as writer:
        for number in range(FRAMES):
            image = numbered_frame(number, (), size).astype(float)
            for x, y in walk(ANIMALS, number, size):
                image[round(y) - half : round(y) + half + 1, round(x) - half : round(x) + half + 1] = 60
            image[BAR:] += noise[number % len(noise), BAR:]
            writer.write(np.clip(np.rint(image), 0, 255).astype(np.uint8))
    return path


def write_experiment(folder: Path, movie: Path) -> Path:
    """The experiment file of a movie, in a folder of its own without results."""
    folder.mkdir(parents=True, exist_ok=True)
    width, height = SIZES[movie.stem.replace("_", " ")]
    arena = {"name": "dish", "include": [{"polygon": [[0, 14], [width - 1, 14], [width - 1, height - 1], [0, height - 1]]}]}
    values = {
        **{"experiment": "app", "movies": [{"name": "m", "file": str(movie)}], "animals": {"marking": "none", "number": ANIMALS}},
        **{"arenas": [arena], "segment": {"difference": 30, "area": [100, 4000]}, "overlay": {"write": False}},
    }
    file = folder / "experiment.yaml"
    file.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    return file


class App:
    """`herdbook app` in a process of its own."""

    def __init__(self, file: Path, roots: Sequence[Path] = ()) -> None:
        begin = time.perf_counter()
        more = [word for root in roots for word in ("--root", str(root))]
        command = [sys.executable, "-c", "from herdbook.commands.cli import app; app()", "app", str(file), "--no-browser", *more]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        text = ""
        while not (found := re.search(r"(http://\S+token=[\w-]+)", text)):
            line = self._process.stdout.readline()
            assert line, "the app did not start"
            text += line.strip()
        self.address = found[1]
        self.started_s = time.perf_counter() - begin

    @property
    def cpu_s(self) -> float:
        """CPU time of the server so far, s."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def memory_mb(self) -> float:
        """Largest memory of the server so far, MB."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]

    def close(self) -> None:
        """End the server."""
        self._process.terminate()
        self._process.wait(30)


class Tab:
    """A tab with the page; the browser's cache is empty."""

    def __init__(self, browser: Any, app: App) -> None:
        self.app = app
        self._context = browser.new_context(viewport={"width": 1280, "height": 800})
        self.page = self._context.new_page()
        begin = time.perf_counter()
        self.page.goto(app.address)
        self.wait("document.querySelector('#controls input')")
        self.there_s = time.perf_counter() - begin
        self.wait("d.kept")
        self.outlines_s = time.perf_counter() - begin

    def wait(self, condition: str) -> None:
        """Until a condition in JavaScript holds; `d` is the dataset of the page."""
        script = f"() => {{ const d = document.documentElement.dataset; return {condition}; }}"
        self.page.wait_for_function(script, timeout=1000 * PATIENCE_S, polling=20)

    def measured(self, script: str, arguments: Any, number: int) -> tuple[Any, float]:
        """What a script returns, and CPU time of the server for each of a number of moves, ms."""
        before = self.app.cpu_s
        found = self.page.evaluate(script, arguments)
        return found, 1000 * (self.app.cpu_s - before) / number

    def close(self) -> None:
        """Close the tab."""
        self._context.close()


@contextmanager
def opened(browser: Any, file: Path) -> Iterator[Tab]:
    """The page of an experiment, on a server of its own."""
    app = App(file)
    try:
        tab = Tab(browser, app)
        yield tab
        tab.close()
    finally:
        app.close()


def measure_page(browser: Any, name: str, movie: Path, work: Path) -> list[Row]:
    """All figures of the page on one movie."""
    folder = work / f"page_{movie.stem}"
    shutil.rmtree(folder, ignore_errors=True)
    file, rows = write_experiment(folder, movie), []
    large = name == "1080p"
    with opened(browser, file) as tab:
        rows += [
            Row(f"{name}: the command until it answers", tab.app.started_s, "s", np.inf),
            Row(f"{name}: page there", tab.there_s, "s", 2),
            Row(f"{name}: first outlines, new movie", tab.outlines_s, "s", 8),
        ]
        tab.wait("d.scene === 'ready'")
        # The background is written and known from now on.
        time.sleep(1)
    with opened(browser, file) as tab:
        rows.append(Row(f"{name}: first outlines, known background", tab.outlines_s, "s", 4))
        tab.wait("d.scene === 'ready' && d.samples && Number(d.samples.split(':')[0]) >= 40")
        values = [str(round(20 + 0.5 * k, 1)) for k in range(40)]
        walls, cpu = tab.measured(MOVES, [values, "threshold"], len(values))
        rows.append(Row(f"{name}: threshold -> outlines painted, 95 %", float(np.quantile(walls, 0.95)), "ms", 60))
        rows.append(Row(f"{name}: threshold and all that follows, server CPU", cpu, "ms", 15 + 50))
        walls, _ = tab.measured(COUNTS, [str(30 + k) for k in range(10)], 10)
        rows.append(Row(f"{name}: counts of all sampled frames, median", float(np.median(walls)), "ms", 150))
        walls, cpu = tab.measured(MOVES, [[1] * 60, "step"], 60)
        rows.append(Row(f"{name}: next frame, 95 %", float(np.quantile(walls, 0.95)), "ms", 60))
        rows.append(Row(f"{name}: next frame, server CPU", cpu, "ms", 15))
        (rate, wrong, rest), _ = tab.measured(DRAG, [BITS, BAR, 3], 1)
        rows.append(Row(f"{name}: dragging, images per second", rate, "images/s", 15, least=True))
        rows.append(Row(f"{name}: dragging, numbers unlike their images", wrong, "", 0))
        rows.append(Row(f"{name}: exact frame after dragging", rest, "ms", 300 + 120))
        (rate, late, count), cpu = tab.measured(PLAY, [BITS, BAR, 5], 1)
        rows.append(Row(f"{name}: playing with outlines", rate, "fps", 20 if large else 25, least=True))
        rows.append(Row(f"{name}: playing, frames out of order", late, "", 0))
        rows.append(Row(f"{name}: playing, server CPU of a frame", cpu / count, "ms", 15 if large else 10))
        rows.append(Row(f"{name}: memory of the server", tab.app.memory_mb, "MB", 500))
    return rows


def measure_watching(browser: Any, name: str, file: Path) -> list[Row]:
    """Figures of watching a finished run."""
    with opened(browser, file) as tab:
        tab.page.keyboard.press("Alt+4")
        tab.wait("d.watched && d.tracks")
        tab.wait("d.scene === 'ready'")
        (rate, late, count), cpu = tab.measured(PLAY, [BITS, BAR, 5], 1)
        return [
            Row(f"{name}: playing with names, trails and outlines", rate, "fps", 20 if name == "1080p" else 25, least=True),
            Row(f"{name}: the same, frames out of order", late, "", 0),
            Row(f"{name}: the same, server CPU of a frame", cpu / count, "ms", 15 if name == "1080p" else 10),
        ]


def measure_stopping(file: Path, delays_s: tuple[float, ...] = (3.0, 7.0, 11.0, 15.0)) -> list[Row]:
    """Stop a run at several moments, then let it end; what stopping takes at most, and locks that are left."""
    runs = Runs(file)
    taken, left = [], 0
    for delay in delays_s:
        runs.start("everything")
        time.sleep(delay)
        if not runs.state()["running"]:
            break
        begin = time.time()
        runs.stop()
        state = _wait(runs)
        taken.append(state["ended"] - begin)
        left += state["locked"]
    runs.start("everything")
    state = _wait(runs)
    assert state["ok"], state["message"]
    return [Row(f"stopping a run, longest of {len(taken)}", max(taken), "s", 5), Row("locks left by stopped runs", left, "", 0)]


def _wait(runs: Runs) -> dict[str, Any]:
    while (state := runs.state())["running"]:
        time.sleep(0.05)
    return state


def installed() -> Row:
    """What the app adds to an installation: its own files, and the packages that nothing else needs."""
    own = sum(
        path.stat().st_size
        for path in (Path(herdbook.__file__).parent / "app").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    )
    for package in ("starlette", "uvicorn", "websockets", "anyio", "h11"):
        files = importlib.metadata.files(package) or []
        own += sum(Path(file.locate()).stat().st_size for file in files if Path(file.locate()).is_file())
    return Row("added to the installation", own / 1e6, "MB", 10)


def measure_all(work: Path, say: Callable[[str], None]) -> None:
    """Print all figures; runs are run to their end, so this takes minutes."""
    from playwright.sync_api import sync_playwright

    path = os.environ.get("HERDBOOK_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    say(str(installed()))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        for name in SIZES:
            movie = write_movie(work, name)
            for row in measure_page(browser, name, movie, work):
                say(str(row))
            file = work / f"page_{movie.stem}" / "experiment.yaml"
            for row in measure_stopping(file):
                say(f"{row}   ({name})")
            for row in measure_watching(browser, name, file):
                say(str(row))
        browser.close()
