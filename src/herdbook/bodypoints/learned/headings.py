"""Which of several readings of an animal is right in each frame: a path over time, by how well they fit and how far it turns and moves."""

import numpy as np
from numba import njit

from herdbook.arrays import Floats, Ints

# A reading holds so many independent answers: points of one picture are right or wrong together, more than each by itself.
ANSWERS = 3.0
# Odds against any one jump, whatever its size, in natural logarithms: an animal that is found again elsewhere costs no more.
MOST_JUMP = 8.0
# Animals move and turn at least so much between two frames (body lengths, rad), however still those are from which that is learned.
LEAST_STEP, LEAST_TURN = 0.02, 0.05


def usual_changes(place: Floats, heading: Floats, body_px: float) -> tuple[float, float]:
    """Standard deviations of the step (px) and turn (rad) of an animal from one frame to the next: `place` (T, 2), `heading` (T,), NaN
    where unknown. Medians, so that a few wrong ones do not count.
    """
    step, turn = np.hypot(*np.diff(place, axis=0).T), np.abs(np.angle(np.exp(1j * np.diff(heading))))
    known = ~np.isnan(step) & ~np.isnan(turn)
    if not known.any():
        return LEAST_STEP * body_px, LEAST_TURN
    return (
        max(float(1.48 * np.median(step[known])), LEAST_STEP * body_px),
        max(float(1.48 * np.median(turn[known])), LEAST_TURN),
    )


@njit(cache=True, nogil=True)
def best_path(fit: Floats, place: Floats, heading: Floats, step_px: float, turn: float) -> Ints:
    """The reading (T,) of each frame along the most probable path, -1 in frames without one (Viterbi 1967).

    `fit` (T, K) mean log probability of the peaks, NaN where there is no such reading; `place` (T, K, 2), `heading` (T, K); `step_px` and
    `turn` standard deviations from one frame to the next.
    """
    frames, most = fit.shape
    cost = np.full((frames, most), np.inf)
    before = np.full((frames, most), -1)
    last = -1
    for t in range(frames):
        found = False
        for k in range(most):
            if np.isnan(fit[t, k]):
                continue
            found = True
            least, chosen = 0.0, -1
            if last >= 0:
                least = np.inf
                for b in range(most):
                    if cost[last, b] == np.inf:
                        continue
                    away = np.hypot(place[t, k, 0] - place[last, b, 0], place[t, k, 1] - place[last, b, 1]) / step_px
                    turned = np.arccos(min(1.0, max(-1.0, np.cos(heading[t, k] - heading[last, b])))) / turn
                    jump = min((away * away + turned * turned) / (2 * (t - last)), MOST_JUMP)
                    if cost[last, b] + jump < least:
                        least, chosen = cost[last, b] + jump, b
            cost[t, k] = least - ANSWERS * fit[t, k]
            before[t, k] = chosen
        if found:
            last = t
    path = np.full(frames, -1)
    t = last
    k = -1
    if last >= 0:
        k = int(np.argmin(cost[last]))
    while t >= 0:
        path[t] = k
        k = before[t, k]
        t -= 1
        while t >= 0 and np.isnan(fit[t]).all():
            t -= 1
    return path
