"""What a run found in a movie, read from its artifacts: who is where in each frame, animals that nobody knows, and doubts.

Points are (x, y) in px of the movie.
"""

import hashlib
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from herdbook.app.outlines import outlines_of_runs
from herdbook.app.watching.lanes import lane_states, states_of
from herdbook.app.watching.positions import FramePlaces, Unknown, positions_of_blobs, read_positions, unknown_animals
from herdbook.app.watching.reviewed import doubts_of_names, doubts_of_places, is_reviewed, renamed, reviewed_path
from herdbook.arrays import Ints
from herdbook.artifacts.propagate import Identities
from herdbook.artifacts.segment import BlobImages, Blobs, open_blob_images
from herdbook.artifacts.tracklets import Tracklets
from herdbook.drawing.colours import as_css, individual_colours
from herdbook.errors import HerdbookError
from herdbook.experiment.model import Experiment
from herdbook.identity.doubts import Doubt

# Points of all trails of a frame; with more animals, each trail has fewer.
MOST_TRAIL_POINTS, MOST_POINTS_OF_ONE = 3000, 60
# How often it is looked whether a run has made new results.
CHECK_S = 1.0


@dataclass
class Watched:
    """What a run found in one movie.

    `positions`: "smooth", or "propagate" if the run has got no farther; `made` tells the results from others.
    """

    movie: str
    names: list[str]
    colours: list[str]
    frames: int
    size: tuple[int, int]
    intervals: Ints
    places: FramePlaces
    unknown: Unknown
    radius: NDArray[np.float32]
    doubts: list[Doubt]
    images: BlobImages
    blob_offsets: Ints
    trail_frames: int
    positions: str
    made: str
    _states: NDArray[np.uint8] | None = field(default=None, repr=False)

    def summary(self) -> dict[str, Any]:
        """What a page must know before it shows frames: names and their colours, and the doubts, most to gain first."""
        return {
            **{"movie": self.movie, "names": self.names, "colours": self.colours, "positions": self.positions, "made": self.made},
            "doubts": [
                {
                    **{name: getattr(doubt, name) for name in ("frame", "name", "assigned", "others", "gain")},
                    **{"probability": round(doubt.probability, 3), "span": list(span), "text": question_of(doubt)},
                }
                for doubt, span in zip(self.doubts, self.spans(), strict=True)
            ],
        }

    def spans(self) -> list[tuple[int, int]]:
        """First and last frame of each doubt in this movie."""
        return [
            (
                doubt.from_frame if doubt.from_movie == self.movie else 0,
                doubt.to_frame if doubt.to_movie == self.movie else self.frames - 1,
            )
            for doubt in self.doubts
        ]

    def on_frame(self, frame: int, *, outlines: bool) -> tuple[dict[str, Any], bytes, bytes]:
        """What is drawn on a frame: head, outlines, and trails (float32: individual, number of points, x, y of each)."""
        rows = self.places.rows(frame)
        who = self.places.individual[rows].tolist()
        x, y = self.places.x[rows], self.places.y[rows]
        places = dict(zip(who, zip(x.tolist(), y.tolist(), strict=True), strict=True))
        head = {
            **{"who": who, "x": _short(x), "y": _short(y), "radius": _short(self.radius[self.places.individual[rows]])},
            "source": self.places.source[rows].tolist(),
            "sure": np.round(self.places.confidence[rows].astype(float), 3).tolist(),
            "unknown": self.unknown.on_frame(frame),
            "doubts": self._doubts_on(frame, places),
            "made": self.made,
        }
        first, last = (int(row) for row in self.blob_offsets[frame : frame + 2])
        drawn = b""
        count = 0
        if outlines and last > first:
            runs, offsets = self.images.runs(first, last)
            drawn, count = outlines_of_runs(runs, offsets, self.size[::-1]).tobytes(), last - first
        return {"tracks": head, "reasons": [-1] * count}, drawn, self._trails(frame).tobytes()

    def lanes(self, first: int, end: int, width: int) -> dict[str, Any]:
        """The line of time of each animal between two frames, as `lane_states` says, at most `width` places."""
        first, end = max(0, first), min(self.frames, end)
        if end <= first:
            raise HerdbookError(f"{self.movie} has frames 0..{self.frames - 1}; from {first} to {end} there are none")
        if self._states is None:
            self._states = states_of(self.places, self.unknown, len(self.names), self.frames, self.intervals)
        shown, states = lane_states(self._states, first, end, width)
        return {"first": first, "end": end, "who": shown.tolist(), "of": len(self.names), "states": states, "made": self.made}

    def _doubts_on(self, frame: int, places: Mapping[int, tuple[float, float]]) -> list[list[float]]:
        found: list[list[float]] = []
        for number, (doubt, (first, last)) in enumerate(zip(self.doubts, self.spans(), strict=True)):
            if not first <= frame <= last:
                continue
            who = self.names.index(doubt.assigned) if doubt.assigned in self.names else -1
            if frame == doubt.frame:
                found.append([number, doubt.x, doubt.y])
            elif who in places:
                found.append([number, *(round(value, 1) for value in places[who])])
        return found

    def _trails(self, frame: int) -> NDArray[np.float32]:
        places = self.places
        now = places.rows(frame)
        animals = max(1, now.stop - now.start)
        points = max(4, min(MOST_POINTS_OF_ONE, MOST_TRAIL_POINTS // animals))
        stride = max(1, -(-self.trail_frames // points))
        begin = max(0, frame - self.trail_frames)
        past = np.arange(places.offsets[begin], now.stop)
        frames = np.repeat(np.arange(begin, frame + 1), np.diff(places.offsets[begin : frame + 2]))
        # Points are thinned on a fixed grid of frames, so that a trail does not wobble from frame to frame.
        kept = (frames % stride == 0) | (frames == frame)
        past, frames = past[kept], frames[kept]
        order = np.argsort(places.individual[past], kind="stable")
        past, frames = past[order], frames[order]
        who = places.individual[past]
        breaks = np.flatnonzero((np.diff(who) != 0) | (np.diff(frames) > stride)) + 1
        parts = []
        for first, end in pairwise([0, *breaks.tolist(), len(past)]):
            if end - first > 1:
                rows = past[first:end]
                head = np.array([places.individual[rows[0]], end - first], np.float32)
                parts += [head, np.stack([places.x[rows], places.y[rows]], 1).ravel().astype(np.float32)]
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)


class RunResults:
    """The results of all movies of an experiment that are watched, read again when a run has made new ones."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[str, Watched, ExitStack]] = {}
        self._checked: dict[str, float] = {}

    def of(self, experiment: Experiment, movie: str, frames: int) -> Watched:
        """What was found in a movie of so many frames. Raises HerdbookError if there is nothing yet, or if it cannot be used."""
        known = self._found.get(movie)
        if known is not None and time.monotonic() - self._checked[movie] < CHECK_S:
            return known[1]
        files = _files(experiment, movie)
        made = _stamp(files)
        if known is not None and known[0] == made:
            self._checked[movie] = time.monotonic()
            return known[1]
        self._forget(movie)
        missing = [name for name in ("segment", "tracklets", "propagate") if not files[name].is_file()]
        if missing:
            raise HerdbookError(f"There is nothing to watch in {movie} yet: run it first (the stage {missing[0]} is missing).")
        open_files = ExitStack()
        watched = _read(experiment, movie, files, made, open_files)
        self._found[movie], self._checked[movie] = (made, watched, open_files), time.monotonic()
        if watched.frames != frames:
            self._forget(movie)
            raise HerdbookError(f"The results of {movie} are of {watched.frames} frames, the movie has {frames}: run it again.")
        return watched

    def close(self) -> None:
        """Close all files."""
        for movie in list(self._found):
            self._forget(movie)

    def _forget(self, movie: str) -> None:
        if movie in self._found:
            self._found.pop(movie)[2].close()


def _files(experiment: Experiment, movie: str) -> dict[str, Path]:
    recording = experiment.recording_of(movie)
    return {
        "segment": experiment.artifact("segment", movie),
        "tracklets": experiment.artifact("tracklets", movie),
        "propagate": experiment.artifact("propagate", recording),
        "smooth": experiment.artifact("smooth", movie),
        "doubts": experiment.artifact("propagate", recording).with_suffix(".doubtful.csv"),
        "all doubts": experiment.folder / "doubtful.csv",
        "reviewed": reviewed_path(experiment, recording),
    }


def _stamp(files: Mapping[str, Path]) -> str:
    stamps = []
    for path in files.values():
        try:
            state = path.stat()
            stamps.append(f"{state.st_mtime_ns:x}.{state.st_size:x}")
        except OSError:
            stamps.append("-")
    return hashlib.sha256("_".join(stamps).encode()).hexdigest()[:12]


def _read(experiment: Experiment, movie: str, files: Mapping[str, Path], made: str, open_files: ExitStack) -> Watched:
    run = identities = Identities.load(files["propagate"])
    reviewed = is_reviewed(experiment, experiment.recording_of(movie))
    if reviewed:
        identities = Identities.load(files["reviewed"])
    tracklets = Tracklets.load(files["tracklets"], without=("edges", "edge_weight", "border_edges", "size", "animals_margin"))
    blobs = Blobs.load(files["segment"], without=set(Blobs.columns) - {"frame", "x", "y", "box"})
    if movie not in identities.movies:
        raise HerdbookError(f"{files['propagate']} does not know {movie}: run it again")
    places, smoothed = None, files["smooth"].is_file() and files["smooth"].stat().st_mtime_ns >= files["propagate"].stat().st_mtime_ns
    if smoothed:
        places, names = read_positions(files["smooth"])
        if reviewed:
            spans = np.stack([tracklets.first, tracklets.last], 1).astype(np.int64)
            centres = positions_of_blobs(blobs, tracklets, identities, movie)
            places = renamed(places, names, centres, run, identities, spans, movie)
    else:
        places, names = positions_of_blobs(blobs, tracklets, identities, movie), identities.individuals
    unknown, radius = unknown_animals(blobs, tracklets, identities, movie, len(names))
    return Watched(
        movie=movie,
        names=names,
        colours=as_css(individual_colours(names)),
        frames=blobs.frames,
        size=(blobs.width, blobs.height),
        intervals=blobs.intervals,
        places=places,
        unknown=unknown,
        radius=radius,
        doubts=_doubts(experiment, movie),
        images=open_files.enter_context(open_blob_images(files["segment"])),
        blob_offsets=blobs.frame_offsets,
        trail_frames=max(1, round(experiment.overlay.trail_s * blobs.fps)),
        positions="smooth" if smoothed else "propagate",
        made=made,
    )


def _doubts(experiment: Experiment, movie: str) -> list[Doubt]:
    """The doubts of a movie, of names and of places in contact, most to gain first."""
    found = [*doubts_of_names(experiment, experiment.recording_of(movie)), *doubts_of_places(experiment)]
    return sorted((doubt for doubt in found if doubt.movie == movie), key=lambda doubt: -doubt.gain)


def question_of(doubt: Doubt) -> str:
    """A doubt in words."""
    sure = f"{doubt.name} {doubt.probability:.0%}" if doubt.name else "nobody known"
    others = [name_and_share.rsplit(" ", 1) for name_and_share in doubt.others.split("; ") if name_and_share]
    return ", or ".join([f"{doubt.fact} {sure}", *(f"{name} {float(share):.0%}" for name, share in others)])


def _short(values: NDArray[np.floating[Any]]) -> list[float]:
    return [round(value, 1) for value in values.tolist()]
