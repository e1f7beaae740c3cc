"""Everybody located in one movie before smoothing: blobs, who is in them, and a person's corrections become positions."""

from collections.abc import Callable, Collection, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts.propagate import Identities
from herdbook.artifacts.segment import BlobImage, BlobImages, Blobs
from herdbook.artifacts.tracklets import Tracklets
from herdbook.experiment.sheets.corrections import Correction
from herdbook.experiment.sheets.facts import Fact
from herdbook.positions.answers import answers_of, with_answers
from herdbook.positions.appearance import Likeness
from herdbook.positions.arrangements import fitted_step
from herdbook.positions.bodies import bodies_only, body_image, tail_radius, with_bodies
from herdbook.positions.corrections import correct_positions
from herdbook.positions.fills import fill_own_gaps
from herdbook.positions.fits import Fitter
from herdbook.positions.handing_on import Handed, follow_contacts
from herdbook.positions.locating import locate_animals
from herdbook.positions.passes import Evidence
from herdbook.positions.scene import Positions, RunsOf, Scene, alone_images, cut_scene, make_scene, tracklet_images
from herdbook.positions.templates import Templates

T = TypeVar("T")

# Blobs whose runs are read together.
BLOCK_BLOBS = 4096


class Located(NamedTuple):
    """Where everybody is before smoothing: positions for each of the `intervals` (k, 2), and `variances` as in `Scene`."""

    individuals: list[str]
    intervals: NDArray[np.int64]
    positions: list[Positions]
    variances: tuple[float, float]


def locate_movie(
    movie: str,
    blobs: Blobs,
    images: BlobImages,
    tracklets: Tracklets,
    identities: Identities,
    corrections: Sequence[Correction],
    facts: Sequence[Fact],
    tables: Sequence[Path],
    fill: int,
) -> Located:
    """Positions of all individuals of a movie, with their `corrections`, and lines over gaps of up to `fill` frames.

    Corrections and `facts` of the movie also decide who is where inside merged blobs. `tables` are the files of the corrections, for
    messages. Raises HerdbookError for a correction of an unknown animal.
    """
    blobs, scene, runs_of, image_of = _seen(movie, blobs, images, tracklets, identities)
    shown = alone_images(scene, blobs, len(identities.individuals))
    likeness, templates = Likeness(shown, image_of, scene.variances), Templates(shown, image_of, scene.variances)
    answers = answers_of(corrections, facts)
    answered = {(a.frame, identities.individuals.index(a.individual)) for a in answers if a.individual in identities.individuals}
    positions = []
    # Nothing is known between intervals: each is located, filled and smoothed on its own.
    for first, end in blobs.intervals.tolist():
        start, stop = np.searchsorted(blobs.frame, (first, end)).tolist()
        cut = cut_scene(scene, start, stop)
        fitter = Fitter(templates, partial(_shifted, image_of, start), scene.variances, fitted_step(cut))
        seen = _evidence_of(likeness, blobs, start)
        evidence = with_answers(seen, cut.frame, answers, identities.individuals, 4 * scene.variances[1] ** 0.5)
        found = locate_animals(cut, partial(_shifted, runs_of, start), evidence, fitter.fit, answered)
        for table in tables:
            found = correct_positions(found, corrections, identities.individuals, (first, end), table)
        positions.append(fill_own_gaps(found, cut, fill))
    return Located(identities.individuals, blobs.intervals, positions, scene.variances)


def follow_movie(
    movie: str, blobs: Blobs, images: BlobImages, tracklets: Tracklets, identities: Identities, only: Collection[int] | None = None
) -> list[Handed]:
    """Where the animal of each single tracklet of a movie goes on in contacts and after them, by movement and looks.

    `identities` tell how many animals the tracklets hold; they need to name nobody. `only`: as in `follow_contacts`.
    """
    blobs, scene, runs_of, image_of = _seen(movie, blobs, images, tracklets, identities)
    templates = Templates(tracklet_images(scene, blobs), image_of, scene.variances)
    return follow_contacts(scene, runs_of, Fitter(templates, image_of, scene.variances, fitted_step(scene)).fit, only)


def _seen(
    movie: str, blobs: Blobs, images: BlobImages, tracklets: Tracklets, identities: Identities
) -> tuple[Blobs, Scene, RunsOf, Callable[[int], BlobImage | None]]:
    """Blobs, scene, and readers of runs and images of a movie; of animals with tails only their bodies."""
    alone = np.flatnonzero(identities.animals_of(movie)[tracklets.blob_tracklet] == 1)
    radius, runs_of = tail_radius(images, alone), _runs_reader(images, len(blobs))
    if radius is not None:
        runs_of = bodies_only(runs_of, radius)
        blobs = with_bodies(blobs, runs_of)
    image_of = lru_cache(maxsize=64)(partial(_image_of, images, blobs, radius))
    return blobs, make_scene(blobs, tracklets, identities, movie), runs_of, image_of


def _runs_reader(images: BlobImages, blobs: int) -> RunsOf:
    """The runs of any of so many blobs, read with those beside it: they are asked for in order, forwards or backwards."""

    @lru_cache(maxsize=4)
    def block(first: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        return images.runs(first, min(blobs, first + BLOCK_BLOBS))

    def runs_of(blob: int) -> NDArray[np.int32]:
        runs, offsets = block(blob - blob % BLOCK_BLOBS)
        nth = blob % BLOCK_BLOBS
        return runs[offsets[nth] : offsets[nth + 1]]

    return runs_of


def _shifted(of: Callable[[int], T], start: int, blob: int) -> T:
    return of(start + blob)


def _image_of(images: BlobImages, blobs: Blobs, radius: float | None, blob: int) -> BlobImage | None:
    return body_image(images.image(int(blobs.image[blob])), radius) if blobs.image[blob] >= 0 else None


def _evidence_of(likeness: Likeness, blobs: Blobs, start: int) -> Evidence:
    """The likeness for a scene that begins with the blob `start`."""

    def evidence(blob: int, members: Sequence[int], places: NDArray[np.float64]) -> NDArray[np.float64] | None:
        return likeness.evidence(start + blob, int(blobs.frame[start + blob]), members, places)

    return evidence


def points_alone(intervals: NDArray[np.int64]) -> Located:
    """Nobody located, in each of the `intervals` (k, 2): to smooth body points by themselves."""
    nothing = np.zeros(0)
    rows = nothing.astype(np.int64)
    table = Positions(rows, rows, nothing, nothing, nothing, nothing, nothing.astype(np.uint8))
    return Located([], intervals, [table] * len(intervals), (1.0, 1.0))
