"""What a person says of tracklets: names in the table of labels, and in another one what is no example; both are on the disk at once."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from herdbook.app.rows import LABELS, PeopleTable
from herdbook.artifacts.trainset import SEVERAL, UNREADABLE
from herdbook.commands.labelling.candidates import classes_of
from herdbook.errors import HerdbookError
from herdbook.experiment.model import Experiment
from herdbook.experiment.sheets.left_out import IMAGE, LEFT_OUT_AS, LEFT_OUT_COLUMNS, NOTHING

LEFT_OUT_FILE = "left_out.csv"
LEFT_OUT_KEY = "trainset.left_out"


class Answers:
    """The tables of one experiment. `folder` holds the journal."""

    def __init__(self, experiment: Experiment, folder: Path) -> None:
        if experiment.animals.marking != "marked":
            raise HerdbookError(f"Labels are for marked animals; here animals.marking is {experiment.animals.marking}.")
        if experiment.animals.labels is None:
            raise HerdbookError("The experiment names no table of labels. Add labels: labels.csv to its section animals.")
        self._experiment = experiment
        self._names = classes_of(experiment)
        path = Path(experiment.animals.labels)
        self.labels = PeopleTable(path, LABELS, folder)
        self.left_out_path = Path(experiment.trainset.left_out) if experiment.trainset.left_out else path.with_name(LEFT_OUT_FILE)
        self.left_out = PeopleTable(self.left_out_path, LEFT_OUT_COLUMNS, folder)

    @property
    def names_left_out(self) -> bool:
        """Whether the experiment file names the table of what is left out, so that runs read it."""
        return self._experiment.trainset.left_out is not None

    def give(self, answers: Sequence[Mapping[str, Any]]) -> bool:
        """Write answers, `movie`, `frame`, `x`, `y` and either `label` or `what`, all as one step; whether some are left out.

        What is no animal's name goes into the labels if it is one of the experiment's other labels, and else into the other table: with
        other labels the network learns from labelled images alone. Raises HerdbookError for names and words that there are not.
        """
        labels, aside = [], []
        for answer in answers:
            place = _place(answer)
            name = str(answer.get("label") or self._other_label(str(answer.get("what"))) or "")
            if name:
                if name not in self._names:
                    raise HerdbookError(f"there is no name {name!r}")
                labels.append(place | {"label": name})
            else:
                aside.append(place | {"what": _what(answer)})
        if labels and aside:
            raise HerdbookError("names and what is left out are answers of their own")
        if labels:
            self.labels.add(*labels)
        if aside:
            self.left_out.add(*aside)
        return bool(aside)

    def give_instead(self, rows: Sequence[Mapping[str, str]], answers: Sequence[Mapping[str, Any]]) -> bool:
        """Write one answer in place of labels of its tracklet, given by their `rows`; whether it is left out."""
        name = str(answers[0].get("label") or "")
        if not rows or len(answers) > 1 or name not in self._names:
            for row in rows:
                self.labels.remove(row)
            return self.give(answers)
        for row in rows:
            if row["label"] != name:
                self.labels.change(row, {"label": name})
        return False

    def take_back(self, answer: Mapping[str, Any]) -> None:
        """Take out the row of a single image that is left out. Raises HerdbookError if it is not there."""
        self.left_out.remove(_place(answer) | {"what": IMAGE})

    def undo(self) -> list[dict[str, str]]:
        """Undo the last step of both tables; returns the rows that it had made. Raises NothingToUndoError, with the reason."""
        steps = {table: table.last_step() for table in (self.labels, self.left_out)}
        last = max(steps, key=lambda table: steps[table][0])
        last.undo()
        return steps[last][1]

    def _other_label(self, what: str) -> str:
        """The other label of the experiment that says the same, "" for none."""
        others = self._experiment.animals.other_labels
        if what == NOTHING:
            return next((name for name in others if name not in (SEVERAL, UNREADABLE)), "")
        return what if what in others and what in (SEVERAL, UNREADABLE) else ""


def _place(answer: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return {"movie": str(answer["movie"]), "frame": int(answer["frame"]), "x": float(answer["x"]), "y": float(answer["y"])}
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise HerdbookError(f"an answer needs movie, frame, x and y ({error})") from error


def _what(answer: Mapping[str, Any]) -> str:
    what = str(answer.get("what") or "")
    if what not in LEFT_OUT_AS:
        raise HerdbookError(f"an answer is a name or one of {', '.join(LEFT_OUT_AS)}, found {what!r}")
    return what
