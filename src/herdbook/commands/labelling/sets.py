"""Training sets as they are named on command lines and on the page: files, folders of images, or those of experiments."""

from collections.abc import Collection
from pathlib import Path

from herdbook.artifacts.trainset import TrainingSet
from herdbook.classifier.image_folders import load_set
from herdbook.errors import HerdbookError
from herdbook.experiment.file import load_experiment


def set_of(path: Path) -> TrainingSet:
    """The training set of an experiment file, a file (.h5) or a folder of images."""
    if path.suffix not in (".yaml", ".yml"):
        return load_set(path)
    experiment = load_experiment(path)
    if experiment.animals.marking != "marked":
        raise HerdbookError(
            f"{path}: only marked animals have a training set with labels; animals.marking is {experiment.animals.marking}."
        )
    given = experiment.trainset.use
    return load_set(Path(given) if given else experiment.artifact("trainset"))


def free_name(name: str, taken: Collection[str]) -> str:
    """The name with the first number that makes it another one than all that are taken."""
    number = 2
    while f"{name} ({number})" in taken:
        number += 1
    return f"{name} ({number})"


def renamed_movies(first: TrainingSet, second: TrainingSet) -> dict[str, str]:
    """Other names for the movies of the second set that have the name of one of the first, for they are different movies."""
    taken = {*first.movies, *second.movies}
    return {name: free_name(name, taken) for name in second.movies if name in first.movies}
