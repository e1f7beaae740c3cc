"""The artifact of stage index: the frames of a movie, their times and keyframes."""

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from herdbook.artifacts.store import Artifact
from herdbook.errors import HerdbookError
from herdbook.system.fingerprints import same_content

if TYPE_CHECKING:
    from herdbook.movie.scanning import MovieScan


@dataclass
class Index(Artifact):
    """Frames of one movie in display order.

    Per frame: `pts` int64 (n,), `time_s` float64 (n,) from 0, `keyframe` bool (n,), where decoding can begin. Of the movie: `width` and
    `height` in px, `fps` average frame rate (1/s), `grey` whether it has no colour, `full_range` whether luma spans 0..255,
    `movie_fingerprint` of the file; how it is read, as in `movie.decoding.FrameTable`: `counted`, `every`, `stream`, `orientation`, `bits`;
    `notes` on that for a user.
    """

    kind: ClassVar[str] = "index"
    pts: NDArray[np.int64]
    time_s: NDArray[np.float64]
    keyframe: NDArray[np.bool_]
    width: int
    height: int
    fps: float
    codec: str
    grey: bool
    full_range: bool
    movie_fingerprint: str
    # With defaults, since indices of earlier versions, which read every movie in this way, lack them.
    counted: bool = False
    every: int = 1
    stream: int = 0
    orientation: int = 1
    bits: int = 0
    notes: list[str] = field(default_factory=list)

    @classmethod
    def from_scan(cls, scan: "MovieScan", movie_fingerprint: str) -> Self:
        """The index of a movie from its table of frames."""
        shared = {item.name: getattr(scan, item.name) for item in fields(cls) if item.name not in ("movie_fingerprint", "notes")}
        return cls(**shared, movie_fingerprint=movie_fingerprint, notes=list(scan.notes))

    def __len__(self) -> int:
        return len(self.pts)

    @property
    def duration_s(self) -> float:
        """Time from the first frame to the end of the last, s."""
        step = float(np.median(np.diff(self.time_s))) if len(self) > 1 else 1.0 / self.fps
        return float(self.time_s[-1]) + step

    def check_movie(self, path: Path) -> None:
        """Raise HerdbookError unless `path` is the movie from which this index was made."""
        if not same_content(path, self.movie_fingerprint):
            raise HerdbookError(
                f"{path}: the file has changed since its frames were indexed: it is still being recorded or copied, or was replaced. Wait "
                "until that has ended, then run snakemake again: the rule 'index' reads it again."
            )
