"""Teaching the network: with labelled crops that change all the time, tested on stretches of time that it was not shown."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Ints, Pixels
from herdbook.bodypoints.learned.changes import Crops, changed_crops
from herdbook.bodypoints.learned.network import build_network, map_loss
from herdbook.bodypoints.learned.peaks import target_maps


@dataclass(frozen=True)
class Lesson:
    """`steps` of `batch` crops with a learning rate that falls from `rate` to 0."""

    steps: int
    batch: int
    rate: float


def teach(model: keras.Model, crops: Crops, rows: Ints, mirrored: Ints | None, lesson: Lesson, rng: np.random.Generator) -> list[float]:
    """Teach the network with the crops `rows`, and return the mean loss of each tenth of the lesson."""
    size = int(model.input_shape[1])
    model.compile(optimizer=keras.optimizers.AdamW(keras.optimizers.schedules.CosineDecay(lesson.rate, lesson.steps)), loss=map_loss)
    losses = [
        float(model.train_on_batch(pictures, target_maps(points, size)))
        for pictures, points in _batches(crops, rows, size, mirrored, lesson, rng)
    ]
    return [float(np.mean(part)) for part in np.array_split(losses, min(10, len(losses)))]


def new_network(size: int, points: int, seed: int) -> keras.Model:
    """An untrained network, the same for the same seed."""
    keras.utils.set_random_seed(seed)
    return build_network(size, points)


def _batches(
    crops: Crops, rows: Ints, size: int, mirrored: Ints | None, lesson: Lesson, rng: np.random.Generator
) -> Iterator[tuple[Pixels, NDArray[np.float64]]]:
    """Changed crops and their points; the next batch is made by another thread while the last one is learned."""

    def draw() -> tuple[Pixels, NDArray[np.float64]]:
        return changed_crops(crops, rng.choice(rows, lesson.batch), size, mirrored, rng)

    with ThreadPoolExecutor(1) as pool:
        following = pool.submit(draw)
        for step in range(lesson.steps):
            batch = following.result()
            if step + 1 < lesson.steps:
                following = pool.submit(draw)
            yield batch
