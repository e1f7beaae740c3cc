"""Files of JAABA, written."""

from pathlib import Path

import numpy as np

from herdbook.system.files import replacing
from herdbook.tables.tracks import Tracks

# Width of an animal as a share of its length where no animal was seen alone.
SLENDER = 0.4


def write_jaaba(path: Path, tracks: Tracks) -> None:
    """trx.mat of JAABA: a struct for each animal that has a position, from its first to its last; frames and px count from 1."""
    length = tracks.body_length if np.isfinite(tracks.body_length) else 1.0
    width = tracks.body_width if np.isfinite(tracks.body_width) else SLENDER * length
    mm = tracks.px_per_mm if np.isfinite(tracks.px_per_mm) else 1.0
    order = np.argsort(tracks.individual, kind="stable")
    stops = np.searchsorted(tracks.individual[order], np.arange(len(tracks.individuals) + 1))
    structs = []
    for number, name in enumerate(tracks.individuals):
        rows = order[stops[number] : stops[number + 1]]
        if not len(rows):
            continue
        first, last = int(tracks.frame[rows[0]]), int(tracks.frame[rows[-1]])
        at = tracks.frame[rows] - first
        values = np.full((5, last - first + 1), np.nan)
        axes = np.stack([tracks.length[rows], tracks.width[rows]]), [[length], [width]]
        values[:, at] = [tracks.x[rows] + 1, tracks.y[rows] + 1, tracks.heading[rows], *(np.where(np.isfinite(axes[0]), *axes) / 4)]
        x, y, theta, a, b = values[:, None]
        structs.append(
            {
                **{"x": x, "y": y, "theta": theta, "a": a, "b": b, "nframes": last - first + 1.0, "firstframe": first + 1.0},
                **{"endframe": last + 1.0, "off": -float(first), "id": number + 1.0, "name": name, "moviename": tracks.movie, "sex": "?"},
                **{"x_mm": x / mm, "y_mm": y / mm, "theta_mm": theta, "a_mm": a / mm, "b_mm": b / mm, "pxpermm": mm, "fps": tracks.fps},
                **{"dt": np.diff(tracks.time_s[first : last + 1])[None], "timestamps": tracks.time_s[first : last + 1][None]},
            }
        )
    fields = list(structs[0]) if structs else ["x", "y"]
    trx = np.empty((1, len(structs)), [(field, object) for field in fields])
    for number, struct in enumerate(structs):
        trx[0, number] = tuple(struct[field] for field in fields)
    # A fifth of a second to import, for one of many formats.
    from scipy.io import savemat

    with replacing(path) as temporary:
        savemat(str(temporary), {"trx": trx, "timestamps": tracks.time_s[None]}, appendmat=False, do_compression=True)
