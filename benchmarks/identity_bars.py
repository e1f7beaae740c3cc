"""What `identities` prints of a recording's outcomes: figures beside their bars, the baseline, and how far confidence can be trusted."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from herdbook.artifacts.smooth import FROM_RESOLVED, SOURCES
from herdbook.classifier.calibration import reliability
from herdbook.tables.scoring import Score

# Buckets of confidence: most positions are surer than the last of ten equal ones can show.
BUCKETS = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.994, 0.996, 0.999, 1.01)


@dataclass(frozen=True)
class Outcome:
    """The `score` of a variant, and its `cells`: one row per judged true position that has a position of its animal, with `individual`,
    `distance` px, `right` (within the radius), `confidence` and `source`; `gap` of the solution; `unread`: the animal that is never
    read, and the share of its true positions that are right.
    """

    score: Score
    cells: pd.DataFrame
    gap: float
    unread: tuple[str, float] | None = None


@dataclass(frozen=True)
class Bars:
    """The bars of a recording: least or most of each figure; None where it has none."""

    pure: float
    counted: float
    error: float
    apart_error: float
    merged_px: tuple[float, float]
    assigned: float | None = None
    correct: float | None = None
    apart_correct: float | None = None
    shared: float | None = None
    weak_error: float | None = None
    weak_assigned: float | None = None


BARS = {
    "ants16": Bars(
        pure=0.9995,
        counted=0.995,
        assigned=0.98,
        error=0.005,
        apart_correct=0.99,
        apart_error=0.001,
        shared=0.01,
        weak_error=0.005,
        weak_assigned=0.97,
        merged_px=(8.0, 25.0),
    ),
    "mice4": Bars(pure=0.99, counted=0.97, correct=0.98, error=0.003, apart_error=0.0005, merged_px=(12.0, 30.0)),
}
# An animal that is never read counts as found where so much of it is right.
FOUND = 0.9
TRUTH_APART_ERROR, SWITCHES, CALIBRATION_ERROR, TOLD_FACTOR = 0.0003, 1.0, 0.02, 2.0

Row = tuple[str, str, str, float, str, str]


def least(bar: str, where: str, what: str, value: float, limit: float | None = None) -> Row:
    """A figure, and whether it is at least its bar."""
    return bar, where, what, value, *(("", "") if limit is None else (f">= {limit:g}", "yes" if value >= limit else "MISSED"))


def most(bar: str, where: str, what: str, value: float, limit: float | None = None) -> Row:
    """A figure, and whether it is at most its bar."""
    return bar, where, what, value, *(("", "") if limit is None else (f"<= {limit:g}", "yes" if value <= limit else "MISSED"))


def tracklet_rows(name: str, total: dict[str, int]) -> list[Row]:
    """Bar 1, from the sums of `true_blobs.tracklet_figures` over the movies."""
    bars, rows = BARS[name], []
    for count in ("counted", "recounted"):
        single = total[f"{count} single"]
        rows += [
            least("1", name, f"{count}: frames of single tracklets with its animal alone", total[f"{count} pure"] / single, bars.pure),
            least("1", name, f"{count}: frames of those with their animal throughout", total[f"{count} throughout"] / single),
            least("1", name, f"{count}: tracklet-frames, number right", total[f"{count} right"] / total["blobs"], bars.counted),
        ]
    return rows


def outcome_rows(name: str, variant: str, found: Outcome) -> list[Row]:
    """Bars 2 to 5 and 7 as far as they hold for a variant; that of `elimination` is only that the animal is found."""
    score, bars, where = found.score, BARS[name], f"{name} {variant}"
    named, weak = variant == "classifier", variant in ("weak", "elimination")
    bar = "3" if weak else "2"
    error, assigned = (bars.weak_error, bars.weak_assigned) if variant == "weak" else (bars.error, bars.assigned) if named else (None, None)
    apart_error = bars.apart_error if named else TRUTH_APART_ERROR if variant == "truth" else None
    rows = [
        least(bar, where, "assigned", score.assigned, assigned),
        least(bar, where, "correct", score.correct, bars.correct if named else None),
        most(bar, where, "error", score.error, error),
        least(bar, where, "apart: correct", score.apart.correct, bars.apart_correct if named else None),
        most(bar, where, "apart: error", score.apart.error, apart_error),
        most(bar, where, "shared positions", score.shared, bars.shared if named else None),
        most(bar, where, "gap of the solution", found.gap),
    ]
    if found.unread is not None:
        rows.append(least(bar, where, f"correct of {found.unread[0]}, which is never read", found.unread[1], FOUND))
    inside = found.cells.loc[found.cells["source"] == FROM_RESOLVED, "distance"]
    median, p95 = bars.merged_px if named else (None, None)
    rate = score.lasting_switches_per_animal_hour or 0.0
    rows += [
        most("4", where, f"inside merges ({len(inside)} positions): median px", float(inside.median()), median),
        most("4", where, "inside merges: 95th percentile px", float(inside.quantile(0.95)), p95),
        most("5", where, f"lasting switches per animal-hour ({score.lasting_switches})", rate, SWITCHES if named else None),
    ]
    if named or weak:
        told, real = told_and_real(found.cells)
        ece = reliability(found.cells["confidence"].to_numpy(), found.cells["right"].to_numpy())["ece"]
        rows += [
            most("7", where, "expected calibration error", ece, CALIBRATION_ERROR),
            most("7", where, "error rate told", told),
            most("7", where, f"error rate that there is ({int((~found.cells['right']).sum())})", real),
            most("7", where, "told / real or its inverse", max(told / real, real / told) if real else np.inf, TOLD_FACTOR),
        ]
    return rows


def told_and_real(cells: pd.DataFrame) -> tuple[float, float]:
    """Error rate that the confidences tell, and that there is: the share of positions beyond the radius."""
    return float(1 - cells["confidence"].mean()), float(1 - cells["right"].mean())


def bucket_table(where: str, cells: pd.DataFrame) -> pd.DataFrame:
    """Told and real error by source and bucket of confidence."""
    rows = []
    bucket = np.digitize(cells["confidence"], BUCKETS) - 1
    for (source, number), part in cells.groupby(["source", bucket]):
        span = f"{BUCKETS[number]:g} .. {min(1, BUCKETS[number + 1]):g}"
        rows.append((where, SOURCES[source], span, len(part), *told_and_real(part)))
    return pd.DataFrame(rows, columns=["variant", "source", "confidence", "positions", "told error", "real error"])


def plot_reliability(found: dict[str, Outcome]) -> Figure:
    """For each variant: accuracy over confidence in ten bins, and real over told error in finer buckets, with the factor 2 around."""
    figure = Figure(figsize=(3.2 * len(found), 6.4), layout="constrained")
    axes = figure.subplots(2, len(found), squeeze=False)
    for (where, outcome), upper, lower in zip(found.items(), axes[0], axes[1], strict=True):
        bins = reliability(outcome.cells["confidence"].to_numpy(), outcome.cells["right"].to_numpy())
        some = np.array(bins["count"]) > 0
        upper.plot([0, 1], [0, 1], color="0.7")
        upper.plot(np.array(bins["confidence"])[some], np.array(bins["accuracy"])[some], "o-")
        upper.set(title=f"{where}\nECE {bins['ece']:.4f}", xlabel="confidence", ylabel="within the radius")
        buckets = outcome.cells.groupby(np.digitize(outcome.cells["confidence"], BUCKETS))
        told, real = np.maximum(np.array([told_and_real(part) for _, part in buckets]), 1e-5).T
        size = buckets.size().to_numpy()
        span = np.array([1e-5, 1.0])
        for factor, style in ((1 / TOLD_FACTOR, ":"), (1.0, "-"), (TOLD_FACTOR, ":")):
            lower.plot(span, factor * span, style, color="0.7")
        lower.scatter(told, real, s=8 + 120 * size / size.max())
        lower.set(xscale="log", yscale="log", xlim=span, ylim=span, xlabel="error told (1 - confidence)", ylabel="error that there is")
    return figure


def names_row(where: str, cells: pd.DataFrame) -> dict[str, str | float]:
    """What `true_blobs.judge_names` tells of a variant."""
    named = cells[cells["named"]]
    told, real = told_and_real(named)
    ece = reliability(named["confidence"].to_numpy(), named["right"].to_numpy())["ece"]
    return {"variant": where, "assigned": float(cells["named"].mean()), "error": real, "error told": told, "calibration error": ece}


def baseline_row(name: str, solver: str, own: Outcome, greedy: Outcome) -> dict[str, str | float | int | None]:
    """Bar 8: the solver beside the baseline on the same evidence, and its error where it is as sparing with answers as that."""
    surest = own.cells.sort_values("confidence", ascending=False, kind="stable").head(len(greedy.cells))
    error, same, greedy_error = (told_and_real(cells)[1] for cells in (own.cells, surest, greedy.cells))
    better = own.score.assigned >= greedy.score.assigned and same <= greedy_error
    return {
        "evidence": f"{name} {solver}",
        "assigned": own.score.assigned,
        "greedy assigned": greedy.score.assigned,
        "error": error,
        "error at greedy's share": same,
        "greedy error": greedy_error,
        "lasting switches": own.score.lasting_switches,
        "greedy's": greedy.score.lasting_switches,
        "better": "yes" if better else "MISSED",
    }
