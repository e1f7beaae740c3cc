"""The stages trainset to propagate on a movie of animals that learn together, and who they found."""

from pathlib import Path

import numpy as np
import pandas as pd

from herdbook.artifacts.propagate import Identities
from herdbook.artifacts.segment import Blobs
from herdbook.artifacts.tracklets import Tracklets
from herdbook.stages import classify, trainset
from herdbook.stages.train import main as train
from tests.support.stage_chain import Chain

Tracked = tuple[Blobs, Tracklets, Identities]


def follow(chain: Chain, labels: Path) -> Tracked:
    """Run the stages from index to propagate with a table of labels; classifier and card lie in `train`."""
    chain.run("index", "background", "segment", "tracklets")
    blobs, tracklets, background = ([f"--{name}", str(chain.at(stage))] for name, stage in
                                    (("blobs", "segment"), ("tracklets", "tracklets"), ("background", "background")))  # fmt: skip
    examples = chain.folder / "trainset" / "trainset.h5"
    network, card = (chain.folder / "train" / f"classifier{end}" for end in (".keras", ".json"))
    settings = {stage: ["--settings", chain.experiment.settings(stage, "m")] for stage in ("trainset", "train", "classify")}
    trainset.main(["--labels", str(labels), *blobs, *tracklets, *background, "--out", str(examples), *settings["trainset"]])
    train(["--trainset", str(examples), "--out", str(network), "--card", str(card), *settings["train"]])
    read = ["--trainset", str(examples), "--classifier", str(network), "--card", str(card), "--out", str(chain.at("classify"))]
    classify.main([*blobs, *tracklets, *background, *read, *settings["classify"]])
    return Blobs.load(chain.at("segment")), Tracklets.load(chain.at("tracklets")), Identities.load(chain.run("propagate"))


def true_animals(tracked: Tracked, truth: pd.DataFrame) -> pd.DataFrame:
    """How many blobs of each true animal stand under each name."""
    blobs, tracklets, identities = tracked
    counts = pd.DataFrame(0, index=identities.individuals, columns=sorted(set(truth["identity"])))
    places = dict(iter(truth.groupby("frame")))
    alone = identities.animals_of("m")[identities.tracklet] == 1
    for tracklet, individual in zip(identities.tracklet[alone], identities.individual[alone], strict=True):
        for row in np.flatnonzero(tracklets.blob_tracklet == tracklet):
            there = places[int(blobs.frame[row])]
            nearest = np.hypot(there["x"] - blobs.x[row], there["y"] - blobs.y[row]).argmin()
            counts.loc[identities.individuals[individual], there["identity"].iloc[nearest]] += 1
    return counts
