"""Rounds of learning: when the next one is worth its time, what the last one has brought, and when further labels will not help."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from herdbook.artifacts.propagate import Identities
from herdbook.artifacts.tracklets import SINGLE, Tracklets
from herdbook.experiment.model import Experiment
from herdbook.system.files import append_durably, make_writable_folder

FILE = "rounds.jsonl"
# Names this certain need no further label.
ENOUGH = 0.001
# A round that took away less than this share of what was in doubt shows that labels are not what is lacking.
LEAST_GAIN = 0.2
# Later rounds are shorter: what is still in doubt is known only after each.
LATER_SHARE, LEAST_ANSWERS = 0.3, 5


@dataclass(frozen=True)
class RoundDoubt:
    """What is in doubt after a run, as shares of the time in which animals are seen alone: that of names expected to be wrong, and that
    without a name; `made` tells the run from others.
    """

    wrong: float
    nameless: float
    made: str

    @property
    def whole(self) -> float:
        """Both together."""
        return self.wrong + self.nameless


def doubt_of(experiment: Experiment) -> RoundDoubt | None:
    """What is in doubt after the last run, None if there was none."""
    wrong, nameless, frames, made = 0.0, 0.0, 0, []
    for recording, members in experiment.recordings.items():
        path = experiment.artifact("propagate", recording)
        if not path.is_file():
            return None
        made.append(f"{path.stat().st_mtime_ns:x}")
        found = Identities.load(path)
        for movie in members:
            tracklets = Tracklets.load(
                experiment.artifact("tracklets", movie), without=("blob_tracklet", "edges", "edge_weight", "border_edges")
            )
            long = tracklets.last.astype(np.int64) - tracklets.first + 1
            alone = tracklets.tracklet_kind == SINGLE
            mine = found.movie == found.movies.index(movie) if movie in found.movies else np.zeros(len(found.movie), bool)
            if len(found.tracklet[mine]) and found.tracklet[mine].max() >= len(long):
                return None
            sure = np.zeros(len(long))
            np.maximum.at(sure, found.tracklet[mine], found.confidence[mine].astype(np.float64))
            named = np.isin(np.arange(len(long)), found.tracklet[mine])
            wrong += float(((1 - sure) * long)[alone & named].sum())
            nameless += float(long[alone & ~named].sum())
            frames += int(long[alone].sum())
    return RoundDoubt(wrong / max(1, frames), nameless / max(1, frames), "_".join(made))


class Rounds:
    """The rounds of an experiment, one line of JSON for each; `folder` is that of what the app keeps."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE

    def past(self) -> list[dict[str, Any]]:
        """The rounds so far, each with its number of `labels` and what was in doubt after it: `wrong`, `nameless`, `made`."""
        if not self.path.is_file():
            return []
        rounds = []
        for line in self.path.read_text(encoding="utf-8").splitlines():
            try:
                values = json.loads(line)
                rounds.append({"labels": int(values["labels"]), "made": str(values["made"]), **_shares(values)})
            except (ValueError, KeyError, TypeError):
                # What a crash cut off.
                continue
        return rounds

    def take(self, doubt: RoundDoubt, labels: int) -> list[dict[str, Any]]:
        """Keep what a run has brought, if it is a new one; returns all rounds."""
        rounds = self.past()
        if not rounds or rounds[-1]["made"] != doubt.made:
            make_writable_folder(self.path.parent)
            entry = {"labels": labels, "wrong": doubt.wrong, "nameless": doubt.nameless, "made": doubt.made}
            append_durably(self.path, json.dumps(entry).encode() + b"\n")
            rounds.append(entry)
        return rounds


def answers_of_round(names: int, rounds: int) -> int:
    """How many new answers make a round: at first as many as there are names, later fewer."""
    return names if not rounds else max(LEAST_ANSWERS, round(LATER_SHARE * names))


def verdict(doubt: RoundDoubt | None, rounds: Sequence[Mapping[str, Any]], unlabelled: Sequence[str]) -> tuple[str, bool]:
    """What the page says of the last round, and whether more labels will hardly help."""
    if doubt is None:
        return "Nothing is learned yet.", False
    text = f"After {rounds[-1]['labels']} labels {_percent(doubt.whole)} of the time of animals alone is in doubt"
    text += f" ({_percent(doubt.nameless)} without a name)." if doubt.nameless else "."
    if doubt.whole <= ENOUGH:
        return f"{text} More labels will not help.", True
    if unlabelled:
        shown = ", ".join(unlabelled[:5]) + (f" and {len(unlabelled) - 5} more" if len(unlabelled) > 5 else "")
        return f"{text} Without a label: {shown}.", False
    before = next((one for one in reversed(rounds[:-1]) if one["labels"] < rounds[-1]["labels"]), None)
    if before is not None and doubt.whole > (1 - LEAST_GAIN) * (before["wrong"] + before["nameless"]):
        was = _percent(before["wrong"] + before["nameless"])
        return (
            f"{text} Before the last {rounds[-1]['labels'] - before['labels']} it was {was}: more hardly help, answers to doubts do.",
            True,
        )
    return f"{text} More labels help.", False


def _shares(values: Mapping[str, Any]) -> dict[str, float]:
    return {"wrong": float(values["wrong"]), "nameless": float(values["nameless"])}


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %" if share < 0.01 else f"{100 * share:.1f} %"
