"""Stages trainset to propagate on a simulated movie of animals without marks: names of their own, kept over the whole movie."""

import numpy as np
import pandas as pd
import pytest

from herdbook.artifacts.propagate import Identities
from herdbook.artifacts.segment import Blobs
from herdbook.artifacts.tracklets import Tracklets
from herdbook.movie.simulated.recording import simulate_recording
from herdbook.stages import classify, trainset
from herdbook.stages.train import main as train
from tests.support.stage_chain import Chain

NUMBER = 3


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("unmarked")
    simulate_recording(
        folder,
        movies=("m",),
        frames=320,
        number=NUMBER,
        size=(400, 400),
        fps=15.0,
        seed=3,
        marking="texture",
        labels_per_animal=2,
        leave=False,
    )
    truth, labels = pd.read_csv(folder / "truth.csv"), pd.read_csv(folder / "labels.csv")
    labels[labels["label"] == "ant02"].to_csv(folder / "labels.csv", index=False)
    chain = Chain(
        folder,
        folder / "m.mp4",
        animals={"marking": "unmarked", "number": NUMBER, "identities": ["ant02"], "labels": "labels.csv"},
        segment={"area": [40, 20000], "intervals": [[0, 150], [160, 320]]},
    )
    chain.run("index", "background", "segment", "tracklets")
    blobs, tracklets, background = ([f"--{name}", str(chain.at(stage))] for name, stage in
                                    (("blobs", "segment"), ("tracklets", "tracklets"), ("background", "background")))  # fmt: skip
    examples, network, card = folder / "trainset.h5", folder / "classifier.keras", folder / "classifier.json"
    settings = {stage: ["--settings", chain.experiment.settings(stage, "m")] for stage in ("trainset", "train", "classify")}
    labelled = ["--labels", str(folder / "labels.csv")]
    trainset.main([*labelled, *blobs, *tracklets, *background, "--out", str(examples), *settings["trainset"]])
    train(["--trainset", str(examples), "--out", str(network), "--card", str(card), *settings["train"]])
    read = ["--trainset", str(examples), "--classifier", str(network), "--card", str(card), "--out", str(chain.at("classify"))]
    classify.main([*blobs, *tracklets, *background, *read, *settings["classify"]])
    return Blobs.load(chain.at("segment")), Tracklets.load(chain.at("tracklets")), Identities.load(chain.run("propagate")), truth


def true_animals(made):
    """How many blobs of each true animal stand under each name."""
    blobs, tracklets, identities, truth = made
    counts = pd.DataFrame(0, index=identities.individuals, columns=sorted(set(truth["identity"])))
    places = {frame: rows for frame, rows in truth.groupby("frame")}
    alone = identities.animals_of("m")[identities.tracklet] == 1
    for tracklet, individual in zip(identities.tracklet[alone], identities.individual[alone], strict=True):
        for row in np.flatnonzero(tracklets.blob_tracklet == tracklet):
            there = places[int(blobs.frame[row])]
            nearest = np.hypot(there["x"] - blobs.x[row], there["y"] - blobs.y[row]).argmin()
            counts.loc[identities.individuals[individual], there["identity"].iloc[nearest]] += 1
    return counts


def test_each_name_is_one_animal_over_the_whole_movie(made):
    counts = true_animals(made)
    assert counts.to_numpy().max(axis=1).sum() / counts.to_numpy().sum() > 0.99
    assert len(set(counts.idxmax(axis=1))) == NUMBER


def test_the_labelled_animal_has_its_name_and_the_others_have_numbers(made):
    counts = true_animals(made)
    assert list(counts.index) == ["ant02", "animal1", "animal2"]
    assert counts.loc["ant02"].idxmax() == "ant02"


def test_outside_of_the_intervals_nobody_is_named(made):
    blobs, tracklets, identities, _ = made
    named = np.isin(tracklets.blob_tracklet, identities.tracklet)
    assert named.any()
    assert not ((blobs.frame[named] >= 150) & (blobs.frame[named] < 160)).any()
