"""Simulated movies in which some animals rest all the time."""

from pathlib import Path

import numpy as np

from herdbook.movie.simulated import recording
from herdbook.movie.simulated.bodies import make_bodies
from herdbook.movie.simulated.floor import make_floor
from herdbook.movie.simulated.paths import RoundArena, simulate_paths

SIZE, FPS = (480, 400), 5.0


def write_resting(path: Path, *, number: int, resting: int, frames: int = 80, length_px: float = 37.0, seed: int = 3) -> np.ndarray:
    """A movie of dark ants, the first `resting` of which never move; returns all places, (frames, number, 2) px."""
    path_rng, body_rng, floor_rng, frame_rng = np.random.default_rng(seed).spawn(4)
    arena = RoundArena((SIZE[0] - 1) / 2, (SIZE[1] - 1) / 2, 0.46 * min(SIZE), None)
    paths = simulate_paths(number, frames, FPS, arena, path_rng, body_length_px=length_px)
    for column in (paths.x, paths.y, paths.heading, paths.phase, paths.bend):
        column[:, :resting] = column[0, :resting]
    names = [f"ant{k}" for k in range(number)]
    drawn = recording._draw_frames(
        paths, make_floor(*SIZE, arena, floor_rng), make_bodies(names, length_px, "none", body_rng), FPS, frame_rng
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    recording._write_movie(path, drawn, SIZE, FPS)
    return np.stack([paths.x, paths.y], axis=2)
