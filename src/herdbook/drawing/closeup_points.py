"""Body points found in close-ups, brought back into the whole frame: one file of all animals, which `movies: poses` reads."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from herdbook.arrays import Floats
from herdbook.drawing.closeup_files import CloseupTable, read_closeup_table
from herdbook.drawing.views import points_to_movie
from herdbook.errors import HerdbookError
from herdbook.formats.movement import write_poses
from herdbook.formats.pose_files import read_poses
from herdbook.formats.poses import Poses


def place_points(folder: Path, files: Sequence[Path], out: Path) -> str:
    """Write the body points of `files`, each found in one of the close-ups in `folder`, as points of the movie; returns what was done.

    A file belongs to the close-up whose name its own begins with. `out` is a netCDF file of movement. Raises HerdbookError for a file that
    belongs to no close-up, has other frames or points than it should, or more than one animal.
    """
    if out.suffix != ".nc":
        raise HerdbookError(f"{out}: expected a name that ends in .nc, a file of movement")
    tables = [read_closeup_table(closeup_of(folder, file)) for file in files]
    names = [table.individual for table in tables]
    twice = next((file for file, name in zip(files, names, strict=True) if names.count(name) > 1), None)
    if twice:
        raise HerdbookError(f"{twice}: another file belongs to the same close-up")
    found = [_placed(file, table) for file, table in zip(files, tables, strict=True)]
    for file, poses in zip(files, found, strict=True):
        if poses.points != found[0].points:
            raise HerdbookError(f"{file}: has the points {', '.join(poses.points)}, but {files[0]} has {', '.join(found[0].points)}")
    joined = join_animals(found)
    time_s = _times(tables, len(joined))
    write_poses(out, joined, time_s, float(1 / np.median(np.diff(time_s))) if len(time_s) > 1 else np.nan)
    return f"Wrote {len(joined.points)} points of {len(names)} animals in {len(joined)} frames into {out}."


def closeup_of(folder: Path, file: Path) -> Path:
    """The table in `folder` of the close-up that a file of points belongs to: the longest name that the file's begins with."""
    tables = sorted((path for path in folder.glob("*.csv") if file.name.startswith(path.stem)), key=lambda path: len(path.stem))
    if not tables:
        known = ", ".join(sorted(path.stem for path in folder.glob("*.csv"))[:8]) or "none"
        raise HerdbookError(f"{file}: its name begins with that of no close-up in {folder} (there are: {known})")
    return tables[-1]


def to_movie(poses: Poses, table: CloseupTable) -> Poses:
    """Points of a close-up as points of its movie, for all frames up to the last one that is shown; missing where nothing was shown."""
    shown = len(table.movie_frame)
    points = points_to_movie(poses.xy[:shown, 0], table.x0, table.y0, table.angle)
    frames = int(table.movie_frame[-1]) + 1
    xy, likelihood = np.full((frames, 1, len(poses.points), 2), np.nan), np.full((frames, 1, len(poses.points)), np.nan)
    xy[table.movie_frame, 0], likelihood[table.movie_frame] = points, poses.likelihood[:shown]
    likelihood[np.isnan(xy[..., 0])] = np.nan
    return Poses((table.individual,), poses.points, xy, likelihood)


def join_animals(several: Sequence[Poses]) -> Poses:
    """Poses of several animals with the same points as those of one movie, as long as the longest."""
    frames = max(len(poses) for poses in several)
    longest = [poses.lasting(frames) for poses in several]
    names = tuple(name for poses in several for name in poses.individuals)
    xy, likelihood = (np.concatenate([getattr(poses, key) for poses in longest], axis=1) for key in ("xy", "likelihood"))
    return Poses(names, several[0].points, xy, likelihood)


def _placed(file: Path, table: CloseupTable) -> Poses:
    poses, shown = read_poses([file]), len(table.movie_frame)
    if len(poses.individuals) != 1:
        raise HerdbookError(f"{file}: expected points of one animal, the one in the middle, found {', '.join(poses.individuals)}")
    try:
        return to_movie(poses.lasting(shown), table)
    except HerdbookError as error:
        raise HerdbookError(f"{file}: has {len(poses)} frames, but the close-up of {table.individual} has {shown}") from error


def _times(tables: Sequence[CloseupTable], frames: int) -> Floats:
    """Times (frames,) s of the movie's frames, known for those that a close-up shows; between them they are interpolated."""
    frame = np.concatenate([table.movie_frame for table in tables])
    time_s = np.concatenate([table.time_s for table in tables])
    known = np.unique(frame, return_index=True)
    return np.asarray(np.interp(np.arange(frames), known[0], time_s[known[1]]))
