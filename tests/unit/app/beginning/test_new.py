"""A new experiment on the page: what may be chosen, and what is written."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from herdbook.app.beginning.new import MARKINGS, FolderView, allowed, describe_movie, list_folder, names_of_tags, write_new
from herdbook.errors import HerdbookError
from herdbook.experiment.file import load_experiment
from herdbook.experiment.new import NewAnimals


@pytest.fixture
def movies(tmp_path: Path, write_movie: Callable[..., Path]) -> Path:
    """A folder with a movie, a folder of images, an experiment and other files."""
    frames = [np.full((64, 96), 40 + 10 * k, np.uint8) for k in range(12)]
    written = write_movie("m10.mp4", frames)
    folder = tmp_path / "videos"
    (folder / "images").mkdir(parents=True)
    written.rename(folder / "m10.mp4")
    (folder / "m2.mp4").write_bytes(b"")
    (folder / "my.yaml").write_text("experiment: x\n")
    (folder / ".hidden.mp4").touch()
    (folder / "notes.txt").touch()
    for k in range(3):
        cv2.imwrite(str(folder / "images" / f"{k}.png"), np.full((20, 30, 3), 50, np.uint8))
    return folder


def test_a_folder_shows_what_may_be_chosen(movies: Path) -> None:
    assert list_folder(movies, [movies.parent]) == FolderView(["images"], ["my.yaml"], ["m2.mp4", "m10.mp4", "images"], False)


def test_nothing_outside_of_the_roots_is_read(movies: Path, tmp_path: Path) -> None:
    outside = tmp_path / "other"
    outside.mkdir()
    (movies / "link").symlink_to(outside)
    for path in (outside, movies / "..", movies / "link", Path("/etc"), movies / "images" / ".." / ".." / "other"):
        with pytest.raises(HerdbookError, match="outside of the folders"):
            list_folder(path, [movies])
    with pytest.raises(HerdbookError, match="no such file"):
        allowed(movies / "none\0", [movies])


def test_a_movie_is_described_with_a_picture(movies: Path) -> None:
    found, picture = describe_movie(movies / "m10.mp4", width=48)
    assert (found.size, found.fault) == ((96, 64), "")
    assert found.duration_s == pytest.approx(12 / found.fps, rel=0.1)
    image = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    assert image.shape == (32, 48, 3)
    found, picture = describe_movie(movies / "images")
    assert (found.size, found.duration_s, bool(picture)) == ((30, 20), 3 / 25, True)


def test_a_movie_that_cannot_be_used_says_why(movies: Path) -> None:
    found, picture = describe_movie(movies / "m2.mp4")
    assert "the file is empty" in found.fault
    assert picture == b""


@pytest.mark.parametrize(
    ("colours", "tags", "names"),
    [
        (["blue", "green"], 2, ["BB", "BG", "GB", "GG"]),
        (["blue", "brown"], 1, ["Bl", "Br"]),
        (["blue", "black"], 2, ["BluBlu", "BluBla", "BlaBlu", "BlaBla"]),
        ([], 2, []),
    ],
)
def test_names_come_from_the_colours_of_tags(colours: list[str], tags: int, names: list[str]) -> None:
    assert names_of_tags(colours, tags) == names


def test_four_colours_give_sixteen_names() -> None:
    assert len(set(names_of_tags(["blue", "green", "orange", "pink"]))) == 16
    with pytest.raises(HerdbookError, match="once"):
        names_of_tags(["blue", "Blue "])


@pytest.mark.parametrize("marking", MARKINGS, ids=lambda marking: marking.name)
def test_each_marking_gives_an_experiment_that_loads(movies: Path, marking: Any) -> None:
    given: dict[str, Any] = {"identities": {"identities": ("BB", "BG")}, "number": {"number": 3}}
    animals = NewAnimals(marking.name, **{key: value for ask in marking.asks for key, value in given[ask].items()})
    written = write_new(movies / "new", [movies / "m10.mp4", movies / "images"], animals, [movies], one_recording=True)
    experiment = load_experiment(written[0])
    assert [movie.name for movie in experiment.movies] == ["m10", "images"]
    assert experiment.animals.marking == marking.name
    with pytest.raises(HerdbookError, match="outside"):
        write_new(movies.parent / "new", [movies / "m10.mp4"], animals, [movies])
    with pytest.raises(HerdbookError, match="at least one"):
        write_new(movies / "other", [], animals, [movies])
