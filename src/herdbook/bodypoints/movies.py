"""The body points of a movie repaired: what Herdbook knows of its animals, and the artifact that comes of it."""

from collections.abc import Sequence

import numpy as np

from herdbook.arrays import Floats, Ints
from herdbook.artifacts.propagate import Identities
from herdbook.artifacts.repair import KEPT, MISSING, MISTAKES, REFUSED, RepairedPoints
from herdbook.artifacts.segment import BlobImages, Blobs
from herdbook.artifacts.smooth import FROM_SINGLE, Trajectories
from herdbook.artifacts.tracklets import SINGLE, Tracklets
from herdbook.bodypoints.kinds import counts_by_hour, worst_moments
from herdbook.bodypoints.outlines import distances
from herdbook.bodypoints.repairing import Seen, hand_points, points_of
from herdbook.errors import HerdbookError, nearest
from herdbook.formats.poses import Poses
from herdbook.geometry.ellipses import body_length

# Of a file that belongs to the movie nearly all points go to an animal; of another movie's hardly any.
LEAST_HANDED = 0.1
# Likelihoods are 0 to 1; the scores of some tools are a little above.
MOST_LIKELY = 1.5
# The moments that are listed, how long without a mistake ends one, and how long it is at most (s).
MOST_MOMENTS, PAUSE_S, LONGEST_S = 20, 0.5, 2.0


def check_repairable(poses: Poses, individuals: Sequence[str], believe_names: bool, file: str) -> None:
    """Raise HerdbookError for likelihoods in percent and, if the names of the file are to be believed, for names that are no animal's."""
    above = poses.likelihood[poses.likelihood > MOST_LIKELY]
    if len(above):
        raise HerdbookError(
            f"{file}: expected likelihoods from 0 to 1, found {float(above[0]):g} ({len(above)} above {MOST_LIKELY:g}). If they "
            "are in percent, divide them by 100."
        )
    strangers = [name for name in poses.individuals if name not in individuals]
    if believe_names and strangers:
        raise HerdbookError(
            f"{file}: repair.names: file, but {strangers[0]!r} is no animal of the experiment; {nearest(strangers[0], individuals)}. "
            f"The file has {', '.join(poses.individuals)}. Rename them, or let Herdbook name them: repair.names: herdbook."
        )


def repair_movie(
    poses: Poses,
    given_frames: int,
    trajectories: Trajectories,
    seen: Seen,
    time_s: Floats,
    least: float,
    believe_names: bool,
    file: str,
) -> RepairedPoints:
    """The `poses`, which a file gives for `given_frames` frames and which last as long as the movie, under the names of its animals.

    `time_s` (T,): time of the frames. Raises HerdbookError if the points cannot be those of the movie's animals.
    """
    individuals = trajectories.individuals
    names = np.array([individuals.index(name) if name in individuals else -1 for name in poses.individuals], np.int64)
    together = "Are they the body points of this movie?"
    if not poses.known.any():
        raise HerdbookError(f"{file}: has no body point with a place. Give the file of this movie, or leave out poses.")
    try:
        handed = hand_points(poses.xy, seen, names, least, believe_names)
    except ValueError as error:
        raise HerdbookError(f"{file}: its points cannot be handed to animals: {error}. {together}") from error
    known, kept = int((handed.kind != MISSING).sum()), int((handed.slot >= 0).sum())
    if kept < LEAST_HANDED * known:
        raise HerdbookError(f"{file}: only {kept} of {known} points can be those of an animal. {together}")
    places = points_of(poses.xy, handed.slot)
    likelihood = points_of(poses.likelihood[..., None], handed.slot)[..., 0]
    fps = 1 / float(np.median(np.diff(time_s))) if len(time_s) > 1 else 1.0
    moments = [
        (moment.slot, moment.first, moment.last, moment.worst, *moment.counts)
        for moment in worst_moments(handed.kind, max(1, round(PAUSE_S * fps)), max(1, round(LONGEST_S * fps)), MOST_MOMENTS)
    ]
    return RepairedPoints(
        individuals=list(individuals),
        points=list(poses.points),
        slots=list(poses.individuals),
        given_frames=given_frames,
        x=places[..., 0],
        y=places[..., 1],
        likelihood=likelihood.astype(np.float32),
        slot=handed.slot,
        sure=handed.sure,
        held=handed.held,
        stands=handed.stands.astype(np.int32),
        mistake=handed.kind,
        by_hour=counts_by_hour(handed.kind, time_s - time_s[:1].sum()),
        moments=np.array(moments, np.int32).reshape(-1, 8),
    )


def see_animals(
    xy: Floats, trajectories: Trajectories, blobs: Blobs, images: BlobImages, tracklets: Tracklets, identities: Identities, movie: str
) -> Seen:
    """What is known of the animals of a movie whose detections are `xy` (T, S, J, 2). `images` must stay open as long as it is used."""
    frames, animals = len(xy), len(trajectories.individuals)
    place, heading = np.full((frames, animals, 2), np.nan), np.full((frames, animals), np.nan)
    single = np.zeros((frames, animals), bool)
    at = trajectories.frame, trajectories.individual
    place[at] = np.stack([trajectories.x, trajectories.y], 1)
    heading[at], single[at] = trajectories.heading, trajectories.source == FROM_SINGLE
    tracked = tracklets.blob_tracklet >= 0
    alone = np.flatnonzero(tracked)[tracklets.tracklet_kind[tracklets.blob_tracklet[tracked]] == SINGLE]
    body_px = body_length(blobs.moments[alone])
    holder = blobs_of_animals(blobs, tracklets, identities, movie, trajectories.individuals)
    offsets = blobs.frame_offsets

    def outlines(first: int, end: int) -> Floats:
        start, stop = int(offsets[first]), int(offsets[end])
        runs, run_offsets = images.runs(start, stop)
        boxes = images.boxes(start, stop)
        found = np.empty((end - first, *xy.shape[1:3], animals))
        for t in range(first, end):
            low, high = int(offsets[t]) - start, int(offsets[t + 1]) - start
            own = np.where(holder[t] >= 0, holder[t] - offsets[t], -1)
            found[t - first] = distances(xy[t], runs, run_offsets[low : high + 1], boxes[low:high], own, body_px)
        return found

    return Seen(place, heading, single, body_px, outlines)


def blobs_of_animals(blobs: Blobs, tracklets: Tracklets, identities: Identities, movie: str, individuals: Sequence[str]) -> Ints:
    """The row (T, A) of the blob that holds each individual in each frame, alone or merged; -1 for none."""
    holder = np.full((blobs.frames, len(individuals)), -1, np.int64)
    rows, offsets = tracklets.blob_rows()
    own = identities.movie == identities.movies.index(movie)
    column = [individuals.index(name) if name in individuals else -1 for name in identities.individuals]
    for tracklet, individual in zip(identities.tracklet[own].tolist(), identities.individual[own].tolist(), strict=True):
        members = rows[offsets[tracklet] : offsets[tracklet + 1]]
        if column[individual] >= 0:
            holder[blobs.frame[members], column[individual]] = members
    return holder


def summary_of(points: RepairedPoints) -> str:
    """A line on what was wrong: shares of the detected points."""
    counts = points.by_hour.sum(axis=(0, 1))
    detected = max(int(counts[KEPT : REFUSED + 1].sum()), 1)
    shares = ", ".join(f"{counts[kind] / detected:.2%} {MISTAKES[kind]}" for kind in range(KEPT, REFUSED + 1))
    return f"{detected} detected points: {shares}"
