"""The card of a classifier: all that is needed to read other movies with it, and how good it is. A JSON file beside the network."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from herdbook.classifier.calibration import Calibration
from herdbook.classifier.crops import CropSpec
from herdbook.errors import HerdbookError, nearest, parsing
from herdbook.experiment.sheets.text import composed
from herdbook.system.files import read_json, replacing, write_text

FORMAT = 1


@dataclass(frozen=True)
class Card:
    """What reading needs of a card: the `classes` that the network answers, of which `others` are no identity; how crops are made; its
    calibration; `body_length_px` of the animals it learned; `chroma`, how coloured they are (levels), and `prototypes`, the mean logits of
    each class (empty where it was not validated); whether it was `given` by another experiment.
    """

    path: Path
    classes: list[str]
    others: list[str]
    crops: CropSpec
    calibration: Calibration
    body_length_px: float
    chroma: float
    prototypes: dict[str, list[float]]
    given: bool

    @property
    def identities(self) -> list[str]:
        """The classes that are identities."""
        return [name for name in self.classes if name not in self.others]


def read_card(path: Path) -> Card:
    """Read a card. Raises HerdbookError when it is missing, broken or of another version."""
    if not path.is_file():
        raise HerdbookError(f"{path}: there is no such file. A classifier needs its card, the .json that was written with it, beside it.")
    remedy = "Train it again; in a folder of results delete it and run snakemake again: the rule 'train' makes it again."
    with parsing(path, "not the card of a classifier of this version of Herdbook", remedy):
        values: dict[str, Any] = read_json(path)
        if values.get("format") != FORMAT:
            raise ValueError(f"format {values.get('format')!r}, expected {FORMAT}")
        if not all(isinstance(name, str) for names in (values["classes"], values["others"]) for name in names):
            raise ValueError("classes and others must be names")
        return Card(
            path=path,
            classes=[composed(name) for name in values["classes"]],
            others=[composed(name) for name in values["others"]],
            crops=CropSpec.from_dict(values["crops"]),
            calibration=Calibration(**values["calibration"]),
            body_length_px=float(values["body_length_px"]),
            chroma=float(values["chroma"]),
            prototypes={composed(name): place for name, place in values["prototypes"].items()},
            given=bool(values.get("given", False)),
        )


def check_classes(card: Card, identities: Sequence[str]) -> None:
    """Raise HerdbookError unless a given classifier knows all identities of the experiment."""
    unknown = [name for name in identities if name not in card.identities]
    if unknown:
        guesses = "; ".join(f"{name}: {nearest(name, card.identities)}" for name in unknown[:3])
        raise HerdbookError(
            f"{card.path}: the given classifier does not know {', '.join(unknown)}. It knows {', '.join(card.identities)}. {guesses} "
            "Correct animals.identities, or label the new animals and train on from it with train.start instead of train.use."
        )


def copy_given(network: Path, card: Path, out: Path, out_card: Path) -> None:
    """Copy a network that was trained elsewhere and its card, which then says so."""
    values = json.loads(card.read_text(encoding="utf-8"))
    notes = [*values.get("notes", []), f"given: {network}; nothing was trained"]
    with replacing(out) as temporary:
        shutil.copyfile(network, temporary)
    write_text(out_card, json.dumps(values | {"given": True, "notes": notes}, indent=1, ensure_ascii=False))
