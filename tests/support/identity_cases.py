"""Small recordings with known animals, as the artifacts that the identity stages read: bodies are drawn, tracklets are told.

Points are (x, y) in px; colours are BGR.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts.classify import Evidence
from herdbook.artifacts.propagate import Identities
from herdbook.artifacts.segment import BlobImage, Blobs
from herdbook.artifacts.store import Provenance
from herdbook.artifacts.tracklets import MULTIPLE, NOISE, SINGLE, Tracklets
from herdbook.experiment.tracking import PropagateSection
from herdbook.geometry.regions import ellipse_mask
from herdbook.identity.recording import RecordingGraph, join_movies
from herdbook.stages import propagate
from tests.conftest import dtype_of
from tests.support.segment_files import write_segment

Colour = tuple[int, int, int]

GROUND = 200
FPS = 10.0
MARGIN = 8
RED, GREEN, BLUE, YELLOW = (40, 40, 200), (40, 180, 40), (200, 60, 40), (40, 190, 200)


@dataclass(frozen=True)
class Body:
    """An animal in one frame: its centre, the angle of its axis (degrees), the colours of its two halves, its semi-axes (px)."""

    x: float
    y: float
    angle: float = 0.0
    colours: tuple[Colour, Colour] = (RED, BLUE)
    axes: tuple[float, float] = (12.0, 6.0)


@dataclass(frozen=True)
class Track:
    """A tracklet: its first and last frame, the bodies in its blob, their step (px) per frame; `animals` may differ from the bodies."""

    first: int
    last: int
    bodies: tuple[Body, ...]
    step: tuple[float, float] = (0.0, 0.0)
    animals: int = 1
    images: bool = True
    border: bool = False
    arena: int = 0

    def at(self, frame: int) -> list[Body]:
        moved = frame - self.first
        return [replace(b, x=b.x + moved * self.step[0], y=b.y + moved * self.step[1]) for b in self.bodies]


def paint(bodies: Iterable[Body], size: tuple[int, int]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """The image (height, width, 3) of bodies on the empty ground, and where they are (height, width)."""
    width, height = size
    pixels = np.full((height, width, 3), GROUND, np.uint8)
    covered = np.zeros((height, width), bool)
    y, x = np.mgrid[:height, :width]
    for body in bodies:
        mask = ellipse_mask((height, width), (body.x, body.y), body.axes, body.angle)
        turn = np.radians(body.angle)
        front = (x - body.x) * np.cos(turn) + (y - body.y) * np.sin(turn) > 0
        pixels[mask & ~front], pixels[mask & front] = body.colours
        covered |= mask
    return pixels, covered


def describe(mask: NDArray[np.bool_]) -> tuple[float, float, NDArray[np.float64], tuple[int, int, int, int]]:
    """Centroid x, y, central second moments xx, xy, yy and box x0, y0, x1, y1 of a mask."""
    y, x = np.nonzero(mask)
    dx, dy = x - x.mean(), y - y.mean()
    moments = np.array([(dx * dx).mean(), (dx * dy).mean(), (dy * dy).mean()])
    return float(x.mean()), float(y.mean()), moments, (int(x.min()), int(y.min()), int(x.max()) + 1, int(y.max()) + 1)


def cut_image(pixels: NDArray[np.uint8], mask: NDArray[np.bool_]) -> BlobImage:
    """The image of the blob that is the mask, with a margin."""
    height, width = mask.shape
    x0, y0, x1, y1 = describe(mask)[3]
    x0, y0, x1, y1 = max(0, x0 - MARGIN), max(0, y0 - MARGIN), min(width, x1 + MARGIN), min(height, y1 + MARGIN)
    return BlobImage(pixels[y0:y1, x0:x1], mask[y0:y1, x0:x1], x0, y0)


def outline_runs(mask: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Runs (r, 3) of a mask: row, first column, last column (inclusive)."""
    flips = np.diff(np.pad(mask, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    begin, end = np.argwhere(flips == 1), np.argwhere(flips == -1)
    return np.column_stack([begin, end[:, 1] - 1]).astype(np.int32)


def write_movie(
    folder: Path,
    name: str,
    tracks: Sequence[Track],
    *,
    frames: int,
    edges: Sequence[tuple[int, int]] = (),
    border_edges: Sequence[tuple[int, int]] = (),
    intervals: Sequence[tuple[int, int]] = (),
    size: tuple[int, int] = (160, 120),
) -> tuple[Path, Path]:
    """Write the segment and tracklets artifacts of a movie; blobs are numbered by frame, then track; without intervals all is tracked."""
    blobs = [(t, k) for t in range(frames) for k, track in enumerate(tracks) if track.first <= t <= track.last]
    columns: dict[str, list[Any]] = {key: [] for key in Blobs.columns}
    runs, run_offsets, images = [], [0], []
    for number, (t, k) in enumerate(blobs):
        pixels, mask = paint(tracks[k].at(t), size)
        x, y, moments, box = describe(mask)
        image_row = len(images) if tracks[k].images else -1
        values = (t, x, y, int(mask.sum()), box, moments, 100.0, 100.0, tracks[k].arena, tracks[k].border, image_row)
        for key, value in zip(Blobs.columns, values, strict=True):
            columns[key].append(value)
        runs.append(outline_runs(mask))
        run_offsets.append(run_offsets[-1] + len(runs[-1]))
        if tracks[k].images:
            image = cut_image(pixels, mask)
            height, width = image.mask.shape
            images.append((number, (image.x0, image.y0, image.x0 + width, image.y0 + height), image.pixels))
    segment = folder / "segment" / f"{name}.h5"
    table = {key: np.array(column, dtype_of(Blobs.__annotations__[key])) for key, column in columns.items()}
    facts = {"frames": frames, "width": size[0], "height": size[1], "fps": FPS}
    write_segment(segment, table, np.concatenate(runs), np.array(run_offsets), images, intervals=intervals, **facts)
    animals = np.array([track.animals for track in tracks], np.int16)
    tracklets = folder / "tracklets" / f"{name}.h5"
    Tracklets(
        frames=frames,
        blob_tracklet=np.array([k for _, k in blobs], np.int32),
        first=np.array([track.first for track in tracks], np.int32),
        last=np.array([track.last for track in tracks], np.int32),
        animals=animals,
        animals_margin=np.ones(len(tracks), np.float32),
        tracklet_kind=np.select([animals == 0, animals == 1], [NOISE, SINGLE], MULTIPLE).astype(np.uint8),
        arena=np.array([track.arena for track in tracks], np.int16),
        size=animals.astype(np.float32),
        edges=np.array(edges, np.int32).reshape(-1, 2),
        edge_weight=np.ones(len(edges), np.float32),
        border_edges=np.array(border_edges, np.int64).reshape(-1, 2),
    ).save(tracklets, Provenance("tracklets", 1))
    return segment, tracklets


class RecordingFiles:
    """A recording in a folder, movie by movie, and what the stage propagate makes of it."""

    def __init__(self, folder: Path, classes: Sequence[str]) -> None:
        self.folder, self.classes = folder, classes
        self.blobs: list[Path] = []
        self.tracklets: list[Path] = []
        self.evidence: list[Path] = []

    def add(self, tracks: Sequence[Track], frames: int, evidence: Any = None, *, labelled: Any = None, **more: Any) -> None:
        """Add a movie with the evidence of each of its tracklets."""
        name = f"m{len(self.blobs) + 1}"
        classes = more.pop("classes", self.classes)
        blobs, tracklets = write_movie(self.folder, name, tracks, frames=frames, **more)
        self.blobs.append(blobs)
        self.tracklets.append(tracklets)
        if evidence is not None:
            self.evidence.append(write_evidence(self.folder, name, classes, evidence, labelled))

    def identities(
        self,
        *,
        marking: str = "marked",
        name: str = "day1",
        identities: Sequence[str] | None = None,
        groups: Mapping[str, int] | None = None,
        number: int | None = None,
        facts: Sequence[str] = (),
        more: Mapping[str, Any] | None = None,
        **settings: Any,
    ) -> Identities:
        """Run the stage; `facts` are lines of that table, `more` settings that are no keys of the section.

        The number of animals is that of the names unless it is given.
        """
        groups = groups or {}
        classes = [*(self.classes if identities is None else identities), *groups]
        section = PropagateSection(**settings).model_dump() | {
            "identities": classes,
            "homes": [classes],
            "groups": [dict(groups)],
            "marking": marking,
            "numbers": [number or (len(classes) - len(groups) + sum(groups.values()) or None)],
        }
        section |= more or {}
        files: dict[str, Any] = {"blobs": self.blobs, "tracklets": self.tracklets, "evidence": self.evidence}
        files["out"] = self.folder / f"{name}.h5"
        if facts:
            files["facts"] = self.folder / "facts.csv"
            files["facts"].write_text("\n".join(["movie,frame,x,y,fact,name,last", *facts]) + "\n", encoding="utf-8")
        propagate.main(arguments(files, section))
        return Identities.load(files["out"])

    def joined(self, number: int | None = None) -> RecordingGraph:
        """The graph of the recording."""
        return join_movies([Tracklets.load(p) for p in self.tracklets], [Blobs.load(p) for p in self.blobs], [number])


def who_where(found: Identities, movie: int = 0) -> dict[int, str]:
    """The names in each tracklet of a movie."""
    names: dict[int, str] = {}
    for m, tracklet, individual in zip(found.movie, found.tracklet, found.individual, strict=True):
        if m == movie:
            names[int(tracklet)] = names.get(int(tracklet), "") + found.individuals[individual]
    return names


def write_evidence(
    folder: Path,
    name: str,
    classes: Sequence[str],
    evidence: Sequence[Mapping[str, float] | None],
    labelled: Mapping[int, str] | None = None,
) -> Path:
    """Write the evidence of a movie: per tracklet the log-likelihood of some classes (0 for the others), None where none was looked at."""
    values = np.array([[(given or {}).get(name, 0.0) for name in classes] for given in evidence], np.float32)
    marks = np.full(len(evidence), -1, np.int16)
    for tracklet, label in (labelled or {}).items():
        marks[tracklet] = classes.index(label)
    path = folder / "classify" / f"{name}.h5"
    Evidence(
        classes=list(classes),
        log_likelihood=values.reshape(len(evidence), len(classes)),
        images=np.array([0 if given is None else 5 for given in evidence], np.int32),
        labelled=marks,
        blob=np.zeros(0, np.int64),
        blob_log_likelihood=np.zeros((0, len(classes)), np.float32),
    ).save(path, Provenance(Evidence.kind, 1))
    return path


def arguments(files: Mapping[str, Path | Sequence[Path]], settings: Mapping[str, Any]) -> list[str]:
    """The command line of a stage."""
    words = []
    for name, paths in files.items():
        words += [f"--{name}", *([str(paths)] if isinstance(paths, Path) else map(str, paths))]
    return [*words, "--settings", json.dumps(settings), "--threads", "1"]
