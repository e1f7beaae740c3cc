"""What is left to answer: doubts of names and of places in contact, most to gain first, and how much is expected to be wrong still."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from herdbook.app.watching.results import question_of
from herdbook.app.watching.reviewed import doubts_of_names, doubts_of_places
from herdbook.experiment.model import Experiment
from herdbook.experiment.sheets.facts import IS
from herdbook.identity.doubts import Doubt

NAMES, PLACES = "names", "places"


@dataclass(frozen=True)
class Question:
    """A doubt to answer: of `names`, who is in a tracklet, or of `places`, who is where in a contact."""

    doubt: Doubt
    kind: str

    def described(self) -> dict[str, Any]:
        """The question as the page shows it."""
        doubt = self.doubt
        shown = ("movie", "frame", "x", "y", "name", "assigned", "probability", "frames", "gain")
        spans = ("from_movie", "from_frame", "to_movie", "to_frame")
        return {name: getattr(doubt, name) for name in (*shown, *spans)} | {
            "kind": self.kind,
            "text": question_of(doubt),
            "others": [[name, float(share)] for name, share in others_of(doubt)],
        }


def others_of(doubt: Doubt) -> list[tuple[str, str]]:
    """Who else it can be, with their probabilities as texts."""
    parts = [part.rpartition(" ") for part in doubt.others.split("; ") if part]
    return [(name, share) for name, _, share in parts]


def questions_left(experiment: Experiment, added: Sequence[Mapping[str, str]]) -> list[Question]:
    """All questions of an experiment; `added`: facts that were written since the last run, by which places are decided already."""
    names = [Question(doubt, NAMES) for recording in experiment.recordings for doubt in doubts_of_names(experiment, recording)]
    places = [Question(doubt, PLACES) for doubt in doubts_of_places(experiment) if not any(_decides(fact, doubt) for fact in added)]
    return sorted([*names, *places], key=lambda one: -one.doubt.gain)


def _decides(fact: Mapping[str, str], doubt: Doubt) -> bool:
    """Whether a fact is about one of the animals of a stay in contact while it lasts."""
    involved = {doubt.name, *doubt.assigned.split(), *(name for name, _ in others_of(doubt))}
    if fact["fact"] != IS or fact["movie"] != doubt.movie or fact["name"] not in involved or not fact["frame"].isdigit():
        return False
    first = doubt.from_frame if doubt.from_movie == doubt.movie else 0
    return first <= int(fact["frame"]) and (doubt.to_movie != doubt.movie or int(fact["frame"]) <= doubt.to_frame)
