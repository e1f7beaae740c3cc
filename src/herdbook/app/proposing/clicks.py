"""Values that follow from clicks: a person says "this is one" of an animal and "this is none" of dirt.

Proposed is the smallest change of the settings that keeps each clicked animal as a blob of its own and no clicked dirt. A level is the
setting that tells animals from the background: a difference in grey levels or in units of noise, or the bound of a band of grey levels.
Points are (x, y), px.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from herdbook.artifacts.segment import LOST_BORDER, LOST_FAINT
from herdbook.commands.tuning.proposal import difference_ladder, two_digits
from herdbook.segmentation.components import FrameBlobs

# A click this far from a blob still means it: whoever clicks a fly from afar misses it by some pixels.
REACH_PX = 6.0
# Areas of single animals of one species span about one octave (see tuning.proposal): one that is smaller than the smallest clicked one by
# this factor may be an animal, too. Animals that touch are one blob, which is larger than the largest clicked one.
SMALLER, LARGER = 2.0, 4.0
# Levels of the noise are a tenth of those of grey levels.
NOISE_LADDER = (1.0, 30.0)
OTHER = {"dark": "bright", "bright": "dark"}
WHITE = 255


@dataclass(frozen=True)
class Click:
    """A point in a frame at which there is an animal, or none."""

    frame: int
    x: float
    y: float
    animal: bool


@dataclass(frozen=True)
class Hit:
    """The blob at a click: its number in the frame, -1 if there is none; area, px; contrast, grey levels; why it is dropped, or -1."""

    blob: int = -1
    area: int = 0
    contrast: float = 0.0
    reason: int = -1


@dataclass(frozen=True)
class Values:
    """Settings by key of the section segment that fulfil all clicks, or `fault`: why there are none."""

    changes: Mapping[str, Any]
    fault: str = ""


# The blobs at all clicks with some settings; the area does not matter.
Look = Callable[[Mapping[str, Any]], list[Hit]]


def hit_at(blobs: FrameBlobs, x: float, y: float) -> int:
    """The blob of a frame at a point, or the nearest one within `REACH_PX`; -1 if there is none."""
    if not len(blobs):
        return -1
    boxes = np.maximum.reduce([blobs.x0 - x, x - blobs.x1 + 1, blobs.y0 - y, y - blobs.y1 + 1])
    best, least = -1, REACH_PX
    for blob in np.flatnonzero(boxes <= REACH_PX).tolist():
        runs = blobs.runs_of(blob)
        across = np.maximum(0, np.maximum(runs[:, 1] - x, x - runs[:, 2]))
        apart = float(np.hypot(across, runs[:, 0] - y).min())
        if apart <= 0.5:
            return int(blob)
        if apart < least:
            best, least = int(blob), apart
    return best


def values_for(clicks: Sequence[Click], settings: Mapping[str, Any], look: Look) -> Iterator[Values | None]:
    """Values that fulfil the clicks, as the last item; None before it each time that some levels were looked at.

    What is set is tried first, then other levels, the nearest ones first that lie in the middle of a run of good ones, then the other
    polarity.
    """
    hits = look(settings)
    found = _with_areas(clicks, hits, settings)
    if not found.fault:
        yield found
        return
    fault = found.fault
    for polarity in (settings["polarity"], OTHER.get(settings["polarity"])):
        if polarity is None or (polarity != settings["polarity"] and settings["method"] == "intensity"):
            continue
        tried = {**settings, "polarity": polarity}
        steps = _levels(tried)
        good: list[dict[str, Any] | None] = []
        for level in steps:
            step = tried | level
            one = _with_areas(clicks, look(step), step)
            good.append(None if one.fault else {**level, **one.changes})
            yield None
        best = _nearest_run(steps, good, settings)
        if best is not None:
            changes = {key: value for key, value in best.items() if value != settings.get(key)}
            yield Values(changes | ({"polarity": polarity} if polarity != settings["polarity"] else {}))
            return
    yield Values({}, fault)


def _levels(settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Settings of all levels to try, the weakest first."""
    if settings["method"] == "intensity":
        low, high = settings["intensity"]
        bounds = sorted({round(bound) for bound in np.linspace(5, WHITE - 5, 26)})
        if low <= 0:
            return [{"intensity": [low, bound]} for bound in reversed(bounds)]
        return [{"intensity": [bound, high]} for bound in bounds if bound < high] if high >= WHITE else []
    if settings["difference_noise"] is not None:
        return [{"difference_noise": float(level)} for level in np.unique(np.geomspace(*NOISE_LADDER, 24).round(1))]
    return [{"difference": int(level)} for level in difference_ladder()]


def _level(settings: Mapping[str, Any]) -> float:
    """The level of settings as a number on a scale of ratios."""
    if settings.get("intensity") is not None and "difference" not in settings:
        low, high = settings["intensity"]
        return float(WHITE - high if low <= 0 else low) + 1
    return float(settings.get("difference_noise") or settings["difference"])


def _nearest_run(
    steps: Sequence[Mapping[str, Any]], good: Sequence[dict[str, Any] | None], settings: Mapping[str, Any]
) -> dict[str, Any] | None:
    """The settings in the middle of the run of good levels that is nearest to the level that is set."""
    if not steps:
        return None
    key = next(iter(steps[0]))
    levels = np.log([_level(step) for step in steps])
    now = np.log(_level({key: settings[key]}))
    edges = np.flatnonzero(np.diff(np.r_[0, [one is not None for one in good], 0]))
    runs = edges.reshape(-1, 2) - (0, 1)
    if not len(runs):
        return None
    first, last = min(runs.tolist(), key=lambda run: float(np.abs(levels[run[0] : run[1] + 1] - now).min()))
    middle = int(np.abs(levels[first : last + 1] - (levels[first] + levels[last]) / 2).argmin()) + int(first)
    return good[middle]


def _with_areas(clicks: Sequence[Click], hits: Sequence[Hit], settings: Mapping[str, Any]) -> Values:
    """What beside the level must change so that each click is right with these blobs."""
    pairs = list(zip(clicks, hits, strict=True))
    animals, dirt = [(c, h) for c, h in pairs if c.animal], [h for c, h in pairs if not c.animal and h.blob >= 0]
    missing = [c for c, h in animals if h.blob < 0]
    if missing:
        return Values({}, f"Nothing differs from the background at {_places(missing)}. Is the click on the animal, and inside of an arena?")
    ours = {(c.frame, h.blob) for c, h in animals}
    if len(ours) < len(animals):
        return Values({}, "Two clicked animals are one blob at any level: they touch. Click animals that are apart.")
    if ours & {(c.frame, h.blob) for c, h in pairs if not c.animal and h.blob >= 0}:
        return Values({}, "An animal and clicked dirt are one blob at any level: they touch. Click others.")
    changes: dict[str, Any] = {}
    if settings["drop_border"] and any(h.reason == LOST_BORDER for _, h in animals):
        changes["drop_border"] = False
    if any(h.reason == LOST_FAINT for _, h in animals):
        # A tenth of room: the contrast of one animal varies from frame to frame.
        changes["min_contrast"] = float(np.floor(0.9 * min(h.contrast for _, h in animals)))
    area = _area([h.area for _, h in animals], [h.area for h in dirt if not _dropped(h, changes)], settings["area"])
    if area is None:
        return Values({}, "Clicked dirt is as large as clicked animals, and differs from the background as much.")
    return Values(changes | ({"area": area} if area != list(settings["area"]) else {}))


def _dropped(hit: Hit, changes: Mapping[str, Any]) -> bool:
    """Whether dirt stays dropped, whatever its area."""
    return (hit.reason == LOST_BORDER and "drop_border" not in changes) or (hit.reason == LOST_FAINT and "min_contrast" not in changes)


def _area(animals: Sequence[int], dirt: Sequence[int], given: Sequence[int]) -> list[int] | None:
    """Smallest and largest area that keep these animals and drop this dirt, as they are where they fit; None if there are none."""
    smallest, largest = int(given[0]), int(given[1])
    low, high = (min(animals), max(animals)) if animals else (max([*dirt, smallest]) + 1, largest)
    if any(low <= area <= high for area in dirt):
        return None
    below, above = [area for area in dirt if area < low], [area for area in dirt if area > high]
    if smallest > low or (below and smallest <= max(below)):
        floor = max(below, default=0)
        # The cut lies in the middle of the gap, by ratio, or an octave below the animals where there is no dirt.
        smallest = max(floor + 1, _rounded(np.sqrt(floor * low) if below else low / SMALLER))
        smallest = min(smallest, low)
    if largest < high or (above and largest >= min(above)):
        largest = _rounded(np.sqrt(high * min(above))) if above else _rounded(high * LARGER)
        largest = max(high, min(largest, min(above) - 1) if above else largest)
    return [smallest, max(largest, smallest)]


def _rounded(value: float) -> int:
    return max(1, int(two_digits(float(value))))


def _places(clicks: Sequence[Click]) -> str:
    first = clicks[0]
    return f"x {first.x:.0f}, y {first.y:.0f} of frame {first.frame}" + (f" and {len(clicks) - 1} more" if len(clicks) > 1 else "")
