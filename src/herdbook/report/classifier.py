"""The report's sections on the classifier, from its card."""

import base64
from collections.abc import Iterator, Sequence
from typing import Any

import cv2
import numpy as np

from herdbook.report.figures.classifier import plot_classifier, plot_images, plot_reliability
from herdbook.report.figures.files import as_picture
from herdbook.report.page import PageSection, Picture, percent
from herdbook.report.summaries import Recording
from herdbook.report.unmarked import unmarked_section

# More notes than this are a fault of all labels alike.
MOST_NOTES = 200
# So many are read at a glance.
FEW_NOTES = 10


def card_sections(card: dict[str, Any], recordings: Sequence[Recording]) -> Iterator[PageSection]:
    """What the classifier learned and how well it reads, and the notes on its labels."""
    if card.get("architecture") == "embedding":
        yield unmarked_section(card, recordings)
    else:
        yield PageSection("The classifier", _sentences(card, recordings), pictures=_pictures(card))
    if notes := card.get("notes"):
        yield PageSection(f"Notes on the labels ({len(notes)})", notes[:MOST_NOTES], folded=len(notes) > FEW_NOTES)


def _sentences(card: dict[str, Any], recordings: Sequence[Recording]) -> list[str]:
    """How well it reads images that it was not trained on, and how many it looked at."""
    sentences = []
    accuracy = card.get("accuracy")
    if isinstance(accuracy, float | int):
        sentences.append(
            f"Of the single images kept for validation it reads {percent(float(accuracy))} rightly; a tracklet has many images."
        )
    of_tracklets = card.get("tracklet_accuracy")
    if isinstance(of_tracklets, float | int):
        sentences.append(
            f"Of the {card['validation_tracklets']} tracklets kept for validation it reads {percent(float(of_tracklets))} rightly."
        )
    tracklets = sum(recording.tracklets for recording in recordings)
    if tracklets:
        read, images = (sum(getattr(r, key) for r in recordings) for key in ("tracklets_read", "images_read"))
        sentences.append(f"It looked at {images:,} images in {read:,} of {tracklets:,} tracklets.")
    return sentences


def _pictures(card: dict[str, Any]) -> list[Picture]:
    confusion = np.asarray(card["confusion"], np.int64).reshape(len(card["classes"]), -1)
    figures = {
        "classifier": (
            plot_classifier(confusion, card["classes"], card["history"]),
            "Left: what it answers for each label. Right: how it learned.",
        ),
        "reliability": (
            plot_reliability(
                card["reliability"], card["tracklet_reliability"], np.asarray(card["tracklet_confusion"], np.int64), card["classes"]
            ),
            "Left: how often answers are right that claim a probability; on the line they claim what is true. "
            "Right: what it answers for each label, by tracklet.",
        ),
    }
    if card["worst"]:
        files = [np.frombuffer(base64.b64decode(one["png"]), np.uint8) for one in card["worst"]]
        images = [np.asarray(cv2.imdecode(file, cv2.IMREAD_COLOR), np.uint8) for file in files]
        captions = [f"{one['label']} read as {one['answer']}\n{one['movie']}, frame {one['frame']}" for one in card["worst"]]
        figures["worst_images"] = (plot_images(images, captions), "The validation images that it reads worst, least probable first.")
    return [as_picture(name, figure, text) for name, (figure, text) in figures.items()]
