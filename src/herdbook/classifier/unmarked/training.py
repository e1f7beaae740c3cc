"""Stage train for animals that learn together: from the training set to a classifier with names and the card that tells all about it."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np

from herdbook.arrays import Floats, Ints
from herdbook.artifacts.store import artifact_fingerprint
from herdbook.artifacts.trainset import UnmarkedSet
from herdbook.classifier.architectures import load_model
from herdbook.classifier.augmentation import Augmentation
from herdbook.classifier.calibration import combine_images, image_scores
from herdbook.classifier.cards import FORMAT, read_card
from herdbook.classifier.network import predict_logits, use_threads
from herdbook.classifier.unmarked.cautions import find_warnings
from herdbook.classifier.unmarked.clusters import order_of_first
from herdbook.classifier.unmarked.embedding import EXCLUDED_LOGIT, Sample, few_images
from herdbook.classifier.unmarked.learning import ANSWER_IMAGES, Crowd, Learned, learn_animals
from herdbook.classifier.unmarked.matching import Match, match_animals
from herdbook.errors import HerdbookError
from herdbook.version import VERSION

# Images of the plot of the embedding, of each tracklet at most; images of each animal in the montage.
PLOTTED, PLOTTED_EACH = 1500, 6
SHOWN = 14
# Patience is asked for in checks, which are shorter than epochs.
CHECKS_PER_PATIENCE = 2
# Animals that are told from all others, but have no name, are classes of this name with a number.
NAMELESS = "nameless "
# A name is taken over without a warning when it is right with this probability.
SURE_MATCH = 0.9
# A label is doubted when the images of its tracklet give its animal less than this probability.
DOUBTED = 0.1


def train_unmarked(
    found: UnmarkedSet, path: Path, settings: dict[str, Any], seed: int, like: Path | None = None
) -> tuple[keras.Model, dict[str, Any]]:
    """Learn who is who from the training set of the file `path`, by the `settings` of the section train; return the network and its card.

    `like`: an earlier classifier, its card beside it, whose names are taken over. Raises HerdbookError when there is nothing to learn from.
    """
    use_threads(1)
    if not len(found.images):
        raise HerdbookError(
            f"{path}: no animal is ever seen alone, so there is nothing to learn from. Look at segment.area and the number."
        )
    homes, numbers = settings["homes"], settings["numbers"]
    crowd, named = _crowd(found, homes, numbers)
    learned = learn_animals(
        crowd,
        Augmentation(**settings["augmentation"], symmetry=settings["symmetry"]),
        seed,
        share=settings["validation"],
        most_checks=settings["epochs"],
        patience=CHECKS_PER_PATIENCE * settings["patience"],
    )
    match = _match(found, crowd, learned, homes, named, like) if like else None
    known = read_card(like.with_suffix(".json")).identities if like else []
    identities = settings["identities"]
    names = _name_animals(crowd, learned, found, homes, named, match, known, numbered=settings["marking"] == "unmarked")
    notes = [*found.notes, *_nameless_notes(names, homes, numbers), *_doubted_labels(found, crowd, learned, names)]
    order = np.argsort([identities.index(name) if name in identities else len(identities) for name in names], kind="stable")
    absent = [name for name in identities if name not in names]
    network = _in_order(learned.network, order, len(absent))
    present = [names[k] for k in order]
    learned.posterior, learned.own = learned.posterior[:, order], learned.own[:, order]
    confusion = _confusion(learned, crowd.frames)
    arena = np.repeat(np.arange(len(numbers)), numbers)[order]
    warnings = find_warnings(present, arena, confusion, learned, crowd, found)
    compared = None
    if match is not None and like is not None:
        warnings += _unsure_match(match, names, like)
        compared = _describe_match(match, names, order, like)
    card = {
        "format": FORMAT,
        "marking": settings["marking"],
        "classes": [*present, *absent],
        "others": [name for name in present if name not in identities],
        "labelled_tracklets": int((crowd.named >= 0).sum()),
        "untrained": absent,
        "architecture": "embedding",
        "parameters": int(network.count_params()),
        "crops": json.loads(found.crops),
        "body_length_px": found.body_length_px,
        "chroma": float(np.median(found.chroma)),
        "calibration": learned.calibration.as_dict(),
        "prototypes": _prototypes(network, found, learned, present),
        "images": len(found.images),
        "tracklets": len(found.group_movie),
        "validation_tracklets": int(learned.held.sum()),
        "history": learned.history,
        "clean": learned.clean,
        "disagreement": learned.disagreement,
        "misread": learned.misread,
        "estimated_accuracy": _estimate(learned, crowd.frames),
        "confusion": confusion.tolist(),
        "embedding": _plotted(network, found, learned),
        "montage": _montage(found, learned),
        "match": compared,
        "warnings": warnings,
        "notes": notes,
        "trainset": artifact_fingerprint(path),
        "settings": settings,
        "versions": {"herdbook": VERSION, "keras": keras.__version__, "backend": keras.backend.backend()},
    }
    return network, card


def _crowd(found: UnmarkedSet, homes: list[list[str]], numbers: list[int]) -> tuple[Crowd, list[str | None]]:
    """What is known of the tracklets, and the names of the columns that a person named (None for the others)."""
    group = found.group.astype(np.int64)
    label = np.full(len(found.group_movie), -1, np.int64)
    label[group] = found.label
    given = {found.classes[k] for k in np.unique(label[label >= 0])}
    names: list[str | None] = []
    for home, number in zip(homes, numbers, strict=True):
        mine: list[str | None] = [name for name in home if name in given]
        names += mine + [None] * (number - len(mine))
    named = np.array([names.index(found.classes[k]) if k >= 0 else -1 for k in label], np.int64)
    crowd = Crowd(
        Sample(found.images, group, found.head),
        found.time_s,
        found.coexisting.astype(np.int64),
        found.group_arena.astype(np.int64),
        named,
        found.group_frames.astype(np.float64),
        numbers,
    )
    return crowd, names


def _match(found: UnmarkedSet, crowd: Crowd, learned: Learned, homes: list[list[str]], named: list[str | None], like: Path) -> Match:
    """Animals matched with the names of an earlier classifier."""
    card = read_card(like.with_suffix(".json"))
    mine, theirs = json.loads(found.crops), card.crops.as_dict()
    differ = [name for name in mine if name != "length_px" and mine[name] != theirs[name]]
    if differ:
        each = ", ".join(f"{name} {theirs[name]} there, {mine[name]} here" for name in differ)
        raise HerdbookError(f"{like}: this classifier learned from images that were made in another way: {each}. Set trainset alike.")
    rows = few_images(crowd.sample.group, len(crowd.arena), ANSWER_IMAGES)
    score = image_scores(predict_logits(load_model(like), found.images[rows]), card.calibration.temperature)
    group, ones = crowd.sample.group[rows], np.ones(len(rows), np.float32)
    evidence = combine_images(score, ones, group, found.time_s[rows], len(crowd.arena), card.calibration)
    known = [card.classes.index(name) for name in card.identities]
    arena = np.repeat(np.arange(len(homes)), crowd.numbers)
    possible = np.array([[name in homes[k] and name not in named for name in card.identities] for k in arena], bool)
    for k, name in enumerate(named):
        if name is not None:
            possible[k] = [other == name for other in card.identities]
    return match_animals(evidence[:, known].astype(np.float64), learned.posterior, possible)


def _name_animals(
    crowd: Crowd,
    learned: Learned,
    found: UnmarkedSet,
    homes: list[list[str]],
    named: list[str | None],
    match: Match | None,
    known: list[str],
    *,
    numbered: bool,
) -> list[str]:
    """The name of each column: that which a person gave, or that of the earlier animal.

    Of the others, `numbered` ones get the next name in order of appearance. Names that belong to an animal each are not given like that:
    the only one left is found by elimination, and of several nothing says which is which, nor whether an animal has none of these names.
    """
    names: list[str] = ["" if name is None else name for name in named]
    if match is not None:
        for k, name in enumerate(match.name):
            if name >= 0 and not names[k]:
                names[k] = known[name]
    begin = found.group_movie * 1e9 + found.group_first
    first = 0
    for home, number in zip(homes, crowd.numbers, strict=True):
        columns = range(first, first + number)
        first += number
        free = [name for name in home if name not in names]
        unnamed = [k for k in order_of_first(learned.posterior, begin).tolist() if k in columns and not names[k]]
        for k in unnamed:
            names[k] = free.pop(0) if free and (numbered or len(unnamed) == 1) else f"{NAMELESS}{k + 1}"
    return names


def _nameless_notes(names: list[str], homes: list[list[str]], numbers: list[int]) -> Iterator[str]:
    """Who cannot be named for want of labels, in each arena."""
    first = 0
    for home, number in zip(homes, numbers, strict=True):
        mine = names[first : first + number]
        first += number
        lacking, nameless = [name for name in home if name not in names], [name for name in mine if name.startswith(NAMELESS)]
        if lacking and nameless:
            yield (
                f"{', '.join(lacking)}: without a label nothing says which of {', '.join(nameless)} this is, so they stay without a name. "
                "Label one tracklet of each"
            )


def _doubted_labels(found: UnmarkedSet, crowd: Crowd, learned: Learned, names: list[str]) -> Iterator[str]:
    """Labels of tracklets whose images show another animal; `names` are those of the columns."""
    for k in np.flatnonzero(crowd.named >= 0).tolist():
        named, seen = int(crowd.named[k]), int(learned.own[k].argmax())
        if learned.own[k, named] < DOUBTED:
            yield (
                f"{found.movies[found.group_movie[k]]}, tracklet {found.group_tracklet[k]} from frame {found.group_first[k]} on: labelled "
                f"{names[named]}, but its images look like {names[seen]} ({100 * learned.own[k, seen]:.0f} %). Is the label right?"
            )


def _in_order(network: keras.Model, order: Ints, absent: int) -> keras.Model:
    """The network with its answers in another order, and with answers for the absent, who are never seen."""
    last = network.layers[-1]
    weights, offsets = last.get_weights()
    answer = keras.layers.Dense(len(order) + absent, dtype="float32", name="answer")
    renamed = keras.Model(network.inputs, answer(last.input))
    weights = np.concatenate([weights[:, order], np.zeros((len(weights), absent), np.float32)], axis=1)
    answer.set_weights([weights, np.concatenate([offsets[order], np.full(absent, EXCLUDED_LOGIT, np.float32)])])
    return renamed


def _prototypes(network: keras.Model, found: UnmarkedSet, learned: Learned, names: list[str]) -> dict[str, list[float]]:
    """Mean logits of the animals in images of tracklets kept for validation; `names` are those of the columns of `learned`."""
    group = found.group.astype(np.int64)
    rows = few_images(group, len(learned.held), ANSWER_IMAGES)
    rows = rows[learned.held[group[rows]]]
    logits, answer = predict_logits(network, found.images[rows]), learned.posterior.argmax(axis=1)[group[rows]]
    return {name: logits[answer == k].mean(axis=0).tolist() for k, name in enumerate(names) if (answer == k).any()}


def _confusion(learned: Learned, frames: Floats) -> Floats:
    """Share of the frames of each animal that the images of a tracklet alone give to each, (animals, animals)."""
    counts = (learned.posterior * frames[:, None]).T @ learned.own
    return np.asarray(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1e-9))


def _estimate(learned: Learned, frames: Floats) -> float:
    """Share of the frames of single tracklets that get the right animal."""
    return float(learned.posterior.max(axis=1) @ frames / frames.sum()) * (1 - learned.disagreement)


def _plotted(network: keras.Model, found: UnmarkedSet, learned: Learned) -> dict[str, list[float] | list[int]]:
    """Places of images in the plane in which the embedding spreads most, with their animal and tracklet."""
    group = found.group.astype(np.int64)
    rows = few_images(group, len(found.group_movie), PLOTTED_EACH)
    rows = rows[np.unique(np.linspace(0, len(rows) - 1, min(PLOTTED, len(rows))).round().astype(np.int64))]
    looks = predict_logits(keras.Model(network.inputs, network.layers[-1].input), found.images[rows]).astype(np.float64)
    centred = looks - looks.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    x, y = (centred @ axes[:2].T).T
    answer = learned.posterior.argmax(axis=1)[group[rows]]
    return {"x": x.round(4).tolist(), "y": y.round(4).tolist(), "animal": answer.tolist(), "tracklet": group[rows].tolist()}


def _montage(found: UnmarkedSet, learned: Learned) -> str:
    """A PNG, base64, with a row of images of each animal, from as many tracklets as can be."""
    group = found.group.astype(np.int64)
    answer, sure = learned.posterior.argmax(axis=1), learned.posterior.max(axis=1)
    first = few_images(group, len(answer), 2)
    height, width = found.images.shape[1:3]
    rows = []
    for animal in range(learned.posterior.shape[1]):
        mine = first[(answer[group[first]] == animal) & (sure[group[first]] > 0.5)]
        picked = mine[np.unique(np.linspace(0, len(mine) - 1, min(SHOWN, len(mine))).round().astype(np.int64))] if len(mine) else mine
        row = np.full((height, SHOWN * width, 3), 127, np.uint8)
        for k, image in enumerate(found.images[picked]):
            row[:, k * width : (k + 1) * width] = image
        rows.append(row)
    return base64.b64encode(cv2.imencode(".png", np.concatenate(rows))[1].tobytes()).decode()


def _unsure_match(match: Match, names: list[str], like: Path) -> list[str]:
    """The warning about names that are taken over from an earlier classifier and may be wrong, if there are such."""
    unsure = [names[k] for k in range(len(names)) if match.name[k] >= 0 and match.certainty[k] < SURE_MATCH]
    return [f"the match with {like.parent.parent.name} is not sure for {', '.join(unsure)}"] if unsure else []


def _describe_match(match: Match, names: list[str], order: Ints, like: Path) -> dict[str, Any]:
    known = read_card(like.with_suffix(".json")).identities
    return {
        "from": str(like),
        "names": known,
        "animals": [names[k] for k in order],
        "share": match.share[order].round(4).tolist(),
        "certainty": match.certainty[order].round(4).tolist(),
    }
