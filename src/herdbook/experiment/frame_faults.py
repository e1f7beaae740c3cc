"""Checks that arenas are inside the frame, and that all movies of a recording have the same frame size.

Points are (x, y) in px; a frame spans -0.5 .. width - 0.5.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

# An outline drawn along the frame's edge may be rounded outwards.
ARENA_TOLERANCE_PX = 1.0


def arena_faults(arenas: Sequence[Mapping[str, Any]], width: int, height: int) -> list[str]:
    """One message for each region of an arena that extends more than 1 px beyond a frame of `width` x `height` px.

    `arenas` are as in the settings of stage segment: {"name", "include": [region], "exclude": [region], "regions": [{"include": region} or
    {"exclude": region}]}, all optional; a region is {"ellipse": {"centre", "axes", "angle" (degrees)}} or {"polygon": [[x, y], ...]}.
    """
    faults = []
    for arena in arenas:
        for place, _, region in ordered_regions(arena):
            fault = _region_fault(region, width, height)
            if fault:
                where = f"arena {arena.get('name', 'arena')!r}, {place} ({_shape(region)})"
                faults.append(f"{where}: {fault}; the frame is {width} x {height} px. Are these coordinates of another resolution?")
    return faults


def recording_size_faults(recordings: Mapping[str, Sequence[str]], sizes: Mapping[str, tuple[int, int]]) -> list[str]:
    """One message for each recording whose movies differ in size, naming two of them.

    `recordings`: names of the movies of each recording; `sizes`: (width, height) px of each movie that could be read.
    """
    faults = []
    for recording, members in recordings.items():
        known = [name for name in members if name in sizes]
        for other in known[1:]:
            if sizes[other] != sizes[known[0]]:
                (w0, h0), (w1, h1) = sizes[known[0]], sizes[other]
                faults.append(
                    f"recording {recording!r}: {known[0]} is {w0} x {h0} px, but {other} is {w1} x {h1} px. "
                    "Movies of one recording have one size: give them different recordings, or convert one of them."
                )
                break
    return faults


def ordered_regions(arena: Mapping[str, Any]) -> list[tuple[str, bool, Mapping[str, Any]]]:
    """The regions of an arena (see `arena_faults`) in the order in which they are applied.

    For each region: its place in the experiment file, whether it is added (true) or cut out, and its shape.
    """
    parts = [(f"{key} {n}", key == "include", shape) for key in ("include", "exclude") for n, shape in enumerate(arena.get(key, []), 1)]
    steps = [(f"regions {n}", key, shape) for n, step in enumerate(arena.get("regions", []), 1) for key, shape in step.items()]
    return parts + [(f"{place}, {key}", key == "include", shape) for place, key, shape in steps]


def _shape(region: Mapping[str, Any]) -> str:
    return "ellipse" if region.get("ellipse") else "polygon"


def _region_fault(region: Mapping[str, Any], width: int, height: int) -> str:
    """How far a region extends outside the frame, as text; "" if it does not."""
    x0, y0, x1, y1 = _extent(region)
    edge_x, edge_y = width - 0.5, height - 0.5
    if x0 > edge_x or y0 > edge_y or x1 < -0.5 or y1 < -0.5:
        return f"lies outside the frame: x {x0:g} to {x1:g}, y {y0:g} to {y1:g}"
    beyond = {"left": -0.5 - x0, "top": -0.5 - y0, "right": x1 - edge_x, "bottom": y1 - edge_y}
    out = [f"{by:.0f} px beyond the {side} edge" for side, by in beyond.items() if by > ARENA_TOLERANCE_PX]
    return f"reaches outside the frame: {', '.join(out)}" if out else ""


def _extent(region: Mapping[str, Any]) -> tuple[float, float, float, float]:
    """Smallest x, y and largest x, y (px) of a region."""
    ellipse = region.get("ellipse")
    if not ellipse:
        xs, ys = zip(*region["polygon"], strict=True)
        return min(xs), min(ys), max(xs), max(ys)
    (x, y), (a, b) = ellipse["centre"], ellipse["axes"]
    angle = math.radians(ellipse.get("angle", 0.0))
    half_x = math.hypot(a * math.cos(angle), b * math.sin(angle))
    half_y = math.hypot(a * math.sin(angle), b * math.cos(angle))
    return x - half_x, y - half_y, x + half_x, y + half_y
