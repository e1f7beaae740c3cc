import numpy as np
import pytest

from herdbook.classifier.calibration import Calibration
from herdbook.classifier.drift import colourless_frames, follow_drift

RNG = np.random.default_rng(4)


def test_stretches_without_colour_are_found_and_joined():
    frame = np.arange(0, 1200, 5, dtype=np.int32)
    chroma = np.where((frame >= 400) & (frame < 800), 1.5, 40.0).astype(np.float32)
    valid, spans = colourless_frames(frame, chroma, 10.0, expected=38.0)
    assert spans == [(400, 799)]
    np.testing.assert_array_equal(valid, (frame < 400) | (frame >= 800))


def test_a_single_grey_image_is_no_infrared_light():
    chroma = np.full(50, 40, np.float32)
    chroma[7] = 0
    assert colourless_frames(np.arange(50, dtype=np.int32), chroma, 10.0, 38.0)[0].all()


def test_animals_that_colour_does_not_tell_are_read_in_any_light():
    valid, spans = colourless_frames(np.arange(50, dtype=np.int32), np.zeros(50, np.float32), 10.0, expected=3.0)
    assert valid.all()
    assert spans == []


def faded(fading, tracklets=120, each=12):
    """Logits of 4 classes, of which the marks of class 1 come to look like those of class 0 in a part of the tracklets."""
    label = np.arange(tracklets) % 4
    prototypes = 6.0 * np.eye(4)
    logits = prototypes[np.repeat(label, each)] + RNG.normal(0, 1.2, (tracklets * each, 4))
    logits[np.repeat(label == 1, each)] += fading * np.array([3.2, -3.2, 0, 0])
    # Some tracklets are harder than others.
    logits += np.repeat(RNG.normal(0, 0.9, (tracklets, 4)), each, axis=0)
    return logits.astype(np.float32), label, np.repeat(np.arange(tracklets), each), prototypes


def test_a_mark_that_fades_is_followed():
    logits, label, tracklet, prototypes = faded(0.7)
    time_s, valid = np.arange(len(logits)) / 10.0, np.ones(len(logits), bool)
    followed = follow_drift(logits, valid, tracklet, time_s, prototypes, Calibration())
    before, after = (np.mean(z.argmax(1)[label[tracklet] == 1] == 1) for z in (logits, followed))
    assert before < 0.85
    assert after > before + 0.05
    others = label[tracklet] != 1
    assert np.mean(followed.argmax(1)[others] == label[tracklet][others]) > 0.97


def test_marks_that_do_not_change_are_read_as_before():
    logits, _, tracklet, prototypes = faded(0.0)
    time_s, valid = np.arange(len(logits)) / 10.0, np.ones(len(logits), bool)
    followed = follow_drift(logits, valid, tracklet, time_s, prototypes, Calibration())
    assert np.mean(followed.argmax(1) == logits.argmax(1)) > 0.98


def test_classes_that_were_never_validated_stay_as_they_are():
    logits, _, tracklet, prototypes = faded(1.0)
    time_s, valid = np.arange(len(logits)) / 10.0, np.ones(len(logits), bool)
    np.testing.assert_array_equal(follow_drift(logits, valid, tracklet, time_s, prototypes * np.nan, Calibration()), logits)


def test_each_class_is_moved_back_by_the_drift_of_its_own_tracklets():
    prototypes = np.array([[10.0, 0.0], [0.0, 10.0]])
    logits = np.repeat([[12.0, 0.0], [0.0, 10.0]], 3, axis=0).astype(np.float32)
    found = follow_drift(logits, np.ones(6, bool), np.arange(6), np.arange(6.0), prototypes, Calibration(doubt=0.0))
    # Three tracklets are 2 beyond the prototype, which counts as three more.
    assert found == pytest.approx(logits - np.repeat([[1.0, 0.0], [0.0, 0.0]], 3, axis=0), abs=0.05)
