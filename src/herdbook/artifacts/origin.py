"""Where a file of the results comes from: its chain of inputs back to the movies, and whether these inputs are still the same."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from herdbook.artifacts.store import has_fingerprint, open_artifact, read_attributes
from herdbook.errors import HerdbookError
from herdbook.system.hdf5 import open_hdf5

SAME, CHANGED, MISSING, UNRECORDED = "unchanged", "changed", "missing", "not recorded"
RECORDS = "provenance"
# Levels above a file in which its record is searched: files of other tools are two folders below that of the experiment.
FOLDERS_UP = 4


@dataclass(frozen=True)
class Origin:
    """The job that made a file: stage and its version, version of Herdbook, settings, seed, and its inputs.

    `inputs`: path and fingerprint at that time, by name of the argument. `fingerprint` is that of the file when it was made.
    """

    stage: str
    stage_version: int
    herdbook_version: str
    settings: Mapping[str, Any]
    seed: int
    fingerprint: str
    inputs: Mapping[str, tuple[Path, str]]


@dataclass
class Node:
    """A file in the chain: its origin (None if no stage made it, or if it cannot be read: `fault`), and links to its inputs."""

    path: Path
    origin: Origin | None = None
    fault: str = ""
    inputs: "list[Link]" = field(default_factory=list)


@dataclass(frozen=True)
class Link:
    """A file as a job used it: the name of the argument (`role`), its fingerprint at that time ("" if not recorded), and its present
    `state`: SAME, CHANGED, MISSING, or UNRECORDED.
    """

    role: str
    fingerprint: str
    state: str
    node: Node


def trace_origin(path: Path) -> Link:
    """The chain from a file of the results back to the movies. Raises HerdbookError for a missing file, or one whose origin is unknown."""
    if not path.exists():
        raise HerdbookError(f"{path}: there is no such file. Name a file of the results, such as results/demo/trajectories.csv.")
    origin = read_origin(path)
    if origin is None:
        raise HerdbookError(
            f"{path}: its origin is not recorded. Expected an artifact (.h5), or a file that is still where Herdbook wrote it in the "
            f"results, with the folder {RECORDS} of its experiment."
        )
    return _trace("", path, origin.fingerprint, {})


def read_origin(path: Path) -> Origin | None:
    """The origin of a file, from its attributes or from the records of its experiment; None if no stage of Herdbook made it.

    Raises HerdbookError for an artifact or a record that is damaged.
    """
    if path.suffix == ".h5" and path.is_file() and (kind := _artifact_kind(path)):
        with open_artifact(path, kind) as file:
            values = read_attributes(file)
        values |= {name: json.loads(values[name]) for name in ("settings", "inputs", "input_files")}
        return _origin(values, path.parent, str(values["fingerprint"]))
    for record in _records(path):
        values = _read_record(record)
        name = os.path.relpath(path.absolute(), record.parent.absolute())
        if name in values["outputs"]:
            return _origin(values, record.parent, values["outputs"][name])
    beside = path.with_suffix("").with_suffix(".h5")
    # Tables such as movie01.excess.csv are written with the artifact movie01.h5.
    origin = read_origin(beside) if path.suffix == ".csv" and beside.is_file() else None
    return replace(origin, fingerprint="") if origin else None


def check_unchanged(path: Path) -> None:
    """Raise HerdbookError if a file, such as a table, differs from its record; a file without a record passes."""
    origin = read_origin(path)
    if origin and origin.fingerprint and not has_fingerprint(path, origin.fingerprint):
        raise HerdbookError(
            f"{path}: not the file that was written there: it is damaged or was changed. "
            f"Delete it and run snakemake again: the rule '{origin.stage}' makes it again."
        )


def describe(chain: Link) -> list[str]:
    """The chain as lines of text, each file listed once."""
    return list(_lines(chain, "", set()))


def as_json(chain: Link) -> dict[str, Any]:
    """The chain as a JSON object: `files` by path, each with the paths of its inputs; the first one is the file that was traced."""
    files: dict[str, Any] = {}
    waiting = [chain.node]
    while waiting:
        node = waiting.pop()
        entry: dict[str, Any] = {"fault": node.fault} if node.fault else {}
        if node.origin:
            entry |= {name: getattr(node.origin, name) for name in ("stage", "stage_version", "herdbook_version", "settings", "seed")}
            entry["inputs"] = [_link_as_json(link) for link in node.inputs]
        files[str(node.path)] = entry
        waiting += [link.node for link in node.inputs if str(link.node.path) not in files]
    return {**_link_as_json(chain), "files": files}


def _link_as_json(link: Link) -> dict[str, str]:
    return ({"role": link.role} if link.role else {}) | {
        "file": str(link.node.path),
        "fingerprint": link.fingerprint,
        "state": link.state,
    }


def _trace(role: str, path: Path, fingerprint: str, known: dict[Path, Node]) -> Link:
    if not path.exists():
        return Link(role, fingerprint, MISSING, known.setdefault(path, Node(path)))
    if path not in known:
        node = known[path] = Node(path)
        try:
            node.origin = read_origin(path)
        except HerdbookError as error:
            node.fault = str(error)
        if node.origin:
            node.inputs = [_trace(name.partition("/")[0], *part, known) for name, part in node.origin.inputs.items()]
    node = known[path]
    same = not node.fault and fingerprint and has_fingerprint(path, fingerprint)
    return Link(role, fingerprint, SAME if same else CHANGED if fingerprint else UNRECORDED, node)


def _origin(values: Mapping[str, Any], folder: Path, fingerprint: str) -> Origin:
    places = values["input_files"]
    return Origin(
        str(values["stage"]),
        int(values["stage_version"]),
        str(values["herdbook_version"]),
        values["settings"],
        int(values["seed"]),
        fingerprint,
        {name: (_place(folder, places[name]), digest) for name, digest in values["inputs"].items()},
    )


def _place(folder: Path, relative: str) -> Path:
    """The shortest path: relative to the working directory if it is inside."""
    whole = Path(os.path.normpath(folder.absolute() / relative))
    return whole.relative_to(Path.cwd()) if whole.is_relative_to(Path.cwd()) else whole


def _artifact_kind(path: Path) -> str:
    """The kind of artifact in a file, "" for none: another tool's trajectories.h5 may be any HDF5 file."""
    try:
        with open_hdf5(path) as file:
            return str(read_attributes(file).get("artifact", ""))
    except (OSError, KeyError, RuntimeError) as error:
        raise HerdbookError(f"{path}: not a readable artifact ({error}). Delete it and run snakemake again.") from error


def _records(path: Path) -> Iterator[Path]:
    for folder in list(path.absolute().parents)[:FOLDERS_UP]:
        yield from sorted((folder / RECORDS).rglob("*.json"))


def _read_record(path: Path) -> dict[str, Any]:
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        missing = {"stage", "stage_version", "herdbook_version", "settings", "seed", "inputs", "input_files", "outputs"} - values.keys()
        if missing:
            raise ValueError(f"missing {', '.join(sorted(missing))}")
        return values
    except (ValueError, AttributeError) as error:
        stage = path.stem
        raise HerdbookError(f"{path}: not a readable record ({error}). Run the rule again: snakemake --forcerun {stage}") from error


def _lines(link: Link, indent: str, listed: set[Path]) -> Iterator[str]:
    node, inner = link.node, indent + "    "
    again = node.path in listed and bool(node.inputs)
    listed.add(node.path)
    yield f"{indent}{link.role}{' ' * bool(link.role)}{node.path}: {link.state}{', described above' * again}"
    if again:
        return
    if node.fault:
        yield f"{inner}{node.fault}"
    if link.fingerprint:
        yield f"{inner}fingerprint {link.fingerprint}"
    if node.origin:
        origin = node.origin
        yield f"{inner}stage {origin.stage}, version {origin.stage_version}, Herdbook {origin.herdbook_version}, seed {origin.seed}"
        yield f"{inner}settings {json.dumps(origin.settings, sort_keys=True, ensure_ascii=False)}"
        for part in node.inputs:
            yield from _lines(part, inner, listed)
