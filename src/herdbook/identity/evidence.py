"""The evidence of images, and what a person stated, as the gain (tracklets, columns) in nats of naming a tracklet."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Floats, Mask, Singles
from herdbook.artifacts.classify import Evidence
from herdbook.errors import HerdbookError
from herdbook.experiment.roster import Roster
from herdbook.identity.assignment import LABEL_GAIN, NAMED_GAIN
from herdbook.identity.recording import RecordingGraph


@dataclass(frozen=True)
class RecordingEvidence:
    """What stage classify found in the tracklets of a recording.

    `evidence` float32 (n, columns), nats: -inf for who does not live there, 0 where no image was read; `informed` bool (n,): images were
    read; `labelled` int64 (n,): class of the label, an index into `Roster.classes`, beyond these for what is no identity, -1 without label.
    """

    evidence: Singles
    informed: Mask
    labelled: NDArray[np.int64]


def read_evidence(recording: RecordingGraph, movies: Sequence[str], found: Sequence[Evidence], roster: Roster) -> RecordingEvidence:
    """Join the evidence of the movies. Raises HerdbookError when a classifier knows other identities than the experiment."""
    graph = recording.graph
    at_home = roster.allowed[recording.arena]
    evidence = np.where(at_home, np.float32(0), np.float32(-np.inf))
    labelled = np.full(len(graph), -1, np.int64)
    informed = np.zeros(len(graph), bool)
    for number, part in enumerate(found):
        if part.classes[: len(roster.classes)] != roster.classes:
            raise HerdbookError(
                f"{movies[number]}: the classifier knows {', '.join(part.classes)}, the experiment asks for {', '.join(roster.classes)}"
            )
        mine = np.flatnonzero((recording.movie == number) & at_home.any(axis=1))
        tracklet = recording.tracklet[mine]
        labelled[mine] = part.labelled[tracklet]
        read = (part.images[tracklet] > 0) & (graph.animals[mine] == 1)
        mine, tracklet = mine[read], tracklet[read]
        lives = np.zeros((len(mine), len(roster.classes)), bool)
        np.logical_or.at(lives.T, roster.name, at_home[mine].T)
        restricted = restrict_evidence(part.log_likelihood[tracklet].astype(np.float64), lives)
        evidence[mine] = np.where(at_home[mine], restricted[:, roster.name], -np.inf)
        informed[mine] = True
    return RecordingEvidence(evidence, informed, labelled)


def restrict_evidence(log_likelihood: Floats, allowed: Mask) -> Floats:
    """Evidence (n, identities) of tracklets whose animal must be one of the `allowed` (n, identities), one or more; -inf for all others.

    `log_likelihood` (n, classes) has the identities first. Evidence for identities that cannot be there goes, by Bayes' rule, to those
    that can and to the classes that are no identity: animals of two arenas may look alike.
    """
    identities = allowed.shape[1]
    possible = np.concatenate([allowed, np.ones((len(allowed), log_likelihood.shape[1] - identities), bool)], 1)
    shift = _log_mean(log_likelihood, np.ones_like(possible)) - _log_mean(log_likelihood, possible)
    return np.where(allowed, log_likelihood[:, :identities] + shift[:, None], -np.inf)


def naming_gains(evidence: Singles, must: Mask, never: Mask, full: Mask) -> Singles:
    """Gain (n, columns) of naming a tracklet: its evidence, LABEL_GAIN for who `must` be in it, -inf for who is `never` in it.

    `full` bool (n,): those who must be in the tracklet are all that it holds.
    """
    gains = evidence + np.float32(NAMED_GAIN)
    gains[must] = LABEL_GAIN
    gains[never | (full[:, None] & ~must)] = -np.inf
    return gains


def _log_mean(values: Floats, counted: Mask) -> Floats:
    """Logarithm (n,) of the mean of exp(values) (n, m) over those that are counted, at least one in each row."""
    highest = np.max(values, axis=1, initial=-np.inf, where=counted)
    return np.asarray(highest + np.log((np.exp(values - highest[:, None]) * counted).sum(axis=1) / counted.sum(axis=1)))
