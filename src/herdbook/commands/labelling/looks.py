"""Pictures of the surroundings of points in an experiment's movies."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts.index import Index
from herdbook.drawing.montage import draw_look
from herdbook.experiment.model import Experiment
from herdbook.movie.reading import read_frame_samples

# A place in a movie: name of the movie, frame, x and y px.
Place = tuple[str, int, float, float]


def look_at(experiment: Experiment, places: Sequence[Place], length_px: float) -> list[NDArray[np.uint8]]:
    """The surroundings of each place, drawn by `draw_look`, in the order of `places`; each frame is decoded once."""
    wanted: dict[str, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    for number, (movie, frame, _, _) in enumerate(places):
        wanted[movie][frame].append(number)
    pictures: dict[int, NDArray[np.uint8]] = {}
    for movie, frames in wanted.items():
        index = Index.load(experiment.artifact("index", movie))
        for image in read_frame_samples(Path(experiment.movie(movie).file), index, sorted(frames)):
            for number in frames[image.index]:
                pictures[number] = draw_look(image.bgr(), *places[number][2:], length_px)
    return [pictures[number] for number in range(len(places))]
