"""Dishes, wells, tubes and boxes that are seen in a picture without animals, as shapes of arenas.

Images are (row, col) uint8; points are (x, y), px.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from string import ascii_uppercase
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Pixels

# The picture is looked at in this size: rims are wide enough to be seen, and noise is averaged.
LONGEST_PX = 640
LEVELS = 24
# Shares of the picture. Smaller than the well of a plate of 96 in a picture of the whole plate; larger is the whole picture.
SMALLEST, LARGEST = 0.003, 0.9
# A region is round or rectangular if it and the fitted shape have this much in common (intersection over union). A disk and its bounding
# square have pi / 4 = 0.79 in common, a regular octagon and its circle 0.95.
LIKENESS = 0.93
# A rim is sharp, unlike the edge of a light: nearly the same region is found at this many of the levels (intersection over union).
LEAST_LEVELS, SAME = 3, 0.94
# Wells of one plate have areas within this factor of their median.
ALIKE = 1.5
# Dishes that are filmed cover more of the picture than this; drops and reflections cover less.
LEAST_COVER = 0.1
# Axes that differ by less are those of a circle.
ROUND = 0.03
# Wells in a plate are meant, rather than the plate, if they cover this share of it.
COVERED = 0.2


@dataclass(frozen=True)
class Dish:
    """A region with a sharp edge: `kind` is "ellipse" or "polygon"; a rectangle has its corners in `points` (4, 2).

    An ellipse has its `centre`, its half `axes`, and the angle of the first one in degrees from the x axis towards the y axis.
    """

    kind: str
    points: NDArray[np.float64]
    centre: tuple[float, float]
    axes: tuple[float, float]
    angle: float
    area: float
    name: str = ""

    def as_shape(self) -> dict[str, Any]:
        """The shape as it stands in the experiment file."""
        if self.kind == "polygon":
            return {"polygon": np.round(self.points, 1).tolist()}
        centre, axes = ([round(value, 1) for value in pair] for pair in (self.centre, self.axes))
        return {"ellipse": {"centre": centre, "axes": axes, "angle": round(self.angle, 1)}}


def find_dishes(picture: Pixels) -> list[Dish]:
    """The dishes of a picture without animals, such as the background, in reading order, with names; none if there is no sharp edge."""
    scale = min(1.0, LONGEST_PX / max(picture.shape))
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    seen = _stable(list(_regions(cv2.medianBlur(small, 3))), small.shape)
    chosen = _chosen(seen, small.shape)
    return _named([_enlarged(dish, 1 / scale) for dish in chosen])


def _regions(image: Any) -> Iterator[tuple[int, Dish, NDArray[np.bool_]]]:
    """Level, shape and mask of each region of a regular shape that is all brighter, or all darker, than one of the levels."""
    low, high = np.percentile(image, (1, 99))
    pixels = image.size
    for level, threshold in enumerate(np.unique(np.linspace(low, high, LEVELS + 2)[1:-1].round())):
        for bright in (True, False):
            mask = ((image > threshold) == bright).astype(np.uint8)
            contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
            inner, hierarchy = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
            holes = [] if hierarchy is None else [one for one, row in zip(inner, hierarchy[0], strict=True) if row[3] >= 0]
            for contour in [*contours, *holes]:
                if SMALLEST * pixels <= cv2.contourArea(contour) <= LARGEST * pixels:
                    found = _regular(contour, image.shape)
                    if found is not None:
                        yield (level, *found)


def _regular(contour: Any, shape: tuple[int, ...]) -> tuple[Dish, NDArray[np.bool_]] | None:
    """The shape of a region, and its mask, if it is one of an ellipse or a rectangle."""
    hull = cv2.convexHull(contour)
    (left, top), (right, bottom) = hull.min(axis=(0, 1)), hull.max(axis=(0, 1))
    if len(hull) < 5 or min(left, top) < 1 or right > shape[1] - 2 or bottom > shape[0] - 2:
        # What the picture cuts has no shape of its own.
        return None
    region = _filled(shape, hull)
    if cv2.contourArea(contour) < 0.85 * region.sum():
        # Ragged: an edge that light draws, not a rim.
        return None
    best: tuple[float, Dish] | None = None
    for dish in (_ellipse_of(hull), _rectangle_of(hull)):
        drawn = _filled(shape, _outline(dish))
        likeness = float((drawn & region).sum() / max(1, (drawn | region).sum()))
        if likeness >= LIKENESS and (best is None or likeness > best[0]):
            best = likeness, dish
    return None if best is None else (best[1], region)


def _ellipse_of(hull: Any) -> Dish:
    centre, sides, angle = cv2.fitEllipseDirect(hull)
    axes = (sides[0] / 2, sides[1] / 2)
    if abs(axes[0] - axes[1]) < ROUND * max(axes):
        axes, angle = (sum(sides) / 4, sum(sides) / 4), 0.0
    return Dish("ellipse", np.zeros((0, 2)), (centre[0], centre[1]), axes, angle, float(np.pi * axes[0] * axes[1]))


def _rectangle_of(hull: Any) -> Dish:
    box = cv2.minAreaRect(hull)
    corners = cv2.boxPoints(box).astype(np.float64)
    return Dish("polygon", corners, (box[0][0], box[0][1]), (box[1][0] / 2, box[1][1] / 2), box[2], float(box[1][0] * box[1][1]))


def _outline(dish: Dish) -> Any:
    if dish.kind == "polygon":
        return dish.points.round().astype(np.int32)
    sides = (2 * dish.axes[0], 2 * dish.axes[1])
    rotated = cv2.ellipse2Poly(*_whole(dish.centre, sides, dish.angle), 0, 360, 3)
    return np.asarray(rotated, np.int32)


def _whole(centre: tuple[float, float], sides: tuple[float, float], angle: float) -> tuple[tuple[int, int], tuple[int, int], int]:
    return (round(centre[0]), round(centre[1])), (round(sides[0] / 2), round(sides[1] / 2)), round(angle)


def _filled(shape: tuple[int, ...], outline: Any) -> NDArray[np.bool_]:
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [outline], (1,))
    return mask.astype(bool)


def _stable(found: list[tuple[int, Dish, NDArray[np.bool_]]], shape: tuple[int, ...]) -> list[Dish]:
    """One dish for each region that is nearly the same at several levels: the one of the median area."""
    groups: list[list[tuple[int, Dish, NDArray[np.bool_]]]] = []
    for one in sorted(found, key=lambda each: -each[1].area):
        for group in groups:
            other = group[len(group) // 2]
            near = 0.5 < one[1].area / other[1].area < 2 and np.hypot(*np.subtract(one[1].centre, other[1].centre)) < max(shape)
            if near and (one[2] & other[2]).sum() >= SAME * (one[2] | other[2]).sum():
                group.append(one)
                break
        else:
            groups.append([one])
    return [group[len(group) // 2][1] for group in groups if len({level for level, _, _ in group}) >= LEAST_LEVELS]


def _chosen(seen: list[Dish], shape: tuple[int, ...]) -> list[Dish]:
    """Those of one size that cover most of the picture, none inside of another; wells rather than the plate that they are in."""
    if not seen:
        return []
    masks = [_filled(shape, _outline(dish)) for dish in seen]
    families = []
    for dish in seen:
        family: list[int] = []
        for k in sorted(range(len(seen)), key=lambda k: -seen[k].area):
            alike = 1 / ALIKE < seen[k].area / dish.area < ALIKE
            if alike and not any((masks[k] & masks[other]).sum() > 0.3 * masks[k].sum() for other in family):
                family.append(k)
        families.append((sum(seen[k].area for k in family), family))
    covered, best = max(families, key=lambda one: one[0])
    wells = [one for one in families if len(one[1]) >= max(2, len(best) + 1) and one[0] >= COVERED * covered]
    if wells:
        best = max(wells, key=lambda one: one[0])[1]
    if sum(seen[k].area for k in best) < LEAST_COVER * shape[0] * shape[1]:
        return []
    return [seen[k] for k in best]


def _enlarged(dish: Dish, by: float) -> Dish:
    """The dish in a picture that is `by` times as large: the middle of the first pixel is (0, 0) in both."""
    x, y = dish.centre
    return replace(
        dish,
        points=(dish.points + 0.5) * by - 0.5,
        centre=((x + 0.5) * by - 0.5, (y + 0.5) * by - 0.5),
        axes=(dish.axes[0] * by, dish.axes[1] * by),
        area=dish.area * by * by,
    )


def _named(dishes: list[Dish]) -> list[Dish]:
    """The dishes in reading order: with letters for rows and numbers for columns if they stand in rows, else numbered."""
    rows: list[list[Dish]] = []
    for dish in sorted(dishes, key=lambda one: one.centre[1]):
        height = np.ptp(_outline(dish)[..., 1])
        if rows and abs(dish.centre[1] - np.mean([one.centre[1] for one in rows[-1]])) < height / 2:
            rows[-1].append(dish)
        else:
            rows.append([dish])
    ordered = [sorted(row, key=lambda one: one.centre[0]) for row in rows]
    if 1 < len(rows) <= len(ascii_uppercase) and len({len(row) for row in rows}) == 1 and len(rows[0]) > 1:
        return [replace(dish, name=f"{ascii_uppercase[r]}{c + 1}") for r, row in enumerate(ordered) for c, dish in enumerate(row)]
    flat = [dish for row in ordered for dish in row]
    return [replace(dish, name=f"arena{k + 1}" if len(flat) > 1 else "arena") for k, dish in enumerate(flat)]
