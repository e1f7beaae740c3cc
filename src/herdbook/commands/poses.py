"""The commands on files of body points: smooth-points and interpolate (LK-RSTC without an experiment), place-points (for close-ups), and
score-points.
"""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from herdbook.commands.options import AsJson
from herdbook.commands.screen import echo

MovieFile = Annotated[Path, typer.Argument(metavar="MOVIE", help="the movie")]
Out = Annotated[Path, typer.Option(help="file to write, of the same format as the given points")]
EngineName = Annotated[
    Literal["numba", "opencv"],
    typer.Option(help="optical flow; numba counts only where it agrees with the points; opencv is slower, with the results of DUSTrack"),
]
# How the movie is read, as its keys in an experiment say: see docs/movies.md.
Rate = Annotated[float | None, typer.Option(help="frames per second, for images and where the file is wrong", min=1e-9)]
Turn = Annotated[
    Literal["auto", "0", "90", "180", "270"],
    typer.Option(help="turn the stored picture clockwise; auto: as the file asks"),
]
Stream = Annotated[int | None, typer.Option(help="number of the video stream, for files with several", min=0)]


def smooth_points(
    movie: MovieFile,
    poses: Annotated[list[Path], typer.Argument(metavar="POSES", help="file of body points; several are layers of DUSTrack")],
    out: Out,
    window: Annotated[float, typer.Option(help="length of the smoothing window (s)")] = 0.5,
    engine: EngineName = "numba",
    fill: Annotated[
        int | None, typer.Option(help="longest gap that is filled (frames); by default the length of the window", min=0)
    ] = None,
    likelihood: Annotated[float, typer.Option(help="points with a lower likelihood are treated as unknown")] = 0.0,
    corrections: Annotated[Path | None, typer.Option(help="CSV or JSON with movie, frame, individual, point, x, y")] = None,
    repair: Annotated[bool, typer.Option("--repair", help="move points that jump to where the flow predicts them")] = False,
    table: Annotated[Path | None, typer.Option(help="CSV of all points before and after smoothing, with their disagreement")] = None,
    plot: Annotated[Path | None, typer.Option(help="PNG of three points before and after smoothing")] = None,
    threads: Annotated[int, typer.Option(help="number of processes", min=1)] = 1,
    fps: Rate = None,
    rotate: Turn = "auto",
    stream: Stream = None,
) -> None:
    """Smooth body points along the movie by LK-RSTC."""
    # Imported here: kernels and plots take a second to import.
    from herdbook.commands.pose_runs import smooth_pose_file

    message = smooth_pose_file(
        movie,
        poses,
        out,
        window_s=window,
        engine=engine,
        fill=fill,
        likelihood=likelihood,
        corrections=corrections,
        repair=repair,
        table=table,
        plot=plot,
        threads=threads,
        reading=_reading(fps, rotate, stream),
    )
    echo(message)


def interpolate(
    movie: MovieFile,
    labels: Annotated[list[Path], typer.Argument(metavar="LABELS", help="file of points that are known in a few frames")],
    out: Out,
    engine: EngineName = "numba",
    fps: Rate = None,
    rotate: Turn = "auto",
    stream: Stream = None,
) -> None:
    """Interpolate points between the frames in which they are labelled, by LK-RSTC from label to label."""
    from herdbook.commands.pose_runs import interpolate_pose_file

    echo(interpolate_pose_file(movie, labels, out, engine=engine, reading=_reading(fps, rotate, stream)))


def place_points(
    closeups: Annotated[Path, typer.Argument(metavar="FOLDER", help="folder of the close-ups of a movie")],
    poses: Annotated[list[Path], typer.Argument(metavar="POSES", help="files of body points found in them, each named like its close-up")],
    out: Annotated[Path, typer.Option(help="file of movement (.nc) to write, for movies: poses")],
) -> None:
    """Transform body points found in close-ups to coordinates of the whole frame, all animals in one file."""
    from herdbook.drawing import closeup_points

    echo(closeup_points.place_points(closeups, poses, out))


def score_points(
    predicted: Annotated[
        Path, typer.Argument(metavar="PRED", help="file of body points, or table with movie, frame, individual, point, x, y")
    ],
    truth: Annotated[Path, typer.Argument(metavar="TRUTH", help="the true body points, as a file or a table")],
    body: Annotated[float, typer.Option(help="length of a body (px): a point is right within 0.08 of it", min=1e-9)],
    fps: Annotated[float | None, typer.Option(help="frames per second, for rates per hour and per s", min=1e-9)] = None,
    as_json: AsJson = False,
) -> None:
    """Score body points against true ones: errors in px, wrong names, switches, drifts and jumps."""
    from herdbook.bodypoints.scoring import format_point_score, point_score_as_dict, score_points
    from herdbook.bodypoints.tables import read_points, same_movies

    result = score_points(*same_movies(read_points(predicted), read_points(truth)), body, fps)
    echo(json.dumps(point_score_as_dict(result)) if as_json else format_point_score(result))


def _reading(fps: float | None, rotate: str, stream: int | None) -> dict[str, Any]:
    """How a movie is read, as arguments of `scan_movie`."""
    return {"fps": fps, "rotate": rotate if rotate == "auto" else int(rotate), "stream": stream}
