"""The chain of a file back to what it was made from."""

from pathlib import Path

import numpy as np
import pytest

from herdbook.artifacts.origin import CHANGED, MISSING, SAME, describe, trace_origin
from herdbook.artifacts.store import Provenance, artifact_fingerprint, columns_writer
from herdbook.errors import HerdbookError


def write(path: Path, **inputs: Path) -> Path:
    """An artifact of one row that was made from these files."""
    digests = {name: artifact_fingerprint(file) for name, file in inputs.items()}
    files = {name: str(file.relative_to(path.parent)) for name, file in inputs.items()}
    with columns_writer(path, path.stem, Provenance(path.stem, 2, '{"a": 1}', 7, digests, files)) as writer:
        writer.append("x", np.arange(1))
    return path


def test_a_file_is_traced_to_its_movie_and_what_has_changed_meanwhile_is_named(tmp_path: Path) -> None:
    movie = tmp_path / "m.mp4"
    movie.write_bytes(b"frames")
    first = write(tmp_path / "segment.h5", movie=movie)
    last = write(tmp_path / "tracklets.h5", blobs=first)
    chain = trace_origin(last)
    assert chain.node.origin is not None
    assert (chain.node.origin.stage, chain.node.origin.stage_version, chain.node.origin.seed) == ("tracklets", 2, 7)
    (blobs,) = chain.node.inputs
    (frames,) = blobs.node.inputs
    assert [(link.role, link.node.path, link.state) for link in (blobs, frames)] == [("blobs", first, SAME), ("movie", movie, SAME)]
    assert frames.node.origin is None
    movie.write_bytes(b"others")
    assert trace_origin(last).node.inputs[0].node.inputs[0].state == CHANGED
    movie.unlink()
    assert trace_origin(last).node.inputs[0].node.inputs[0].state == MISSING
    assert [line.split(":")[0].strip() for line in describe(trace_origin(last)) if line.strip().startswith("movie")] == [f"movie {movie}"]


def test_a_file_whose_origin_is_not_known_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.csv").write_text("a,b\n", encoding="utf-8")
    with pytest.raises(HerdbookError, match=r"notes\.csv: its origin is not recorded"):
        trace_origin(tmp_path / "notes.csv")
    with pytest.raises(HerdbookError, match=r"none\.csv: there is no such file"):
        trace_origin(tmp_path / "none.csv")
