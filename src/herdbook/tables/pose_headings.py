"""Headings of positions, from the body points where these tell them more surely than the trajectories."""

from dataclasses import replace

import numpy as np

from herdbook.arrays import Floats
from herdbook.artifacts.pose import FoundPoints
from herdbook.artifacts.smooth import Trajectories


def with_pose_headings(trajectories: Trajectories, found: FoundPoints | None) -> tuple[Trajectories, Floats | None]:
    """Trajectories whose headings are those that points tell, where these are surer, and how sure each is: (n,) 0..1, NaN where unknown.

    Without `found` points the trajectories are as they were, and nothing is told. Points of labels too few to tell how sure they are change
    no heading.
    """
    if found is None:
        return trajectories, None
    if found.heading_confidence is None or found.trajectory_confidence is None:
        return trajectories, np.full(len(trajectories.frame), np.nan)
    number = np.array([found.individuals.index(name) for name in trajectories.individuals], np.int64)
    at = trajectories.frame, number[trajectories.individual]
    pose, given = found.heading_confidence[at].astype(np.float64), found.trajectory_confidence[at].astype(np.float64)
    # A trajectory without a heading has no confidence either: any that points tell is surer.
    surer = ~np.isnan(pose) & ~np.isnan(found.heading[at]) & ~(pose <= given)
    heading = np.where(surer, found.heading[at], trajectories.heading).astype(trajectories.heading.dtype)
    return replace(trajectories, heading=heading), np.where(surer, pose, given)
