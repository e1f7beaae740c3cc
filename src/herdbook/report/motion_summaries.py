"""How animals move, where they are and how far apart: what pictures show of the positions of a recording. Arrays in, arrays out.

Points are (x, y) in px, frames count through a recording. Of long recordings every n-th frame is looked at, so that time and memory stay
bounded: a picture of 1,000 px cannot show more.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Floats, Ints
from herdbook.report.summaries import ROWS_AT_ONCE, RecordingTracks
from herdbook.tables.motion import measure_speeds

# At most about so many values are looked at for speeds and nearest neighbours, and so many distances of pairs.
MOST_VALUES = 2_000_000
MOST_DISTANCES = 20_000_000
# Distances of all positions of so many frames, as float32, are held at once.
CELLS_AT_ONCE = 4_000_000
QUARTILES = (0.25, 0.5, 0.75)
SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)
HISTOGRAM_CELLS = 60
# The scale ends here: what a jump or an exchange of names makes of a speed would squeeze all others.
SHOWN_SHARE = 0.99


@dataclass(frozen=True)
class Measure:
    """A number measured at some positions, one entry each: `frame` int64, `individual` int64, `value` float64, NaN where it is unknown."""

    frame: Ints
    individual: Ints
    value: Floats


@dataclass(frozen=True)
class Spread:
    """How a measure is spread: quartiles `over_time` (3, bins) of all values, `medians` (individuals, bins) of each individual's, `shares`
    (cells,) of all values between `edges` (cells + 1,), `of_each` (5, individuals) quantiles SHARES of each individual's.
    NaN where there is no value.
    """

    over_time: Floats
    medians: Floats
    shares: Floats
    edges: Floats
    of_each: Floats

    def only(self, individuals: Ints) -> "Spread":
        """The same, of each only for these individuals."""
        return replace(self, medians=self.medians[individuals], of_each=self.of_each[:, individuals])


def measure_speed(tracks: RecordingTracks, time_s: Floats) -> Measure:
    """Speed (px/s), as `motion.measure_speeds`, at the positions in every n-th frame; `time_s` (frames + 1,)."""
    step = _step(len(tracks.frame), MOST_VALUES)
    # Speed is taken from the frame before to the frame after.
    rows = np.flatnonzero((tracks.frame + 1) % step <= 2)
    frame, individual = tracks.frame[rows], tracks.individual[rows]
    x, y = tracks.x[rows].astype(np.float64), tracks.y[rows].astype(np.float64)
    speed = measure_speeds(x, y, frame.astype(np.int32), individual.astype(np.int32), time_s)
    kept = frame % step == 0
    return Measure(frame[kept], individual[kept], speed[kept])


def measure_neighbours(tracks: RecordingTracks, arena: NDArray[np.int16]) -> tuple[Measure, Ints]:
    """Distance (px) to the nearest other animal of the same arena at the positions in every n-th frame, NaN where there is none, and how
    often (individuals, individuals) each one (row) has each other one (column) as its nearest.

    `arena` (positions,). The second one is (0, 0) where there are more than 1,000 individuals, which are then fragments.
    """
    number = len(tracks.names)
    counts = np.zeros((number, number) if number <= 1000 else (0, 0), np.int64)
    rows = np.flatnonzero(tracks.frame % _step(len(tracks.frame), MOST_VALUES) == 0)
    frame, individual = tracks.frame[rows], tracks.individual[rows]
    distance = np.full(len(rows), np.nan)
    starts = np.flatnonzero(np.diff(frame, prepend=-1))
    ends = np.append(starts[1:], len(rows))
    widest = int((ends - starts).max(initial=0))
    if widest < 2:
        return Measure(frame, individual, distance), counts
    at_once = max(1, CELLS_AT_ONCE // widest**2)
    for first in range(0, len(starts), at_once):
        part = np.s_[starts[first] : ends[min(first + at_once, len(starts)) - 1]]
        where = np.repeat(np.arange(len(starts[first : first + at_once])), (ends - starts)[first : first + at_once])
        slot = np.arange(len(where)) - (starts[first : first + at_once] - starts[first])[where]
        place = np.full((2, int(where[-1]) + 1, widest), np.nan, np.float32)
        place[:, where, slot] = tracks.x[rows[part]], tracks.y[rows[part]]
        home = np.full(place.shape[1:], -1, np.int16)
        home[where, slot] = arena[rows[part]]
        apart = np.hypot(place[0, :, :, None] - place[0, :, None, :], place[1, :, :, None] - place[1, :, None, :])
        apart[np.isnan(apart) | (home[:, :, None] != home[:, None, :])] = np.inf
        apart[:, np.arange(widest), np.arange(widest)] = np.inf
        nearest = apart.argmin(axis=2)[where, slot]
        found = apart[where, slot, nearest]
        known = np.isfinite(found)
        distance[part][known] = found[known]
        if counts.size:
            other = individual[part][(starts[first : first + at_once] - starts[first])[where] + nearest]
            np.add.at(counts, (individual[part][known], other[known]), 1)
    return Measure(frame, individual, distance), counts


def pair_distances(tracks: RecordingTracks, shown: Ints, arena: NDArray[np.int16]) -> Floats:
    """Median distance (k, k) px of each pair of the individuals `shown` (k,), NaN on the diagonal and where both are never seen together.

    `arena` (positions,): animals of two arenas have no distance.
    """
    number = len(shown)
    medians = np.full((number, number), np.nan)
    frames = np.unique(tracks.frame)
    frames = frames[:: _step(len(frames) * number**2, MOST_DISTANCES)]
    row_of = np.full(len(tracks.names), -1)
    row_of[shown] = np.arange(number)
    rows = np.flatnonzero(np.isin(tracks.frame, frames) & (row_of[tracks.individual] >= 0))
    at = np.searchsorted(frames, tracks.frame[rows]), row_of[tracks.individual[rows]]
    x, y, home = (np.full((len(frames), number), np.nan, np.float32) for _ in range(3))
    x[at], y[at], home[at] = tracks.x[rows], tracks.y[rows], arena[rows]
    for k in range(number):
        apart = np.hypot(x - x[:, k : k + 1], y - y[:, k : k + 1])
        apart[home != home[:, k : k + 1]] = np.nan
        apart.sort(axis=0)
        known = np.isfinite(apart).sum(axis=0)
        some = np.flatnonzero((known > 0) & (np.arange(number) != k))
        medians[k, some] = (apart[(known[some] - 1) // 2, some] + apart[known[some] // 2, some]) / 2
    return medians


def spread_of(measure: Measure, individuals: int, edges: Ints) -> Spread:
    """How a measure is spread over time, in the bins between the frames `edges` (bins + 1,), and over its values.

    With 0 `individuals` nothing is shown of each: thousands of fragments have no rows in a picture.
    """
    known = np.isfinite(measure.value)
    frame, individual, value = measure.frame[known], measure.individual[known], measure.value[known]
    bins = len(edges) - 1
    column = np.searchsorted(edges, frame, side="right") - 1
    highest = float(np.quantile(value, SHOWN_SHARE)) if len(value) else 0.0
    cells = np.linspace(0, highest if highest > 0 else 1.0, HISTOGRAM_CELLS + 1)
    counts = np.histogram(value, cells)[0]
    one_by_one = np.s_[: len(value) if individuals else 0]
    value_of, who, when = value[one_by_one], individual[one_by_one], column[one_by_one]
    return Spread(
        over_time=group_quantiles(value, column, bins, QUARTILES),
        medians=group_quantiles(value_of, who * bins + when, individuals * bins, (0.5,)).reshape(individuals, bins),
        shares=counts / max(1, len(value)),
        edges=cells,
        of_each=group_quantiles(value_of, who, individuals, SHARES),
    )


def group_quantiles(values: Floats, group: Ints, groups: int, shares: tuple[float, ...]) -> Floats:
    """Quantiles (len(shares), groups) of the values (n,) of each group, interpolated between neighbours, NaN for a group without values."""
    order = np.lexsort((values, group))
    ordered = values[order]
    number = np.bincount(group, minlength=groups)
    start = np.cumsum(number) - number
    some = np.flatnonzero(number)
    result = np.full((len(shares), groups), np.nan)
    for k, share in enumerate(shares):
        place = start[some] + share * (number[some] - 1)
        low = np.floor(place).astype(np.int64)
        high = np.minimum(low + 1, start[some] + number[some] - 1)
        result[k, some] = ordered[low] + (place - low) * (ordered[high] - ordered[low])
    return result


def occupancy(tracks: RecordingTracks, panel_of: Ints, box: tuple[int, int, int, int], cell_px: float) -> Ints:
    """Number of positions (panels, rows, columns) in square cells of the box x0, y0, x1, y1 (exclusive) px.

    `panel_of` (individuals,): the panel that counts the positions of each individual, -1 for none.
    """
    x0, y0, x1, y1 = box
    rows, columns = (max(1, int(np.ceil(size / cell_px))) for size in (y1 - y0, x1 - x0))
    panels = int(panel_of.max(initial=-1)) + 1
    counts = np.zeros(panels * rows * columns, np.int64)
    for start in range(0, len(tracks.frame), ROWS_AT_ONCE):
        part = np.s_[start : start + ROWS_AT_ONCE]
        # Pixel centres are whole numbers, the box begins half a pixel before its first one.
        column = np.floor((tracks.x[part] - x0 + 0.5) / cell_px).astype(np.int64)
        row = np.floor((tracks.y[part] - y0 + 0.5) / cell_px).astype(np.int64)
        panel = panel_of[tracks.individual[part]]
        inside = (panel >= 0) & (column >= 0) & (column < columns) & (row >= 0) & (row < rows)
        counts += np.bincount(((panel * rows + row) * columns + column)[inside], minlength=len(counts))
    return counts.reshape(panels, rows, columns)


def arenas_of(tracks: RecordingTracks, arenas: NDArray[np.int16]) -> NDArray[np.int16]:
    """The arena (n,) at each position from the map (height, width), that of the nearest pixel of the frame."""
    height, width = arenas.shape
    column = np.clip(np.rint(tracks.x), 0, width - 1).astype(np.int32)
    return np.asarray(arenas[np.clip(np.rint(tracks.y), 0, height - 1).astype(np.int32), column])


def _step(size: int, most: int) -> int:
    return max(1, -(-size // most))
