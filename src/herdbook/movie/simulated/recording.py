"""A simulated recording of ants: movies with exact truth and a few labels, all random numbers from one seed."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from herdbook.errors import HerdbookError
from herdbook.movie.simulated.bodies import DOT_COLOURS, PATTERN_CONTRAST, Bodies, make_bodies, place_parts
from herdbook.movie.simulated.floor import Floor, make_floor
from herdbook.movie.simulated.paths import RoundArena, SimulatedPaths, simulate_paths
from herdbook.movie.simulated.rendering import render_frame
from herdbook.movie.writing import MovieWriter
from herdbook.system.files import write_text
from herdbook.system.progress import progress

# Yellow and white resemble orange and the floor: they are used only if four colours are not enough.
_FIRST_COLOURS = "BGOP"
_ARENA_SHARE = 0.46  # of the shorter side of the frame
_LABEL_DISTANCE = 1.5  # body lengths to the nearest other animal
_LABEL_JITTER_PX = 1.4  # per axis: a click is about 2 px off
# The macroblock tree of x264 is not reproducible, even in one thread: 4 different files in 6 runs on the same 40 frames.
_ENCODER = {"preset": "veryfast", "x264-params": "mbtree=0"}
# Removes most of the sensor noise: about 0.8 Mb/s at 1080p and 25 frames per second; 22 keeps it, at 3 Mb/s.
CRF = 24
_FLICKER, _FLICKER_PERIOD_S, _FLICKER_NOISE = 0.01, 1.7, 0.003


def simulate_recording(
    folder: Path,
    *,
    movies: Sequence[str] = ("movie01", "movie02"),
    frames: int = 600,
    number: int = 8,
    identities: list[str] | None = None,
    size: tuple[int, int] = (640, 480),
    fps: float = 20.0,
    seed: int = 1,
    marking: str = "colour",
    labels_per_animal: int = 6,
    leave: bool = True,
    body_length_px: float = 37.0,
) -> None:
    """Write the movies of one recording, `truth.csv` and `labels.csv` into a folder.

    The truth (`movie,frame,identity,x,y,theta`) has a row for every animal and frame in which the centroid of the body (without legs and
    antennae, covered or not) is inside the arena; x and y in px, theta is the heading in rad. The labels (`movie,frame,x,y,label`) are
    clicks in the first movie on animals that are away from others.

    Args:
        folder: folder for `<movie>.mp4` and the tables.
        movies: names of the movies; they follow each other without a break.
        frames: frames per movie.
        number: number of animals.
        identities: their names; by default chosen at random (colour) or numbered (unmarked). With `marking="colour"`, two letters of B, G,
            O, P, Y, W each: the colours of the dots on thorax and abdomen.
        size: width and height in px.
        fps: frames per second.
        seed: seed of all random numbers.
        marking: "colour"; or unmarked: "none", individuals differ slightly, or "texture", they differ only in their pattern.
        labels_per_animal: clicks per animal, spread over the first movie.
        leave: whether animals leave the arena through a gap in the rim, and return.
        body_length_px: mean length of a body without antennae.

    Raises:
        HerdbookError: for impossible settings, with all faults.

    """
    _check(movies, frames, number, identities, size, fps, marking, labels_per_animal, body_length_px)
    path_rng, body_rng, floor_rng, label_rng, frame_rng = np.random.default_rng(seed).spawn(5)
    names = identities or _choose_names(number, marking, body_rng)
    width, height = size
    door = float(path_rng.uniform(-np.pi, np.pi)) if leave else None
    arena = RoundArena((width - 1) / 2, (height - 1) / 2, _ARENA_SHARE * min(size), door)
    paths = simulate_paths(number, frames * len(movies), fps, arena, path_rng, body_length_px=body_length_px)
    labels = _place_labels(paths, frames, movies[0], names, labels_per_animal, body_length_px, label_rng)
    bodies = make_bodies(names, body_length_px, marking, body_rng)
    drawn = _draw_frames(paths, make_floor(width, height, arena, floor_rng), bodies, fps, frame_rng)
    drawn = progress(drawn, total=frames * len(movies), stage="simulate")
    folder.mkdir(parents=True, exist_ok=True)
    for movie in movies:
        _write_movie(folder / f"{movie}.mp4", itertools.islice(drawn, frames), size, fps)
    write_text(folder / "truth.csv", _format_truth(paths, frames, movies, names))
    write_text(folder / "labels.csv", labels)


def _check(
    movies: Sequence[str],
    frames: int,
    number: int,
    identities: list[str] | None,
    size: tuple[int, int],
    fps: float,
    marking: str,
    labels_per_animal: int,
    body_length_px: float,
) -> None:
    faults = []
    if not movies or len(set(movies)) < len(movies):
        faults.append(f"movies: expected one or more different names, found {list(movies)}")
    for name, value in (("frames", frames), ("number", number), ("fps", fps), ("body_length_px", body_length_px)):
        if value <= 0:
            faults.append(f"{name}: expected more than 0, found {value}")
    if labels_per_animal < 0:
        faults.append(f"labels_per_animal: expected 0 or more, found {labels_per_animal}")
    if min(size) < 8 * body_length_px or any(side % 2 for side in size):
        faults.append(f"size: expected even numbers of at least 8 body lengths ({8 * body_length_px:g} px), found {size}")
    if marking not in PATTERN_CONTRAST:
        faults.append(f"marking: expected one of {', '.join(PATTERN_CONTRAST)}, found {marking!r}")
    if identities:
        if len(identities) != number or len(set(identities)) < number:
            faults.append(f"identities: expected {number} different names (number), found {identities}")
        wrong = [name for name in identities if len(name) != 2 or not set(name) <= set(DOT_COLOURS)]
        if wrong and marking == "colour":
            letters = ", ".join(DOT_COLOURS)
            faults.append(f"identities: expected two letters of {letters} (thorax, abdomen), found {wrong}")
    elif number > len(DOT_COLOURS) ** 2 and marking == "colour":
        faults.append(f"number: two dots in {len(DOT_COLOURS)} colours are enough for {len(DOT_COLOURS) ** 2} animals, found {number}")
    if faults:
        raise HerdbookError("the simulation's settings have faults:\n  " + "\n  ".join(faults))


def _choose_names(number: int, marking: str, rng: np.random.Generator) -> list[str]:
    if marking != "colour":
        return [f"ant{ant:02d}" for ant in range(1, number + 1)]
    letters = _FIRST_COLOURS if number <= len(_FIRST_COLOURS) ** 2 else "".join(DOT_COLOURS)
    pairs = ["".join(pair) for pair in itertools.product(letters, repeat=2)]
    return [pairs[choice] for choice in rng.choice(len(pairs), number, replace=False)]


def _draw_frames(paths: SimulatedPaths, floor: Floor, bodies: Bodies, fps: float, rng: np.random.Generator) -> Iterator[NDArray[np.uint8]]:
    time_s = np.arange(len(paths.x)) / fps
    gain = 1.0 + _FLICKER * np.sin(2 * np.pi * time_s / _FLICKER_PERIOD_S) + _FLICKER_NOISE * rng.standard_normal(time_s.size)
    for frame, seconds in enumerate(time_s):
        pose = (paths.x[frame], paths.y[frame], paths.heading[frame], paths.phase[frame], paths.bend[frame])
        points = place_parts(bodies, *pose, float(seconds))
        yield render_frame(floor, bodies, points, paths.layer[frame], float(gain[frame]), rng)


def _write_movie(path: Path, drawn: Iterable[NDArray[np.uint8]], size: tuple[int, int], fps: float) -> None:
    with MovieWriter(path, *size, fps, crf=CRF, options=_ENCODER) as writer:
        for image in drawn:
            writer.write(image)


def _place_labels(
    paths: SimulatedPaths, frames: int, movie: str, names: list[str], clicks: int, body_length_px: float, rng: np.random.Generator
) -> str:
    """The text of labels.csv: each animal is clicked in `clicks` frames of the first movie in which it is away from all others."""
    x, y = paths.x[:frames], paths.y[:frames]
    lines = ["movie,frame,x,y,label"]
    for ant, name in enumerate(names):
        distance = np.hypot(x - x[:, [ant]], y - y[:, [ant]])
        distance[:, ant] = np.inf
        apart = (distance.min(axis=1) > _LABEL_DISTANCE * body_length_px) & paths.present[:frames, ant]
        moments = np.flatnonzero(apart)
        if moments.size < clicks:
            raise HerdbookError(
                f"{name} is away from all others in {moments.size} of {frames} frames of {movie}, but needs {clicks} labels "
                "(labels_per_animal): simulate more frames, fewer animals, or fewer labels"
            )
        for stretch in np.array_split(moments, clicks) if clicks else ():
            frame = int(rng.choice(stretch))
            off_x, off_y = np.clip(rng.normal(0.0, _LABEL_JITTER_PX, 2), -3.0, 3.0)
            lines.append(f"{movie},{frame},{x[frame, ant] + off_x:.1f},{y[frame, ant] + off_y:.1f},{name}")
    return "\n".join(lines) + "\n"


def _format_truth(paths: SimulatedPaths, frames: int, movies: Sequence[str], names: list[str]) -> str:
    lines = ["movie,frame,identity,x,y,theta"]
    for frame, ant in zip(*np.nonzero(paths.present), strict=True):
        movie, within = divmod(int(frame), frames)
        x, y, heading = paths.x[frame, ant], paths.y[frame, ant], paths.heading[frame, ant]
        lines.append(f"{movies[movie]},{within},{names[ant]},{x:.2f},{y:.2f},{heading:.4f}")
    return "\n".join(lines) + "\n"
