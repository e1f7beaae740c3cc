"""Routes of proposals over the server."""

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from herdbook.app.proposing.measuring import measure
from herdbook.app.proposing.targets import dotted, present
from herdbook.experiment.file import load_experiment, parse_experiment
from tests.support.littered import LARGE, animals_at, place_of, write_littered

CHANGE = {"x-herdbook": "1", "content-type": "application/json"}


@pytest.fixture
def client(serve: Callable[..., TestClient], tmp_path: Path) -> TestClient:
    return serve(write_littered(tmp_path, 40))


def post(client: TestClient, path: str, **content: Any) -> Any:
    return client.post(f"http://127.0.0.1:8000{path}", headers=CHANGE | {"host": "127.0.0.1:8000"}, content=json.dumps(content))


def test_clicks_give_changes_and_what_comes_of_them(client: TestClient) -> None:
    clicks = [{"frame": 5, "x": x, "y": y, "animal": True} for x, y in animals_at(5)]
    x, y = place_of(LARGE, 5)
    clicks.append({"frame": 5, "x": x, "y": y, "animal": False})
    found = post(client, "/api/propose/clicks", movie="m", frame=7, clicks=clicks).json()
    assert found["fulfilled"] == [True, True, False]
    assert list(found["changes"]) == ["segment.area"]
    assert found["was"] == {"segment.area": [5, 2000]}
    assert (found["frame"], found["here"]) == (7, [5, 4])


@pytest.mark.parametrize(
    "clicks",
    [None, [], [{}], [{"frame": 1, "x": "a", "y": 2, "animal": True}], [{"frame": 1, "x": 1e999, "y": 2, "animal": True}], [1] * 99],
)
def test_clicks_that_make_no_sense_are_refused(client: TestClient, clicks: Any) -> None:
    assert post(client, "/api/propose/clicks", movie="m", frame=0, clicks=clicks).status_code == 422
    assert "no movie" in post(client, "/api/propose/tune", movie="other").json()["fault"]


def test_what_rests_is_told(client: TestClient) -> None:
    answer = client.get("/api/propose/resting", params={"movie": "m"}, headers={"host": "127.0.0.1:8000"}).json()
    assert answer == {"resting": [], "takes_out": False}


def test_a_measurement_proposes_the_difference_and_its_plateau(tmp_path: Path) -> None:
    path = write_littered(tmp_path, 40)
    experiment = load_experiment(path)
    raw = {"experiment": "test", "movies": [{"name": "m", "file": experiment.movies[0].file}], "animals": {"marking": "none", "number": 2}}
    found = measure({"raw": raw, "path": str(path), "movie": "m"})
    assert found["changes"]["segment.area"] == found["segment"]["area"]
    assert found["plateau"][0] <= found["segment"]["difference"] <= found["plateau"][1]
    assert set(found["was"]) == set(found["changes"])
    assert len(found["ladder"]["blobs_median"]) == len(found["ladder"]["difference"])


def test_a_movie_with_settings_of_its_own_gets_them_there(tmp_path: Path) -> None:
    path = write_littered(tmp_path, 3)
    movie = {"file": load_experiment(path).movies[0].file}
    raw = {
        "experiment": "test",
        "movies": [{"name": "a", **movie}, {"name": "b", **movie, "override": {"segment": {"difference_noise": 6}}}],
        "animals": {"marking": "none", "body_length": 10},
        "segment": {"area_body": [0.1, 2]},
    }
    experiment = parse_experiment(raw, path)
    values = {"segment": {"difference": 12, "area": [5, 50]}}
    assert dotted(experiment, "a", values) == {"segment.difference": 12, "segment.area": [5, 50], "segment.area_body": None}
    assert dotted(experiment, "b", values) == {
        "movies.b.override.segment.difference": 12,
        "movies.b.override.segment.difference_noise": None,
        "segment.area": [5, 50],
        "segment.area_body": None,
    }
    assert present(experiment, "b", {"movies.b.override.segment.difference_noise": None}) == {
        "movies.b.override.segment.difference_noise": 6
    }


def test_a_measurement_is_stopped(client: TestClient) -> None:
    answers: list[Any] = []
    thread = threading.Thread(target=lambda: answers.append(post(client, "/api/propose/tune", movie="m").json()))
    thread.start()
    until = time.monotonic() + 20
    while thread.is_alive() and time.monotonic() < until:
        post(client, "/api/propose/stop")
        time.sleep(0.2)
    thread.join(20)
    assert answers == [{"stopped": True}]
