"""One way of finding animals, tried on sampled frames: they are segmented at many differences, from which values are proposed."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from herdbook.arrays import Floats, Runs
from herdbook.commands.tuning.footage import STAGE, Footage, Way, ground_level
from herdbook.commands.tuning.ghosts import find_ghosts
from herdbook.commands.tuning.proposal import Ladder, agree, area_bounds, difference_ladder, rate_ladder, split_areas, two_digits
from herdbook.errors import HerdbookError
from herdbook.movie.frame import Frame
from herdbook.segmentation.components import FrameBlobs
from herdbook.segmentation.segmenter import Segmenter
from herdbook.segmentation.tables import chosen_blobs, no_blobs
from herdbook.system.progress import progress

# From the first two qualities on, a proposal is called sure and fairly sure; below the last, there is no plateau.
SURE_QUALITY, FAIRLY_SURE_QUALITY, PLATEAU_QUALITY = 0.6, 0.35, 0.25
WHITE = 255

# Arena and area of each blob of a frame.
_Sizes = tuple[NDArray[np.int16], NDArray[np.int32]]


@dataclass(frozen=True)
class Proposal:
    """Values for the section segment, and the measurements behind them.

    `way` in which animals are found; `difference` from the background, or with the method intensity from the `ground` (grey levels);
    `open_px` and `close_px` are the radii of opening and closing. `frames`: those analysed; `broken`: numbers of skipped frames; `blobs`:
    all blobs of each frame at the proposed difference, of which those within `area` are accepted, and `places` the arena of each;
    `numbers` of animals in each arena, None if unknown (a view of `ladder` is one arena in one frame); `ghosts`: their share among the
    accepted blobs; `separation`: as in `Split`.
    """

    movie: str
    way: Way
    ground: float
    difference: float
    open_px: int
    close_px: int
    area: tuple[int, int]
    ladder: Ladder
    numbers: list[int | None]
    frames: list[Frame]
    broken: list[int]
    blobs: list[FrameBlobs]
    places: list[NDArray[np.int16]]
    ghosts: float
    separation: float

    @property
    def polarity(self) -> str:
        """Whether animals are darker or brighter than the background."""
        return self.way.polarity

    @property
    def band(self) -> tuple[int, int]:
        """Darkest and brightest grey level of animals, with the method intensity."""
        return intensity_band(self.polarity, self.ground, self.difference)

    @property
    def arenas(self) -> int:
        """Number of arenas."""
        return len(self.numbers)

    @property
    def animals(self) -> int | None:
        """Number of animals in all arenas together, None if unknown."""
        known = [number for number in self.numbers if number is not None]
        return sum(known) if len(known) == len(self.numbers) else None

    @property
    def quality(self) -> float:
        """Quality of the plateau 0..1, reduced by the share of ghosts."""
        return self.ladder.quality * (1 - self.ghosts)

    @property
    def sureness(self) -> str:
        """How sure the proposal is, as text."""
        return "sure" if self.quality >= SURE_QUALITY else "fairly sure" if self.quality >= FAIRLY_SURE_QUALITY else "not sure"

    @property
    def plateau(self) -> tuple[int, int]:
        """First and last difference of the plateau, grey levels."""
        return int(self.ladder.difference[self.ladder.first]), int(self.ladder.difference[self.ladder.last])

    @property
    def accepted(self) -> list[NDArray[np.bool_]]:
        """For each frame, whether each blob, bool (n,), is within the proposed area."""
        return [(blobs.area >= self.area[0]) & (blobs.area <= self.area[1]) for blobs in self.blobs]

    @property
    def view_counts(self) -> NDArray[np.int64]:
        """Number of accepted blobs in each arena of each frame, (frames, arenas)."""
        return np.array(
            [np.bincount(place[kept], minlength=self.arenas) for place, kept in zip(self.places, self.accepted, strict=True)], np.int64
        ).reshape(-1, self.arenas)

    @property
    def counts(self) -> NDArray[np.int64]:
        """Number of accepted blobs in each frame, (frames,)."""
        return np.asarray(self.view_counts.sum(axis=1))

    @property
    def agreement(self) -> float:
        """Agreement 0..1 of the accepted blobs with the number of animals, as in `agree`; NaN if that is unknown."""
        if self.animals is None:
            return np.nan
        counts = self.view_counts
        return float(agree(counts.reshape(-1, 1), np.tile(np.array(self.numbers, float), len(counts)))[0])

    @property
    def ladder_counts(self) -> NDArray[np.int64]:
        """Number of blobs at each difference of the ladder in each frame, (k, frames)."""
        counts = self.ladder.counts
        return np.asarray(counts.reshape(len(counts), len(self.frames), self.arenas).sum(axis=2))


def intensity_band(polarity: str, ground: float, difference: float) -> tuple[int, int]:
    """Darkest and brightest grey level of animals that differ from the ground by `difference` grey levels or more."""
    return (0, round(ground - difference)) if polarity == "dark" else (round(ground + difference), WHITE)


def propose(footage: Footage, way: Way) -> Proposal | None:
    """The best values for a way of finding animals; None if no difference gives blobs that could be animals."""
    ground = ground_level(footage, way.background)
    steps = difference_ladder()
    if way.method == "intensity":
        # Black, or white, is no bound.
        steps = steps[steps < (ground if way.polarity == "dark" else WHITE - ground) - 1]
        if len(steps) < 2:
            return None
    segment = _segmenter(footage, way, ground)
    # Only the sizes are kept: at the smallest differences, noise causes very many blobs.
    shown = progress(steps.tolist(), total=len(steps), stage=STAGE, unit="differences")
    found = [[None if blobs is None else _sizes(blobs, footage.arena) for blobs in segment(step)] for step in shown]
    # A frame is broken if no difference can segment it: at a small one, a change of the light may look like a broken frame.
    good = [any(step[n] is not None for step in found) for n in range(len(footage.frames))]
    frames = list(compress(footage.frames, good))
    broken = [frame.index for frame, fine in zip(footage.frames, good, strict=True) if not fine]
    if not frames:
        raise HerdbookError(
            f"movie {footage.movie}: all of {len(broken)} sampled frames are black or differ from the background as a whole. Check the "
            "movie and segment.intervals; segment.flicker: true matches their brightness to that of the background."
        )
    arenas = len(footage.numbers)
    animals = animals_of_views(footage.numbers, len(frames))
    ladder = rate_ladder(steps, [_views(compress(step, good), arenas) for step in found], animals)
    if ladder is None:
        return None
    difference = two_digits(ladder.middle)
    settings = footage.settings
    return measured(
        footage,
        Proposal(
            movie=footage.movie,
            way=way,
            ground=ground,
            difference=difference,
            open_px=settings["open"],
            close_px=settings["close"],
            area=(1, 1),
            ladder=ladder,
            numbers=footage.numbers,
            frames=frames,
            broken=broken,
            blobs=[],
            places=[],
            ghosts=0.0,
            separation=0.0,
        ),
    )


def measured(footage: Footage, proposal: Proposal, *, open_px: int | None = None, close_px: int | None = None) -> Proposal | None:
    """The proposal with its blobs, and the area that follows from them, with other radii if given; None if there are no blobs."""
    opened = proposal.open_px if open_px is None else open_px
    closed = proposal.close_px if close_px is None else close_px
    segment = _segmenter(replace(footage, frames=proposal.frames), proposal.way, proposal.ground, open=opened, close=closed)
    blobs = [no_blobs() if here is None else here for here in segment(proposal.difference)]
    sizes = [_sizes(here, footage.arena) for here in blobs]
    columns = _views(sizes, len(footage.numbers))
    animals = animals_of_views(footage.numbers, len(blobs))
    split = split_areas(*columns, animals)
    if split is None:
        return None
    area = area_bounds(*columns, split, animals)
    return replace(
        proposal,
        open_px=opened,
        close_px=closed,
        area=area,
        blobs=blobs,
        places=[place for place, _ in sizes],
        ghosts=_share_of_ghosts(proposal.frames, blobs, area, proposal.way),
        separation=split.separation,
    )


def animals_of_views(numbers: Sequence[int | None], frames: int) -> Floats:
    """Number of animals in each view, one arena in one frame: float64 (frames * arenas,), NaN where unknown."""
    return np.tile([np.nan if number is None else number for number in numbers], frames)


def pixels_of(runs: Runs) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows and columns (p,) of the pixels of runs."""
    lengths = runs[:, 2] - runs[:, 1] + 1
    starts = np.repeat(np.cumsum(lengths) - lengths, lengths)
    return np.repeat(runs[:, 0], lengths), np.repeat(runs[:, 1], lengths) + np.arange(int(lengths.sum())) - starts


def _segmenter(footage: Footage, way: Way, ground: float, **changes: Any) -> Callable[[float], Iterator[FrameBlobs | None]]:
    """A function that gives the blobs of each frame, of any area, at a difference from the background or the ground."""
    whole = [1, footage.index.width * footage.index.height]
    settings = footage.settings | {"method": way.method, "polarity": way.polarity, "difference_noise": None, "area": whole} | changes

    def segment(difference: float) -> Iterator[FrameBlobs | None]:
        values: dict[str, Any] = {"difference": difference}
        if way.method == "intensity":
            # There, the difference only says by how much a usable frame may differ as a whole.
            values = {"intensity": intensity_band(way.polarity, ground, difference)}
        segmenter = Segmenter(way.background, settings | values, footage.index.full_range, footage.masks)
        return map(segmenter.blobs, footage.frames)

    return segment


def _sizes(blobs: FrameBlobs, arena: NDArray[np.int16]) -> _Sizes:
    heads = blobs.runs[blobs.run_offsets[:-1]]
    return arena[heads[:, 0], heads[:, 1]], blobs.area


def _views(sizes: Iterable[_Sizes | None], arenas: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """View and area, int64 (n,) each, of all blobs of some frames, from arena and area of each frame's blobs (None: not segmented)."""
    views, areas = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for number, here in enumerate(sizes):
        if here is not None:
            views.append(number * arenas + here[0].astype(np.int64))
            areas.append(here[1].astype(np.int64))
    return np.concatenate(views), np.concatenate(areas)


def _share_of_ghosts(frames: Sequence[Frame], blobs: Sequence[FrameBlobs], area: tuple[int, int], way: Way) -> float:
    """Share of ghosts among the blobs whose area is within the bounds; grey levels alone show none."""
    if way.method == "intensity":
        return 0.0
    background = way.background
    ghosts = [np.zeros(0, bool)]
    for frame, here in zip(frames, blobs, strict=True):
        scene = background.luma[background.window_at(frame.index)]
        accepted = chosen_blobs(here, (here.area >= area[0]) & (here.area <= area[1]))
        ghosts.append(find_ghosts(accepted, frame.luma, scene))
    found = np.concatenate(ghosts)
    return float(found.mean()) if len(found) else 0.0
