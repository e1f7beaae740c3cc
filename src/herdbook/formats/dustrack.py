"""Annotations of DUSTrack: JSON of {label: {frame: [x, y]}}, one file per layer."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from herdbook.errors import parsing
from herdbook.experiment.sheets.numbers import whole_number
from herdbook.experiment.sheets.text import composed
from herdbook.formats.poses import ONLY_ANIMAL, Poses, check_length
from herdbook.system.files import read_json, write_text

Key = TypeVar("Key")


def read_dustrack(path: Path) -> Poses:
    """One layer of annotations as points of a single animal. Raises HerdbookError for another content."""
    with parsing(path, "expected annotations of DUSTrack, {label: {frame: [x, y]}}, found something else", "Export the layer again."):
        layer = read_json(path, _once)
        tracks = {
            composed(name): _once((whole_number(t), (float(x), float(y))) for t, (x, y) in track.items()) for name, track in layer.items()
        }
        if any(t < 0 for track in tracks.values() for t in track):
            raise ValueError("a frame is negative")
        frames = 1 + max((t for track in tracks.values() for t in track), default=-1)
        check_length(frames, sum(map(len, tracks.values())), len(tracks))
    xy = np.full((frames, 1, len(tracks), 2), np.nan)
    for k, track in enumerate(tracks.values()):
        for t, place in track.items():
            xy[t, 0, k] = place
    return Poses((ONLY_ANIMAL,), tuple(tracks), xy, np.full(xy.shape[:3], np.nan))


def _once(pairs: Iterable[tuple[Key, Any]]) -> dict[Key, Any]:
    """The pairs as a dict. Raises ValueError for a key that is there twice, of which JSON would keep the last value in silence."""
    found: dict[Key, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"{key!r} is there twice")
        found[key] = value
    return found


def join_layers(layers: Sequence[Poses]) -> Poses:
    """All layers of a movie in one: of several places of a point in a frame the last layer's counts."""
    names = tuple(dict.fromkeys(name for layer in layers for name in layer.points))
    xy = np.full((max(len(layer) for layer in layers), 1, len(names), 2), np.nan)
    for layer in layers:
        columns = [names.index(name) for name in layer.points]
        before = xy[: len(layer), :, columns]
        xy[: len(layer), :, columns] = np.where(np.isnan(layer.xy), before, layer.xy)
    return Poses((ONLY_ANIMAL,), names, xy, np.full(xy.shape[:3], np.nan))


def rewrite_dustrack(path: Path, poses: Poses, like: Path) -> None:
    """Write all points of the animal as one layer; `like` is a layer that was read."""
    places = poses.xy[:, 0]
    layer = {
        name: {str(t): places[t, k].tolist() for t in np.flatnonzero(poses.known[:, 0, k]).tolist()} for k, name in enumerate(poses.points)
    }
    write_text(path, json.dumps(layer, indent=1))
