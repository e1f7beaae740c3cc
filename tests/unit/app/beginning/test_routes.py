"""The routes of the form for a new experiment."""

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from starlette.testclient import TestClient

from herdbook.app.desk import Desk
from herdbook.app.server import Roots, make_server
from herdbook.experiment.file import load_experiment
from tests.support.numbered import read_number, write_numbered

CHANGE = {"x-herdbook": "1", "content-type": "application/json"}
FRAMES = 24


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    folder = tmp_path / "videos"
    folder.mkdir()
    write_numbered(folder, "b_frames", FRAMES)
    write_numbered(folder, "images", FRAMES)
    with TestClient(make_server(Desk(), Roots([folder]), "t", "c", None), base_url="http://127.0.0.1:8000") as made:
        made.cookies.set("c", "t")
        yield made


@pytest.fixture
def post(client: TestClient) -> Callable[..., Any]:
    return lambda path, **content: client.post(path, headers=CHANGE, content=json.dumps(content))


def test_a_folder_tells_whole_paths_and_the_way_up(client: TestClient, tmp_path: Path) -> None:
    assert client.get("/api/new/folder").json()["folders"] == [str(tmp_path / "videos")]
    found = client.get("/api/new/folder", params={"dir": str(tmp_path / "videos")}).json()
    assert found["above"] == ""
    assert found["movies"] == [str(tmp_path / "videos" / name) for name in ("b_frames.mp4", "images")]
    found = client.get("/api/new/folder", params={"dir": str(tmp_path / "videos" / "images")}).json()
    assert found["above"] == str(tmp_path / "videos")


@pytest.mark.parametrize("name", ["b_frames.mp4", "images"])
@pytest.mark.parametrize(("at", "number"), [("first", 0), ("last", FRAMES - 1), ("", None)])
def test_the_picture_of_a_movie_is_that_of_its_place(client: TestClient, tmp_path: Path, name: str, at: str, number: int | None) -> None:
    found = client.get("/api/new/movie", params={"path": str(tmp_path / "videos" / name), "at": at}).json()
    assert found["fault"] == ""
    image = cv2.imdecode(np.frombuffer(base64.b64decode(found["picture"]), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert image is not None
    shown = read_number(np.asarray(cv2.resize(image, (192, 120), interpolation=cv2.INTER_AREA), np.uint8))
    assert shown == number if number is not None else 0 <= shown < FRAMES


def test_names_come_from_ticked_colours(post: Callable[..., Any]) -> None:
    assert post("/api/new/names", colours=["blue", "green"], tags=1).json() == {"names": ["B", "G"]}
    for wrong in ({"colours": "blue"}, {"colours": ["blue"], "tags": 5}, {"colours": ["blue"], "tags": "2"}):
        assert post("/api/new/names", **wrong).status_code == 422


def test_what_is_written_is_what_was_asked_for(post: Callable[..., Any], tmp_path: Path) -> None:
    folder = tmp_path / "videos"
    movies = [str(folder / "images"), str(folder / "b_frames.mp4")]
    given = {
        "folder": str(folder),
        "name": "ants",
        "movies": movies,
        "marking": "marked",
        "identities": ["BG", "GB"],
        "one_recording": True,
    }
    file = Path(post("/api/new", **given).json()["file"])
    experiment = load_experiment(file)
    assert [movie.name for movie in experiment.movies] == ["images", "b_frames"]
    assert experiment.animals.identities == ["BG", "GB"]
    assert len(experiment.recordings) == 1
    before = file.read_bytes()
    assert "exists" in post("/api/new", **given).json()["fault"]
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"marking": "painted"}, "told apart"),
        ({"marking": "marked"}, "need names"),
        ({"marking": "unmarked"}, "need a number"),
        ({"marking": "unmarked", "number": True}, "whole number"),
        ({"marking": "none", "movies": []}, "at least one"),
        ({"marking": "none", "name": "../evil"}, "name"),
        ({"marking": "none", "name": 3}, "no text"),
        ({"marking": "none", "movies": "m"}, "no list"),
    ],
)
def test_what_is_missing_or_wrong_is_told_and_nothing_is_written(
    post: Callable[..., Any], tmp_path: Path, change: dict[str, Any], fault: str
) -> None:
    folder = tmp_path / "videos"
    answer = post("/api/new", **({"folder": str(folder), "name": "x", "movies": [str(folder / "b_frames.mp4")]} | change))
    assert answer.status_code == 422
    assert fault in answer.json()["fault"]
    assert not list(tmp_path.rglob("*.yaml"))
