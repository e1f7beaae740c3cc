"""Everybody in one frame with the names that they have now, and who is left when all others are known."""

from typing import Any

import numpy as np

from herdbook.app.labelling.footage import State
from herdbook.artifacts.tracklets import SINGLE
from herdbook.errors import HerdbookError


def everybody(state: State, names: list[str], movie: str, frame: int, identities: int) -> list[dict[str, Any]]:
    """Each animal that is alone in a frame: its tracklet and place, how far it reaches (px), its name, how surely, and from what.

    `how` is "label", "run", "left" for the only name that is left over in a frame that shows as many animals as there are names, or "" for
    nobody known. The first `identities` of the names are those of single animals.
    """
    one, known = state.movie(movie), state.known[movie]
    if not 0 <= frame < one.blobs.frames:
        raise HerdbookError(f"{movie} has frames 0..{one.blobs.frames - 1}, not {frame}")
    start, stop = (int(row) for row in np.searchsorted(one.blobs.frame, (frame, frame + 1)))
    found = []
    for blob in range(start, stop):
        tracklet = int(one.tracklets.blob_tracklet[blob])
        if tracklet < 0 or one.tracklets.tracklet_kind[tracklet] != SINGLE:
            continue
        label, name = int(known.label[tracklet]), int(known.name[tracklet])
        x0, y0, x1, y1 = one.blobs.box[blob].tolist()
        best, how = (label, "label") if label >= 0 else (name, "run") if name >= 0 else (-1, "")
        found.append(
            {
                **{"tracklet": tracklet, "frame": frame, "x": round(float(one.blobs.x[blob]), 2), "y": round(float(one.blobs.y[blob]), 2)},
                **{"reach": round(float(np.hypot(x1 - x0, y1 - y0)) / 2, 1), "name": names[best] if best >= 0 else "", "how": how},
                "sure": 1.0 if label >= 0 else round(float(known.sure[tracklet]), 3),
            }
        )
    _eliminate(found, names[:identities])
    return found


def _eliminate(found: list[dict[str, Any]], identities: list[str]) -> None:
    """Name the only animal without a name after the only name that nobody has."""
    nameless = [one for one in found if not one["name"]]
    spare = [name for name in identities if name not in {one["name"] for one in found}]
    if len(nameless) == len(spare) == 1:
        nameless[0] |= {"name": spare[0], "how": "left"}
