"""How right a table of trajectories is: identity, detection, association and switches against a truth table.

Only frames that hold at least one truth position are judged, so a sparsely annotated truth is a fair one. The judged
frames form one sequence, sorted by movie name and frame number. Points are (x, y) in px. Nothing of size
frames x individuals x individuals is ever held: distances are made in chunks of frames and only near pairs are kept.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from herdbook.errors import HerdbookError

_HOTA_ALPHAS = np.arange(0.05, 0.99, 0.05)
_PAIRS_PER_CHUNK = 2_000_000  # about 100 MB of temporary arrays
_EPS = np.finfo(float).eps

_Ints = NDArray[np.int64]
_Floats = NDArray[np.float64]
_Bools = NDArray[np.bool_]


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


@dataclass(frozen=True)
class _Positions:
    """Positions sorted by frame, then by who; those of frame f are rows start[f] to start[f + 1]."""

    frame: _Ints
    who: _Ints
    xy: _Floats
    start: _Ints


@dataclass(frozen=True)
class _Tables:
    """Both tables over the judged frames: movie and frame number of each frame, number of names on each side."""

    truth: _Positions
    predicted: _Positions
    movie: _Ints
    number: _Ints
    names: tuple[int, int]


@dataclass(frozen=True)
class _Pairs:
    """Row numbers on both sides, of the same frame and at most a limit apart; sorted by truth row, then predicted."""

    truth: _Ints
    predicted: _Ints
    distance: _Floats

    def within(self, limit_px: float) -> "_Pairs":
        keep = self.distance <= limit_px
        return _Pairs(self.truth[keep], self.predicted[keep], self.distance[keep])


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
    known = {"movie", "frame", "x", "y", *name_columns, *optional}
    numbers = ["frame", "x", "y", *optional]
    try:
        table = pd.read_csv(
            path,
            usecols=lambda column: column in known,
            dtype=dict.fromkeys(("movie", *name_columns), str),
            keep_default_na=False,
            na_values={column: ["", "nan", "NaN", "NA"] for column in numbers},
            low_memory=False,
        )
    except (OSError, ValueError) as fault:
        raise HerdbookError(f"{path}: cannot be read as a table of positions ({fault}).") from fault
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
            refused |= ~((values >= 0) & (values % 1 == 0))
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
    for key, value in {"radius_px": radius_px, "fps": fps, "apart_px": apart_px}.items():
        if value is not None and not 0 < value < np.inf:
            raise HerdbookError(f"{key} is {value}, expected a positive number.")
    predicted, everywhere = _same_movies(predicted, truth, movies)
    judged = everywhere
    if min_visible is not None:
        if "visible_share" not in truth:
            raise HerdbookError("The truth has no column visible_share: leave out min_visible or add the column.")
        judged = everywhere[everywhere["visible_share"] >= min_visible]
    if judged.empty:
        raise HerdbookError("No position of the truth is left to judge: check the movies and min_visible.")

    tables = _align(predicted, judged, named)
    true, tracks = tables.truth, tables.predicted
    wide = _near_pairs(true, tracks, 2 * radius_px)
    near = wide.within(radius_px)
    overlap = _count(true.who[near.truth], tracks.who[near.predicted], tables.names)
    permuted = np.full(tables.names[0], -1)
    rows, columns = linear_sum_assignment(overlap, maximize=True)
    permuted[rows] = columns
    cells = _judge_cells(tables, near, np.arange(tables.names[0]) if named else permuted)
    cells_permuted = _judge_cells(tables, near, permuted) if named else cells
    n_true, n_tracks = len(true.who), len(tracks.who)

    contact = _in_contact(true, apart_px)
    matched = _match_clear(tables, near)
    who_then = true.who[near.truth[matched]]
    order = np.lexsort((near.truth[matched], who_then))
    track_then = tracks.who[near.predicted[matched]][order]
    switches = int(np.sum((np.diff(who_then[order]) == 0) & (np.diff(track_then) != 0)))
    idtp = int(overlap[rows, columns].sum())
    hota, deta, assa = _hota(tables, wide, radius_px)
    rounded = pd.DataFrame({"frame": tracks.frame, "x": tracks.xy[:, 0].round(2), "y": tracks.xy[:, 1].round(2)})
    lasting = rate = lasting_rate = None
    if fps is not None:
        rate = switches / (n_true / fps / 3600)
        all_tables = tables if judged is everywhere else _align(predicted, everywhere, named)
        lasting = _count_lasting_switches(all_tables, radius_px, apart_px, fps)
        lasting_rate = lasting / (len(all_tables.truth.who) / fps / 3600)
    return Score(
        cells=n_true,
        individuals=int(predicted["individual"].nunique()),
        assigned=_ratio(cells.assigned.sum(), n_true),
        correct=_ratio(cells.correct.sum(), n_true),
        wrong=_ratio(cells.wrong.sum(), n_true),
        off=_ratio((cells.assigned & ~cells.correct & ~cells.wrong).sum(), n_true),
        error=_ratio(cells.wrong.sum(), cells.assigned.sum()),
        apart=cells.share(~contact),
        close=cells.share(contact),
        median_px=float(np.median(cells.distance)) if len(cells.distance) else None,
        p95_px=float(np.percentile(cells.distance, 95)) if len(cells.distance) else None,
        shared=_ratio(rounded.duplicated(keep=False).sum(), n_tracks),
        identity_accuracy=_ratio(cells.correct.sum(), cells.assigned.sum()),
        identity_accuracy_permuted=_ratio(cells_permuted.correct.sum(), cells_permuted.assigned.sum()),
        covered=_ratio(len(np.unique(near.truth)), n_true),
        idf1=_ratio(2 * idtp, n_true + n_tracks),
        idp=_ratio(idtp, n_tracks),
        idr=_ratio(idtp, n_true),
        mota=1 - (n_true + n_tracks - 2 * int(matched.sum()) + switches) / n_true,
        hota=hota,
        deta=deta,
        assa=assa,
        switches=switches,
        switches_per_animal_hour=rate,
        lasting_switches=lasting,
        lasting_switches_per_animal_hour=lasting_rate,
    )


def _ratio(part: float, whole: float) -> float:
    return float(part) / max(1.0, float(whole))


def _same_movies(predicted: pd.DataFrame, truth: pd.DataFrame, movies: Sequence[str] | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both tables in the truth's movie names, without other movies; truth without unknown positions."""
    named_true, named_predicted = truth["movie"].unique(), predicted["movie"].unique()
    if len(named_true) == 1 and len(named_predicted) == 1:
        predicted = predicted.assign(movie=named_true[0])
    elif len(named_predicted) and not set(named_predicted) & set(named_true):
        raise HerdbookError(
            f"The tables share no movie: predicted {sorted(named_predicted)}, truth {sorted(named_true)}. Rename the movies in one of them."
        )
    wanted = list(named_true) if movies is None else list(movies)
    unknown = sorted(set(wanted) - set(named_true))
    if unknown:
        raise HerdbookError(f"The truth has no movie {', '.join(unknown)}; it has {', '.join(sorted(named_true))}.")
    truth = truth[truth["movie"].isin(wanted)].dropna(subset=["x", "y"])
    return predicted[predicted["movie"].isin(wanted)], truth


def _align(predicted: pd.DataFrame, truth: pd.DataFrame, named: bool) -> _Tables:
    stride = 1 + max(int(truth["frame"].max()), int(predicted["frame"].max()) if len(predicted) else 0)
    movies = pd.Index(sorted(truth["movie"].unique()))
    true_names = sorted(truth["individual"].unique())
    names = sorted(predicted["individual"].unique())
    if named:
        names = true_names + [name for name in names if name not in set(true_names)]

    def frame_keys(table: pd.DataFrame) -> _Ints:
        codes = movies.get_indexer(pd.Index(table["movie"])).astype(np.int64)
        keys: _Ints = codes * stride + table["frame"].to_numpy(np.int64)
        return keys

    frames = np.unique(frame_keys(truth))
    predicted = predicted.dropna(subset=["x", "y"])
    predicted = predicted[np.isin(frame_keys(predicted), frames)]

    def positions(table: pd.DataFrame, table_names: list[str]) -> _Positions:
        frame = np.searchsorted(frames, frame_keys(table)).astype(np.int64)
        who = pd.Index(table_names).get_indexer(pd.Index(table["individual"])).astype(np.int64)
        order = np.lexsort((who, frame))
        start = np.searchsorted(frame[order], np.arange(len(frames) + 1)).astype(np.int64)
        return _Positions(frame[order], who[order], table[["x", "y"]].to_numpy(np.float64)[order], start)

    return _Tables(
        truth=positions(truth, true_names),
        predicted=positions(predicted, names),
        movie=frames // stride,
        number=frames % stride,
        names=(len(true_names), len(names)),
    )


def _near_pairs(left: _Positions, right: _Positions, limit_px: float) -> _Pairs:
    per_row = np.diff(right.start)[left.frame]
    done = np.concatenate([[0], np.cumsum(per_row)])
    kept = [(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))]
    first = 0
    while first < len(per_row):
        last = max(first + 1, int(np.searchsorted(done, done[first] + _PAIRS_PER_CHUNK, "right")) - 1)
        a = np.repeat(np.arange(first, last), per_row[first:last])
        b = np.arange(done[first], done[last]) - done[a] + right.start[left.frame[a]]
        apart = left.xy[a] - right.xy[b]
        distance = np.sqrt(apart[:, 0] ** 2 + apart[:, 1] ** 2)
        keep = distance <= limit_px
        kept.append((a[keep], b[keep], distance[keep]))
        first = last
    a, b, distance = (np.concatenate(parts) for parts in zip(*kept, strict=True))
    return _Pairs(a, b, distance)


def _count(rows: _Ints, columns: _Ints, shape: tuple[int, int], weights: _Floats | None = None) -> _Floats:
    flat = np.bincount(rows * shape[1] + columns, weights, minlength=shape[0] * shape[1])
    return flat.reshape(shape).astype(np.float64)


@dataclass(frozen=True)
class _CellVerdicts:
    """One verdict per truth row, and the distance (px) of the correct ones."""

    assigned: _Bools
    correct: _Bools
    wrong: _Bools
    distance: _Floats

    def share(self, cells: _Bools) -> CellScore:
        n, assigned = cells.sum(), (self.assigned & cells).sum()
        return CellScore(
            cells=int(n),
            assigned=_ratio(assigned, n),
            correct=_ratio((self.correct & cells).sum(), n),
            error=_ratio((self.wrong & cells).sum(), assigned),
        )


def _judge_cells(tables: _Tables, near: _Pairs, match: _Ints) -> _CellVerdicts:
    true, tracks = tables.truth, tables.predicted
    own = match[true.who]
    cell = tracks.frame * tables.names[1] + tracks.who
    wanted = true.frame * tables.names[1] + own
    row = np.searchsorted(cell, wanted)
    assigned = own >= 0
    assigned[row == len(cell)] = False
    row[~assigned] = 0
    assigned[assigned] = cell[row[assigned]] == wanted[assigned]

    hit = tracks.who[near.predicted] == own[near.truth]
    correct = np.zeros(len(own), bool)
    correct[near.truth[hit]] = True
    near_somebody = np.zeros(len(cell), bool)
    near_somebody[near.predicted] = True
    wrong = assigned & ~correct
    wrong[wrong] = near_somebody[row[wrong]]
    return _CellVerdicts(assigned, correct, wrong, near.distance[hit])


def _in_contact(true: _Positions, apart_px: float) -> _Bools:
    pairs = _near_pairs(true, true, apart_px)
    contact = np.zeros(len(true.who), bool)
    contact[pairs.truth[(pairs.truth != pairs.predicted) & (pairs.distance < apart_px)]] = True
    return contact


def _without_rival(pairs: _Pairs) -> _Bools:
    """Pairs whose two rows are in no other pair: every matching takes them, so only the others need solving."""
    if not len(pairs.distance):
        return np.zeros(0, bool)
    alone: _Bools = np.bincount(pairs.truth)[pairs.truth] == 1
    alone &= np.bincount(pairs.predicted)[pairs.predicted] == 1
    return alone


def _heaviest_matching(rows: _Ints, columns: _Ints, weights: _Floats) -> _Bools:
    """Which of the pairs (row, column) form the one-to-one matching of the greatest sum of positive weights."""
    row_of, column_of = (np.unique(side, return_inverse=True)[1] for side in (rows, columns))
    dense = np.zeros((row_of.max() + 1, column_of.max() + 1))
    dense[row_of, column_of] = weights
    taken = np.zeros(dense.shape, bool)
    taken[linear_sum_assignment(dense, maximize=True)] = True
    return taken[row_of, column_of]


def _match_clear(tables: _Tables, near: _Pairs) -> _Bools:
    """CLEAR MOT: keep each animal's last track while it is near, then match most of the rest, at least distance."""
    who, track = tables.truth.who[near.truth], tables.predicted.who[near.predicted]
    start = np.searchsorted(tables.truth.frame[near.truth], np.arange(len(tables.number) + 1))
    chosen = _without_rival(near)
    last_track = np.full(tables.names[0], -1)
    for first, end in pairwise(start):
        rivals = first + np.flatnonzero(~chosen[first:end])
        if len(rivals):
            kept = rivals[last_track[who[rivals]] == track[rivals]]
            kept = kept[np.unique(track[kept], return_index=True)[1]]
            chosen[kept] = True
            free = ~np.isin(who[rivals], who[kept]) & ~np.isin(track[rivals], track[kept])
            rest = rivals[free]
            if len(rest):
                enough = 1 + len(rest) * near.distance[rest].max()  # one match more outweighs all distances
                chosen[rest] = _heaviest_matching(who[rest], track[rest], enough - near.distance[rest])
        now = first + np.flatnonzero(chosen[first:end])
        last_track[who[now]] = track[now]
    return chosen


def _hota(tables: _Tables, wide: _Pairs, radius_px: float) -> tuple[float, float, float]:
    """HOTA, DetA and AssA, means over the thresholds."""
    true, tracks = tables.truth, tables.predicted
    who, track = true.who[wide.truth], tracks.who[wide.predicted]
    similarity = 1 - wide.distance / (2 * radius_px)
    around_true = np.bincount(wide.truth, similarity)[wide.truth]
    around_track = np.bincount(wide.predicted, similarity)[wide.predicted]
    competing = around_true + around_track - similarity
    jaccard = np.divide(similarity, competing, out=np.zeros_like(similarity), where=competing > _EPS)
    potential = _count(who, track, tables.names, jaccard)
    n_true = np.bincount(true.who, minlength=tables.names[0])[:, np.newaxis]
    n_track = np.bincount(tracks.who, minlength=tables.names[1])
    weights = (potential / (n_true + n_track - potential))[who, track] * similarity

    chosen = _without_rival(wide)
    rivals = np.flatnonzero(~chosen)
    for pairs in np.split(rivals, np.flatnonzero(np.diff(true.frame[wide.truth[rivals]])) + 1):
        if len(pairs):
            chosen[pairs] = _heaviest_matching(who[pairs], track[pairs], weights[pairs])
    detection, association = np.zeros(len(_HOTA_ALPHAS)), np.zeros(len(_HOTA_ALPHAS))
    for k, alpha in enumerate(_HOTA_ALPHAS):
        hit = chosen & (similarity >= alpha - _EPS)
        hits = int(hit.sum())
        matches = _count(who[hit], track[hit], tables.names)
        detection[k] = _ratio(hits, len(true.who) + len(tracks.who) - hits)
        association[k] = _ratio((matches**2 / np.maximum(1, n_true + n_track - matches)).sum(), hits)
    return float(np.sqrt(detection * association).mean()), float(detection.mean()), float(association.mean())


def _count_lasting_switches(tables: _Tables, radius_px: float, apart_px: float, fps: float) -> int:
    true = tables.truth
    near = _near_pairs(true, tables.predicted, radius_px)
    least = np.full(len(true.who), np.inf)
    np.minimum.at(least, near.truth, near.distance)
    nearest = near.distance == least[near.truth]
    track = tables.predicted.who[near.predicted[nearest]]
    start = np.searchsorted(near.truth[nearest], np.arange(len(true.who) + 1))

    # One line of time per animal and movie, laid end to end with more than a second between them.
    second = int(np.ceil(fps))
    line = true.who * (tables.movie.max() + 1) + tables.movie[true.frame]
    time = line * (tables.number.max() + second + 2) + tables.number[true.frame]
    order = np.argsort(time)
    line, time, contact = line[order], time[order], _in_contact(true, apart_px)[order]
    touching = np.flatnonzero(contact)
    contacts = np.split(touching, np.flatnonzero(np.diff(time[touching]) > second) + 1)
    begin = np.array([rows[0] for rows in contacts if len(rows)], dtype=np.int64)
    end = np.array([rows[-1] for rows in contacts if len(rows)], dtype=np.int64)
    before, after = begin - 1, np.searchsorted(time, time[end] + second)
    inside = (before >= 0) & (after < len(time))
    before, begin, after = before[inside], begin[inside], after[inside]
    comparable = (line[before] == line[begin]) & (line[after] == line[begin]) & ~contact[before] & ~contact[after]
    lasting = 0
    for then, now in zip(order[before[comparable]], order[after[comparable]], strict=True):
        old, new = track[start[then] : start[then + 1]], track[start[now] : start[now + 1]]
        lasting += bool(len(old) and len(new) and not np.isin(old, new).any())
    return lasting


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
