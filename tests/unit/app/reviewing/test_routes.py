"""What the server answers about reviewing where there is nothing to review, and what it refuses."""

import csv

import pytest
import yaml

HEADERS = {"X-Herdbook": "1", "Origin": "http://127.0.0.1:8000"}


@pytest.fixture
def client(serve, experiment_file):
    return serve(experiment_file())


def post(client, path, content):
    return client.post(path, json=content, headers=HEADERS)


def test_animals_without_names_have_nothing_to_review(client):
    assert "marking is none" in client.get("/api/review").json()["fault"]


def test_before_the_first_run_there_is_nothing_to_review(serve, experiment_file, tmp_path):
    (tmp_path / "labels.csv").write_text("movie,frame,x,y,label\n")
    file = experiment_file()
    values = yaml.safe_load(file.read_text())
    animals = {"marking": "marked", "identities": ["A", "B"], "labels": "labels.csv"}
    file.write_text(yaml.safe_dump(values | {"animals": animals}))
    client = serve(file)
    assert "run it first" in client.get("/api/review").json()["fault"]
    assert client.get("/api/review/portrait?movie=m&name=A").status_code == 204
    assert client.get("/api/review/track?movie=m&frame=3&x=1&y=2").status_code == 422
    assert not (tmp_path / "facts.csv").exists()


@pytest.mark.parametrize("content", [{}, {"rows": []}, {"rows": "x"}, {"rows": [1]}, {"rows": [{}]}, {"correction": 3}])
def test_answers_that_are_not_understood_write_nothing(client, content, tmp_path):
    answer = post(client, "/api/review/answer", content)
    assert answer.status_code == 422
    assert "not understood" in answer.json()["fault"]
    assert not (tmp_path / "facts.csv").exists()


def test_undo_without_an_answer_says_so(client):
    assert "no answer to take back" in post(client, "/api/review/undo", {}).json()["fault"]


def test_events_are_noted_changed_undone_and_taken_out(client, tmp_path):
    def rows():
        return list(csv.DictReader((tmp_path / "noted_events.csv").open(newline="")))

    event = {"movie": "m", "first": 3, "last": 3, "individuals": [], "event": "lamp on", "note": 'left, "new" one'}
    row = post(client, "/api/events/note", {"event": event}).json()["row"]
    assert rows() == [{"movie": "m", "first": "3", "last": "3", "individuals": "", "event": "lamp on", "note": 'left, "new" one'}]
    changed = post(client, "/api/events/change", {"old": row, "event": event | {"last": 9}}).json()
    assert [one["last"] for one in changed["events"]] == ["9"]
    assert post(client, "/api/events/change", {"old": row, "event": event}).status_code == 422
    assert post(client, "/api/events/undo", {}).json()["events"][0]["last"] == "3"
    assert post(client, "/api/events/remove", {"event": row}).json()["events"] == []
    assert rows() == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"movie": "n"}, "no movie"),
        ({"first": 9, "last": 3}, "not in m"),
        ({"last": 60}, "frames 0..59"),
        ({"first": 1.5}, "not understood"),
        ({"event": "  "}, "needs a word"),
        ({"event": "x" * 501}, "not understood"),
        ({"individuals": "A"}, "not understood"),
    ],
)
def test_events_that_make_no_sense_are_refused(client, change, message, tmp_path):
    event = {"movie": "m", "first": 3, "last": 4, "individuals": [], "event": "rest", "note": ""} | change
    answer = post(client, "/api/events/note", {"event": event})
    assert answer.status_code == 422
    assert message in answer.json()["fault"]
    assert not (tmp_path / "noted_events.csv").exists()


@pytest.mark.parametrize("path", ["/api/review/answer", "/api/validate/draw", "/api/events/note"])
def test_other_pages_cannot_write(client, path):
    assert client.post(path, json={}, headers=HEADERS | {"Origin": "http://evil.example"}).status_code == 403
    assert client.post(path, json={}, headers={"Origin": HEADERS["Origin"]}).status_code == 403


@pytest.mark.parametrize(
    ("action", "content"), [("draw", {"count": 0}), ("draw", {"count": "9"}), ("answer", {"number": 1, "answer": "maybe"})]
)
def test_judging_refuses_what_makes_no_sense(client, action, content):
    assert post(client, f"/api/validate/{action}", content).status_code == 422
    assert post(client, f"/api/validate/{action}", content | {"width": 2}).json()["fault"].endswith("no width of an interval")
