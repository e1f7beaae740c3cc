"""How right a table of trajectories is: identity, detection, association and switches against a truth table.

Only frames that hold at least one truth position are judged, so a sparsely annotated truth is a fair one. The judged
frames form one sequence, sorted by movie name and frame number. Points are (x, y) in px. Nothing of size
frames x individuals x individuals is ever held: distances are made in chunks of frames and only near pairs are kept.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from herdbook.arrays import Bools, Ints
from herdbook.errors import HerdbookError
from herdbook.tables.position_files import read_columns
from herdbook.tables.score_metrics import (
    CellVerdicts,
    count_lasting_switches,
    count_pairs,
    count_switches,
    judge_cells,
    match_clear,
    measure_hota,
    ratio,
)
from herdbook.tables.score_pairs import Pairs, ScoredPositions, Tables, align_tables, find_contacts, near_pairs, same_movies


@dataclass(frozen=True)
class CellScore:
    """Shares over a set of truth cells: `assigned` and `correct` per cell, `error` per assigned cell."""

    cells: int
    assigned: float
    correct: float
    error: float


@dataclass(frozen=True)
class Score:
    """How one predicted table compares with its truth; shares lie in 0..1, distances are px, None means undefined.

    A cell is one truth position (frame, animal); each animal is matched to one predicted individual, by name or by
    the permutation with the most cells within the radius.

    individuals: names in the predicted table. assigned: cells with a position of the matched individual. correct:
    within the radius. wrong: beyond it and within the radius of another animal. off: beyond it and near nobody.
    error: wrong / assigned. apart, close: the same where the nearest other animal is at least, or less than, `apart_px`
    away. median_px, p95_px: distance of the correct cells. shared: predicted positions held by several individuals at
    once (to 0.01 px). identity_accuracy: correct / assigned under the requested matching;
    identity_accuracy_permuted: under the best permutation, equal to it for unnamed animals. covered: cells with any
    predicted position within the radius. idf1, idp, idr (Ristani et al. 2016, ECCV workshops) and mota, switches
    (CLEAR MOT, Bernardin & Stiefelhagen 2008, EURASIP J. Image Video Process.) hold at the radius. hota, deta, assa
    (Luiten et al. 2021, Int. J. Comput. Vis. 129:548) are means over the thresholds 0.05..0.95 of
    similarity = max(0, 1 - distance / (2 radius)): threshold 0.5 is the radius. The detection-based figures count
    every predicted position of a judged frame. lasting_switches: contacts of an animal after which another
    predicted track lies nearest to it, one second after the end, than before the beginning. Rates are per hour of
    one animal, counted in truth cells.
    """

    cells: int
    individuals: int
    assigned: float
    correct: float
    wrong: float
    off: float
    error: float
    apart: CellScore
    close: CellScore
    median_px: float | None
    p95_px: float | None
    shared: float
    identity_accuracy: float
    identity_accuracy_permuted: float
    covered: float
    idf1: float
    idp: float
    idr: float
    mota: float
    hota: float
    deta: float
    assa: float
    switches: int
    switches_per_animal_hour: float | None
    lasting_switches: int | None
    lasting_switches_per_animal_hour: float | None


def load_trajectories(path: str | Path) -> pd.DataFrame:
    """Read predicted positions from a CSV file with the columns [movie,] frame, individual | identity | id, x, y.

    Returns a table with movie (str, "" where the file has no such column), frame (int64, from 0), individual (str),
    x and y (float64, px, both NaN where unknown). Other columns are ignored.
    Raises HerdbookError for a file that cannot be read, missing columns, values that are no numbers or repeated cells.
    """
    return _load_positions(Path(path), ("individual", "identity", "id"))


def load_truth(path: str | Path) -> pd.DataFrame:
    """Read true positions as `load_trajectories` does; a column visible_share (float64, 0..1) is kept if present."""
    return _load_positions(Path(path), ("identity", "id", "individual"), optional=("visible_share",))


def _load_positions(path: Path, name_columns: Sequence[str], optional: Sequence[str] = ()) -> pd.DataFrame:
    numbers = ["frame", "x", "y", *optional]
    table = read_columns(path, numbers, ("movie", *name_columns))
    name = next((column for column in name_columns if column in table), None)
    missing = [column for column in ("frame", "x", "y") if column not in table]
    if name is None:
        missing.append(" or ".join(name_columns))
    if missing or name is None:
        raise HerdbookError(f"{path}: column {', '.join(missing)} is missing. Expected [movie,] frame, {'|'.join(name_columns)}, x, y.")
    if "movie" not in table:
        table["movie"] = ""
    table = table.rename(columns={name: "individual"})
    for column in [column for column in numbers if column in table]:
        values = pd.to_numeric(table[column], errors="coerce").astype(float)
        refused = np.isinf(values) | (values.isna() & table[column].notna())
        if column == "frame":
            refused |= ~((values >= 0) & (values % 1 == 0) & (values < 2**53))
        expected = "a whole number from 0" if column == "frame" else "a finite number"
        _refuse_first(path, table, refused, lambda row, c=column, e=expected: f"{c} is '{row[c]}', expected {e}")
        table[column] = values
    table["frame"] = table["frame"].astype("int64")
    _refuse_first(path, table, table["x"].isna() != table["y"].isna(), lambda _: "only one of x and y is given")
    _refuse_first(path, table, table["individual"].eq(""), lambda _: f"{name} is empty")
    _refuse_first(
        path,
        table,
        table.duplicated(["movie", "frame", "individual"]),
        lambda row: f"'{row['individual']}' has a second position in frame {row['frame']} {row['movie']}".rstrip(),
    )
    present = [column for column in optional if column in table]
    return table[["movie", "frame", "individual", "x", "y", *present]]


def _refuse_first(path: Path, table: pd.DataFrame, refused: Any, what: Any) -> None:
    rows = np.flatnonzero(refused)
    if len(rows):
        raise HerdbookError(
            f"{path}, data row {rows[0] + 1}: {what(table.iloc[rows[0]])} "
            f"({len(rows)} such row{'s' if len(rows) > 1 else ''}). Correct the file."
        )


def score_trajectories(
    predicted: pd.DataFrame,
    truth: pd.DataFrame,
    *,
    named: bool,
    radius_px: float,
    fps: float | None = None,
    apart_px: float | None = None,
    min_visible: float | None = None,
    movies: Sequence[str] | None = None,
) -> Score:
    """Compare predicted with true positions.

    predicted, truth: tables as the loaders return them; if each holds one movie, its name may differ.
    named: the individuals carry the same names on both sides; else one permutation for the whole table is found.
    radius_px: a prediction this near is right; about half a body length is usual.
    fps: frames per second; without it there are no rates and no lasting switches.
    apart_px: two animals nearer than this are in contact (default 2 radius_px).
    min_visible: judge only cells with at least this visible_share. Lasting switches and their rate still use every
    truth position, because an animal that is covered during a contact is still there.
    movies: judge only these.

    A contact ends when the animal then stays apart, or unseen, for more than one second. The track nearest to it one
    second after the end is compared with the one in its last position before the beginning; both must lie within the
    radius, and tracks at the same distance are equally near.
    Raises HerdbookError for impossible settings, or if no truth position remains.
    """
    apart_px = 2 * radius_px if apart_px is None else apart_px
    _require_positive(radius_px=radius_px, fps=fps, apart_px=apart_px)
    predicted, everywhere = same_movies(predicted, truth, movies)
    judged = _judged(everywhere, min_visible)
    tables = align_tables(predicted, judged, named)
    true, tracks = tables.truth, tables.predicted
    n_true, n_tracks = len(true.who), len(tracks.who)
    wide = near_pairs(true, tracks, 2 * radius_px)
    near = wide.within(radius_px)

    permuted, idtp = _best_permutation(tables, near)
    cells_permuted = judge_cells(tables, near, permuted)
    cells = judge_cells(tables, near, np.arange(tables.names[0])) if named else cells_permuted
    contact = find_contacts(true, apart_px)
    matched = match_clear(tables, near)
    switches = count_switches(tables, near, matched)
    hota, deta, assa = measure_hota(tables, wide, radius_px)
    lasting = rate = lasting_rate = None
    if fps is not None:
        rate = _per_hour(switches, n_true, fps)
        all_tables = tables if judged is everywhere else align_tables(predicted, everywhere, named)
        lasting = count_lasting_switches(all_tables, radius_px, apart_px, fps)
        lasting_rate = _per_hour(lasting, len(all_tables.truth.who), fps)
    return Score(
        cells=n_true,
        individuals=int(predicted["individual"].nunique()),
        assigned=ratio(cells.assigned.sum(), n_true),
        correct=ratio(cells.correct.sum(), n_true),
        wrong=ratio(cells.wrong.sum(), n_true),
        off=ratio((cells.assigned & ~cells.correct & ~cells.wrong).sum(), n_true),
        error=ratio(cells.wrong.sum(), cells.assigned.sum()),
        apart=_share(cells, ~contact),
        close=_share(cells, contact),
        median_px=float(np.median(cells.distance)) if len(cells.distance) else None,
        p95_px=float(np.percentile(cells.distance, 95)) if len(cells.distance) else None,
        shared=ratio(_held_by_several(tracks), n_tracks),
        identity_accuracy=ratio(cells.correct.sum(), cells.assigned.sum()),
        identity_accuracy_permuted=ratio(cells_permuted.correct.sum(), cells_permuted.assigned.sum()),
        covered=ratio(len(np.unique(near.truth)), n_true),
        idf1=ratio(2 * idtp, n_true + n_tracks),
        idp=ratio(idtp, n_tracks),
        idr=ratio(idtp, n_true),
        mota=1 - (n_true + n_tracks - 2 * int(matched.sum()) + switches) / n_true,
        hota=hota,
        deta=deta,
        assa=assa,
        switches=switches,
        switches_per_animal_hour=rate,
        lasting_switches=lasting,
        lasting_switches_per_animal_hour=lasting_rate,
    )


def _require_positive(**settings: float | None) -> None:
    for key, value in settings.items():
        if value is not None and not 0 < value < np.inf:
            raise HerdbookError(f"{key} is {value}, expected a positive number.")


def _judged(truth: pd.DataFrame, min_visible: float | None) -> pd.DataFrame:
    """The truth positions that are visible enough: the table itself where no limit is set."""
    if min_visible is not None:
        if "visible_share" not in truth:
            raise HerdbookError("The truth has no column visible_share: leave out min_visible or add the column.")
        truth = truth[truth["visible_share"] >= min_visible]
    if truth.empty:
        raise HerdbookError("No position of the truth is left to judge: check the movies and min_visible.")
    return truth


def _best_permutation(tables: Tables, near: Pairs) -> tuple[Ints, int]:
    """Predicted name (truth names,) of each animal, -1 for none, such that most cells are right, and the number of those cells."""
    overlap = count_pairs(tables.truth.who[near.truth], tables.predicted.who[near.predicted], tables.names)
    rows, columns = linear_sum_assignment(overlap, maximize=True)
    permuted = np.full(tables.names[0], -1)
    permuted[rows] = columns
    return permuted, int(overlap[rows, columns].sum())


def _held_by_several(tracks: ScoredPositions) -> int:
    """Number of positions that several individuals have in the same frame, to 0.01 px."""
    rounded = pd.DataFrame({"frame": tracks.frame, "x": tracks.xy[:, 0].round(2), "y": tracks.xy[:, 1].round(2)})
    return int(rounded.duplicated(keep=False).sum())


def _per_hour(count: int, cells: int, fps: float) -> float:
    """A count as a rate per hour of one animal, which is seen in so many cells."""
    return count / (cells / fps / 3600)


def _share(verdicts: CellVerdicts, cells: Bools) -> CellScore:
    n, assigned = cells.sum(), (verdicts.assigned & cells).sum()
    return CellScore(
        cells=int(n),
        assigned=ratio(assigned, n),
        correct=ratio((verdicts.correct & cells).sum(), n),
        error=ratio((verdicts.wrong & cells).sum(), assigned),
    )


def score_as_dict(score: Score) -> dict[str, Any]:
    """The figures by name, ready for JSON; `apart` and `close` are dicts of their own."""
    return asdict(score)


def format_score(score: Score) -> str:
    """A table of the figures for a terminal: one line each, in groups, shares in percent."""

    def percents(*values: float) -> str:
        return " / ".join(f"{100 * value:.2f}" for value in values) + " %"

    def number(value: float | None) -> str:
        return "-" if value is None else f"{value:.2f}"

    lines = [
        ("truth cells / predicted individuals", f"{score.cells} / {score.individuals}"),
        ("assigned", percents(score.assigned)),
        ("correct / wrong / off", percents(score.correct, score.wrong, score.off)),
        ("error (wrong / assigned)", percents(score.error)),
    ]
    for label, part in (("apart", score.apart), ("close", score.close)):
        shares = percents(part.assigned, part.correct, part.error)
        lines.append((f"{label}: assigned / correct / error", f"{shares} of {part.cells} cells"))
    lines += [
        ("covered by any track", percents(score.covered)),
        ("positions shared by individuals", percents(score.shared)),
        ("distance median / 95th percentile", f"{number(score.median_px)} / {number(score.p95_px)} px"),
        ("identity accuracy / permuted", percents(score.identity_accuracy, score.identity_accuracy_permuted)),
        ("IDF1 / IDP / IDR", percents(score.idf1, score.idp, score.idr)),
        ("MOTA", percents(score.mota)),
        ("HOTA / DetA / AssA", percents(score.hota, score.deta, score.assa)),
        ("switches", f"{score.switches} ({number(score.switches_per_animal_hour)} per animal-hour)"),
        (
            "lasting switches",
            f"{'-' if score.lasting_switches is None else score.lasting_switches} "
            f"({number(score.lasting_switches_per_animal_hour)} per animal-hour)",
        ),
    ]
    width = max(len(label) for label, _ in lines)
    return "\n".join(f"{label:<{width}}  {value}" for label, value in lines)
