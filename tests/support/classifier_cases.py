"""What the stages of the classifier read beside blobs and tracklets: a background, and the settings that an experiment gives them."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from herdbook.artifacts.background import Background
from herdbook.artifacts.store import Provenance
from herdbook.experiment.model import Experiment
from tests.support.identity_cases import GROUND


def write_background(folder: Path, name: str, ground: tuple[int, int, int] = (GROUND, GROUND, GROUND)) -> Path:
    """Write the background of a movie: an even ground."""
    path = folder / "background" / f"{name}.h5"
    bgr = np.full((1, 12, 16, 3), ground, np.uint8)
    Background(bgr[..., 0], bgr, np.zeros(1, np.int64), bgr[..., 0], bgr, np.zeros(1), 10).save(path, Provenance("background", 1))
    return path


def settings_of(stage: str, identities: list[str], other_labels: list[str] | None = None, **sections: Any) -> dict[str, Any]:
    """The settings of a stage in an experiment of marked animals; `sections` are those of its file."""
    raw = {
        "experiment": "e",
        "movies": [{"name": "m1", "file": "m1.mp4"}],
        "animals": {"marking": "marked", "identities": identities, "other_labels": other_labels or [], "labels": "labels.csv"},
    }
    # These tests are about classifiers of labelled images.
    sections = {"train": {"architecture": "small"}} | sections
    found: dict[str, Any] = json.loads(Experiment.model_validate(raw | sections).settings(stage))
    return found
