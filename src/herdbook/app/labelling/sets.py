"""Training sets and classifiers of others: what merging would find, with contradictions as pictures, and taking them into the draft."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from herdbook.app.labelling.sheets import jpeg
from herdbook.arrays import Pixels
from herdbook.classifier.cards import check_classes, read_card
from herdbook.classifier.image_folders import check_given_set, save_set
from herdbook.classifier.merging import Merged, class_differences, count_labels, crop_differences, merge_sets
from herdbook.commands.labelling.sets import free_name, renamed_movies, set_of
from herdbook.errors import HerdbookError
from herdbook.experiment.model import Experiment

# Contradictions that are shown as pictures, and the file of a merged set, beside the labels.
MOST_SHOWN, MERGED = 30, "merged.h5"


@dataclass(frozen=True)
class FoundInSets:
    """What merging the experiment's set with another one finds: labels of one alone, images made in other ways, and the merged set."""

    differences: list[str]
    crops: list[str]
    merged: Merged

    def told(self) -> tuple[dict[str, Any], bytes]:
        """What the page shows: texts and numbers, and a row of images for each contradiction, below each other."""
        shown = self.merged.contradicting[:MOST_SHOWN]
        widest = max((len(images) for images, _ in shown), default=0)
        head = {
            **{"differences": self.differences, "crops": self.crops, "twice": len(self.merged.twice)},
            **{"contradictions": self.merged.contradictions, "shown": [labels for _, labels in shown], "columns": widest},
            "labels": [list(row) for row in count_labels(self.merged.examples)],
        }
        return head, jpeg(_rows([images for images, _ in shown], widest)) if shown else b""


def compare_sets(experiment: Experiment, path: Path, *, other_movies: bool, leave_out: bool) -> FoundInSets:
    """What merging finds; nothing is written. An experiment without a set yet has that of the others alone."""
    second = set_of(path)
    own = Path(experiment.trainset.use) if experiment.trainset.use else experiment.artifact("trainset")
    first = set_of(own) if own.is_file() else second
    if first is second:
        return FoundInSets([], [], Merged(second))
    differences = class_differences((experiment.experiment, path.name), first.classes, second.classes)
    rename = renamed_movies(first, second) if other_movies else {}
    return FoundInSets(differences, crop_differences(first, second), merge_sets(first, second, rename=rename, leave_out=leave_out))


def write_merged(experiment: Experiment, path: Path, folder: Path, *, other_movies: bool, leave_out: bool, add_classes: bool) -> Path:
    """Write the merged set into a folder, under a name that is free. Raises HerdbookError if something must be decided first."""
    found = compare_sets(experiment, path, other_movies=other_movies, leave_out=leave_out)
    if found.differences and not add_classes:
        raise HerdbookError("The sets have different labels: say that all of them are to be kept, or correct them.")
    if found.merged.contradictions and not leave_out:
        raise HerdbookError("Labels contradict each other: leave these images out, or say that the movies are different ones.")
    check_given_set(found.merged.examples, path, experiment.animals.classes)
    stem = Path(MERGED).stem
    taken = {one.stem for one in folder.glob("*.h5")}
    target = folder / f"{free_name(stem, taken) if stem in taken else stem}.h5"
    save_set(found.merged.examples, target, "trainset merge", [path])
    return target


def check_classifier(experiment: Experiment, path: Path) -> list[str]:
    """The names that a classifier knows. Raises HerdbookError unless it has a card, and knows all animals of the experiment."""
    if not path.is_file():
        raise HerdbookError(f"{path}: there is no such file.")
    card = read_card(path.with_suffix(".json"))
    check_classes(card, experiment.animals.classes)
    return list(card.identities)


def _rows(rows: list[Pixels], columns: int) -> Pixels:
    height, width = rows[0].shape[1:3]
    sheet = np.full((len(rows) * height, columns * width, 3), 127, np.uint8)
    for number, images in enumerate(rows):
        for place, image in enumerate(images):
            sheet[number * height : (number + 1) * height, place * width : (place + 1) * width] = image
    return sheet
