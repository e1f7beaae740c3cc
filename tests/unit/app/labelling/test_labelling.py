"""The server of labelling: points, pictures, answers on the disk, everybody in a frame, on a recording whose truth is drawn."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from starlette.testclient import TestClient

from herdbook.app.looks import unpacked
from herdbook.experiment.sheets.labels import read_labels
from tests.support.labelled_run import NAMES, TRACKS, name_of, place_of, write_labelled, write_learned

HEADERS = {"X-Herdbook": "1"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write_labelled(tmp_path)


@pytest.fixture
def client(serve: Callable[..., TestClient], file: Path) -> TestClient:
    return serve(file)


def points(client: TestClient, **wanted: str) -> list[dict[str, Any]]:
    return list(client.get("/api/label/points", params=wanted).json()["points"])


def answer(client: TestClient, *answers: dict[str, Any], **more: Any) -> Any:
    return client.post("/api/label/answer", json={"answers": list(answers), **more}, headers=HEADERS)


def at(tracklet: int, frame: int, **said: str) -> dict[str, Any]:
    x, y = place_of(tracklet, frame)
    return {"movie": "m", "frame": frame, "x": x, "y": y, "tracklet": tracklet, **said}


def labels(file: Path) -> list[tuple[int, float, float, str]]:
    return [(one.frame, one.x, one.y, one.label) for one in read_labels(file.parent / "labels.csv", ["m"], NAMES)]


def test_names_have_the_colours_of_their_tags_and_are_counted(client: TestClient) -> None:
    answer(client, at(1, 3, label="GG"))
    found = client.get("/api/label").json()
    assert [(one["name"], one["labels"]) for one in found["names"]] == [("RB", 0), ("GG", 1), ("YR", 0), ("BY", 0)]
    red, blue = found["names"][0]["tags"]
    assert found["names"][3]["tags"][0] == blue != red == found["names"][2]["tags"][1]
    assert (found["labels"], found["fresh"], found["needed"], found["usable"], found["learned"]) == (1, 1, 4, False, False)
    assert found["told"] == "Nothing is learned yet."


def test_all_that_are_seen_together_come_first_and_nothing_labelled(client: TestClient) -> None:
    first = points(client)
    assert [one["tracklet"] for one in first[:4]] == [0, 1, 2, 3]
    assert len(first) == len(TRACKS)
    for one in first:
        assert (one["x"], one["y"]) == pytest.approx(place_of(one["tracklet"], one["frame"]), abs=1)
    answer(client, at(0, 3, label="RB"))
    assert 0 not in [one["tracklet"] for one in points(client)]
    assert 0 in [one["tracklet"] for one in points(client, labelled="1")]


def test_orders_and_filters_of_points(client: TestClient, file: Path) -> None:
    write_learned(file)
    frames = [track.last - track.first for track in TRACKS]
    assert [one["tracklet"] for one in points(client, order="longest")] == sorted(range(8), key=lambda k: -frames[k])
    assert sorted(one["tracklet"] for one in points(client, order="time")[:4]) == [0, 1, 2, 3]
    assert {one["tracklet"] for one in points(client, name="RB")} == {0, 4, 7}
    assert points(client, name="RB", most="0.5") == []
    assert len(points(client, order="random")) == 8
    assert [one["tracklet"] for one in points(client, order="random")] == [one["tracklet"] for one in points(client, order="random")]
    assert "there is no order" in client.get("/api/label/points", params={"order": "worst"}).json()["fault"]
    assert "there is no movie" in client.get("/api/label/points", params={"movie": "n"}).json()["fault"]


def test_the_last_run_tells_who_is_most_likely(client: TestClient, file: Path) -> None:
    write_learned(file)
    by_tracklet = {one["tracklet"]: one for one in points(client, order="time")}
    assert by_tracklet[7]["guesses"][0] == ["RB", 0.8]
    assert by_tracklet[2]["guesses"][0] == ["YR", 0.8]
    assert by_tracklet[2]["words"] == "likely YR; seen for 4 s"
    assert (by_tracklet[2]["present"], by_tracklet[2]["sure"]) == ("YR", 0.8)


def test_images_are_head_up_and_where_they_are_said_to_be(client: TestClient) -> None:
    head, parts = unpacked(client.get("/api/label/sheet", params={"movie": "m", "tracklet": 0}).content)
    sheet = cv2.imdecode(np.frombuffer(parts[0], np.uint8), cv2.IMREAD_COLOR)
    assert sheet.shape == (288, 5 * 256, 3)
    frames = [one["frame"] for one in head["images"]]
    assert frames == sorted(frames)
    assert frames[-1] - frames[0] > 20
    for k, one in enumerate(head["images"]):
        assert (one["x"], one["y"]) == pytest.approx(place_of(0, one["frame"]), abs=1)
        # It walks to the right: its blue half is in front, and up.
        up, down = (sheet[row, 256 * k + 128].astype(int) for row in (100, 190))
        assert up[0] > up[2] + 50
        assert down[2] > down[0] + 50
    other, _ = unpacked(client.get("/api/label/sheet", params={"movie": "m", "tracklet": 0, "page": 1}).content)
    assert not {one["frame"] for one in other["images"]} & set(frames)
    loop = cv2.imdecode(np.frombuffer(parts[1], np.uint8), cv2.IMREAD_COLOR)
    assert loop.shape[1] % loop.shape[0] == 0
    assert loop.shape[1] // loop.shape[0] >= 10
    assert client.get("/api/label/sheet", params={"movie": "m", "tracklet": 99}).status_code == 422


def test_the_whole_frame_has_a_mark_around_the_animal(client: TestClient) -> None:
    x, y = place_of(1, 10)
    found = client.get("/api/label/frame", params={"movie": "m", "frame": 10, "x": x, "y": y, "reach": 15, "width": 480})
    image = cv2.imdecode(np.frombuffer(found.content, np.uint8), cv2.IMREAD_COLOR)
    assert image.shape == (360, 480, 3)
    yellow = np.argwhere((image[..., 0] < 90) & (image[..., 1] > 212) & (image[..., 2] > 235))
    row, column = (yellow.min(axis=0) + yellow.max(axis=0)) / 2
    assert (column / 2, row / 2) == pytest.approx((x, y), abs=2)


def test_references_are_images_of_what_is_labelled(client: TestClient) -> None:
    assert unpacked(client.get("/api/label/references").content)[0]["names"] == []
    answer(client, at(1, 5, label="GG"))
    head, parts = unpacked(client.get("/api/label/references").content)
    assert head["names"] == ["GG"]
    image = cv2.imdecode(np.frombuffer(parts[0], np.uint8), cv2.IMREAD_COLOR)
    assert image.shape == (72, 2 * 48, 3)
    assert head["images"] == [1]
    assert image[36, 24, 1] > image[36, 24, [0, 2]].max() + 60


def test_an_answer_is_a_row_and_unknown_ones_are_refused(client: TestClient, file: Path) -> None:
    assert answer(client, at(2, 7, label="YR")).json() == {}
    x, y = place_of(2, 7)
    assert labels(file) == [(7, pytest.approx(x), pytest.approx(y), "YR")]
    for bad in ({"label": "XX"}, {"what": "blurred"}, {}):
        assert answer(client, at(2, 7, **bad)).status_code == 422
    assert answer(client, {"movie": "m", "label": "GG"}).status_code == 422
    assert answer(client).status_code == 422
    assert answer(client, at(2, 7, label="YR"), at(1, 7, what="several")).status_code == 422
    assert len(labels(file)) == 1


def test_a_name_in_place_of_another_one_leaves_one_row(client: TestClient, file: Path) -> None:
    answer(client, at(2, 7, label="YR"), at(3, 7, label="BY"))
    answer(client, at(2, 20, label="GG"), instead=True)
    assert [(frame, name) for frame, _, _, name in labels(file)] == [(7, "GG"), (7, "BY")]
    answer(client, at(2, 20, what="unreadable"), instead=True)
    assert [name for _, _, _, name in labels(file)] == ["BY"]
    assert (file.parent / "left_out.csv").read_text().splitlines()[1].endswith(",unreadable")


def test_everybody_is_one_step_of_undo(client: TestClient, file: Path) -> None:
    write_learned(file)
    animals = client.get("/api/label/everybody", params={"movie": "m", "frame": 50}).json()["animals"]
    assert [(one["tracklet"], one["name"], one["how"], one["sure"]) for one in animals] == [
        (4, "RB", "run", 0.8), (5, "GG", "run", 0.8), (6, "YR", "run", 0.8), (7, "RB", "run", 0.8),
    ]  # fmt: skip
    answer(client, *(at(one["tracklet"], 50, label=one["name"]) for one in animals[:3]))
    assert len(labels(file)) == 3
    undone = client.post("/api/label/undo", json={}, headers=HEADERS).json()
    assert [point["tracklet"] for point in undone["points"]] == [4, 5, 6]
    assert labels(file) == []
    assert "nothing to undo" in client.post("/api/label/undo", json={}, headers=HEADERS).json()["fault"]


def test_who_is_left_over_is_the_only_one_without_a_name(client: TestClient) -> None:
    answer(client, *(at(k, 5, label=name_of(k)) for k in (0, 1, 3)))
    animals = client.get("/api/label/everybody", params={"movie": "m", "frame": 20}).json()["animals"]
    assert [(one["name"], one["how"]) for one in animals] == [("RB", "label"), ("GG", "label"), ("YR", "left"), ("BY", "label")]
    # Where two are nameless, nobody is named.
    answer(client, at(4, 50, label="RB"), at(5, 50, label="GG"))
    animals = client.get("/api/label/everybody", params={"movie": "m", "frame": 50}).json()["animals"]
    assert [one["name"] for one in animals] == ["RB", "GG", "", ""]


def test_the_animal_at_a_point_and_nobody_beside_it(client: TestClient) -> None:
    x, y = place_of(3, 12)
    point = client.get("/api/label/at", params={"movie": "m", "frame": 12, "x": x + 2, "y": y}).json()["point"]
    assert (point["tracklet"], point["frame"], point["x"]) == (3, 12, round(x + 2, 2))
    assert "no animal" in client.get("/api/label/at", params={"movie": "m", "frame": 12, "x": 120, "y": 90}).json()["fault"]


def test_the_odd_ones_of_a_name_come_first(client: TestClient, file: Path) -> None:
    write_learned(file, wrong=None)
    answer(client, at(7, 50, label="RB"))
    head, parts = unpacked(client.get("/api/label/montage", params={"name": "RB"}).content)
    assert [one["tracklet"] for one in head["points"]] == [7, 0, 4]
    assert cv2.imdecode(np.frombuffer(parts[0], np.uint8), cv2.IMREAD_COLOR).shape == (3 * 72, 8 * 48, 3)


def test_a_left_out_image_is_named_in_the_file_unless_other_values_wait(client: TestClient, file: Path) -> None:
    image = at(0, 5, what="image")
    answer(client, image)
    assert "left_out: left_out.csv" in file.read_text()
    assert file.read_text().startswith("# a comment that stays\n")
    head, _ = unpacked(client.get("/api/label/sheet", params={"movie": "m", "tracklet": 0}).content)
    shown = next((one for one in head["images"] if one["frame"] == 5), None)
    assert shown is None or shown["out"]
    assert answer(client, image, back=True).status_code == 200
    assert (file.parent / "left_out.csv").read_text() == "movie,frame,x,y,what\n"


def test_what_waits_to_be_saved_is_not_saved_by_an_image(client: TestClient, file: Path) -> None:
    with client.websocket_connect("ws://127.0.0.1:8000/ws", headers={"Origin": "http://127.0.0.1:8000"}) as socket:
        socket.send_text(json.dumps({"type": "settle", "changes": {"seed": 7}, "turn": 1}))
        while json.loads(socket.receive_text()).get("draft") != {"seed": [None, 7]}:
            pass
    answer(client, at(0, 5, what="image"))
    assert "left_out" not in file.read_text()
    assert "seed" not in file.read_text()
    assert client.get("/api/experiment").json()["draft"] == {
        "seed": [None, 7],
        "trainset.left_out": [None, str(file.parent / "left_out.csv")],
    } or (client.get("/api/experiment").json()["draft"]["trainset.left_out"] == [None, "left_out.csv"])


@pytest.mark.parametrize(("marking", "fault"), [("none", "animals.marking is none"), ("unmarked", "animals.marking is unmarked")])
def test_animals_without_marks_have_no_labels(serve: Callable[..., TestClient], tmp_path: Path, marking: str, fault: str) -> None:
    client = serve(write_labelled(tmp_path, animals={"marking": marking, "number": 4}))
    assert fault in answer(client, at(0, 5, label="RB")).json()["fault"]
