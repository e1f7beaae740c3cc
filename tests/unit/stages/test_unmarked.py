"""Stages trainset to propagate on a simulated movie of animals without marks: names of their own, kept over the whole movie."""

import numpy as np
import pandas as pd
import pytest

from herdbook.movie.simulated.recording import simulate_recording
from tests.support.learning_together import follow, true_animals
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
    return follow(chain, folder / "labels.csv"), truth


def test_each_name_is_one_animal_over_the_whole_movie(made):
    counts = true_animals(*made)
    assert counts.to_numpy().max(axis=1).sum() / counts.to_numpy().sum() > 0.99
    assert len(set(counts.idxmax(axis=1))) == NUMBER


def test_the_labelled_animal_has_its_name_and_the_others_have_numbers(made):
    counts = true_animals(*made)
    assert list(counts.index) == ["ant02", "animal1", "animal2"]
    assert counts.loc["ant02"].idxmax() == "ant02"


def test_outside_of_the_intervals_nobody_is_named(made):
    blobs, tracklets, identities = made[0]
    named = np.isin(tracklets.blob_tracklet, identities.tracklet)
    assert named.any()
    assert not ((blobs.frame[named] >= 150) & (blobs.frame[named] < 160)).any()
