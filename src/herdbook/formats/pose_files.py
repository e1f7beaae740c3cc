"""Reading body points from the files of pose tools, and writing changed ones as files of the same kind.

A written file is the file that was read with other places: names, likelihoods and whatever else it holds stay. Or it is a file of the same
kind with other animals, under the names that Herdbook gives them.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np

from herdbook.errors import HerdbookError, parsing
from herdbook.formats import deeplabcut, deeplabcut_hdf5, dustrack, movement, sleap, slp
from herdbook.formats.poses import Poses
from herdbook.system.hdf5 import open_hdf5

FARTHEST_PX = 1e9
KNOWN = "DeepLabCut .h5 or .csv, SLEAP analysis .h5 or .slp, movement .nc, DUSTrack .json"


class _Format(NamedTuple):
    read: Callable[[Path], Poses]
    rewrite: Callable[[Path, Poses, Path], None]
    # None for a kind of files that have no names of animals.
    rename: Callable[[Path, Poses, Path], None] | None


DEEPLABCUT = _Format(deeplabcut.read_deeplabcut, deeplabcut.rewrite_deeplabcut, deeplabcut.rename_deeplabcut)
SLEAP = _Format(sleap.read_sleap, sleap.rewrite_sleap, sleap.rename_sleap)
# Points that were smoothed are predictions, whoever labelled those of the file: written like those of other animals.
SLP = _Format(slp.read_slp, slp.rename_slp, slp.rename_slp)
MOVEMENT = _Format(movement.read_movement, movement.rewrite_movement, movement.rename_movement)
DUSTRACK = _Format(dustrack.read_dustrack, dustrack.rewrite_dustrack, None)


def read_poses(paths: Sequence[Path]) -> Poses:
    """Body points of one movie from a file of DeepLabCut, SLEAP, movement or DUSTrack, recognised by its content.

    Several files are layers of annotations by DUSTrack: a point of a later one counts. Raises HerdbookError for a file that is missing
    or of no known kind.
    """
    layers = []
    for path in paths:
        with parsing(path, "not a readable file of body points", f"Expected {KNOWN}. Write or copy it anew."):
            layers.append(_format_of(path).read(path))
        _check_names(path, layers[-1])
        _check_places(path, layers[-1])
    if len(layers) > 1 and any(_format_of(path) is not DUSTRACK for path in paths):
        raise HerdbookError(f"{paths[0]}: only layers of DUSTrack (.json) can be several files of one movie, found {len(paths)} files")
    return layers[0] if len(layers) == 1 else dustrack.join_layers(layers)


def rewrite_poses(path: Path, poses: Poses, like: Path) -> None:
    """Write `poses`, which have the names and frames of those read from the file `like`, as a file of the same kind."""
    if path.suffix != like.suffix:
        raise HerdbookError(f"{path}: expected a file {like.suffix} as {like.name}")
    with parsing(like, f"cannot be written with other places as {path.name}", "Write the file anew with the tool that made it."):
        _format_of(like).rewrite(path, poses, like)


def rename_poses(path: Path, poses: Poses, like: Path) -> None:
    """Write `poses`, whose animals may be others than those of the file `like`, as a file of the same kind, under their names."""
    with parsing(like, f"cannot be written with other animals as {path.name}", "Write the file anew with the tool that made it."):
        rename = _format_of(like).rename
        if rename is None:
            raise HerdbookError(f"{like}: a file of DUSTrack has no names of animals")
        rename(path, poses, like)


def _check_names(path: Path, poses: Poses) -> None:
    for kind, names in (("animals", poses.individuals), ("points", poses.points)):
        twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
        if twice:
            raise HerdbookError(
                f"{path}: {names.count(twice[0])} {kind} have the name {twice[0]!r}. Rename them in the program that wrote the file, and "
                "write it again."
            )


def _check_places(path: Path, poses: Poses) -> None:
    half = np.argwhere(np.isnan(poses.xy[..., 0]) != np.isnan(poses.xy[..., 1]))
    if len(half):
        frame, who, point = half[0].tolist()
        known, other = ("y", "x") if np.isnan(poses.xy[frame, who, point, 0]) else ("x", "y")
        raise HerdbookError(
            f"{path}: {poses.points[point]} of {poses.individuals[who]} in frame {frame} has {known} but no {other} ({len(half)} such "
            "points). Give both, or neither if the point cannot be seen."
        )
    wrong = np.argwhere(np.abs(poses.xy).max(axis=-1) > FARTHEST_PX)
    if len(wrong):
        frame, who, point = wrong[0].tolist()
        x, y = poses.xy[frame, who, point]
        raise HerdbookError(
            f"{path}: {poses.points[point]} of {poses.individuals[who]} in frame {frame} is at ({x:g}, {y:g}), which is in no movie "
            f"({len(wrong)} such points). Correct or delete them."
        )


def _format_of(path: Path) -> _Format:
    if not path.is_file():
        raise HerdbookError(f"{path}: there is no such file of body points. Expected {KNOWN}.")
    match path.suffix.lower():
        case ".csv":
            return DEEPLABCUT
        case ".json":
            return DUSTRACK
        case ".pickle" | ".pkl":
            raise HerdbookError(
                f"{path}: a pickle can run any program when it is read, so Herdbook reads none. Give the table that DeepLabCut writes of "
                "it, .h5 or .csv."
            )
        case ".nc" | ".h5" | ".hdf5" | ".slp" if h5py.is_hdf5(path):
            with open_hdf5(path) as file:
                if slp.is_slp(file):
                    return SLP
                if "tracks" in file:
                    return SLEAP
                if "position" in file:
                    return MOVEMENT
                if deeplabcut_hdf5.KEY in file:
                    return DEEPLABCUT
    raise HerdbookError(f"{path}: not a known file of body points. Expected {KNOWN}.")
