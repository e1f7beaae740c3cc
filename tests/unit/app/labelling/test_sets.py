"""Training sets and classifiers of others on the page: compared with pictures, merged into a file, taken into the draft."""

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from starlette.testclient import TestClient

from herdbook.app.looks import unpacked
from herdbook.classifier.image_folders import export_images, load_set, save_set
from herdbook.experiment.file import load_experiment
from tests.support.labelled_run import NAMES, OTHER, OWN, made_of, write_labelled

HEADERS = {"X-Herdbook": "1"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = write_labelled(tmp_path)
    save_set(made_of(OWN, 1), load_experiment(path).artifact("trainset"), "trainset import", [])
    save_set(made_of(OTHER, 2), tmp_path / "other.h5", "trainset import", [])
    return path


@pytest.fixture
def client(serve: Callable[..., TestClient], file: Path) -> TestClient:
    return serve(file)


def draft(client: TestClient) -> dict[str, list[str | None]]:
    return dict(client.get("/api/experiment").json()["draft"])


def merge(client: TestClient, name: str, **options: bool) -> dict[str, str]:
    return dict(client.post("/api/sets/merge", json={"file": name, **options}, headers=HEADERS).json())


def test_a_contradiction_is_shown_as_pictures(client: TestClient, file: Path) -> None:
    head, parts = unpacked(client.get("/api/sets/compare", params={"file": "other.h5"}).content)
    assert head["contradictions"] == ["tracklet 0 of m: 3 images GG and 3 images RB"]
    assert head["shown"] == [["GG"] * 3 + ["RB"] * 3]
    sheet = cv2.imdecode(np.frombuffer(parts[0], np.uint8), cv2.IMREAD_COLOR)
    assert sheet.shape == (48, 6 * 32, 3)
    theirs = load_set(file.parent / "other.h5").images[0]
    assert np.abs(sheet[:, :32].astype(int) - theirs).mean() < 25 < np.abs(sheet[:, 96:128].astype(int) - theirs).mean()
    head, _ = unpacked(client.get("/api/sets/compare", params={"file": "other.h5", "other_movies": "1"}).content)
    assert head["contradictions"] == []


def test_nothing_is_written_before_contradictions_are_decided(client: TestClient, file: Path) -> None:
    assert "contradict each other" in merge(client, "other.h5")["fault"]
    assert (draft(client), (file.parent / "merged.h5").exists()) == ({}, False)
    assert merge(client, "other.h5", leave_out=True) == {"written": "merged.h5"}
    merged = load_set(file.parent / "merged.h5")
    assert sorted(zip(merged.group_tracklet.tolist(), (merged.movies[k] for k in merged.group_movie), strict=True)) == [
        (1, "m"), (1, "n"), (2, "m"), (2, "n"), (3, "m"), (4, "m"),
    ]  # fmt: skip
    assert draft(client) == {"trainset.use": [None, "merged.h5"]}
    # The own set is now the merged one: only the images that were left out are new, as those of another movie.
    assert merge(client, "other.h5", other_movies=True) == {"written": "merged (2).h5"}
    assert len(load_set(file.parent / "merged (2).h5").images) == 18 + 3


def test_labels_of_one_set_alone_are_kept_only_if_they_are_wanted(client: TestClient, file: Path) -> None:
    save_set(made_of([("XX", "n", 1)], 3, [*NAMES, "XX"]), file.parent / "more.h5", "trainset import", [])
    head, _ = unpacked(client.get("/api/sets/compare", params={"file": "more.h5"}).content)
    assert head["differences"] == ["only in more.h5: XX"]
    assert "different labels" in merge(client, "more.h5")["fault"]
    assert "written" in merge(client, "more.h5", add_classes=True)


def test_a_folder_of_images_is_imported(client: TestClient, file: Path) -> None:
    export_images(load_set(file.parent / "other.h5"), file.parent / "images")
    load_experiment(file).artifact("trainset").unlink()
    assert "no images of RB" in merge(client, "images")["fault"]
    export_images(made_of(OWN, 1), file.parent / "all")
    assert merge(client, "all") == {"written": "merged.h5"}
    assert len(load_set(file.parent / "merged.h5").images) == 15


def test_a_classifier_must_know_all_animals(client: TestClient, file: Path) -> None:
    def use(name: str) -> dict[str, object]:
        return dict(client.post("/api/sets/classifier", json={"file": name}, headers=HEADERS).json())

    assert "there is no such file" in str(use("other.keras")["fault"])
    (file.parent / "other.keras").write_bytes(b"")
    assert "needs its card" in str(use("other.keras")["fault"])
    assert "outside of the folders" in str(use("../../other.keras")["fault"])
    assert draft(client) == {}


def test_sets_outside_of_the_folders_are_refused(client: TestClient) -> None:
    found = client.get("/api/sets/compare", params={"file": "/etc/hosts"})
    assert found.status_code == 422
    assert "outside of the folders" in json.loads(found.content)["fault"]
