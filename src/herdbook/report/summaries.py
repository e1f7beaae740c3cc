"""What the report says about a recording, counted from columns of the artifacts: arrays in, arrays out.

Frames are numbered through a recording, from 0 in its first movie.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Floats
from herdbook.artifacts.propagate import HOW_KNOWN
from herdbook.artifacts.smooth import SOURCES
from herdbook.report.samples import SampleFrame

# What an animal without a position is in a frame: perhaps one that is seen but not known by name; out of sight; in a frame that is not
# tracked; a fragment that does not exist then.
CATEGORIES = (*SOURCES, "unknown", "hidden", "not tracked", "no position")
UNKNOWN, HIDDEN, UNTRACKED, ABSENT = range(len(SOURCES), len(CATEGORIES))
ROWS_AT_ONCE = 2_000_000


@dataclass(frozen=True)
class RecordingTracks:
    """Positions of a recording, sorted by frame: `frame` int64, `individual` int64 (into `names`), `x`, `y` float32 px, `source` uint8,
    `confidence` float32, one entry per individual and frame that has a position.
    """

    names: list[str]
    frame: NDArray[np.int64]
    individual: NDArray[np.int64]
    x: NDArray[np.float32]
    y: NDArray[np.float32]
    source: NDArray[np.uint8]
    confidence: NDArray[np.float32]

    def longest(self, number: int) -> NDArray[np.int64]:
        """The individuals with the most positions, at most `number` of them, in the order of their names' list; all that have none last."""
        counts = np.bincount(self.individual, minlength=len(self.names))
        return np.sort(np.argsort(-counts, kind="stable")[:number])


def count_sources(tracks: RecordingTracks) -> NDArray[np.int64]:
    """Positions (individuals, sources) per individual and source."""
    shape = (len(tracks.names), len(SOURCES))
    return np.bincount(tracks.individual * shape[1] + tracks.source, minlength=shape[0] * shape[1]).reshape(shape)


def mean_confidence(tracks: RecordingTracks) -> NDArray[np.float64]:
    """Mean confidence (individuals,) of the positions, NaN where there is none."""
    number = np.bincount(tracks.individual, minlength=len(tracks.names))
    total = np.bincount(tracks.individual, tracks.confidence, minlength=len(tracks.names)).astype(np.float64)
    return _ratios(total, number)


def count_how_known(
    individual: NDArray[np.int64], how: NDArray[np.uint8], frames: NDArray[np.int64], individuals: int
) -> NDArray[np.int64]:
    """Frames (individuals, ways) per individual and way of knowing (see HOW_KNOWN), from one row per tracklet and individual in it.

    `frames` is the number of frames in which the row's tracklet has a blob.
    """
    shape = (individuals, len(HOW_KNOWN))
    flat = np.bincount(individual * shape[1] + how, frames, minlength=shape[0] * shape[1])
    return np.rint(flat).astype(np.int64).reshape(shape)


def frame_bins(frames: int, most: int) -> NDArray[np.int64]:
    """Edges (bins + 1,) that cut `frames` >= 1 frames into at most `most` bins of nearly equal numbers of frames, none empty."""
    bins = min(frames, most)
    return np.linspace(0, frames, bins + 1).astype(np.int64)


def timeline_matrix(
    tracks: RecordingTracks, individuals: NDArray[np.int64], edges: NDArray[np.int64], lacking: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Category (len(individuals), bins) of each individual in each bin of frames, an index into CATEGORIES.

    `lacking` (frames,) is the category of who has no position in a frame. It is the most frequent category of the bin; where two are
    equally frequent the less certain one, which comes later.
    """
    kinds, bins = len(CATEGORIES), len(edges) - 1
    row_of = np.full(len(tracks.names), -1)
    row_of[individuals] = np.arange(len(individuals))
    bin_of = np.repeat(np.arange(bins), np.diff(edges))
    counts = np.tile(np.bincount(bin_of * kinds + lacking, minlength=bins * kinds), len(individuals))
    for start in range(0, len(tracks.frame), ROWS_AT_ONCE):
        rows = np.s_[start : start + ROWS_AT_ONCE]
        row, frame, source = row_of[tracks.individual[rows]], tracks.frame[rows], tracks.source[rows]
        place = (row * bins + bin_of[frame]) * kinds
        shown = row >= 0
        counts += np.bincount((place + source)[shown], minlength=len(counts))
        counts -= np.bincount((place + lacking[frame])[shown], minlength=len(counts))
    return np.asarray(kinds - 1 - counts.reshape(len(individuals), bins, kinds)[..., ::-1].argmax(axis=2), np.uint8)


def bin_ranges(values: NDArray[np.int64], edges: NDArray[np.int64]) -> NDArray[np.float64]:
    """Least, mean and greatest value (3, bins) of `values` (frames,) in each bin of frames."""
    least, greatest = (extreme.reduceat(values, edges[:-1]) for extreme in (np.minimum, np.maximum))
    return np.stack([least, np.add.reduceat(values, edges[:-1]) / np.diff(edges), greatest]).astype(np.float64)


def expected_error(tracks: RecordingTracks, edges: NDArray[np.int64]) -> NDArray[np.float64]:
    """Share (bins,) of the positions in each bin of frames that are expected to be wrong by their confidence, NaN where there is none."""
    column = np.searchsorted(edges, tracks.frame, side="right") - 1
    bins = len(edges) - 1
    number = np.bincount(column, minlength=bins)
    return _ratios(np.bincount(column, 1.0 - tracks.confidence.astype(np.float64), minlength=bins).astype(np.float64), number)


def track_lines(tracks: RecordingTracks, most_points: int) -> list[NDArray[np.float64]]:
    """Path (n, 2) of each individual for a picture: at most about `most_points` points, with a row of NaN at each gap in time."""
    order = np.argsort(tracks.individual, kind="stable")
    starts = np.searchsorted(tracks.individual[order], np.arange(1, len(tracks.names)))
    return [_line(tracks, rows, most_points) for rows in np.split(order, starts)] if tracks.names else []


def _line(tracks: RecordingTracks, rows: NDArray[np.int64], most_points: int) -> NDArray[np.float64]:
    part = np.cumsum(np.diff(tracks.frame[rows], prepend=tracks.frame[rows[:1]]) > 1)
    ends = (np.diff(part, prepend=-1) > 0) | (np.diff(part, append=-1) != 0)
    stride = max(1, -(-len(rows) // most_points))
    kept = ends | (np.arange(len(rows)) % stride == 0)
    points = np.stack([tracks.x[rows[kept]], tracks.y[rows[kept]]], axis=1).astype(np.float64)
    return np.insert(points, np.flatnonzero(np.diff(part[kept])) + 1, np.nan, axis=0)


@dataclass(frozen=True)
class MovieSummary:
    """What the index says about one movie, in how many of its frames animals are tracked, and at which share of the positions and of the
    body points of each interval (k,) the flow agrees with what was found, as in `Trajectories`; empty where that is not known.
    """

    name: str
    frames: int
    tracked: int
    duration_s: float
    width: int
    height: int
    fps: float
    codec: str
    notes: Sequence[str] = ()
    agreement: Floats = field(default_factory=lambda: np.zeros(0))
    points_agreement: Floats = field(default_factory=lambda: np.zeros(0))


@dataclass(frozen=True)
class Contacts:
    """Contacts of pairs of individuals, symmetric (n, n): their `number` int64, and how long they last in all, `time_s` float64."""

    number: NDArray[np.int64]
    time_s: NDArray[np.float64]


@dataclass(frozen=True)
class Recording:
    """One recording: its movies, positions, and what the report counts in it.

    `wanted` int64 (frames,) is how many animals there are in a frame, 0 where none are tracked; as many as are in sight if their number is
    not known (`number` is None). `filled` int64 (frames,): how many of them have a position, see `filled_places`; `number` of animals.

    `time_s` (frames + 1,) of the frames through the recording and of its end; `blobs`, `animals` int64 (frames,) blobs per frame and
    animals that the tracklets hold in them; `how_known` int64 (individuals, ways) frames, see `count_how_known`; `gap` see `Identities`;
    `tracklets` number of them, `tracklets_read` of those looked at by the classifier, `images_read` images it looked at;
    `background` uint8 (height, width, 3) BGR. `lacking` uint8 (frames,): the category of who has no position in a frame, UNKNOWN or HIDDEN
    or UNTRACKED; `arenas` int16 (height, width) number of the arena at each pixel, -1 outside; `body_length_px` median length of animals
    that are alone, NaN if none is; `contacts` None where nobody has a lasting name.
    """

    name: str
    movies: list[MovieSummary]
    tracks: RecordingTracks
    time_s: NDArray[np.float64]
    blobs: NDArray[np.int64]
    animals: NDArray[np.int64]
    how_known: NDArray[np.int64]
    gap: float
    tracklets: int
    tracklets_read: int
    images_read: int
    background: NDArray[np.uint8]
    lacking: NDArray[np.uint8]
    wanted: NDArray[np.int64]
    filled: NDArray[np.int64]
    number: int | None
    arenas: NDArray[np.int16]
    body_length_px: float
    px_per_mm: float | None = None
    contacts: Contacts | None = None
    samples: Sequence[SampleFrame] = field(default_factory=list)

    @property
    def frames(self) -> int:
        """Number of frames of all its movies."""
        return len(self.time_s) - 1

    @property
    def tracked(self) -> int:
        """Number of frames of all its movies in which animals are tracked."""
        return sum(movie.tracked for movie in self.movies)

    @property
    def duration_s(self) -> float:
        """Length, s."""
        return float(self.time_s[-1])


@dataclass(frozen=True)
class IndividualTotals:
    """Totals over all recordings of the individuals `names`: `sources` (n, sources) and `how_known` (n, ways) in frames, mean
    `confidence` (n,), NaN for those without a position.
    """

    names: list[str]
    sources: NDArray[np.int64]
    how_known: NDArray[np.int64]
    confidence: NDArray[np.float64]


def sum_individuals(recordings: list[Recording]) -> IndividualTotals:
    """Add up the recordings by the names of the individuals, in the order in which the names first come."""
    names = list(dict.fromkeys(name for recording in recordings for name in recording.tracks.names))
    row_of = {name: row for row, name in enumerate(names)}
    sources = np.zeros((len(names), len(SOURCES)), np.int64)
    how_known = np.zeros((len(names), len(HOW_KNOWN)), np.int64)
    weighted = np.zeros(len(names))
    for recording in recordings:
        rows = [row_of[name] for name in recording.tracks.names]
        counts = count_sources(recording.tracks)
        sources[rows] += counts
        how_known[rows] += recording.how_known
        weighted[rows] += np.nan_to_num(mean_confidence(recording.tracks)) * counts.sum(axis=1)
    number = sources.sum(axis=1)
    return IndividualTotals(names, sources, how_known, _ratios(weighted, number))


def _ratios(values: NDArray[np.float64], numbers: NDArray[np.int64]) -> NDArray[np.float64]:
    """Values divided by numbers, NaN where the number is 0."""
    return np.asarray(np.divide(values, numbers, out=np.full(len(values), np.nan), where=numbers > 0), np.float64)
