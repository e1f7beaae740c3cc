"""`herdbook check` of the section pose: whether a network can learn from the labelled body points, or a given one be used."""

from collections.abc import Mapping
from pathlib import Path

from herdbook.errors import HerdbookError
from herdbook.experiment.model import Experiment
from herdbook.experiment.sheets.point_labels import labelled_movies


def check_labelled_points(experiment: Experiment, frames: Mapping[str, int]) -> tuple[list[str], list[str]]:
    """Faults and notes, as far as they are known without positions; `frames` of each movie that can be read."""
    if experiment.pose is None:
        return [], []
    # Imported here: these readers import pandas.
    from herdbook.bodypoints.learned.cards import check_points, read_pose_card
    from herdbook.bodypoints.learned.errors import STRETCHES
    from herdbook.bodypoints.learned.labels import partners, point_names, read_point_labels

    pose, names = experiment.pose, [movie.name for movie in experiment.movies]
    try:
        if pose.model:
            check_points(read_pose_card(Path(pose.model).with_suffix(".json")), pose.points)
            return [], []
        labelled_movies(pose.labels, names)
        labels = read_point_labels([Path(path) for path in pose.labels], names, experiment.animals.individuals)
        partners(point_names(labels, pose.points, ", ".join(pose.labels)), pose.mirror)
    except HerdbookError as error:
        return [str(error)], []
    faults = [
        f"{label.file}, {label.place}: {label.movie} has frames 0 to {frames[label.movie] - 1}, found frame {label.frame}"
        for label in labels
        if label.frame >= frames.get(label.movie, label.frame + 1)
    ]
    count = len({(label.movie, label.frame) for label in labels})
    notes = [f"pose: {len(labels)} labelled animals in {count} frames"]
    if count < STRETCHES:
        notes.append(f"pose: of fewer than {STRETCHES} labelled frames none is kept back, so no error will be told. Label more.")
    return faults, notes
