"""The report's section on body points."""

from collections.abc import Mapping, Sequence

import numpy as np

from herdbook.artifacts.repair import KEPT, MISTAKES, REFUSED, RepairedPoints
from herdbook.experiment.layout import BODY_POINTS, POINT_MISTAKES, POINT_MOMENTS
from herdbook.report.links import PageLinks
from herdbook.report.page import Cell, PageSection, Picture, Table, percent
from herdbook.report.points.summaries import PointSummary
from herdbook.tables.mistakes import WRONG, mistake_table, moment_table

MOST_MOMENTS = 20


def bodypoints_section(
    repaired: Mapping[str, RepairedPoints], links: PageLinks, known: PointSummary, pictures: Sequence[Picture] = ()
) -> PageSection:
    """How many body points are known, how far off they are expected to be, and what was wrong with those of a pose tool in the movies, by
    name, in which they were repaired.
    """
    sentences = [*_known_sentences(known), *(_repair_sentences(repaired) if repaired else ())]
    tables = [_known_table(known)] if known.places.any() else []
    tables += [_mistakes(repaired), _worst_moments(repaired, links)] if repaired else []
    names = (BODY_POINTS, POINT_MISTAKES, POINT_MOMENTS) if repaired else (BODY_POINTS,)
    return PageSection("Body points", sentences, tables, pictures=pictures, links=[Cell(name, path=f"../{name}") for name in names])


def _known_sentences(known: PointSummary) -> list[str]:
    places = known.places.sum(axis=0)
    if not places.any():
        return []
    shares = [percent(count / place) for count, place in zip(known.known.sum(axis=0).tolist(), places.tolist(), strict=True) if place]
    which = ("of animals alone", "of those in contact")
    parts = [f"{share} {what}" for share, what in zip(shares, [w for w, place in zip(which, places, strict=True) if place], strict=True)]
    return [
        f"Where animals have a position, {percent(float(known.known.sum() / places.sum()))} of their points are known: {', '.join(parts)}."
    ]


def _known_table(known: PointSummary) -> Table:
    """A row for each point; without the errors if none is expected, and without animals in contact if there are none."""
    kinds = [k for k in (0, 1) if known.places[:, k].any()]
    told = [k for k in kinds if np.isfinite(known.error_px[:, k]).any()]
    what = ("alone", "in contact")
    header = ("point", *(f"unknown, {what[k]}" for k in kinds), *(f"expected error, {what[k]} (px)" for k in told))

    def cells(k: int, point: int) -> Cell:
        place = int(known.places[point, k])
        share = 1 - int(known.known[point, k]) / place if place else np.nan
        return Cell(percent(share), share=share if place else None)

    rows = [
        [Cell(name), *(cells(k, point) for k in kinds), *(_pixels(float(known.error_px[point, k])) for k in told)]
        for point, name in enumerate(known.points)
    ]
    return Table(header, rows, "How many are unknown, and how far off the others are expected to be" if told else "How many are unknown")


def _pixels(value: float) -> Cell:
    return Cell(f"{value:.1f}" if np.isfinite(value) else "–")


def _repair_sentences(points: Mapping[str, RepairedPoints]) -> list[str]:
    counts = np.sum([one.by_hour.sum(axis=(0, 1)) for one in points.values()], axis=0)
    detected = max(int(counts[KEPT : REFUSED + 1].sum()), 1)
    known = sum(int((one.slot >= 0).sum()) for one in points.values())
    places = max(sum(one.slot.size for one in points.values()), 1)
    shares = ", ".join(f"{percent(counts[kind] / detected)} {MISTAKES[kind]}" for kind in range(KEPT, REFUSED + 1))
    return [
        f"Of {detected:,} points that the pose tool found, {shares}. After the repair {percent(known / places)} of all points of all "
        "animals are known; the others were not found, or it cannot be known whose they are.",
        "switched: the whole animal was under another one's name; drifted: a part was marked at the same part of another animal; jumped: a "
        "single point was another animal's; refused: nobody's, or not to be told.",
    ]


def _mistakes(points: Mapping[str, RepairedPoints]) -> Table:
    rows = [
        [Cell(movie), Cell(str(hour)), Cell(name), *(Cell(f"{value:,}") for value in counts)]
        for movie, one in points.items()
        for movie, hour, name, *counts in mistake_table(movie, one).itertuples(index=False)
    ]
    return Table(("movie", "hour", "animal", *MISTAKES[KEPT:]), rows, "Points of each animal by hour")


def _worst_moments(points: Mapping[str, RepairedPoints], links: PageLinks) -> Table:
    found = [row for movie, one in points.items() for row in moment_table(movie, one, links.times_s[movie]).itertuples(index=False)]
    worst = sorted(found, key=lambda row: -sum(row[-len(WRONG) :]))[:MOST_MOMENTS]
    rows = [
        [links.moment(movie, frame), Cell(movie), Cell(f"{first:,} to {last:,}"), Cell(name or "–"), *(Cell(f"{n:,}") for n in counts)]
        for movie, first, last, frame, _, name, *counts in worst
    ]
    return Table(("time", "movie", "frames", "animal", *WRONG), rows, "The worst moments")
