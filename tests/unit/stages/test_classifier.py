"""The stages of the classifier on a small movie: from labels by a card to evidence, and from given classifiers."""

import json
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from herdbook.artifacts.classify import Evidence
from herdbook.artifacts.segment import Blobs
from herdbook.artifacts.store import Provenance, artifact_fingerprint
from herdbook.artifacts.trainset import TrainingSet
from herdbook.stages import classify, train, trainset
from tests.support.classifier_cases import settings_of, write_background
from tests.support.identity_cases import BLUE, GREEN, RED, YELLOW, Body, Track, arguments, write_movie

NAMES, OTHERS = ["R", "G", "B", "Y"], ["dirt"]

# Three animals in three tracklets each, of which two are labelled; a fourth one without a label; two that touch; one without images.
FRAMES = 24
SPANS = ((0, 7), (8, 15), (16, 23))
PLACES = {"R": (30, 30), "G": (30, 90), "B": (120, 30), "Y": (120, 90)}
HUES = {"R": (RED, RED), "G": (GREEN, GREEN), "B": (BLUE, BLUE), "Y": (YELLOW, YELLOW)}
TRACKS = (
    *(Track(first, last, (Body(*PLACES[who], 40 * k, HUES[who]),), (0.3, 0.2)) for who in "RGB" for k, (first, last) in enumerate(SPANS)),
    Track(0, 23, (Body(*PLACES["Y"], 10, HUES["Y"]),), (0.3, 0.2)),
    Track(0, 23, (Body(70, 60, 0, HUES["R"]), Body(86, 62, 0, HUES["G"])), animals=2),
    Track(16, 23, (Body(75, 100, 0, HUES["B"]),), images=False),
)
OWNER = "RRRGGGBBB"
SHORT = {"train": {"epochs": 3, "batch": 16, "validation": 0.4}, "classify": {"images": 5, "most_images": 5}}


class Bench:
    """A movie in a folder, and the stages of the classifier run on it."""

    def __init__(self, folder: Path, tracks=TRACKS, movie: str = "m1", ground=(200, 200, 200)) -> None:
        self.folder, self.movie = folder, movie
        self.segment, self.tracklets = write_movie(folder, movie, tracks, frames=FRAMES)
        self.background = write_background(folder, movie, ground)
        self.training_set, self.model, self.card = (folder / name for name in ("trainset.h5", "classifier.keras", "classifier.json"))
        self.out = folder / "classify" / f"{movie}.h5"

    def make_set(self, clicks, names=NAMES, others=OTHERS) -> TrainingSet:
        table = self.folder / "labels.csv"
        table.write_text("\n".join(["movie,frame,x,y,label", *clicks]))
        files = {"labels": table, "blobs": [self.segment], "tracklets": [self.tracklets], "background": [self.background]}
        trainset.main(arguments(files | {"out": self.training_set}, settings_of("trainset", names, others)))
        return TrainingSet.load(self.training_set)

    def train(self, names=NAMES, others=OTHERS, **files):
        given = {"trainset": self.training_set} | files | {"out": self.model, "card": self.card}
        train.main(arguments(given, settings_of("train", names, others, **SHORT)))
        return json.loads(self.card.read_text())

    def classify(self, names=NAMES, others=OTHERS, out=None, **sections) -> Evidence:
        files = {"blobs": self.segment, "tracklets": self.tracklets, "background": self.background, "trainset": self.training_set}
        files |= {"classifier": self.model, "card": self.card, "out": out or self.out}
        if not self.training_set.exists():
            del files["trainset"]
        classify.main(arguments(files, settings_of("classify", names, others, **(SHORT | sections))))
        return Evidence.load(out or self.out)


CLICKS = [f"m1,{SPANS[k][0]},{PLACES[who][0]},{PLACES[who][1]},{who}" for who in "RGB" for k in (0, 1)]


@pytest.fixture(scope="module")
def stages(tmp_path_factory) -> SimpleNamespace:
    """The stages trainset, train and classify on one small movie."""
    bench = Bench(tmp_path_factory.mktemp("identity"))
    examples = bench.make_set(CLICKS)
    card = bench.train()
    return SimpleNamespace(bench=bench, card=card, examples=examples, evidence=bench.classify())


def test_the_card_tells_what_the_report_shows(stages):
    card = stages.card
    assert card["classes"] == ["R", "G", "B"]
    assert card["untrained"] == ["Y", "dirt"]
    assert np.sum(card["confusion"]) == card["validation_images"] > 3
    assert np.trace(card["confusion"]) / card["validation_images"] == pytest.approx(card["accuracy"])
    assert np.trace(card["tracklet_confusion"]) / 3 == card["tracklet_accuracy"] == 1
    assert card["accuracy"] > 0.9
    assert set(card["history"]) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert (card["images"], card["tracklets"], card["validation_tracklets"]) == (len(stages.examples.label), 6, 3)
    assert card["crops"] == json.loads(stages.examples.crops)
    assert 0 < card["calibration"]["doubt"] < 0.02
    assert sum(card["tracklet_reliability"]["count"]) == 3
    assert {"movie", "tracklet", "frame", "label", "answer", "probability", "png"} == set(card["worst"][0])
    assert card["worst"][0]["probability"] <= card["worst"][-1]["probability"]
    assert [note for note in card["notes"] if note.startswith("Y: no usable label")]


def test_tracklets_that_nobody_labelled_are_read_rightly(stages):
    answer = stages.evidence.log_likelihood[:9].argmax(axis=1)
    assert "".join(NAMES[k] for k in answer) == OWNER
    assert (stages.evidence.log_likelihood[[2, 5, 8]].max(axis=1) > 0.9).all()


def test_a_class_without_labels_gets_no_evidence(stages):
    assert stages.evidence.classes == [*NAMES, *OTHERS]
    assert (stages.evidence.log_likelihood[:, 3:] == 0).all()
    assert (stages.evidence.blob_log_likelihood[:, 3:] == 0).all()
    assert (stages.evidence.blob_log_likelihood[:, :3] != 0).all()


def test_a_label_reaches_the_evidence_of_its_tracklet(stages):
    marks = [-1 if k < 0 else NAMES[k] for k in stages.evidence.labelled]
    assert marks == ["R", "R", -1, "G", "G", -1, "B", "B", -1, -1, -1, -1]


def test_only_animals_alone_with_images_are_looked_at_and_only_a_sample(stages):
    assert stages.evidence.images.tolist() == [5] * 10 + [0, 0]
    assert (stages.evidence.log_likelihood[10:] == 0).all()
    blobs = Blobs.load(stages.bench.segment)
    assert (np.diff(stages.evidence.blob) > 0).all()
    assert (blobs.image[stages.evidence.blob] >= 0).all()
    assert len(stages.evidence.blob) == len(stages.evidence.blob_log_likelihood) == 50


def test_only_tracklets_that_stay_unsure_are_looked_at_further(stages, tmp_path):
    found = stages.bench.classify(out=tmp_path / "more.h5", classify={"images": 3, "most_images": 24})
    # Yellow was never learned, so it looks like none of the three.
    assert (found.images[:9] >= 3).all()
    assert found.images[:9].max() <= 8
    assert found.images.sum() < 9 * 8 + 24


def test_the_same_classifier_gives_the_same_evidence(stages, tmp_path):
    stages.bench.classify(out=tmp_path / "again.h5")
    assert artifact_fingerprint(tmp_path / "again.h5") == artifact_fingerprint(stages.bench.out)


def test_a_movie_without_labels_has_none_in_its_evidence(stages, tmp_path):
    other = Bench(tmp_path, TRACKS[:1], movie="m2")
    other.training_set, other.model, other.card = stages.bench.training_set, stages.bench.model, stages.bench.card
    found = other.classify()
    assert found.labelled.tolist() == [-1]
    assert NAMES[int(found.log_likelihood[0].argmax())] == "R"


def test_under_light_without_colour_nothing_is_said(stages, tmp_path):
    grey = (90, 90, 90)
    tracks = [Track(t.first, t.last, tuple(Body(b.x, b.y, b.angle, (grey, grey)) for b in t.bodies), t.step, t.animals) for t in TRACKS[:9]]
    other = Bench(tmp_path, tracks, movie="m2")
    other.training_set, other.model, other.card = stages.bench.training_set, stages.bench.model, stages.bench.card
    found = other.classify()
    assert (found.log_likelihood == 0).all()
    assert (found.images == 0).all()


def test_following_the_drift_leaves_right_answers_right(stages, tmp_path):
    found = stages.bench.classify(out=tmp_path / "d.h5", classify={"images": 5, "most_images": 5, "drift": True})
    assert "".join(NAMES[k] for k in found.log_likelihood[:9].argmax(axis=1)) == OWNER


def test_a_given_classifier_reads_another_experiment_without_training(stages, tmp_path, monkeypatch):
    monkeypatch.setattr("herdbook.classifier.training.train_classifier", None)
    big = [
        Track(t.first, t.last, tuple(Body(b.x, b.y, b.angle, b.colours, (18.0, 9.0)) for b in t.bodies), t.step, t.animals)
        for t in TRACKS[:9]
    ]
    other = Bench(tmp_path, big)
    card = other.train(names=["B", "R", "G"], others=[], use=[stages.bench.model, stages.bench.card])
    assert card["given"]
    assert other.model.read_bytes() == stages.bench.model.read_bytes()
    found = other.classify(names=["B", "R", "G"], others=[])
    assert found.classes[:3] == ["B", "R", "G"]
    assert "".join(found.classes[k] for k in found.log_likelihood.argmax(axis=1)) == OWNER
    assert (found.labelled == -1).all()


def test_a_given_classifier_that_does_not_know_all_animals_is_refused(stages, tmp_path, capsys):
    other = Bench(tmp_path, TRACKS[:9])
    with pytest.raises(SystemExit) as stop:
        other.train(names=["R", "Gr"], use=[stages.bench.model, stages.bench.card])
    told = capsys.readouterr().err
    assert stop.value.code == 2
    assert "does not know Gr" in told
    assert "It knows R, G, B" in told
    assert "train.start" in told
    assert not other.model.exists()


@pytest.mark.parametrize(("content", "fault"), [(None, "there is no such file"), ("{}", "not the card"), ("nonsense", "not the card")])
def test_a_given_classifier_without_its_card_is_refused(stages, tmp_path, capsys, content, fault):
    card = tmp_path / "given.json"
    if content is not None:
        card.write_text(content)
    with pytest.raises((SystemExit, FileNotFoundError)):
        Bench(tmp_path, TRACKS[:1]).train(use=[stages.bench.model, card])
    assert content is None or fault in capsys.readouterr().err


def test_training_goes_on_from_a_given_classifier_with_a_new_name(stages, tmp_path):
    other = Bench(tmp_path)
    other.make_set([*CLICKS, f"m1,2,{PLACES['Y'][0]},{PLACES['Y'][1]},Y"])
    card = other.train(start=[stages.bench.model, stages.bench.card])
    assert card["classes"] == NAMES
    assert [note for note in card["notes"] if note.endswith("new: Y")]
    found = other.classify()
    assert "".join(NAMES[k] for k in found.log_likelihood[:10].argmax(axis=1)) == OWNER + "Y"


def test_a_class_with_one_tracklet_is_learned_but_not_validated(tmp_path):
    bench = Bench(tmp_path)
    bench.make_set([CLICKS[0], CLICKS[2], CLICKS[4]])
    card = bench.train()
    assert "cannot be validated for want of another labelled tracklet: R, G, B" in card["notes"]
    assert card["accuracy"] is None
    assert card["calibration"]["temperature"] == 1
    assert "".join(NAMES[k] for k in bench.classify().log_likelihood[:9].argmax(axis=1)) == OWNER


def test_an_empty_training_set_is_refused(stages, tmp_path, capsys):
    bench = Bench(tmp_path, TRACKS[:1])
    empty = stages.examples.__dict__ | {
        key: stages.examples.__dict__[key][:0] for key in ("images", "label", "frame", "time_s", "head", "chroma", "group")
    }
    TrainingSet(**empty).save(bench.training_set, Provenance("trainset", 1))
    with pytest.raises(SystemExit) as stop:
        bench.train()
    assert stop.value.code == 2
    assert "holds images of no name; expected two names or more" in capsys.readouterr().err


def test_a_custom_model_with_the_wrong_number_of_answers_is_refused(stages, tmp_path, capsys):
    inputs = keras.Input((48, 32, 3))
    keras.Model(inputs, keras.layers.Dense(9)(keras.layers.Flatten()(inputs))).save(tmp_path / "mine.keras")
    bench = Bench(tmp_path, TRACKS[:1])
    with pytest.raises(SystemExit) as stop:
        bench.train(trainset=stages.bench.training_set, model=tmp_path / "mine.keras")
    told = capsys.readouterr().err
    assert stop.value.code == 2
    assert "mine.keras: expected an output of the shape (None, 3), one answer for each class, found (None, 9)" in told


def test_a_classifier_of_other_images_is_no_beginning(stages, tmp_path, capsys):
    card = json.loads(stages.bench.card.read_text())
    card["crops"]["blank"] = 5
    (tmp_path / "c.json").write_text(json.dumps(card))
    (tmp_path / "c.keras").write_bytes(stages.bench.model.read_bytes())
    with pytest.raises(SystemExit):
        Bench(tmp_path / "b", TRACKS[:1]).train(trainset=stages.bench.training_set, start=[tmp_path / "c.keras", tmp_path / "c.json"])
    assert "blank 5 there, 127 here" in capsys.readouterr().err
