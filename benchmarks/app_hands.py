"""A new user's first half hour in the browser: from movies to a finished run, with counted keys and clicks, and what comes out of it.

    python benchmarks/app_hands.py --work /tmp/bench                      twenty flies in a plate of 24 wells, some of which rest
    python benchmarks/app_hands.py --work /tmp/bench --data ../shared/data      the same, and then ants16 without labels and with them

The time of hands is estimated as in the keystroke-level model of Card, Moran and Newell (1980): 0.28 s for a key, 1.1 s to point, 0.2 s to
click, 0.4 s for a hand to go from keyboard to mouse or back, and 1.35 s of thought before each decision, to which 5 s are added wherever a
person looks at the picture. Waiting for the computer is no time of hands.
"""

import argparse
import math
import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.app_page import App
from benchmarks.labelling import Truth
from herdbook.experiment.file import load_experiment
from herdbook.movie.writing import MovieWriter
from herdbook.tables.scoring import load_trajectories, load_truth, score_trajectories
from tests.support.canvas import ON_SCREEN

KEY_S, POINT_S, CLICK_S, HOMING_S, THOUGHT_S, LOOK_S = 0.28, 1.1, 0.2, 0.4, 1.35, 5.0
# Of the plate.
ROWS, COLUMNS, PITCH, RADIUS, SIZE, RATE, FRAMES = 4, 6, 190, 80, (1240, 860), 25.0, 1500
EMPTY = (3, 8, 14, 21)
RESTING = {1: 0.95, 5: 0.6, 10: 0.9, 16: 0.75, 23: 0.95}
PATIENCE_MS = 7_200_000


class Hands:
    """The hands of a user: moves on the page, counted."""

    def __init__(self, page: Any) -> None:
        self.page, self.keys, self.clicks, self.seconds, self.waited_s = page, 0, 0, 0.0, 0.0
        self._on_mouse = True

    def _side(self, mouse: bool) -> None:
        if mouse != self._on_mouse:
            self.seconds += HOMING_S
        self._on_mouse = mouse

    def think(self) -> None:
        """Decide."""
        self.seconds += THOUGHT_S

    def look(self) -> None:
        """Look at the picture."""
        self.seconds += LOOK_S

    def click(self, what: Any) -> None:
        """Click an element, or a point (x, y) of the movie."""
        self._side(True)
        self.clicks += 1
        self.seconds += POINT_S + CLICK_S
        if isinstance(what, tuple):
            self.page.mouse.click(*self._at(*what))
        else:
            what.click()

    def press(self, *keys: str) -> None:
        """Press keys."""
        self._side(False)
        for key in keys:
            count = 1 + key.count("+")
            self.keys += count
            self.seconds += count * KEY_S
            self.page.keyboard.press(key)

    def type(self, field: Any, text: str) -> None:
        """Click a field and type into it."""
        self.click(field)
        self._side(False)
        self.keys += len(text)
        self.seconds += KEY_S * len(text)
        field.fill(text)

    def wait(self, condition: str) -> None:
        """Until the page says something; `d` is its dataset."""
        self.page.wait_for_function(
            f"() => {{ const d = document.documentElement.dataset; return {condition}; }}", timeout=PATIENCE_MS, polling=100
        )

    def _at(self, x: float, y: float) -> tuple[float, float]:
        found = self.page.evaluate(
            ON_SCREEN,
            [x, y],
        )
        return found[0], found[1]


def middle(well: int) -> tuple[int, int]:
    """The middle of a well, px."""
    return 145 + PITCH * (well % COLUMNS), 145 + PITCH * (well // COLUMNS)


def write_plate(folder: Path) -> pd.DataFrame:
    """The movie plate.mp4; returns where the flies are: well, frame, x, y."""
    rng = np.random.default_rng(7)
    light = np.linspace(0.85, 1.1, SIZE[0])[None, :] * np.linspace(1.0, 0.92, SIZE[1])[:, None]
    ground = np.full(SIZE[::-1], 70.0)
    for well in range(ROWS * COLUMNS):
        cv2.circle(ground, middle(well), RADIUS + 6, 120.0, -1)
        cv2.circle(ground, middle(well), RADIUS, 185.0, -1)
    ground = cv2.GaussianBlur(ground * light, (0, 0), 1.2)
    noise = rng.normal(0, 3, (9, *SIZE[::-1]))
    flies = {well: _path(rng, RESTING.get(well, 0.2)) for well in range(ROWS * COLUMNS) if well not in EMPTY}
    rows = []
    with MovieWriter(folder / "plate.mp4", *SIZE, RATE, keyframe_interval=50) as writer:
        for frame in range(FRAMES):
            image = ground.copy()
            for well, path in flies.items():
                x, y, heading = path[frame]
                x, y = x + middle(well)[0], y + middle(well)[1]
                rows.append((well, frame, x, y))
                _draw_fly(image, x, y, heading)
            writer.write(np.clip(np.rint(image + noise[frame % 9]), 0, 255).astype(np.uint8))
    return pd.DataFrame(rows, columns=["well", "frame", "x", "y"])


def _path(rng: np.random.Generator, rest: float) -> np.ndarray:
    """x, y (from the middle of a well, px) and heading of a fly that rests a share of the time, in bouts of seconds."""
    place, heading, moving, path = rng.uniform(-0.5, 0.5, 2) * RADIUS, rng.uniform(0, 2 * np.pi), False, []
    left = 0
    for _ in range(FRAMES):
        if left == 0:
            moving = not moving
            mean_s = 1.5 if moving else 1.5 * rest / (1 - rest)
            left = max(1, round(RATE * mean_s * rng.uniform(0.6, 1.4)))
        left -= 1
        if moving:
            heading += rng.normal(0, 0.25)
            ahead = place + 2.5 * np.array([np.cos(heading), np.sin(heading)])
            if np.hypot(*ahead) > RADIUS - 12:
                heading += 0.6
            else:
                place = ahead
        path.append((*place, heading))
    return np.array(path)


def _draw_fly(image: np.ndarray, x: float, y: float, heading: float) -> None:
    """A dark ellipse of 18 x 8 px, to a sixteenth of a pixel."""
    centre = (round(16 * x), round(16 * y))
    outline = cv2.ellipse2Poly((0, 0), (9 * 16, 4 * 16), round(math.degrees(heading)), 0, 360, 15) + np.array(centre)
    cv2.fillPoly(image, [outline.astype(np.int32)], 45.0, lineType=cv2.LINE_AA, shift=4)


def begin(hands: Hands, movies: list[str], marking: str, number: int, colours: Sequence[str] = ()) -> None:
    """From the list of folders to the page of a new experiment. Names are made of `colours` of tags."""
    page = hands.page
    hands.click(page.locator("#new"))
    for movie in movies:
        hands.click(page.locator(f"[data-movie='{movie}'] input"))
    hands.think()
    if len(movies) > 1:
        hands.click(page.get_by_label("one recording in parts"))
    hands.think()
    hands.click(page.locator(f"input[name=marking][value={marking}]"))
    if number:
        hands.type(page.locator("#new-number"), str(number))
    for colour in colours:
        hands.click(page.locator(f"input[value={colour}]"))
    hands.click(page.get_by_role("button", name="Write the experiment file"))
    hands.wait("d.scene === 'ready' && d.kept")
    hands.look()


def tune(hands: Hands) -> None:
    """Take what is proposed from the whole movie."""
    hands.think()
    hands.press("t")
    hands.wait("d.proposed")
    hands.look()
    hands.press("Enter")
    hands.wait("!d.proposed")


def run(hands: Hands) -> None:
    """Start the run, which saves, and wait for its end."""
    start = time.perf_counter()
    hands.press("Alt+3")
    hands.click(hands.page.locator("#run-start"))
    hands.wait("d.run === 'running'")
    hands.wait("d.run !== 'running'")
    assert hands.page.evaluate("document.documentElement.dataset.run") == "ok"
    hands.waited_s = time.perf_counter() - start


@contextmanager
def user(browser: Any, name: str, folder: Path, roots: Sequence[Path] = ()) -> Iterator[Hands]:
    """A user on the page of a folder; at the end it is printed what it took."""
    app = App(folder, roots)
    begun = time.perf_counter()
    try:
        hands = Hands(browser.new_context(viewport={"width": 1280, "height": 800}).new_page())
        hands.page.goto(app.address)
        yield hands
        all_s = time.perf_counter() - begun
        print(
            f"{name}: {hands.clicks} clicks and {hands.keys} keys, {hands.seconds / 60:.1f} min of hands; {all_s / 60:.1f} min by the "
            f"clock with a user who does not hesitate, {hands.waited_s / 60:.1f} of them the run",
            flush=True,
        )
    finally:
        app.close()


def plate(browser: Any, work: Path, pictures: Path | None) -> None:
    """Twenty flies in a plate of 24 wells."""
    folder = work / "hands_plate"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    truth = write_plate(folder)
    with user(browser, "plate", folder) as hands:
        begin(hands, ["plate.mp4"], "none", 0)
        hands.think()
        hands.press("q")
        hands.wait("d.dishes")
        hands.look()
        hands.press("Enter")
        hands.look()
        for well in EMPTY:
            hands.click(middle(well))
            hands.press("Delete")
        tune(hands)
        if pictures:
            hands.page.screenshot(path=pictures / "hands_plate.png")
        run(hands)
        hands.press("Alt+4")
        hands.wait("d.watched && d.lanes")
        hands.look()
        if pictures:
            hands.page.screenshot(path=pictures / "hands_plate_watch.png")
        (table,) = folder.glob("results/*/trajectories.csv")
    score_plate(pd.read_csv(table), truth)


def score_plate(found: pd.DataFrame, truth: pd.DataFrame) -> None:
    """How many flies are where they were, under the name of their well."""
    names = [f"{'ABCD'[well // COLUMNS]}{well % COLUMNS + 1}" for well in range(ROWS * COLUMNS)]
    both = truth.assign(individual=truth.well.map(dict(enumerate(names)))).merge(
        found, on=["individual", "frame"], how="left", suffixes=("", "_f")
    )
    right = np.hypot(both.x - both.x_f, both.y - both.y_f) < 10
    by_well = right.groupby(both.individual).mean()
    invented = len(found) - int(both.x_f.notna().sum())
    worst = f"worst well {by_well.idxmin()} {by_well.min():.4f}"
    print(f"  right positions, under the well's name: {right.mean():.4f}; {worst}; invented {invented}")


def ants(browser: Any, work: Path, data: Path, pictures: Path | None, *, labelled: bool) -> None:
    """Sixteen ants: told apart by looks that are learned without a label, or named by somebody who can read their tags."""
    name = "labelled" if labelled else "unmarked"
    folder = work / f"hands_{name}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    movies = ("movie01.mp4", "movie02.mp4")
    for movie in movies:
        (folder / movie).symlink_to((data / "ants16" / movie).resolve())
    with user(browser, f"ants16, {name}", folder, roots=[data]) as hands:
        hands.click(hands.page.locator("#welcome button", has_text=folder.name))
        hands.page.locator("#welcome .hint", has_text=folder.name).first.wait_for()
        if labelled:
            begin(hands, [*movies], "marked", 0, ("blue", "green", "orange", "pink"))
        else:
            begin(hands, [*movies], "unmarked", 16)
        tune(hands)
        if pictures:
            hands.page.screenshot(path=pictures / f"hands_{name}.png")
        if labelled:
            label(hands, folder, data / "ants16" / "truth.csv")
        run(hands)
        hands.press("Alt+4")
        hands.wait("d.watched && d.lanes")
        hands.look()
    (table,) = folder.glob("results/*/trajectories.csv")
    score = score_trajectories(load_trajectories(table), load_truth(data / "ants16" / "truth.csv"), named=labelled, radius_px=20)
    print(f"  positions that have an animal {score.assigned:.4f}, of these the wrong one {score.error:.4f}")


def label(hands: Hands, folder: Path, table: Path) -> None:
    """Name what the page shows, by the letters of the tags, until it says that more labels will not help."""
    hands.press("Alt+5")
    hands.click(hands.page.locator("#label-empty button", has_text="Make what labels need"))
    hands.wait("d.labelling")
    (file,) = folder.glob("*.yaml")
    truth = Truth(load_experiment(file), table, 20)
    since = 0
    while hands.page.evaluate("document.documentElement.dataset.enough") != "true":
        now, answered, rounds, needed = hands.page.evaluate(
            "(({ labelling, answered, rounds, needed }) => [labelling, Number(answered || 0), Number(rounds), Number(needed)])"
            "(document.documentElement.dataset)"
        )
        movie, _, tracklet = now.rpartition("/")
        hands.look()
        name = truth.names.get((movie, int(tracklet)))
        hands.press(*(name or "s").lower())
        if name:
            hands.wait(f"Number(d.answered) > {answered}")
            since += 1
        if since >= needed:
            # A round of learning has begun: this user waits for what it says.
            hands.wait(f"Number(d.rounds) > {rounds}")
            since = 0
        else:
            hands.wait(f"d.labelling && d.labelling !== '{now}'")
    print("  labels:", len(pd.read_csv(folder / "labels.csv")))
    hands.look()


def main() -> None:
    """Carry out both and print what they took."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--data", type=Path, help="folder with the recordings; without it, the plate alone")
    parser.add_argument("--only", nargs="+", choices=("plate", "unmarked", "labelled"), default=("plate", "unmarked", "labelled"))
    parser.add_argument("--pictures", type=Path, help="folder for pictures of the page")
    arguments = parser.parse_args()
    path = os.environ.get("HERDBOOK_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        if "plate" in arguments.only:
            plate(browser, arguments.work, arguments.pictures)
        for name in ("unmarked", "labelled"):
            if arguments.data and name in arguments.only:
                ants(browser, arguments.work, arguments.data, arguments.pictures, labelled=name == "labelled")
        browser.close()


if __name__ == "__main__":
    main()
