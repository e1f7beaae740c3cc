"""Points that are filled and smoothed."""

import numpy as np

from herdbook.smoothing import points as points_module
from herdbook.smoothing.gaps import find_gaps
from herdbook.smoothing.points import smooth_columns
from tests.support.drifting import Source, drifting


def test_a_gap_that_the_flow_leads_out_of_the_frame_stays_on_its_edge(rng, monkeypatch):
    frames, truth = drifting(12, rng)
    points = truth.copy()
    points[4:8, 0] = np.nan
    led = truth.copy()
    led[4:8, 0] = [[-3, 50], [400, 50], [60, -9], [60, 300]]
    between = np.full(points.shape[:2], np.nan)
    monkeypatch.setattr(points_module, "fill_gaps_by_flow", lambda *arguments: (led, between))
    gaps = find_gaps(~np.isnan(points[..., 0]))
    found = smooth_columns(Source(frames).source, points, gaps, 4, trusted=np.zeros(points.shape[:2], bool))
    # The frames are 180 px wide and 160 px high.
    assert found.given[4:8, 0].tolist() == [[0, 50], [179, 50], [60, 0], [60, 159]]
