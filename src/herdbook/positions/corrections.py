"""Corrections: places that a person gave for animals or their body points, in a table of their own, so that they survive every new run.

Points are (x, y) in px, origin top left, pixel centres at integer coordinates, frames from 0.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts.smooth import FROM_CORRECTED
from herdbook.errors import nearest
from herdbook.experiment.sheets.corrections import Correction
from herdbook.experiment.sheets.table import refuse_faults
from herdbook.formats.poses import Poses
from herdbook.positions.scene import Positions


def correct_positions(
    table: Positions, corrections: Sequence[Correction], individuals: Sequence[str], frames: tuple[int, int], path: Path
) -> Positions:
    """The positions of one movie with its corrections of animals (`point` "") in place, source corrected, confidence 1.

    `frames` are the first frame and the end of those that are tracked; corrections of other frames are passed over. A corrected animal
    keeps its angle, or takes that of its nearest frame. Raises HerdbookError for an animal that is unknown.
    """
    own = {(c.frame, c.individual): c for c in corrections if not c.point and frames[0] <= c.frame < frames[1]}
    faults = [
        f"{c.place}: there is no animal {c.individual!r}; {nearest(c.individual, individuals)}"
        for c in own.values()
        if c.individual not in individuals
    ]
    refuse_faults(path, faults)
    if not own:
        return table
    who = np.array([individuals.index(c.individual) for c in own.values()], np.int64)
    when = np.array([c.frame for c in own.values()], np.int64)
    kept = table.take(np.flatnonzero(~np.isin(_keys(table.frame, table.individual), _keys(when, who))))
    seen = np.array([not np.isnan(c.x) for c in own.values()])
    n = int(seen.sum())
    added = Positions(
        frame=when[seen],
        individual=who[seen],
        x=np.array([c.x for c in own.values()])[seen],
        y=np.array([c.y for c in own.values()])[seen],
        angle=np.array([_angle_near(table, t, i) for t, i in zip(when[seen], who[seen], strict=True)], np.float64),
        confidence=np.ones(n),
        source=np.full(n, FROM_CORRECTED, np.uint8),
    )
    joined = Positions(*(np.concatenate([getattr(kept, name), getattr(added, name)]) for name in Positions.__dataclass_fields__))
    return joined.take(np.lexsort((joined.individual, joined.frame)))


def correct_points(poses: Poses, corrections: Sequence[Correction], path: Path) -> tuple[Poses, NDArray[np.bool_]]:
    """Body points of one movie with its corrections of points in place, and which (frames, individuals, points) they are.

    Raises HerdbookError for an individual, a point or a frame that the poses do not have.
    """
    xy, corrected = poses.xy.copy(), np.zeros(poses.likelihood.shape, bool)
    faults = []
    for c in corrections:
        if not c.point:
            continue
        for name, known in ((c.individual, poses.individuals), (c.point, poses.points)):
            if name not in known:
                faults.append(f"{c.place}: the body points have no {name!r}; {nearest(name, known)}")
        if c.frame >= len(poses):
            faults.append(f"{c.place}: there is no frame {c.frame}, the movie has {len(poses)}")
        if not faults:
            at = c.frame, poses.individuals.index(c.individual), poses.points.index(c.point)
            xy[at], corrected[at] = (c.x, c.y), True
    refuse_faults(path, faults)
    return Poses(poses.individuals, poses.points, xy, poses.likelihood), corrected


def _keys(frame: NDArray[np.int64], individual: NDArray[np.int64]) -> NDArray[np.int64]:
    return frame * (1 << 20) + individual


def _angle_near(table: Positions, frame: int, individual: int) -> float:
    rows = np.flatnonzero(table.individual == individual)
    return float(table.angle[rows[np.argmin(np.abs(table.frame[rows] - frame))]]) if len(rows) else 0.0
