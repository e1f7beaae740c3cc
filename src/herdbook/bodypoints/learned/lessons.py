"""From a training set of labelled crops to a network and its card. Keras is imported with this module."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from herdbook.arrays import Bools, Floats
from herdbook.artifacts.pose_trainset import PoseExamples
from herdbook.artifacts.store import artifact_fingerprint
from herdbook.bodypoints.learned.cards import FORMAT
from herdbook.bodypoints.learned.errors import fit_errors, kept_back
from herdbook.bodypoints.learned.examples import crops_of
from herdbook.bodypoints.learned.network import Predictor
from herdbook.bodypoints.learned.testing import crop_reader, test_points, usual_fit
from herdbook.bodypoints.learned.training import Lesson, new_network, teach
from herdbook.classifier.network import use_threads
from herdbook.version import VERSION

# What was learned without the labels kept back is at last taught with them too, for this share of the steps and of the rate: they are a
# fifth of all.
FINISH_STEPS, FINISH_RATE = 0.35, 0.35


def teach_points(examples: PoseExamples, path: Path, settings: Mapping[str, Any], seed: int) -> tuple[keras.Model, dict[str, Any]]:
    """Teach a network by the `settings` of the section pose, and return it with its card, as JSON can hold it.

    `examples` is the training set of the file `path`.
    """
    # As for the classifier: one thread gives the same network everywhere.
    use_threads(1)
    crops, rows, mirrored = crops_of(examples), np.arange(len(examples.pictures)), examples.mirrored.astype(np.int64)
    held = kept_back(examples.movie, examples.frame)
    rng, pairs = np.random.default_rng(seed), mirrored if len(mirrored) else None
    model = new_network(examples.size, len(examples.points), seed)
    lesson = Lesson(settings["steps"], settings["batch"], settings["rate"])
    history = {"loss": teach(model, crops, rows[~held], pairs, lesson, rng)}
    reader = crop_reader(Predictor(model), examples)
    usual = usual_fit(reader, examples, rows[held] if held.any() else rows)
    notes, figures = list(examples.notes), _untested()
    if held.any():
        score, off, trust = test_points(reader, examples, rows[held], usual)
        figures = _figures(score, off, examples, held) | {"headings": trust.as_dict()}
        more = Lesson(max(1, round(FINISH_STEPS * lesson.steps)), lesson.batch, FINISH_RATE * lesson.rate)
        history["finish"] = teach(model, crops, rows, pairs, more, rng)
    else:
        notes.append("how far off points are cannot be told: of fewer than ten labelled frames none is kept back. Label more frames.")
    # Without how it was taught: a loss of one's own is a function, which a file of a network must not hold.
    return keras.Model(model.inputs, model.outputs), figures | {
        "finds": "body points",
        "format": FORMAT,
        "points": examples.points,
        "side_body": examples.side_px / examples.body_px,
        "size": examples.size,
        "shape": (examples.shape / examples.body_px).tolist(),
        "half_axes": (examples.half_axes / examples.body_px).tolist(),
        "usual_fit": usual,
        "body_px": examples.body_px,
        "animals": len(rows),
        "frames": len(np.unique(np.stack([examples.movie, examples.frame]), axis=1).T),
        "held_back": int(held.sum()),
        "mirrored": bool(len(mirrored)),
        "parameters": int(model.count_params()),
        "history": history,
        "notes": notes,
        "trainset": artifact_fingerprint(path),
        "settings": dict(settings),
        "versions": {"herdbook": VERSION, "keras": keras.__version__, "backend": keras.backend.backend()},
    }


def _untested() -> dict[str, Any]:
    return {"errors": None, "median_px": None, "p95_px": None, "by_point": None, "calibration": None, "headings": None}


def _figures(score: Floats, off: Floats, examples: PoseExamples, held: Bools) -> dict[str, Any]:
    """How far off the points of labels kept back are, and how well that is told by their scores."""
    known = ~np.isnan(off)
    if not known.any():
        return _untested()
    errors = fit_errors(score, off / examples.body_px)
    expected = errors.expected(score)[known] * examples.body_px
    order = np.argsort(expected, kind="stable")
    fifths = [part for part in np.array_split(order, 5) if len(part)]
    tested = [(name, off[known[:, k], k]) for k, name in enumerate(examples.points) if known[:, k].any()]
    by_point = {
        name: {"median_px": float(np.median(own)), "p95_px": float(np.percentile(own, 95)), "labels": len(own)} for name, own in tested
    }
    return {
        "errors": errors.as_dict(),
        "median_px": float(np.median(off[known])),
        "p95_px": float(np.percentile(off[known], 95)),
        "by_point": by_point,
        "calibration": [[float(expected[part].mean()), float(off[known][part].mean())] for part in fifths],
    }
