"""What the report's page says first: a few sentences and figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from herdbook.report.assumptions import Assumption, told_first, withheld
from herdbook.report.expected import ExpectedError, expect_error
from herdbook.report.page import count, duration, percent
from herdbook.report.summaries import IndividualTotals, Recording
from herdbook.tables.scoring import Score

ROUNDING = 1e-9
WHO = {"marked": "with marks", "unmarked": "without marks, told apart by what they look like,"}


@dataclass(frozen=True)
class Gist:
    """What the first sentences need: totals of all recordings, how animals are told apart, or without that whether numbers are `kept`
    through contacts, the number of spans worth a look, the score if the truth is known, what of the positions is expected to be wrong, if
    animals have names, and the share of the animals' frames in which they are unknown, NaN if not known. `alone`: each animal without a
    name of its own lives alone in an arena. `assumptions`: those on which the expected error rests; it is withheld where some fail.
    """

    recordings: Sequence[Recording]
    totals: IndividualTotals
    marking: str
    kept: bool
    spans: int
    score: Score | None
    error: ExpectedError | None
    unknown: float
    alone: bool = False
    assumptions: Sequence[Assumption] = ()

    @property
    def named(self) -> bool:
        """Whether animals have names."""
        return self.marking != "none"

    @property
    def withheld(self) -> bool:
        """Whether the expected error cannot be told."""
        return self.named and bool(withheld(self.assumptions))

    @property
    def assigned(self) -> float:
        """Share of the animals' frames that have a position; if their number is not known, of the frames in which they are in sight."""
        filled, wanted = (sum(int(getattr(one, name).sum()) for one in self.recordings) for name in ("filled", "wanted"))
        return filled / wanted if wanted else float("nan")

    @property
    def counted(self) -> bool:
        """Whether the number of animals is known."""
        return all(recording.number is not None for recording in self.recordings)

    @property
    def animals(self) -> int:
        """Number of animals with a name, or that are known to be there, whichever is more."""
        return max([len(self.totals.names) if self.named else 0, *(recording.number or 0 for recording in self.recordings)])

    def subtitle(self) -> str:
        """What was filmed."""
        movies = [movie for recording in self.recordings for movie in recording.movies]
        return f"{count(len(movies), 'movie')} in {count(len(self.recordings), 'recording')}"

    def sentences(self) -> list[str]:
        """What was tracked and how sure it is, in plain words."""
        number = len(self.totals.names)
        length = duration(sum(recording.duration_s for recording in self.recordings))
        if not self.named:
            lines = [f"Animals without names were followed for {length}, {self._without_names(number)}."]
            if self.counted:
                frames = f"the frames of {count(self.animals, 'animal')}"
                lines.append(f"{percent(self.assigned)} of {frames} have a position; in the others they were not found.")
            else:
                lines.append(f"{percent(self.assigned)} of the animals in sight have a position; how many there are is not known.")
        else:
            its, it_has, it_is = ("its", "it has", "it is") if number == 1 else ("their", "they have", "they are")
            followed = f"{count(number, 'animal')} {WHO[self.marking]} {'was' if number == 1 else 'were'} followed for {length}"
            lines = [f"{followed}{'' if self.withheld else _in_error(self.error)}."]
            if self.animals > number:
                lines.append(f"There are {self.animals} animals, of which {number} {'has a name' if number == 1 else 'have names'}.")
                its, it_has, it_is = "all animals'", "they have", "they are"
            parts = [f"In {percent(self.assigned)} of {its} frames {it_has} a position"]
            parts += [f"in {percent(self.unknown)} nobody knows where {it_is}"] * (self.unknown > 0)
            parts += [f"in the others {it_is} hidden or outside"] * (self.assigned + self.unknown < 1 - ROUNDING)
            lines.append(", ".join(parts) + ".")
        if self.score is not None:
            lines.append(f"Compared with the truth, {percent(self.score.correct)} of all true positions are right.")
        if self.spans:
            lines.append(f"{count(self.spans, 'span')} {'is' if self.spans == 1 else 'are'} worth a look.")
        elif self.named:
            lines.append("No span is in doubt enough to be worth a look.")
        return [sentence.replace(" %", "\u00a0%") for sentence in [*told_first(self.assumptions, self.named), *lines]]

    def _without_names(self, number: int) -> str:
        if self.alone:
            return f"each alone in its arena, in {count(number, 'arena')}"
        return f"under {count(number, 'number')} kept through contacts" if self.kept else f"in {count(number, 'fragment')}"

    def key_figures(self) -> list[tuple[str, str]]:
        """Pairs of value and what it means."""
        number = len(self.totals.names)
        frames, tracked = (sum(getattr(recording, name) for recording in self.recordings) for name in ("frames", "tracked"))
        figures = [
            (f"{number:,}", ("animal" if self.named or self.kept or self.alone else "fragment") + "s" * (number != 1)),
            (
                duration(sum(recording.duration_s for recording in self.recordings)),
                f"in {count(frames, 'frame')}" + (f", {tracked:,} tracked" if tracked < frames else ""),
            ),
            (percent(self.assigned), "of the animals' frames have a position" + ("" if self.counted else ", of those in sight")),
        ]
        if self.named:
            figures.append((percent(self.unknown), "of the frames it is not known where they are"))
        if self.withheld:
            figures.append(("cannot be told", "how many positions are wrong"))
        elif self.error is not None and self.error.whole.positions:
            figures.append((percent(self.error.whole.share), "of the positions are expected to be wrong"))
        if self.score is not None:
            figures.append((percent(self.score.correct), "of the true positions are right"))
        if self.named:
            figures.append((f"{self.spans:,}", f"span{'s' * (self.spans != 1)} worth a look"))
        return figures


def expected_wrong(card: dict[str, Any] | None, recordings: Sequence[Recording]) -> ExpectedError:
    """What of the positions is expected to be wrong; `card` is that of the classifier."""
    return expect_error(recordings, float(card["disagreement"]) if card and card.get("architecture") == "embedding" else 0.0)


def _in_error(error: ExpectedError | None) -> str:
    """The expected error, as the end of a sentence."""
    if error is None or not error.whole.positions:
        return ""
    whole = error.whole
    text = f"; {percent(whole.share)} ({percent(whole.low)} to {percent(whole.high)}) of the positions are expected to be another animal's"
    if error.contact.positions and error.alone.positions:
        text += f": {percent(error.alone.share)} of those alone, {percent(error.contact.share)} of those in contact with others"
    return text
