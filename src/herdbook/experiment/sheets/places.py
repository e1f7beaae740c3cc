"""Checks that labels and facts are inside their movies. Points are (x, y) in px; a frame spans -0.5 .. width - 0.5."""

from collections.abc import Mapping, Sequence

from herdbook.experiment.sheets.facts import ABSENT, Fact
from herdbook.experiment.sheets.labels import Label


def label_place_faults(labels: Sequence[Label], frames: Mapping[str, int], sizes: Mapping[str, tuple[int, int]]) -> list[str]:
    """A message for each label after the end of its movie and each outside of the frame; it begins with the line in the table.

    `frames`: number of frames by movie; `sizes`: (width, height) px by movie. Labels of other movies are not checked.
    """
    faults = []
    for label in labels:
        if label.movie in frames and not 0 <= label.frame < frames[label.movie]:
            faults.append(f"line {label.line}: {label.movie} has frames 0 to {frames[label.movie] - 1}, found frame {label.frame}")
        if label.movie in sizes:
            width, height = sizes[label.movie]
            if not (-0.5 <= label.x < width - 0.5 and -0.5 <= label.y < height - 0.5):
                faults.append(
                    f"line {label.line}: ({label.x:g}, {label.y:g}) is outside the frame of {label.movie}, which is {width} x {height} px"
                )
    return faults


def fact_place_faults(facts: Sequence[Fact], frames: Mapping[str, int], sizes: Mapping[str, tuple[int, int]]) -> list[str]:
    """The same for facts: their points, and the last frame in which an animal is absent."""
    points = [Label(fact.movie, fact.frame, fact.x, fact.y, fact.name, fact.line) for fact in facts if fact.kind != ABSENT]
    late = [fact for fact in facts if fact.kind == ABSENT and fact.last >= frames.get(fact.movie, fact.last + 1)]
    return label_place_faults(points, frames, sizes) + [
        f"line {fact.line}: {fact.movie} has frames 0 to {frames[fact.movie] - 1}, found frames {fact.frame} to {fact.last}"
        for fact in late
    ]
