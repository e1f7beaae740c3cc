"""The report's section on animals that were found by who is seen together, from the card of their classifier."""

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from herdbook.drawing.colours import as_css, individual_colours
from herdbook.report import page
from herdbook.report.figures import unmarked as unmarked_plots
from herdbook.report.figures.files import as_picture
from herdbook.report.page import Cell, PageSection, Table
from herdbook.report.summaries import Recording


def unmarked_section(card: dict[str, Any], recordings: Sequence[Recording]) -> PageSection:
    """How the animals were found, how well they are told apart, and warnings about them."""
    names = [name for name in card["classes"] if name not in card["untrained"]]
    sentences = [f"Warning: {warning}." for warning in card["warnings"]]
    right, tracks = estimated_accuracy(card, recordings), sum(len(recording.tracks.frame) for recording in recordings)
    if tracks:
        sentences.append(f"An estimated {page.percent(right)} of the positions have the right animal.")
    steps = card["history"]["step"][-1] if card["history"]["step"] else 0
    state = "the clusters were clean" if card["clean"] else "the clusters did not become clean"
    labelled = card.get("labelled_tracklets", 0)
    sentences.append(
        f"{card['images']:,} images of {card['tracklets']:,} tracklets were sorted into animals by what they look like and by who is seen "
        f"at the same time. {_anchors(labelled, card['others'])} Training ended after {steps:,.0f} steps: {state}; "
        f"{card['validation_tracklets']:,} tracklets were kept for validation."
    )
    if card["disagreement"]:
        sentences.append(
            f"Learned again from another beginning, {page.percent(card['disagreement'])} of the frames went to another animal."
        )
    figures = {
        "animals": (
            unmarked_plots.plot_montage(_montage(card), names),
            "Images of each animal, from as many tracklets as can be: each row should show the same animal.",
        ),
        "embedding": (
            unmarked_plots.plot_embedding(
                card["embedding"]["x"],
                card["embedding"]["y"],
                np.asarray(card["embedding"]["animal"], np.int64),
                np.asarray(card["embedding"]["tracklet"], np.int64),
                as_css(individual_colours(names)),
            ),
            "Images, placed by what they look like, in the plane in which they differ most.",
        ),
        "mixed_up": (
            unmarked_plots.plot_mixed_up(np.asarray(card["confusion"]), names),
            "Who is expected to be taken for whom, by the images of single tracklets alone, before movement and constraints help.",
        ),
        "learning": (
            unmarked_plots.plot_learning(card["history"]),
            "How it learned. Collisions: pairs of tracklets that share a frame and were taken for the same animal.",
        ),
    }
    pictures = [as_picture(f"unmarked_{name}", figure, text) for name, (figure, text) in figures.items()]
    tables = [_match_table(card["match"])] if card["match"] else []
    title = "Animals and their labels" if labelled else "Animals without labels"
    return PageSection(title, sentences, tables, pictures=pictures)


def _anchors(labelled: int, nameless: Sequence[str]) -> str:
    """What labels, if any, say of the names."""
    if not labelled:
        return "No animal was labelled."
    text = f"Their names come from {page.count(labelled, 'labelled tracklet')}."
    if nameless:
        text += (
            f" {page.count(len(nameless), 'animal')} could not be named: tracklets that look like {', '.join(nameless)} get no name, for "
            "no label says whose they are."
        )
    return text


def estimated_accuracy(card: dict[str, Any], recordings: Sequence[Recording]) -> float:
    """Share of the positions that have the right animal: by their confidence, less what two beginnings do not agree on."""
    confidence = [recording.tracks.confidence.astype(np.float64) for recording in recordings]
    together = np.concatenate([np.zeros(0), *confidence])
    return float(together.mean()) * (1 - float(card["disagreement"])) if len(together) else float("nan")


def _match_table(match: dict[str, Any]) -> Table:
    share = np.asarray(match["share"])
    header = ("animal", "certainty", *match["names"])
    rows = [
        [Cell(name), Cell(f"{certainty:.3f}"), *(Cell(f"{value:.2f}") for value in shares)]
        for name, certainty, shares in zip(match["animals"], match["certainty"], share, strict=True)
    ]
    parts = Path(match["from"]).parts
    return Table(header, rows, f"What the classifier of {parts[-3] if len(parts) > 2 else match['from']} says of each animal")


def _montage(card: dict[str, Any]) -> Any:
    return cv2.imdecode(np.frombuffer(base64.b64decode(card["montage"]), np.uint8), cv2.IMREAD_COLOR)
