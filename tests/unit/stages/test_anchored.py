"""Marked animals from movie to names: labels name what all tracklets tell apart; the classifier and its set serve other commands, too."""

import json

import numpy as np
import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

from herdbook.artifacts.classify import Evidence
from herdbook.artifacts.trainset import TrainingSet
from herdbook.commands import cli
from herdbook.movie.simulated.recording import simulate_recording
from herdbook.report.unmarked import unmarked_section
from herdbook.stages import classify
from herdbook.stages.train import main as train
from tests.support.learning_together import follow, true_animals
from tests.support.stage_chain import Chain

NAMES = ["ant01", "ant02", "ant03"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Three animals that differ in their pattern alone, two labels of each."""
    folder = tmp_path_factory.mktemp("anchored") / "e"
    simulate_recording(
        folder, movies=("m",), frames=320, number=3, size=(400, 400), fps=15.0, seed=3, marking="texture", labels_per_animal=2, leave=False
    )
    sections = {
        "animals": {"marking": "marked", "identities": NAMES, "labels": "labels.csv"},
        "segment": {"area": [40, 20000], "images_per_s": 5},
    }
    chain = Chain(folder, folder / "m.mp4", **sections)
    raw = {"experiment": "e", "movies": [{"name": "m", "file": str(folder / "m.mp4")}], **sections, "results": str(folder.parent)}
    (folder / "e.yaml").write_text(yaml.safe_dump(raw))
    return chain, follow(chain, folder / "labels.csv"), pd.read_csv(folder / "truth.csv")


def herdbook(*given):
    return CliRunner(env={"COLUMNS": "200"}).invoke(cli.app, [str(argument) for argument in given])


def test_every_animal_has_the_name_of_its_labels(made):
    counts = true_animals(*made[1:])
    assert np.diag(counts.loc[NAMES, NAMES]).sum() / counts.to_numpy().sum() > 0.99
    card = json.loads((made[0].folder / "train" / "classifier.json").read_text())
    assert (card["marking"], card["classes"], card["others"], card["notes"]) == ("marked", NAMES, [], [])
    assert card["labelled_tracklets"] >= 3


def test_the_report_says_how_many_labels_name_the_animals_and_who_has_no_name(made):
    card = json.loads((made[0].folder / "train" / "classifier.json").read_text())
    section = unmarked_section(card, [])
    text = " ".join(section.sentences)
    assert section.title == "Animals and their labels"
    assert f"Their names come from {card['labelled_tracklets']} labelled tracklets." in text
    assert "could not be named" not in text
    nameless = card | {"classes": [*NAMES[:2], "nameless 3"], "others": ["nameless 3"]}
    assert "1 animal could not be named: tracklets that look like nameless 3" in " ".join(unmarked_section(nameless, []).sentences)
    unlabelled = unmarked_section(card | {"labelled_tracklets": 0}, [])
    assert unlabelled.title == "Animals without labels"
    assert "No animal was labelled." in " ".join(unlabelled.sentences)


def test_the_set_holds_all_tracklets_but_only_labelled_images_are_exported(made, tmp_path):
    folder = made[0].folder
    examples = TrainingSet.load(folder / "trainset" / "trainset.h5")
    assert (examples.label < 0).any()
    for file, name in ((folder / "e.yaml", "images"), (folder / "trainset" / "trainset.h5", "again")):
        out = herdbook("trainset", "export", file, tmp_path / name)
        assert out.exit_code == 0, out.output
        found = {label: len(list((tmp_path / name / label).iterdir())) for label in NAMES}
        assert found == {label: int((examples.label == k).sum()) for k, label in enumerate(NAMES)}
        assert sorted(path.name for path in (tmp_path / name).iterdir()) == NAMES
    assert herdbook("trainset", "montage", folder / "e.yaml", tmp_path / "pictures").exit_code == 0
    assert sorted(path.name for path in (tmp_path / "pictures").iterdir()) == [f"{label}.png" for label in NAMES]


def test_labelled_images_train_a_network_of_their_own(made, tmp_path):
    chain = made[0]
    given = chain.folder / "trainset" / "trainset.h5"
    settings = json.loads(Chain(tmp_path, chain.movie, animals=chain.experiment.animals.model_dump(), trainset={"use": str(given)})
                          .experiment.settings("train"))  # fmt: skip
    files = ["--trainset", str(given), "--out", str(tmp_path / "c.keras"), "--card", str(tmp_path / "c.json")]
    train([*files, "--settings", json.dumps(settings | {"epochs": 1})])
    card = json.loads((tmp_path / "c.json").read_text())
    assert (card["architecture"], card["classes"]) == ("small", NAMES)
    assert card["images"] == (TrainingSet.load(given).label >= 0).sum()


def test_suggest_and_status_know_the_results(made):
    file = made[0].folder / "e.yaml"
    out = herdbook("suggest", file, "-n", "3")
    assert out.exit_code == 0, out.output
    rows = pd.read_csv(made[0].folder / "suggest" / "suggested.csv")
    assert set(rows["guess"]) <= set(NAMES)
    assert (rows["probability"] > 0.5).all()
    told = herdbook("status", file)
    assert "stale" not in told.output
    assert "trainset done, train done" in told.output


def test_another_experiment_reads_with_the_classifier(made, tmp_path):
    chain = made[0]
    use = chain.folder / "train" / "classifier.keras"
    animals = {"marking": "marked", "identities": NAMES}
    given = Chain(tmp_path, chain.movie, animals=animals, train={"use": str(use)}).experiment
    out = ["--out", str(tmp_path / "c.keras"), "--card", str(tmp_path / "c.json")]
    train(["--use", str(use), str(use.with_suffix(".json")), *out, "--settings", given.settings("train")])
    inputs = [part for name, stage in (("blobs", "segment"), ("tracklets", "tracklets"), ("background", "background"))
              for part in (f"--{name}", str(chain.at(stage)))]  # fmt: skip
    read = ["--classifier", str(tmp_path / "c.keras"), "--card", str(tmp_path / "c.json"), "--out", str(tmp_path / "m.h5")]
    classify.main([*inputs, *read, "--settings", given.settings("classify", "m")])
    mine, theirs = Evidence.load(chain.at("classify")), Evidence.load(tmp_path / "m.h5")
    assert theirs.classes == NAMES
    np.testing.assert_allclose(theirs.log_likelihood, mine.log_likelihood, atol=1e-3)
