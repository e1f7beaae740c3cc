"""A finished run on a numbered movie of three animals, of which the third has no name, and one doubt."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from herdbook.artifacts.propagate import Identities
from herdbook.artifacts.segment import Blobs
from herdbook.artifacts.store import Provenance
from herdbook.artifacts.tracklets import Tracklets
from herdbook.identity.doubts import Doubt, write_doubts
from tests.support.numbered import SIZE, walk, write_numbered
from tests.support.stage_chain import Chain

FRAMES, ANIMALS = 60, 3
# The animal in the lowest lane is the one that nobody knows.
NAMELESS = 2
DOUBT_FRAME, DOUBT_SPAN = 40, (35, 45)


def write_watched(folder: Path) -> Path:
    """Make the run in a folder, and return its experiment file. It is tracked from frame 10 on."""
    movie = write_numbered(folder, "b_frames", FRAMES, ANIMALS)
    width, height = SIZE
    dish = {"name": "dish", "include": [{"polygon": [[0, 14], [width - 1, 14], [width - 1, height - 1], [0, height - 1]]}]}
    sections: dict[str, Any] = {"arenas": [dish], "segment": {"difference": 30, "area": [20, 400], "intervals": [[10, FRAMES]]}}
    values = {"experiment": "e", "movies": [{"name": "m", "file": str(movie)}], "animals": {"marking": "none"}, **sections}
    file = folder / "experiment.yaml"
    file.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    chain = Chain(folder / "results" / "e", movie, **sections)
    path = chain.run("index", "background", "segment", "tracklets", "propagate")
    name = Identities.load(path).individuals[name_of(path, 0)]
    forget_name(path)
    x, y = walk(ANIMALS, DOUBT_FRAME)[0]
    first, last = DOUBT_SPAN
    doubt = Doubt("m", DOUBT_FRAME, x, y, "is", name, "", name, 0.6, "B 0.40", "m", first, "m", last, last - first + 1, 4.0)
    write_doubts(path.with_suffix(".doubtful.csv"), [doubt])
    chain.run("smooth")
    return file


def forget_name(path: Path) -> None:
    """Take the name of the animal in the lowest lane out of the artifact of propagate."""
    found = Identities.load(path)
    kept = found.individual != name_of(path, NAMELESS)
    columns = {name: getattr(found, name)[kept] for name in ("movie", "tracklet", "individual", "confidence", "how")}
    replace(found, **columns).save(path, Provenance("propagate", 1))


def name_of(path: Path, animal: int) -> int:
    """The individual that an animal got."""
    results = path.parents[1]
    blobs, tracklets = Blobs.load(results / "segment" / "m.h5"), Tracklets.load(results / "tracklets" / "m.h5")
    found = Identities.load(path)
    x, y = walk(ANIMALS, int(blobs.frame[0]))[animal]
    tracklet = tracklets.blob_tracklet[int(np.hypot(blobs.x[:ANIMALS] - x, blobs.y[:ANIMALS] - y).argmin())]
    return int(found.individual[found.tracklet == tracklet][0])
