"""Looks, changes and news over the socket of the page."""

import json

import cv2
import numpy as np
import pytest

from herdbook.app.looks import unpacked
from herdbook.app.outlines import unpack_outlines
from tests.support.numbered import read_number, walk
from tests.unit.app.conftest import FRAMES

OWN = {"origin": "http://127.0.0.1:8000", "host": "127.0.0.1:8000"}
CHANGE = {"x-herdbook": "1", "content-type": "application/json"}


class Tab:
    """One tab: what it hears, by kind."""

    def __init__(self, socket):
        self.socket, self.seq = socket, 0

    def hear(self, kind, where=lambda message: True):
        for _ in range(400):
            message = self.socket.receive()
            if message.get("bytes") is not None:
                head, parts = unpacked(message["bytes"])
            else:
                head, parts = json.loads(message["text"]), []
            assert kind != "frame" or head["type"] != "fault", head
            if head["type"] == kind and where(head):
                return head, parts
        raise AssertionError(f"no {kind}")

    def ask(self, frame, **keys):
        self.seq += 1
        self.socket.send_text(json.dumps({"type": "look", "seq": self.seq, "movie": "m", "frame": frame, **keys}))
        return self.seq

    def look(self, frame, **keys):
        seq = self.ask(frame, **keys)
        head, parts = self.hear("frame", lambda head: head["seq"] == seq)
        return head, parts

    def number(self, parts):
        return read_number(cv2.imdecode(np.frombuffer(parts[1], np.uint8), cv2.IMREAD_GRAYSCALE))


@pytest.fixture
def tab(serve, experiment_file):
    with serve(experiment_file()).websocket_connect("/ws", headers=OWN) as socket:
        yield Tab(socket)


def test_number_shown_is_image_shown_and_outlines_are_on_the_animals(tab):
    for frame in (0, 41, 7, FRAMES - 1, 3000, -5):
        head, parts = tab.look(frame)
        assert tab.number(parts) == head["frame"] == min(max(frame, 0), FRAMES - 1)
        assert head["kept"] == 2
        assert head["right"]
        for (x, y), (cx, cy) in zip(sorted(walk(2, head["frame"]), key=lambda p: p[1]), head["centres"], strict=True):
            assert abs(cx - round(x)) < 1
            assert abs(cy - round(y)) < 1
        for blob, points in unpack_outlines(np.frombuffer(parts[0], np.int16)):
            assert (np.abs(points - np.array(head["centres"][blob])) <= 6).all()


def test_a_near_frame_tells_its_true_number(tab):
    head, parts = tab.look(29, near=True)
    assert tab.number(parts) == head["frame"]
    assert head["asked"] == 29


def test_the_latest_look_wins(tab):
    for frame in range(40):
        last = tab.ask(frame)
    seen = []
    while not seen or seen[-1]["seq"] != last:
        seen.append(tab.hear("frame")[0])
    assert [head["seq"] for head in seen] == sorted(head["seq"] for head in seen)
    assert len(seen) < 40
    assert seen[-1]["frame"] == 39


def test_no_frame_of_playing_is_left_out(tab):
    for frame in range(10, 22):
        tab.ask(frame, queued=True)
    heads = [tab.hear("frame")[0]["frame"] for _ in range(12)]
    assert heads == list(range(10, 22))


def test_settings_that_change_while_playing_leave_no_frame_out(tab):
    for frame in range(10, 22):
        tab.ask(frame, queued=True)
        tab.ask(9, changes={"segment.difference": 30 + frame}, image=False, along=True)
    heads: list[dict] = []
    while sum(head["queued"] for head in heads) < 12:
        heads.append(tab.hear("frame")[0])
    assert [head["frame"] for head in heads if head["queued"]] == list(range(10, 22))


def test_a_control_that_moves_changes_the_outlines_and_not_the_file(tab, tmp_path):
    before = (tmp_path / "experiment.yaml").read_bytes()
    assert tab.look(5)[0]["kept"] == 2
    head, parts = tab.look(5, changes={"segment.difference": 125}, image=False)
    assert (head["kept"], head["dropped"], parts[1]) == (0, 0, b"")
    head, _ = tab.look(5, changes={"segment.difference": 30, "segment.area": [200, 400]}, image=False)
    assert (head["kept"], head["dropped"], head["reasons"]) == (0, 2, [0, 0])
    tab.socket.send_text('{"type": "settle"}')
    state, _ = tab.hear("state", lambda state: state["draft"])
    assert state["draft"] == {"segment.area": [[20, 400], [200, 400]]}
    assert (tmp_path / "experiment.yaml").read_bytes() == before


def test_values_that_do_not_fit_together_are_told_and_the_last_good_ones_stay(tab):
    head, _ = tab.look(5, changes={"segment.area": [400, 20]})
    assert "the smaller value must be first" in head["fault"]
    assert head["kept"] == 2
    head, _ = tab.look(5, changes={"segment.area": [20, 400]})
    assert (head["fault"], head["kept"]) == ("", 2)


def test_samples_of_the_whole_movie_are_counted_anew(tab):
    tab.look(0)
    whole = lambda head: len(head["frame"]) >= 50  # noqa: E731
    head, _ = tab.hear("samples", whole)
    assert set(head["kept"]) == {2}
    assert (head["animals"], set(head["right"])) == (2, {1})
    tab.look(0, changes={"segment.area": [200, 400]})
    head, parts = tab.hear("samples", lambda head: whole(head) and 2 not in head["kept"])
    assert set(head["dropped"]) == {2}
    area = np.frombuffer(parts[0], np.int32)
    assert ((area > 40) & (area < 70)).all()
    assert set(np.frombuffer(parts[1], np.int8).tolist()) == {0}


def test_saving_undoing_and_redoing(serve, experiment_file):
    file = experiment_file()
    file.write_text(file.read_text() + "# kept\n")
    client = serve(file)
    with client.websocket_connect("/ws", headers=OWN) as socket:
        tab = Tab(socket)
        state, _ = tab.hear("state")
        tab.look(0, changes={"segment.difference": 41})
        post = lambda action, revision="": client.post(f"/api/edit/{action}", headers=CHANGE, json={"revision": revision})  # noqa: E731
        assert post("undo").status_code == 200
        assert tab.hear("state", lambda state: not state["draft"])[0]["values"]["segment"]["difference"] == 30
        assert post("redo").status_code == 200
        assert post("save", state["revision"]).json()["revision"] != state["revision"]
    text = file.read_text()
    assert "difference: 41" in text
    assert text.endswith("# kept\n")


def test_a_change_by_an_editor_reaches_every_tab(tab, tmp_path):
    tab.look(0)
    file = tmp_path / "experiment.yaml"
    file.write_text(file.read_text().replace("difference: 30", "difference: 125"))
    assert tab.hear("changed")[0]["by"] == "editor"
    assert tab.hear("state")[0]["values"]["segment"]["difference"] == 125
    assert tab.look(0)[0]["kept"] == 0


@pytest.mark.parametrize("text", ["", "no json", "[1]", '{"type": "look"}', '{"type": "look", "seq": 1, "movie": "m", "frame": "x"}', "{}"])
def test_nonsense_from_a_page_ends_nothing(tab, text):
    tab.socket.send_text(text)
    if text != "{}":
        assert "understood" in tab.hear("fault")[0]["text"]
    assert tab.look(4)[0]["frame"] == 4


def test_a_movie_that_is_not_there_is_told(serve, experiment_file):
    client = serve(experiment_file())
    answer = client.get("/api/movie", params={"name": "other"})
    assert answer.status_code == 422
    assert "no movie 'other'" in answer.json()["fault"]
    assert client.get("/api/movie", params={"name": "m"}).json()["frames"] == FRAMES


def test_the_form_has_a_control_for_each_key_with_its_meaning(serve):
    groups = serve(None).get("/api/form").json()["groups"]
    controls = {control["key"]: control for group in groups for control in group["controls"]}
    assert controls["segment.polarity"]["choices"] == ["dark", "bright", "either"]
    assert controls["segment.area"]["kind"] == "range"
    assert controls["segment.difference_noise"]["optional"]
    assert all(control["meaning"] for control in controls.values())
