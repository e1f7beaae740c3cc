"""How right body points are: compared with a truth, point by point, alone and in contact. Points are (x, y) px, NaN where unknown.

All lengths are shares of a body: a point is right within RIGHT, and under a wrong name if it is that near to the same point of another
animal and not to its own.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from herdbook.arrays import Bools, Floats, Ints
from herdbook.errors import HerdbookError, nearest
from herdbook.formats.poses import Poses

# Shares of a body: where a point is right; far off; the share of correct keypoints (PCK) that papers give; animals in contact.
RIGHT, FAR, CORRECT, CONTACT = 0.08, 0.15, 0.1, 0.2
# An animal is switched where so many of its points are another one's.
SWITCHED_SHARE = 0.6
DECILES = 10


@dataclass(frozen=True)
class PartScore:
    """Of a part of the true points, `points` of them: shares of all that are `unknown` and under a `wrong_name`, and of those that are
    known the median and the 95th percentile of the error (px), the share that is far off, and PCK. None where there are none.
    """

    points: int
    unknown: float | None
    wrong_name: float | None
    median_px: float | None
    p95_px: float | None
    far: float | None
    pck: float | None


@dataclass(frozen=True)
class TenthOfPoints:
    """One of ten parts of the known points, by what the tool tells of them: mean of what is told, median and 95th percentile of the
    error.
    """

    told: float
    median_px: float
    p95_px: float


@dataclass(frozen=True)
class PointScore:
    """The figures of `score_points`; rates are None without frames per second.

    switches: stretches in which most points of an animal are another one's; drifts: stretches of single points of animals in contact;
    jumps: single points of animals apart. `told`: by what was told of each point, likelihood or expected error, from the least.
    """

    body_px: float
    matched: dict[str, str]
    everything: PartScore
    alone: PartScore
    contact: PartScore
    by_point: dict[str, PartScore]
    switches: int
    switches_per_hour: float | None
    drifts: int
    drifts_per_contact_s: float | None
    jumps: int
    jumps_per_1000: float | None
    told: list[TenthOfPoints]


class _Compared(NamedTuple):
    """Distances (T, A, J) px from the truth, NaN where unknown or without truth; whether there is a truth; whether a point is at the same
    point of another animal, and whose, -1 for none; whether the animals (T, A) are in contact; what is told (T, A, J), NaN for nothing.
    """

    error: Floats
    true: Bools
    other: Ints
    contact: Bools
    told: Floats


def score_points(predicted: Sequence[Poses], truth: Sequence[Poses], body_px: float, fps: float | None = None) -> PointScore:
    """Compare the predicted points of one or more movies with the true ones.

    Animals are matched by name, or, if the truth has other names, so that most points are near; `body_px` is the length of a body, `fps`
    the frames per second. Raises HerdbookError for points that do not match, or if there is no truth.
    """
    points = list(truth[0].points)
    for found in predicted:
        missing = [name for name in points if name not in found.points]
        if missing:
            raise HerdbookError(
                f"the truth has the points {', '.join(points)}, the other file {', '.join(found.points)}: there is no {missing[0]!r}; "
                f"{nearest(missing[0], found.points)}. Rename the points of one of them."
            )
    pairs = _match(predicted, truth, body_px)
    parts = [_compare(found, true, pairs, body_px) for found, true in zip(predicted, truth, strict=True)]
    if not any(part.true.any() for part in parts):
        raise HerdbookError("the truth has no point with a place")
    every = [np.ones(part.true.shape, bool) for part in parts]
    contact = [np.broadcast_to(part.contact[..., None], part.true.shape) for part in parts]
    counted = [_episodes(part) for part in parts]
    switches, drifts, jumps = (sum(counts) for counts in zip(*counted, strict=True))
    hours = sum(len(part.true) for part in parts) / fps / 3600 if fps else None
    touching = sum(int(part.contact.sum()) for part in parts) / fps if fps else None
    known = sum(int((~np.isnan(part.error)).sum()) for part in parts)
    return PointScore(
        body_px,
        {truth[0].individuals[a]: predicted[0].individuals[p] if p >= 0 else "" for a, p in enumerate(pairs.tolist())},
        _part(parts, every, body_px),
        _part(parts, [~part for part in contact], body_px),
        _part(parts, contact, body_px),
        {name: _part(parts, [_only(part, j) for part in every], body_px) for j, name in enumerate(points)},
        switches,
        switches / hours if hours else None,
        drifts,
        drifts / touching if touching else None,
        jumps,
        1000 * jumps / known if known else None,
        _told(parts),
    )


def point_score_as_dict(score: PointScore) -> dict[str, Any]:
    """The figures by name, ready for JSON."""
    return asdict(score)


def format_point_score(score: PointScore) -> str:
    """The figures as lines for a terminal."""

    def share(value: float | None) -> str:
        return "-" if value is None else f"{100 * value:.2f} %"

    def number(value: float | None, digits: int = 2) -> str:
        return "-" if value is None else f"{value:.{digits}f}"

    names = {"all": score.everything, "alone": score.alone, "contact": score.contact, **score.by_point}
    header = ("", "points", "unknown", "wrong name", "median px", "95 % px", f"> {FAR:g} body", f"PCK@{CORRECT:g}")
    rows = [header] + [
        (
            *(name, str(part.points), share(part.unknown), share(part.wrong_name), number(part.median_px), number(part.p95_px)),
            *(share(part.far), share(part.pck)),
        )
        for name, part in names.items()
    ]
    widths = [max(len(row[k]) for row in rows) for k in range(len(header))]
    lines = [
        "  ".join(cell.ljust(w) if k == 0 else cell.rjust(w) for k, (cell, w) in enumerate(zip(row, widths, strict=True))) for row in rows
    ]
    matched = [f"{true}: {found or 'nobody'}" for true, found in score.matched.items() if true != found]
    lines += [f"animals matched by place: {', '.join(matched)}"] if matched else []
    lines += [
        f"switches  {score.switches} ({number(score.switches_per_hour)} per hour)",
        f"drifts    {score.drifts} ({number(score.drifts_per_contact_s, 3)} per s of contact)",
        f"jumps     {score.jumps} ({number(score.jumps_per_1000)} per 1,000 points)",
    ]
    if score.told:
        lines.append("told, by tenths of the points: mean of what is told, median and 95th percentile of the error (px)")
        lines += [f"  {tenth.told:8.3f}  {tenth.median_px:8.2f}  {tenth.p95_px:8.2f}" for tenth in score.told]
    return "\n".join(line.rstrip() for line in lines)


def _match(predicted: Sequence[Poses], truth: Sequence[Poses], body_px: float) -> Ints:
    """The predicted individual (A,) of each true one, -1 for none."""
    names, found = truth[0].individuals, predicted[0].individuals
    if any(name in found for name in names):
        return np.array([found.index(name) if name in found else -1 for name in names], np.int64)
    near = np.zeros((len(names), len(found)))
    for one, true in zip(predicted, truth, strict=True):
        frames = min(len(one), len(true))
        order = [one.points.index(name) for name in true.points]
        for a in range(len(names)):
            away = np.hypot(*np.moveaxis(one.xy[:frames][:, :, order] - true.xy[:frames, a, None], -1, 0))
            near[a] += (away < RIGHT * body_px).sum(axis=(0, 2))
    rows, columns = linear_sum_assignment(near, maximize=True)
    pairs = np.full(len(names), -1)
    pairs[rows] = columns
    return pairs


def _compare(found: Poses, true: Poses, pairs: Ints, body_px: float) -> _Compared:
    order = [found.points.index(name) for name in true.points]
    frames = min(len(found), len(true))
    xy, told = np.full(true.xy.shape, np.nan), np.full(true.xy.shape[:3], np.nan)
    for a in np.flatnonzero(pairs >= 0).tolist():
        xy[:frames, a] = found.xy[:frames, pairs[a]][:, order]
        told[:frames, a] = found.likelihood[:frames, pairs[a]][:, order]
    error = np.hypot(*np.moveaxis(xy - true.xy, -1, 0))
    near, other = np.full(error.shape, RIGHT * body_px), np.full(error.shape, -1)
    contact = np.zeros(error.shape[:2], bool)
    for a in range(error.shape[1]):
        for b in range(error.shape[1]):
            if a == b:
                continue
            away = np.hypot(*np.moveaxis(xy[:, a] - true.xy[:, b], -1, 0))
            closer = away < near[:, a]
            near[:, a][closer], other[:, a][closer] = away[closer], b
            apart = np.hypot(*np.moveaxis(true.xy[:, a, :, None] - true.xy[:, b, None], -1, 0))
            contact[:, a] |= (apart < CONTACT * body_px).any(axis=(1, 2))
    # Only a point that is not at its own place is under a wrong name.
    wrong = ~np.isnan(true.xy[..., 0]) & ~np.isnan(xy[..., 0]) & (error > RIGHT * body_px)
    return _Compared(error, ~np.isnan(true.xy[..., 0]), np.where(wrong, other, -1), contact, told)


def _only(mask: Bools, point: int) -> Bools:
    chosen = np.zeros(mask.shape, bool)
    chosen[:, :, point] = True
    return chosen


def _part(parts: Sequence[_Compared], chosen: Sequence[Bools], body_px: float) -> PartScore:
    """The figures of the chosen points (T, A, J) that have a truth."""
    error = np.concatenate([part.error[part.true & mask] for part, mask in zip(parts, chosen, strict=True)])
    wrong = np.concatenate([part.other[part.true & mask] >= 0 for part, mask in zip(parts, chosen, strict=True)])
    known = error[~np.isnan(error)]
    if not len(error):
        return PartScore(0, None, None, None, None, None, None)
    shares = len(error), 1 - len(known) / len(error), float(wrong.mean())
    if not len(known):
        return PartScore(*shares, None, None, None, None)
    far, near = float((known > FAR * body_px).mean()), float((known <= CORRECT * body_px).mean())
    return PartScore(*shares, float(np.median(known)), float(np.percentile(known, 95)), far, near)


def _episodes(part: _Compared) -> tuple[int, int, int]:
    """How many switches, drifts and jumps there are."""
    known = (~np.isnan(part.error)).sum(axis=2)
    switched = np.zeros(part.contact.shape, bool)
    for b in range(part.contact.shape[1]):
        switched |= (part.other == b).sum(axis=2) >= np.maximum(SWITCHED_SHARE * known, 1)
    single = (part.other >= 0) & ~switched[..., None]
    drifted = single & part.contact[..., None]
    return _stretches(switched), _stretches(drifted), int((single & ~part.contact[..., None]).sum())


def _stretches(there: Bools) -> int:
    """How many stretches of frames (T, ...) there are along the first axis."""
    return int(there[:1].sum() + (there[1:] & ~there[:-1]).sum())


def _told(parts: Sequence[_Compared]) -> list[TenthOfPoints]:
    error, told = (np.concatenate([values.ravel() for values in column]) for column in ([p.error for p in parts], [p.told for p in parts]))
    both = ~np.isnan(error) & ~np.isnan(told)
    if both.sum() < DECILES or np.ptp(told[both]) == 0:
        return []
    order = np.argsort(told[both], kind="stable")
    tenths = [(told[both][rows], error[both][rows]) for rows in np.array_split(order, DECILES)]
    return [TenthOfPoints(float(what.mean()), float(np.median(off)), float(np.percentile(off, 95))) for what, off in tenths]
