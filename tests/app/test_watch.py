"""What a run found, as somebody watches it: against the paths that the animals were drawn on, and the artifacts on the disk."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from herdbook.artifacts.smooth import Trajectories
from tests.support.numbered import walk
from tests.support.watched_run import ANIMALS, DOUBT_FRAME, FRAMES, NAMELESS, write_watched


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_watched(tmp_path_factory.mktemp("watched"))


@pytest.fixture
def screen(open_page, made, tmp_path):
    shutil.copytree(made.parent, tmp_path, dirs_exist_ok=True)
    found = open_page(file=tmp_path / made.name)
    found.press("Alt+4")
    found.wait("d.watched && d.lanes")
    return found


def go(screen, frame):
    screen.page.locator("#number").fill(str(frame))
    screen.page.locator("#number").press("Enter")
    screen.page.locator("#view").focus()
    screen.shows(frame)


def labels(screen):
    """Text and box (left, top, right, bottom) of each label, pixels of the screen."""
    found = screen.page.evaluate("window.herdbook.watch.labels.map(({name, box}) => [name, box.left, box.top, box.right, box.bottom])")
    return [(name, box) for name, *box in found]


def on_canvas(screen, x, y):
    return screen.page.evaluate("([x, y]) => window.herdbook.view.to(x, y)", [x, y])


def drawn(screen):
    """How many pixels are drawn over the picture."""
    return screen.page.evaluate(
        """() => { const c = window.herdbook.view.drawn, d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
        let n = 0; for (let k = 3; k < d.length; k += 4) n += d[k] > 0; return n; }"""
    )


def test_a_number_that_is_being_typed_is_not_replaced_while_the_movie_plays(screen):
    go(screen, 30)
    screen.press("Space")
    screen.wait("Number(d.shown) > 32")
    screen.page.locator("#number").focus()
    screen.page.keyboard.press("Control+a")
    screen.page.keyboard.type("1")
    typed = int(screen.data("shown"))
    screen.wait("Number(d.shown) > Number(arg) + 5", typed)
    screen.page.keyboard.type("2")
    screen.page.keyboard.press("Enter")
    screen.shows(12)
    # Afterwards it follows the movie again.
    screen.page.locator("#view").focus()
    screen.press("Space")
    screen.wait("Number(d.shown) > 20")
    assert int(screen.page.locator("#number").input_value()) > 20


def test_names_stand_beside_their_animals_and_cover_none(screen):
    go(screen, 30)
    tracks = Trajectories.load(screen.file.parent / "results" / "e" / "smooth" / "m.h5")
    rows = tracks.frame == 30
    named = {tracks.individuals[k] for k in tracks.individual[rows]}
    assert {name for name, _ in labels(screen)} == named | {"?"}
    for _, (left, top, right, bottom) in labels(screen):
        for x, y in walk(ANIMALS, 30):
            (x0, y0), (x1, y1) = on_canvas(screen, x - 4, y - 4), on_canvas(screen, x + 4, y + 4)
            assert right <= x0 or left >= x1 or bottom <= y0 or top >= y1
    # Nothing is drawn on the animals themselves: their outlines run along their edges.
    for x, y in walk(ANIMALS, 30):
        px, py = on_canvas(screen, x, y)
        alpha = "([x, y]) => window.herdbook.view.drawn.getContext('2d').getImageData(x, y, 1, 1).data[3]"
        assert screen.page.evaluate(alpha, [round(px), round(py)]) == 0


def test_names_follow_the_frames_while_playing(screen):
    go(screen, 12)
    screen.page.evaluate(
        """() => { window.seen = []; const watch = window.herdbook.watch;
        window.herdbook.player.watchers.add(head => window.seen.push([head.frame, watch.tracks.y, watch.tracks.x])); }"""
    )
    screen.press("Space")
    screen.shows(FRAMES - 1)
    seen = screen.page.evaluate("window.seen")
    assert [frame for frame, _, _ in seen] == list(range(13, FRAMES))
    for frame, ys, xs in seen:
        places = np.array(sorted(zip(ys, xs, strict=True)))[:, ::-1]
        assert np.abs(places - walk(ANIMALS, frame)[:NAMELESS]).max() < 1


def test_each_layer_has_a_key(screen):
    go(screen, DOUBT_FRAME)
    before = drawn(screen)
    for key, layer in (("3", "outlines"), ("2", "trails"), ("5", "doubts"), ("1", "names")):
        screen.press(key)
        assert drawn(screen) < before
        assert not screen.page.locator(f"#layer-{layer}").is_checked()
        before = drawn(screen)
    # Of unknown animals the question marks stay.
    assert [name for name, _ in labels(screen)] == ["?"]
    screen.press("4")
    assert sorted(name for name, _ in labels(screen)) == ["", "", "?"]
    screen.press("1", "h")
    assert len({name for name, _ in labels(screen)} - {"?"}) == 2
    assert drawn(screen) > before


def test_an_animal_that_is_followed_stays_in_the_middle(screen):
    go(screen, 20)
    screen.press("k")
    screen.wait("d.followed === '0'")
    for frame in (21, 22, 23):
        screen.press("ArrowRight")
        screen.shows_only(frame)
        width, height = screen.page.evaluate("[window.herdbook.view.drawn.width, window.herdbook.view.drawn.height]")
        apart = [np.hypot(*(np.array(on_canvas(screen, x, y)) - (width / 2, height / 2))) for x, y in walk(ANIMALS, frame)]
        scale = screen.page.evaluate("window.herdbook.view.scale")
        assert min(apart) < 1.5 * scale
    screen.press("j")
    screen.wait("d.followed === '-1'")
    screen.shows(23)


def test_a_click_on_the_line_of_time_goes_there(screen):
    box = screen.page.locator("#lanes canvas").bounding_box()
    screen.page.mouse.click(box["x"] + box["width"] * (45.5 / FRAMES), box["y"] + 8)
    screen.shows(45)
    # Untracked frames have no animals.
    screen.page.mouse.click(box["x"] + box["width"] * (3.5 / FRAMES), box["y"] + 8)
    screen.shows(3)
    screen.wait("d.tracks === '' && d.unknown === '0'")
    assert labels(screen) == []


def test_the_next_doubt_by_key_and_its_question(screen):
    go(screen, 12)
    screen.press("n")
    screen.shows(DOUBT_FRAME)
    (question,) = [name for name, _ in labels(screen) if name.endswith("60%, or B 40%")]
    assert question.startswith("is ")
    assert screen.page.locator("#doubt-list button").inner_text() == f"frame {DOUBT_FRAME}: {question}"
    screen.press("n", "ArrowRight")
    screen.shows(DOUBT_FRAME + 1)
    screen.press("Shift+n")
    screen.shows(DOUBT_FRAME)


def test_what_a_run_has_just_made_is_seen_without_opening_the_page_again(open_page, made, tmp_path):
    shutil.copytree(made.parent, tmp_path, dirs_exist_ok=True)
    results = tmp_path / "results"
    results.rename(tmp_path / "later")
    screen = open_page(file=tmp_path / made.name)
    screen.press("Alt+4")
    screen.page.get_by_text("nothing to watch in m yet").first.wait_for()
    assert labels(screen) == []
    # The page keeps backgrounds and drafts there itself.
    shutil.copytree(tmp_path / "later", results, dirs_exist_ok=True)
    screen.press("PageDown")
    screen.wait("d.shown === '59' && d.tracks !== '' && d.watched")
    assert len(labels(screen)) == ANIMALS
