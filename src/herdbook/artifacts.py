"""The artifacts: one dataclass each, meeting place of the stages. Points are (x, y) in px of the full-resolution frame."""

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import h5py
import numpy as np
from numpy.typing import NDArray

from herdbook.blob_images import unpack_image
from herdbook.errors import HerdbookError
from herdbook.movie_frame import Coding
from herdbook.run_coding import RUN_COLUMNS, unpack_runs
from herdbook.store import Artifact, file_fingerprint, open_artifact, read_column

SINGLE, MULTIPLE, NOISE = 0, 1, 2
KINDS = ("single", "multiple", "noise")
LABELLED, CLASSIFIED, PROPAGATED, ELIMINATED, ASSUMED = range(5)
HOW_KNOWN = ("labelled", "classified", "propagated", "eliminated", "assumed")
SOURCES = ("single", "resolved", "interpolated", "merged", "corrected")
# Labels that are no identity and have a meaning of their own: a blob of more than one animal, and an animal that cannot be read.
SEVERAL, UNREADABLE = "several", "unreadable"
FROM_SINGLE, FROM_RESOLVED, FROM_INTERPOLATED, FROM_MERGED, FROM_CORRECTED = range(5)


@dataclass
class Index(Artifact):
    """Frames of one movie in display order: `pts` int64 (n,), `time_s` float64 (n,) from 0, `keyframe` bool (n,), where reading can begin;
    the movie's size in px, average frame rate (1/s), whether it has no colour and whether luma spans 0..255; fingerprint of the file.
    """

    kind: ClassVar[str] = "index"
    pts: NDArray[np.int64]
    time_s: NDArray[np.float64]
    keyframe: NDArray[np.bool_]
    width: int
    height: int
    fps: float
    codec: str
    grey: bool
    full_range: bool
    movie_fingerprint: str

    def __len__(self) -> int:
        return len(self.pts)

    @property
    def duration_s(self) -> float:
        """Time from the first frame to the end of the last, s."""
        step = float(np.median(np.diff(self.time_s))) if len(self) > 1 else 1.0 / self.fps
        return float(self.time_s[-1]) + step

    def check_movie(self, path: Path) -> None:
        """Raise HerdbookError unless the movie is the one whose frames these are."""
        if file_fingerprint(path) != self.movie_fingerprint:
            raise HerdbookError(
                f"{path}: the file is not the one whose frames were listed: it is still being recorded or copied, or was replaced. Wait "
                "until that has ended, then run snakemake again: the rule 'index' reads it anew."
            )


@dataclass
class Background(Artifact):
    """The empty scene in k windows of time, usually one: `luma` uint8 (k, height, width), `bgr` uint8 (k, height, width, 3).

    `first_frame` int64 (k,): frame with which each window begins, 0 for the first. `luma_noise` uint8 (k, height, width) and `bgr_noise`
    uint8 (k, height, width, 3): robust standard deviation of each pixel, in eighths of a level, at most 255. `spread` float64 (k,): that of
    the frames' mean luma. `frames_used`: frames behind it.
    """

    kind: ClassVar[str] = "background"
    luma: NDArray[np.uint8]
    bgr: NDArray[np.uint8]
    first_frame: NDArray[np.int64]
    luma_noise: NDArray[np.uint8]
    bgr_noise: NDArray[np.uint8]
    spread: NDArray[np.float64]
    frames_used: int


@dataclass
class Blobs:
    """Blobs of one movie, ordered by frame (columns that fit into memory; outlines and images stay in the file, see `BlobImages`).

    Per blob: `frame` int32 from 0; `x`, `y` float64 centroid, px; `area` int32, px; `box` int32 (n, 4) x0, y0, x1, y1 (exclusive);
    `moments` float32 (n, 3) central second moments xx, xy, yy, px²; `contrast` float32 mean distance from the background in grey
    levels; `intensity` float32 mean grey level; `arena` int16; `border` bool, touches the frame's or arena's edge.
    `image` int64: row of its image in the file, -1 for none. `frames` is the number of frames in the movie, `intervals` int64 (k, 2) first
    and end (exclusive) of those that are tracked; outside of them nothing is known.
    """

    kind: ClassVar[str] = "segment"
    columns: ClassVar[tuple[str, ...]] = (
        "frame", "x", "y", "area", "box", "moments", "contrast", "intensity", "arena", "border", "image",
    )  # fmt: skip
    path: Path
    frames: int
    width: int
    height: int
    fps: float
    intervals: NDArray[np.int64]
    frame: NDArray[np.int32]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    area: NDArray[np.int32]
    box: NDArray[np.int32]
    moments: NDArray[np.float32]
    contrast: NDArray[np.float32]
    intensity: NDArray[np.float32]
    arena: NDArray[np.int16]
    border: NDArray[np.bool_]
    image: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def frame_offsets(self) -> NDArray[np.int64]:
        """(frames + 1,): the blobs of frame f are the rows offsets[f]:offsets[f + 1]."""
        return np.searchsorted(self.frame, np.arange(self.frames + 1)).astype(np.int64)

    @classmethod
    def load(cls, path: Path, *, without: Collection[str] = ()) -> "Blobs":
        """Read the columns of a segment artifact; those `without` stay empty."""
        with open_artifact(path, cls.kind) as file:
            numbers = {name: file.attrs[name].item() for name in ("frames", "width", "height", "fps")}
            read: dict[str, Any] = {
                name: file[name][:0] if name in without else read_column(file, name) for name in ("intervals", *cls.columns)
            }
            return cls(path=path, **numbers, **read)


@dataclass(frozen=True)
class BlobImage:
    """One blob's image: `pixels` uint8 (h, w, 3) BGR around it, `mask` bool (h, w), `x0`, `y0` of its corner in the frame."""

    pixels: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    x0: int
    y0: int


class BlobImages:
    """Outlines (runs) and images of the blobs in an open segment artifact."""

    def __init__(self, file: h5py.File) -> None:
        # Kept open: a dataset that is opened anew starts with an empty chunk cache.
        self._runs, self._pixels, self._boxes = [file[name] for name in RUN_COLUMNS], file["image_pixels"], file["box"]
        self._run_offsets: NDArray[np.int64] = file["run_offsets"][...]
        self._image_offsets: NDArray[np.int64] = file["image_offsets"][...]
        self._image_box: NDArray[np.int32] = file["image_box"][...]
        self._image_blob: NDArray[np.int64] = file["image_blob"][...]
        kind, rows, columns = json.loads(file.attrs["image_coding"])
        self._coding = Coding(kind, (rows, columns), file["image_grey"][...], file["image_terms"][...])

    def runs(self, first: int, last: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Runs of the blobs first..last-1: int32 (r, 3) row, first column, last column (inclusive), and offsets (last-first+1,)."""
        offsets = self._run_offsets[first : last + 1]
        steps = [column[offsets[0] : offsets[-1]] for column in self._runs]
        offsets = offsets - offsets[0]
        return unpack_runs(steps, offsets), offsets

    def boxes(self, first: int, last: int) -> NDArray[np.int32]:
        """Boxes (last - first, 4) of the blobs first..last-1, as `Blobs.box`."""
        boxes: NDArray[np.int32] = self._boxes[first:last]
        return boxes

    def image(self, row: int) -> BlobImage:
        """The image stored at this row (`Blobs.image`)."""
        x0, y0, x1, y1 = (int(v) for v in self._image_box[row])
        start, stop = self._image_offsets[row : row + 2]
        pixels = unpack_image(self._pixels[start:stop], (x0, y0, x1, y1), self._coding)
        blob = int(self._image_blob[row])
        mask = np.zeros((y1 - y0, x1 - x0), bool)
        for y, first, last in self.runs(blob, blob + 1)[0]:
            mask[y - y0, first - x0 : last - x0 + 1] = True
        return BlobImage(pixels, mask, x0, y0)


@contextmanager
def open_blob_images(path: Path) -> Iterator[BlobImages]:
    """Open a segment artifact for its outlines and images."""
    with open_artifact(path, Blobs.kind) as file:
        yield BlobImages(file)


@dataclass
class Tracklets(Artifact):
    """Runs of one blob without merge or split, and how they join.

    `blob_tracklet` int32 (blobs,): tracklet of each blob of the movie. Per tracklet: `first`, `last` int32 frame; `animals` int16,
    how many it holds as far as this movie tells, `animals_margin` float32 (cost of the next best number); `tracklet_kind` uint8 (index
    into KINDS); `arena` int16; `size` float32, its median area in units of one animal's.
    `edges` int32 (e, 2) parent, child; `edge_weight` float32 (e,). `border_edges` int64 (b, 2): blob row in the previous movie of the
    recording, blob row in this one.
    """

    kind: ClassVar[str] = "tracklets"
    frames: int
    blob_tracklet: NDArray[np.int32]
    first: NDArray[np.int32]
    last: NDArray[np.int32]
    animals: NDArray[np.int16]
    animals_margin: NDArray[np.float32]
    tracklet_kind: NDArray[np.uint8]
    arena: NDArray[np.int16]
    size: NDArray[np.float32]
    edges: NDArray[np.int32]
    edge_weight: NDArray[np.float32]
    border_edges: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.first)

    def blob_rows(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Blob rows grouped by tracklet, in order of frame: (rows, offsets (n + 1,))."""
        rows = np.argsort(self.blob_tracklet, kind="stable")
        rows = rows[np.searchsorted(self.blob_tracklet[rows], 0) :]
        offsets = np.searchsorted(self.blob_tracklet[rows], np.arange(len(self) + 1))
        return rows.astype(np.int64), offsets.astype(np.int64)


@dataclass
class TrainingSet(Artifact):
    """Labelled example images: `images` uint8 (n, height, width, 3) BGR; `label` int32 (n,) into `classes`; `group` int32 (n,), the
    tracklet (split between training and validation by group, never by image), whose place is `group_movie` and `group_tracklet`;
    `coexisting` int32 (p, 2): pairs of groups that are seen at the same time, hence two animals. `notes`: labels that were not used,
    each with its reason. `time_s` float64 (n,) from the beginning of the movie; `head` float32 (n,): probability that up is the head,
    0.5..1; `chroma` float32 (n,): how coloured the animal is, levels. `crops`: how the images were made (`CropSpec`, as JSON);
    `body_length_px` of the animals.
    """

    kind: ClassVar[str] = "trainset"
    classes: list[str]
    movies: list[str]
    notes: list[str]
    crops: str
    body_length_px: float
    images: NDArray[np.uint8]
    label: NDArray[np.int32]
    frame: NDArray[np.int32]
    time_s: NDArray[np.float64]
    head: NDArray[np.float32]
    chroma: NDArray[np.float32]
    group: NDArray[np.int32]
    group_movie: NDArray[np.int32]
    group_tracklet: NDArray[np.int32]
    coexisting: NDArray[np.int32]


@dataclass
class Evidence(Artifact):
    """Identity evidence of one movie's tracklets: `log_likelihood` float32 (tracklets, classes), relative to "any of them with equal
    probability" (0 where nothing was looked at);
    `images` int32 (tracklets,) number of images behind it; `labelled` int16 (tracklets,) class that a person gave, or -1. Per image
    looked at: `blob` int64, `blob_log_likelihood` float32 (m, classes).
    """

    kind: ClassVar[str] = "classify"
    classes: list[str]
    log_likelihood: NDArray[np.float32]
    images: NDArray[np.int32]
    labelled: NDArray[np.int16]
    blob: NDArray[np.int64]
    blob_log_likelihood: NDArray[np.float32]


@dataclass
class Identities(Artifact):
    """Who is in which tracklet, over one recording: one row per tracklet and individual in it.

    `movie` int32 (into `movies`), `tracklet` int32, `individual` int32 (into `individuals`), `confidence` float32 0..1, `how` uint8
    (index into HOW_KNOWN). Sorted by movie, tracklet, individual. `animals` int16 (all tracklets of the movies in turn) is how many each
    tracklet holds, counted over the recording; those of movie k stand from `animals_offsets`[k] int64 (movies + 1,). `gap` float64: how
    far the solution may be from the optimum, as a share of its cost.
    """

    kind: ClassVar[str] = "propagate"
    movies: list[str]
    individuals: list[str]
    movie: NDArray[np.int32]
    tracklet: NDArray[np.int32]
    individual: NDArray[np.int32]
    confidence: NDArray[np.float32]
    how: NDArray[np.uint8]
    animals: NDArray[np.int16]
    animals_offsets: NDArray[np.int64]
    gap: float

    def animals_of(self, movie: str) -> NDArray[np.int16]:
        """How many animals each tracklet of a movie holds."""
        number = self.movies.index(movie)
        return self.animals[self.animals_offsets[number] : self.animals_offsets[number + 1]]


@dataclass
class Trajectories(Artifact):
    """Positions of one movie, one row per individual and frame that has one, sorted by frame, individual.

    `frame` int32, `individual` int32 (into `individuals`), `x`, `y` float64 px, `x_raw`, `y_raw` float64 px before smoothing,
    `heading` float32 rad (image axes: x right, y down), `confidence` float32, `source` uint8 (index into SOURCES). `disagreement` float32
    px of the flow forward and backward, NaN where nothing was smoothed; `jump` bool, farther from where it should be than movement and
    flow allow. `windows` int64 (k,) length of the smoothing window in each interval (frames), 0 where nothing was smoothed.
    """

    kind: ClassVar[str] = "smooth"
    individuals: list[str]
    frames: int
    frame: NDArray[np.int32]
    individual: NDArray[np.int32]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    x_raw: NDArray[np.float64]
    y_raw: NDArray[np.float64]
    heading: NDArray[np.float32]
    confidence: NDArray[np.float32]
    source: NDArray[np.uint8]
    disagreement: NDArray[np.float32]
    jump: NDArray[np.bool_]
    windows: NDArray[np.int64] | None = None
