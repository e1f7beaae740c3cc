"""Labelled body points, whatever file they are in, each set of them given to the animal it belongs to. Points are (x, y) px."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment

from herdbook.arrays import Floats, Ints
from herdbook.artifacts.smooth import Trajectories
from herdbook.errors import HerdbookError, nearest
from herdbook.experiment.sheets.corrections import read_corrections
from herdbook.experiment.sheets.point_labels import is_points_table, movie_of_file
from herdbook.experiment.sheets.table import refuse_faults
from herdbook.formats.pose_files import read_poses

# An animal whose labelled points have their middle farther from its place than this, in body lengths, is not the labelled one: half a body
# beyond the end of its own.
FARTHEST = 1.0


@dataclass(frozen=True)
class LabelledAnimal:
    """The `points` by name of an animal in a `frame` of a `movie`, NaN for one that cannot be seen; `individual` "" if the file names
    none; `place` says where in the file.
    """

    movie: str
    frame: int
    individual: str
    points: dict[str, tuple[float, float]]
    file: Path
    place: str


def read_point_labels(paths: Sequence[Path], movies: Sequence[str], individuals: Sequence[str]) -> list[LabelledAnimal]:
    """The labels of some files: tables like that of corrections, labelled frames of DeepLabCut or SLEAP, or layers of DUSTrack.

    Of a later file counts, if one animal is labelled twice. Raises HerdbookError for individuals that are none, with the line.
    """
    found: dict[tuple[str, int, str, int], LabelledAnimal] = {}
    for path in paths:
        for number, animal in enumerate(_of_table(path, individuals) if is_points_table(path) else _of_tool(path, movies, individuals)):
            key = animal.movie, animal.frame, animal.individual, -1 if animal.individual else number
            points = found[key].points | animal.points if key in found else animal.points
            found[key] = LabelledAnimal(animal.movie, animal.frame, animal.individual, points, path, animal.place)
    return sorted(found.values(), key=lambda animal: (animal.movie, animal.frame, animal.individual))


def point_names(labels: Sequence[LabelledAnimal], wanted: Sequence[str] | None, file: str) -> list[str]:
    """Names of the points, in the order `wanted` or in which they come. Raises HerdbookError for labels of other points, and for names that
    differ by capitals alone.
    """
    names = list(dict.fromkeys(name for animal in labels for name in animal.points))
    if not names:
        raise HerdbookError(f"{file}: expected labelled body points, found none. Label some frames, or delete pose.labels.")
    if wanted is None:
        for one, other in combinations(names, 2):
            if one.casefold() == other.casefold():
                raise HerdbookError(f"{file}: the points {one!r} and {other!r} are one point in two spellings? Write it in one way.")
        return names
    strangers = [name for name in names if name not in wanted]
    if strangers:
        raise HerdbookError(
            f"{file}: the labels have the point{'s' if len(strangers) > 1 else ''} {', '.join(map(repr, strangers))}, pose.points has "
            f"{', '.join(wanted)}; {nearest(strangers[0], wanted)}. Correct one of them, or leave out pose.points."
        )
    missing = [name for name in wanted if name not in names]
    if missing:
        raise HerdbookError(
            f"{file}: no label is of {', '.join(map(repr, missing))} of pose.points; the labels have {', '.join(names)}. "
            f"{nearest(missing[0], names)}"
        )
    return list(wanted)


def partners(points: Sequence[str], given: dict[str, str] | None) -> list[int]:
    """The number of the point that each becomes in a mirror; without `given` pairs those whose names differ by left and right.

    Raises HerdbookError for pairs of points that are not there, or that are in two pairs.
    """
    pairs = _pairs_by_name(points) if given is None else dict(given)
    strangers = [name for name in (*pairs, *pairs.values()) if name not in points]
    if strangers:
        raise HerdbookError(f"pose.mirror: there is no point {strangers[0]!r}; {nearest(strangers[0], points)}")
    both = [*pairs, *pairs.values()]
    if given is not None and len(set(both)) < len(both):
        twice = next(name for name in both if both.count(name) > 1)
        raise HerdbookError(f"pose.mirror: {twice!r} is there twice; a point has one partner. Write each pair once, left: right.")
    turned = pairs | {right: left for left, right in pairs.items()}
    return [points.index(turned.get(name, name)) for name in points]


def give_to_animals(
    labels: Sequence[LabelledAnimal], trajectories: Trajectories, points: Sequence[str], body_px: float, at: Callable[[Ints], Floats]
) -> tuple[Ints, Ints, Floats]:
    """Frames (n,), individuals (n,) and points (n, J, 2) of the labels of one movie.

    Animals without a name in the file are those whose place fits best, each once in a frame; `at(frames)` gives the places (k, m, 2) of the
    individuals. Raises HerdbookError, with all faults, for frames beyond the movie and for labels of nobody.
    """
    faults: list[str] = []
    inside = [animal for animal in labels if animal.frame < trajectories.frames]
    faults += [
        f"{animal.place}: there is no frame {animal.frame}, the movie has {trajectories.frames}"
        for animal in labels
        if animal.frame >= trajectories.frames
    ]
    xy = np.array([[animal.points.get(name, (np.nan, np.nan)) for name in points] for animal in inside]).reshape(-1, len(points), 2)
    seen = ~np.isnan(xy[..., 0]).all(axis=1)
    inside, xy = [animal for animal, known in zip(inside, seen, strict=True) if known], xy[seen]
    frame = np.array([animal.frame for animal in inside], np.int64)
    frames = np.unique(frame)
    places = at(frames)
    who = np.array([_number(animal.individual, trajectories.individuals) for animal in inside], np.int64)
    with np.errstate(invalid="ignore"):
        middle = np.nanmedian(xy, axis=1) if len(xy) else np.zeros((0, 2))
    for number, one in enumerate(frames):
        rows = np.flatnonzero(frame == one)
        away = np.hypot(*np.moveaxis(middle[rows, None] - places[number], -1, 0))
        far = np.nan_to_num(away, nan=np.inf)
        unnamed = np.flatnonzero(who[rows] < 0)
        free = np.setdiff1d(np.flatnonzero(np.isfinite(far).any(axis=0)), who[rows])
        if len(unnamed) and len(free):
            cost = np.minimum(far[np.ix_(unnamed, free)], 1e6)
            chosen, column = linear_sum_assignment(cost)
            who[rows[unnamed[chosen]]] = free[column]
        for k, row in enumerate(rows):
            # An animal without a place in this frame is hidden, which is no fault of its label.
            lost = who[row] < 0 or FARTHEST * body_px < far[k, who[row]] < np.inf
            if lost:
                name = inside[row].individual
                whose = f"those of {name}, which is {far[k, who[row]]:.0f} px away" if name else "of any"
                faults.append(
                    f"{inside[row].place}: the points are {far[k].min():.0f} px from the nearest animal in frame {one}, and cannot be "
                    f"{whose}: a body is {body_px:.0f} px long"
                )
    if faults:
        refuse_faults(labels[0].file, faults)
    return frame, who, xy


def _number(name: str, individuals: Sequence[str]) -> int:
    return individuals.index(name) if name in individuals else -1


def _of_table(path: Path, individuals: Sequence[str]) -> list[LabelledAnimal]:
    rows = [row for row in read_corrections(path) if row.point]
    refuse_faults(
        path,
        [
            f"{row.place}: there is no animal {row.individual!r}; {nearest(row.individual, individuals)}"
            for row in rows
            if row.individual not in individuals
        ],
    )
    found: dict[tuple[str, int, str], LabelledAnimal] = {}
    for row in rows:
        key = row.movie, row.frame, row.individual
        animal = found.setdefault(key, LabelledAnimal(*key, {}, path, row.place))
        animal.points[row.point] = row.x, row.y
    return list(found.values())


def _of_tool(path: Path, movies: Sequence[str], individuals: Sequence[str]) -> list[LabelledAnimal]:
    poses, movie = read_poses([path]), movie_of_file(path, movies)
    known = poses.known
    # Where a file holds labels and predictions, only what a person said counts: that has no likelihood.
    if (known & np.isnan(poses.likelihood)).any():
        known = known & np.isnan(poses.likelihood)
    found = []
    for frame, slot in np.argwhere(known.any(axis=2)).tolist():
        name = poses.individuals[slot]
        points = {
            point: (float(poses.xy[frame, slot, k, 0]), float(poses.xy[frame, slot, k, 1])) if known[frame, slot, k] else (np.nan, np.nan)
            for k, point in enumerate(poses.points)
        }
        found.append(LabelledAnimal(movie, frame, name if name in individuals else "", points, path, f"frame {frame} of {name}"))
    return found


# As a word of its own or a capital, so that neither "tail" nor "ear" has a side.
_SIDES = (("left", "right"), ("Left", "Right"), ("LEFT", "RIGHT"), ("L", "R"), ("l_", "r_"), ("_l", "_r"))


def _pairs_by_name(points: Sequence[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for name in points:
        for left, right in _SIDES:
            places = [k for k in range(len(name)) if name.startswith(left, k)]
            swapped = [name[:k] + right + name[k + len(left) :] for k in places]
            partner = next((other for other in swapped if other in points and other not in pairs.values()), None)
            if partner:
                pairs[name] = partner
                break
    return pairs
