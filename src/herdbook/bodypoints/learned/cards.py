"""The card of a network that finds body points: all that is needed to use it, and how good it is. A JSON file beside the network."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from herdbook.arrays import Floats
from herdbook.bodypoints.learned.errors import ErrorModel
from herdbook.bodypoints.learned.heading_trust import HeadingTrust
from herdbook.errors import HerdbookError, nearest, parsing
from herdbook.experiment.sheets.text import composed
from herdbook.system.files import read_json

FORMAT = 1
# Animals of another size than those of the labels look otherwise: beyond this ratio a network is not asked.
MOST_RATIO = 3.0


@dataclass(frozen=True)
class PoseCard:
    """What finding points needs of a card: names of the `points`; `side_body`, the side of a crop in body lengths, and its `size` px;
    `shape` (J, 2) and `half_axes` of a body, in body lengths; `usual_fit` of an animal that is alone; the expected `errors`, None if no
    labels were kept back to tell them, as how often `headings` are right; `body_px`, the length of the animals it
    learned; `given`: by another experiment.
    """

    path: Path
    points: list[str]
    side_body: float
    size: int
    shape: Floats
    half_axes: tuple[float, float]
    usual_fit: float
    errors: ErrorModel | None
    body_px: float
    given: bool
    headings: HeadingTrust | None = None


def read_pose_card(path: Path) -> PoseCard:
    """Read a card. Raises HerdbookError when it is missing, broken or of another version."""
    if not path.is_file():
        raise HerdbookError(f"{path}: there is no such file. A network needs its card, the .json that was written with it, beside it.")
    remedy = "Train it again; in a folder of results delete it and run snakemake again: the rule 'pose_train' makes it again."
    with parsing(path, "not the card of a network for body points of this version of Herdbook", remedy):
        values: dict[str, Any] = read_json(path)
        if values.get("format") != FORMAT or values.get("finds") != "body points":
            raise ValueError(f"format {values.get('format')!r} of {values.get('finds')!r}, expected {FORMAT} of 'body points'")
        points, shape = [composed(str(name)) for name in values["points"]], np.array(values["shape"], np.float64)
        errors = ErrorModel.from_dict(values["errors"]) if values["errors"] else None
        along, across = (float(value) for value in values["half_axes"])
        size, side = int(values["size"]), float(values["side_body"])
        whole = shape.shape == (len(points), 2) and (errors is None or len(errors.points) == len(points))
        if not whole or size % 16 or not 16 <= size <= 512 or not 0 < side < 100 or min(along, across) <= 0:
            raise ValueError("its numbers do not fit together")
        return PoseCard(
            path=path,
            points=points,
            side_body=side,
            size=size,
            shape=shape,
            half_axes=(along, across),
            usual_fit=float(values["usual_fit"]),
            errors=errors,
            body_px=float(values["body_px"]),
            given=bool(values.get("given", False)),
            headings=HeadingTrust.from_dict(values["headings"]) if values.get("headings") else None,
        )


def check_points(card: PoseCard, wanted: Sequence[str] | None) -> None:
    """Raise HerdbookError unless a given network finds the points that the experiment names."""
    unknown = [name for name in wanted or () if name not in card.points]
    if unknown:
        raise HerdbookError(
            f"{card.path}: the given network does not find {', '.join(unknown)}. It finds {', '.join(card.points)}. "
            f"{nearest(unknown[0], card.points)} Correct pose.points, or label the points in pose.labels instead of pose.model."
        )
