"""The index of a movie."""

from pathlib import Path

import numpy as np

from herdbook.artifacts.index import Index
from herdbook.artifacts.store import Provenance, columns_writer


def test_an_index_of_an_earlier_version_says_how_movies_were_read_then(tmp_path: Path) -> None:
    with columns_writer(tmp_path / "m.h5", Index.kind, Provenance(Index.kind, 1)) as writer:
        for name, values in {"pts": np.arange(3), "time_s": np.arange(3) / 20, "keyframe": np.array([True, False, False])}.items():
            writer.put(name, values)
        facts = {"width": 8, "height": 6, "fps": 20.0, "codec": "h264", "grey": False, "full_range": False, "movie_fingerprint": "x"}
        for name, value in facts.items():
            writer.attribute(name, value)
    found = Index.load(tmp_path / "m.h5")
    # Every frame of the first stream, as it lies in the file.
    assert (found.counted, found.every, found.stream, found.orientation, found.bits, found.notes) == (False, 1, 0, 1, 0, [])
