"""Files of body points in, files of body points out: smoothed along their movie, or interpolated between labelled frames."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from herdbook.commands.pose_plots import plot_smoothing
from herdbook.errors import HerdbookError
from herdbook.experiment.sheets.corrections import read_corrections
from herdbook.formats.pose_files import read_poses, rewrite_poses
from herdbook.formats.poses import Poses, missing_frames
from herdbook.movie.scanning import MovieScan, scan_movie
from herdbook.positions.agreement import farthest_px, find_agreement, kinds_of_points
from herdbook.positions.body_points import body_points, check_inside
from herdbook.positions.corrections import correct_points
from herdbook.report.figures.style import png_bytes
from herdbook.smoothing.agreement import LEAST_AGREEING
from herdbook.smoothing.frames import movie_source
from herdbook.smoothing.gaps import fill_gaps_by_flow, find_gaps
from herdbook.smoothing.points import SmoothedPoints, checked_window, smooth_columns
from herdbook.system.cells import as_cells
from herdbook.system.files import replacing
from herdbook.tables.positions import POINT_DECIMALS, body_point_table

PLOTTED_POINTS = 3
PLOTTED_FRAMES = 250


def smooth_pose_file(
    movie: Path,
    files: Sequence[Path],
    out: Path,
    *,
    window_s: float,
    engine: str,
    fill: int | None,
    likelihood: float,
    corrections: Path | None,
    repair: bool,
    table: Path | None,
    plot: Path | None,
    threads: int,
    reading: Mapping[str, Any],
) -> str:
    """Smooth the body points of `files` (see `pose_files.read_poses`) along their movie and write `out`; return a message about the result.

    `reading`: how the movie is read, arguments of `scan_movie`. `table` is a CSV and `plot` a PNG of the points before and after smoothing.
    The other parameters are those of the section `smooth` of the experiment file. Raises HerdbookError for files that do not match.
    """
    scan = scan_movie(movie, **reading)
    source = movie_source(movie, scan)
    read = read_poses(files)
    given = read.likely(likelihood).lasting(scan.n_frames, files[0])
    places = [c for c in read_corrections(corrections) if c.movie == movie.stem] if corrections else []
    given, corrected = correct_points(given, places, corrections or Path())
    check_inside(given, source.shape, str(files[0]))
    frames = checked_window(window_s, scan.fps, scan.n_frames, str(movie))
    columns = given.columns
    known, trusted = ~np.isnan(columns[..., 0]), corrected.reshape(columns.shape[:2])
    result = smooth_columns(
        source,
        columns,
        find_gaps(known, frames if fill is None else fill),
        frames,
        trusted=trusted,
        engine=engine,
        repair=repair,
        threads=threads,
        stage="smooth-points",
        agreement=find_agreement(source, columns, kinds_of_points(known, trusted, farthest_px(given)), trusted, engine),
    )
    agreeing = result.agreement(known & ~trusted)
    if lost := agreeing < LEAST_AGREEING:
        result = result.as_given()
    rewrite_poses(out, given.moved_to(result.smoothed).lasting(len(read)), files[0])
    if table:
        rows = body_point_table(movie.stem, body_points(given, result, corrected, len(read)), scan.time_s)
        with replacing(table) as temporary:
            as_cells(rows.round(POINT_DECIMALS)).to_csv(temporary, index=False)
    if plot:
        with replacing(plot) as temporary:
            temporary.write_bytes(_picture(given, result))
    message = f"Wrote {out}: {int(result.filled.sum())} points filled, {int(result.jump.sum())} jumped."
    if lost:
        message += (
            f" Nothing was smoothed: the flow of the movie agrees with the points in only {agreeing:.0%} of the places. The animals move "
            "too far from one frame to the next, or these are not the points of this movie."
        )
    shorter = missing_frames(read, scan.n_frames)
    return "\n".join([message, *([f"Note: {shorter}."] if shorter else []), *_notes(scan)])


def interpolate_pose_file(movie: Path, files: Sequence[Path], out: Path, *, engine: str, reading: Mapping[str, Any]) -> str:
    """Interpolate the points of `files` between the frames in which they are known and write `out`; return a message about the result.

    `reading`: how the movie is read, arguments of `scan_movie`. Raises HerdbookError for files that do not match, and if there are no
    frames between the labels.
    """
    scan = scan_movie(movie, **reading)
    source = movie_source(movie, scan)
    read = read_poses(files)
    given = read.lasting(scan.n_frames, files[0])
    check_inside(given, source.shape, str(files[0]))
    gaps = find_gaps(given.known.reshape(len(given), -1))
    if not len(gaps.label):
        raise HerdbookError(
            f"{files[0]}: expected a point that is known in two frames with other frames between them, found none. Label each point in at "
            "least two frames."
        )
    filled, disagreement = fill_gaps_by_flow(source, given.columns, gaps, engine)
    rewrite_poses(out, given.moved_to(filled).lasting(len(read)), files[0])
    message = (
        f"Wrote {out}: {int((gaps.end - gaps.start - 1).sum())} points interpolated between labels; median disagreement between forward "
        f"and backward flow: {np.nanmedian(disagreement):.2f} px."
    )
    return "\n".join([message, *_notes(scan)])


def _notes(scan: MovieScan) -> list[str]:
    return [f"Note on the movie: {note}." for note in scan.notes]


def _picture(poses: Poses, result: SmoothedPoints) -> bytes:
    """Plot of the points that are known in most frames, from the first frame in which one of them is known."""
    known = ~np.isnan(result.smoothed[..., 0])
    columns = np.sort(np.argsort(-known.sum(axis=0), kind="stable")[:PLOTTED_POINTS]).tolist()
    first = int(known[:, columns].any(axis=1).argmax()) if columns else 0
    names = [f"{poses.individuals[c // len(poses.points)]} {poses.points[c % len(poses.points)]}" for c in columns]
    return png_bytes(plot_smoothing(result, columns, names, first, min(first + PLOTTED_FRAMES, len(known))))
