"""Labelled crops for the network: cut from the movies where trajectories put the animals, turned as their labelled points lie."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from herdbook.arrays import Bools, Floats, Image, Ints
from herdbook.artifacts.pose_trainset import PoseExamples
from herdbook.artifacts.segment import BlobImages, Blobs
from herdbook.artifacts.smooth import FROM_SINGLE, Trajectories
from herdbook.bodypoints.learned.changes import Crops
from herdbook.bodypoints.learned.crops import CropView, cut_crop, others_in_crop, to_crop
from herdbook.bodypoints.learned.shapes import exchanged_sides, learn_shape
from herdbook.errors import HerdbookError
from herdbook.geometry.ellipses import axis_lengths, body_length
from herdbook.geometry.runs import runs_to_mask

# A crop of the training set is so much wider than that of the network: room for turns, for shifts, and for others laid beside.
WIDER = 1.6
# What a crop shows beyond the farthest labelled point, so that a place or heading that is somewhat off does not cut it away.
ROOM = 1.2
# Labelled points farther than this from an animal, in body lengths, are not its own.
REACH = 0.5
# Of fewer labelled animals nothing can be learned, and a point with fewer labels is left out.
LEAST_ANIMALS, LEAST_LABELS = 8, 5
# Mirrored crops would be false if a point without a partner lay so far beside the axis, in body lengths.
BESIDE = 0.1


@dataclass(frozen=True)
class LabelledMovie:
    """What is known of a movie with labels: its `name`; labelled `points` (n, J, 2) px of the animals `individual` (n,), an index into
    those of the `trajectories`, in the `frame` (n,); its blobs and their `images`; `pictures` gives the grey pictures of frames.
    """

    name: str
    frame: Ints
    individual: Ints
    points: Floats
    trajectories: Trajectories
    blobs: Blobs
    images: BlobImages
    pictures: Callable[[Sequence[int]], Iterable[Image]]


@dataclass(frozen=True)
class CropRequest:
    """What the experiment asks for: names of the `points`, `mirrored` (J,) the point that each becomes in a mirror, None for no mirroring;
    `crop_body`, the side of a crop in body lengths, None to learn it, and its `size` in px.
    """

    points: Sequence[str]
    mirrored: Sequence[int] | None
    crop_body: float | None
    size: int


def gather_crops(movies: Sequence[LabelledMovie], wanted: CropRequest, notes: list[str], file: str) -> PoseExamples:
    """The training set of labelled movies; `notes` get what was not used. Raises HerdbookError where nothing can be learned."""
    axes = _half_axes([movie.blobs for movie in movies])
    body_px = 2 * axes[0]
    kept = [_with_positions(movie, notes) for movie in movies]
    points = np.concatenate([movie.points for movie, *_ in kept])
    place, heading = np.concatenate([found for _, found, _, _ in kept]), np.concatenate([found for _, _, found, _ in kept])
    single = np.concatenate([found for *_, found in kept])
    used = _usable_points(points, wanted.points, notes, file)
    points, names = points[:, used], [wanted.points[k] for k in used]
    mirrored = _mirrored_of(used, wanted.mirrored)
    shape, own_place, own_heading = learn_shape(points, place, heading)
    where = [f"{movie.name}, frame {frame}" for movie, *_ in kept for frame in movie.frame]
    if mirrored is not None:
        mirrored = _fit_for_mirrors(points, shape, mirrored, where, body_px, names, notes)
    side_px = _side(points, place, wanted.crop_body, body_px, notes)
    view, wide = CropView(side_px, wanted.size), CropView(side_px, wanted.size).wider(WIDER)
    cut: list[tuple[Image, Image, bool, Floats]] = []
    start = 0
    for movie, *_ in kept:
        rows = np.arange(start, start + len(movie.frame))
        start += len(movie.frame)
        cut += _cut(movie, own_place[rows], own_heading[rows], single[rows], axes, wide)
    pictures, masks, alone, others = zip(*cut, strict=True)
    offsets = np.cumsum([0, *map(len, others)])
    return PoseExamples(
        points=names,
        movies=[movie.name for movie, *_ in kept],
        individuals=list(dict.fromkeys(name for movie, *_ in kept for name in movie.trajectories.individuals)),
        notes=notes,
        side_px=view.side_px,
        size=view.size,
        body_px=body_px,
        half_axes=np.array(axes),
        pictures=np.stack(pictures),
        masks=np.stack(masks),
        alone=np.array(alone, np.bool_),
        xy=to_crop(points, own_place, own_heading, wide),
        movie=np.concatenate([np.full(len(movie.frame), k) for k, (movie, *_) in enumerate(kept)]).astype(np.int32),
        frame=np.concatenate([movie.frame for movie, *_ in kept]).astype(np.int32),
        individual=np.concatenate([_numbers(movie, kept) for movie, *_ in kept]).astype(np.int32),
        place=own_place,
        heading=own_heading,
        seen_place=place,
        seen_heading=heading,
        single=single,
        others=np.concatenate([np.zeros((0, 5)), *others]),
        other_offsets=offsets.astype(np.int64),
        shape=shape,
        mirrored=np.array([] if mirrored is None else mirrored, np.int32),
    )


def crops_of(examples: PoseExamples) -> Crops:
    """The crops of a training set as lessons need them."""
    scale = examples.size / examples.side_px
    return Crops(
        examples.pictures,
        examples.masks.astype(bool),
        examples.alone,
        examples.xy,
        examples.others,
        examples.other_offsets,
        (float(examples.half_axes[0]) * scale, float(examples.half_axes[1]) * scale),
    )


def positions_of(trajectories: Trajectories, frames: Sequence[int] | Ints) -> tuple[Floats, Floats, Bools]:
    """Places (k, m, 2), headings (k, m), and whether it was found alone (k, m), of the m individuals in these frames, NaN where unknown.

    The frames are all different.
    """
    number = np.full(max(trajectories.frames, int(max(frames, default=-1)) + 1), -1)
    number[np.asarray(frames, np.int64)] = np.arange(len(frames))
    rows = np.flatnonzero(number[trajectories.frame] >= 0)
    size = len(frames), len(trajectories.individuals)
    place, heading, single = np.full((*size, 2), np.nan), np.full(size, np.nan), np.zeros(size, bool)
    at = number[trajectories.frame[rows]], trajectories.individual[rows]
    place[at] = np.stack([trajectories.x[rows], trajectories.y[rows]], 1)
    heading[at], single[at] = trajectories.heading[rows], trajectories.source[rows] == FROM_SINGLE
    return place, heading, single


def _numbers(movie: LabelledMovie, kept: Sequence[tuple[LabelledMovie, Floats, Floats, Bools]]) -> Ints:
    names = list(dict.fromkeys(name for other, *_ in kept for name in other.trajectories.individuals))
    return np.array([names.index(name) for name in movie.trajectories.individuals], np.int64)[movie.individual]


def _half_axes(tables: Sequence[Blobs]) -> tuple[float, float]:
    """Half axes of a body, px: along, half the length that all of Herdbook takes for a body's, and across."""
    moments = np.concatenate([blobs.moments for blobs in tables])
    along, across = axis_lengths(*moments.T)
    return body_length(moments) / 2, max(float(np.median(across / along)) * body_length(moments) / 2, 1.0)


def _with_positions(movie: LabelledMovie, notes: list[str]) -> tuple[LabelledMovie, Floats, Floats, Bools]:
    """The labels of animals that have a position and a heading, and these."""
    frames, number = np.unique(movie.frame, return_inverse=True)
    place, heading, single = positions_of(movie.trajectories, frames)
    own = number, movie.individual
    place, heading, single = place[own], heading[own], single[own]
    known = ~np.isnan(heading) & ~np.isnan(movie.points[..., 0]).all(axis=1)
    notes += [
        f"{movie.name}, frame {frame}, {movie.trajectories.individuals[who]}: not used, it has no position or heading there"
        for frame, who in zip(movie.frame[~known], movie.individual[~known], strict=True)
    ]
    parts = {name: getattr(movie, name)[known] for name in ("frame", "individual", "points")}
    rest = {name: getattr(movie, name) for name in ("name", "trajectories", "blobs", "images", "pictures")}
    return LabelledMovie(**parts, **rest), place[known], heading[known], single[known]


def _usable_points(points: Floats, names: Sequence[str], notes: list[str], file: str) -> list[int]:
    if len(points) < LEAST_ANIMALS:
        raise HerdbookError(
            f"{file}: expected body points of at least {LEAST_ANIMALS} animals (one animal in ten frames counts as ten), found "
            f"{len(points)} that have a position. Label more frames: herdbook suggest --points proposes some."
        )
    counts = (~np.isnan(points[..., 0])).sum(axis=0)
    notes += [
        f"{names[k]}: left out, it has {count} labels; {LEAST_LABELS} are needed" for k, count in enumerate(counts) if count < LEAST_LABELS
    ]
    used = [k for k, count in enumerate(counts) if count >= LEAST_LABELS]
    if len(used) < 2:
        raise HerdbookError(
            f"{file}: expected at least two points with {LEAST_LABELS} labels or more, found {len(used)}. Label more frames."
        )
    return used


def _mirrored_of(used: Sequence[int], mirrored: Sequence[int] | None) -> Ints | None:
    """Partners among the `used` points; None if the partner of one is not used."""
    if mirrored is None or any(mirrored[k] not in used for k in used):
        return None
    return np.array([used.index(mirrored[k]) for k in used], np.int64)


def _fit_for_mirrors(
    points: Floats, shape: Floats, mirrored: Ints, where: Sequence[str], body_px: float, names: Sequence[str], notes: list[str]
) -> Ints | None:
    """The partners, or None where a point without one lies beside the axis; notes tell labels whose sides are exchanged."""
    alone = [k for k in range(len(names)) if mirrored[k] == k and abs(shape[k, 0]) > BESIDE * body_px]
    if alone:
        notes.append(f"crops are not mirrored in training: {', '.join(names[k] for k in alone)} lie beside the axis without a partner")
        return None
    odd = exchanged_sides(points, shape, mirrored)
    notes += [f"{where[k]}: left and right seem to be exchanged in the labels of an animal" for k in np.flatnonzero(odd).tolist()]
    return mirrored


def _side(points: Floats, place: Floats, crop_body: float | None, body_px: float, notes: list[str]) -> float:
    """Side of a crop, px: as wanted, but at least as large as the farthest points ask for."""
    away = np.hypot(*np.moveaxis(points - place[:, None], -1, 0))
    # A crop is turned about its middle, so that what counts is the distance; one in a hundred may be a slip of the hand.
    needed = 2 * float(np.nanpercentile(away, 99))
    if crop_body is None:
        return ROOM * needed
    if crop_body * body_px < needed:
        notes.append(
            f"pose.crop_body: {crop_body:g} does not hold the labelled points; crops are {ROOM * needed / body_px:.2g} bodies wide"
        )
        return ROOM * needed
    return crop_body * body_px


def _cut(
    movie: LabelledMovie, place: Floats, heading: Floats, single: Bools, axes: tuple[float, float], wide: CropView
) -> Iterable[tuple[Image, Image, bool, Floats]]:
    """Picture, mask, whether the mask is the animal's alone, and other animals, of each label, in order of the labels."""
    frames = np.unique(movie.frame)
    everywhere, headings, _ = positions_of(movie.trajectories, frames)
    pictures = dict(zip(frames.tolist(), movie.pictures(frames.tolist()), strict=True))
    for k, frame in enumerate(movie.frame.tolist()):
        number, who = int(np.searchsorted(frames, frame)), int(movie.individual[k])
        places, angles = everywhere[number].copy(), headings[number].copy()
        # Of the animals that are labelled in this frame it is known better where they are.
        same = np.flatnonzero(movie.frame == frame)
        places[movie.individual[same]], angles[movie.individual[same]] = place[same], heading[same]
        mask = _own_mask(movie, frame, places[who]) if single[k] else None
        picture = pictures[frame]
        shown = np.zeros(picture.shape, np.uint8) if mask is None else mask
        yield (
            cut_crop(picture, places[who], angles[who], wide),
            (cut_crop(shown * np.uint8(255), places[who], angles[who], wide) > 127).astype(np.uint8),
            mask is not None,
            others_in_crop(places, angles, who, axes, wide),
        )


def _own_mask(movie: LabelledMovie, frame: int, place: Floats) -> Image | None:
    """The pixels (rows, columns) of the blob whose box holds the place and whose centroid is nearest, None if there is none."""
    first, end = (int(movie.blobs.frame_offsets[k]) for k in (frame, frame + 1))
    x0, y0, x1, y1 = movie.blobs.box[first:end].T
    inside = np.flatnonzero((x0 <= place[0]) & (place[0] < x1) & (y0 <= place[1]) & (place[1] < y1))
    if not len(inside):
        return None
    near = np.hypot(movie.blobs.x[first:end][inside] - place[0], movie.blobs.y[first:end][inside] - place[1])
    row = first + int(inside[near.argmin()])
    runs, offsets = movie.images.runs(row, row + 1)
    mask = runs_to_mask(runs[offsets[0] : offsets[1]], 0, 0, movie.blobs.width, movie.blobs.height)
    return mask.astype(np.uint8)
