"""Files of MOTChallenge, written."""

from pathlib import Path

import numpy as np
import pandas as pd

from herdbook.system.cells import as_cells
from herdbook.system.files import replacing
from herdbook.tables.tracks import Tracks


def write_mot(path: Path, tracks: Tracks) -> None:
    """CSV of MOTChallenge without a header: frame, id, left, top, width, height, confidence, -1, -1, -1; frames, ids and px count from 1.

    Boxes are squares of a median body length (1 px if none is known) around the positions.
    """
    side = tracks.body_length if np.isfinite(tracks.body_length) else 1.0
    rows = pd.DataFrame(
        {
            "frame": tracks.frame + 1,
            "id": tracks.individual + 1,
            "left": tracks.x + 1 - side / 2,
            "top": tracks.y + 1 - side / 2,
            **dict.fromkeys(("width", "height"), np.full(len(tracks.frame), side)),
            "confidence": tracks.confidence,
            **dict.fromkeys(("x", "y", "z"), np.full(len(tracks.frame), -1)),
        }
    )
    with replacing(path) as temporary:
        rows.to_csv(temporary, index=False, header=False, float_format="%.4f")


def write_mot_names(path: Path, tracks: Tracks) -> None:
    """Who has which id in the CSV of MOTChallenge."""
    table = pd.DataFrame({"id": np.arange(1, len(tracks.individuals) + 1), "individual": list(tracks.individuals)})
    with replacing(path) as temporary:
        as_cells(table).to_csv(temporary, index=False)
