"""HDF5 artifacts: columns in, columns out, written under a temporary name and then renamed.

Every file contains its provenance (see `Provenance`) and a fingerprint of its own data, which later stages record as their input. Columns
have checksums, and the fingerprint covers the attributes: a damaged file is reported, not read. A file gets its final name only when it is
complete: a killed job leaves nothing that looks finished.
"""

import hashlib
import json
import traceback
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar, Self, get_args

import h5py
import numpy as np
from numpy.typing import NDArray

from herdbook.errors import HerdbookError, parsing
from herdbook.system.files import replacing
from herdbook.system.fingerprints import file_fingerprint, same_content
from herdbook.system.hdf5 import MOST_PACKED, NewFile, new_hdf5, open_hdf5, read_dataset
from herdbook.version import VERSION

# Below this size a chunked, compressed dataset costs more than it saves: five columns of three rows took 1.3 MB.
SMALL_BYTES = 16_384
CHUNK_BYTES = 1 << 18
# Attributes that are not part of the fingerprint: itself, and the paths of the inputs, since a moved folder holds the same data.
FINGERPRINT, INPUT_FILES = "fingerprint", "input_files"


@dataclass(frozen=True)
class Provenance:
    """Where an artifact comes from: stage and its version, settings (JSON), seed, and its inputs by name: their fingerprints, and their
    paths relative to the artifact's folder.
    """

    stage: str
    stage_version: int
    settings: str = "{}"
    seed: int = 0
    inputs: Mapping[str, str] = field(default_factory=dict)
    input_files: Mapping[str, str] = field(default_factory=dict)

    def attributes(self) -> dict[str, Any]:
        """The attributes written to the file's root."""
        return {
            "herdbook_version": VERSION,
            "stage": self.stage,
            "stage_version": self.stage_version,
            "settings": self.settings,
            "seed": self.seed,
            "inputs": json.dumps(dict(self.inputs), sort_keys=True),
            INPUT_FILES: json.dumps(dict(self.input_files), sort_keys=True, ensure_ascii=False),
        }


class ColumnsWriter:
    """Appends rows to the columns of an HDF5 file, so that no stage has the results of a whole movie in memory."""

    def __init__(self, new: NewFile) -> None:
        self._new, self._file = new, new.file
        # Kept open: a column that is opened again decompresses and compresses its last chunk for every batch.
        self._columns: dict[str, h5py.Dataset] = {}
        self._digests: dict[str, Any] = {}

    def append(self, name: str, values: NDArray[Any], *, compress: bool = True) -> None:
        """Append `values` (n, ...) to the column; the first call fixes dtype and the shape of a row."""
        values = np.ascontiguousarray(values)
        if name not in self._columns:
            row_bytes = max(1, int(np.prod(values.shape[1:], dtype=np.int64)) * values.dtype.itemsize)
            self._columns[name] = self._file.create_dataset(
                name,
                shape=(0, *values.shape[1:]),
                maxshape=(None, *values.shape[1:]),
                dtype=values.dtype,
                chunks=(max(1, CHUNK_BYTES // row_bytes), *values.shape[1:]),
                # 4 bytes per chunk, and no measurable CPU time (0.48 s for 58 MB, with and without).
                fletcher32=True,
                **({"compression": "gzip", "compression_opts": 1, "shuffle": True} if compress else {}),
            )
        column = self._columns[name]
        start = column.shape[0]
        column.resize(start + len(values), axis=0)
        column[start:] = values
        self._new.check()
        self._digests.setdefault(name, hashlib.sha256()).update(values)

    def put(self, name: str, values: NDArray[Any]) -> None:
        """Write a whole column at once, as one chunk: for columns smaller than a chunk of `append`, which takes CHUNK_BYTES on disk."""
        values = np.ascontiguousarray(values)
        # Compressed to detect damage, not for its size: a block of zeros passes a checksum of zero, but is not valid gzip.
        packed = {"chunks": values.shape, "fletcher32": True, "compression": "gzip", "compression_opts": 1} if values.size else {}
        self._file.create_dataset(name, data=values, **packed)
        self._digests[name] = hashlib.sha256(values.tobytes())

    def attribute(self, name: str, value: Any) -> None:
        """Set an attribute of the file's root."""
        self._file.attrs[name] = _fixed_text(value)

    def columns(self) -> dict[str, str]:
        """Fingerprint of each column; it does not depend on the batches in which the column was written."""
        return {name: _column_fingerprint(self._file[name], data.hexdigest()) for name, data in sorted(self._digests.items())}


@contextmanager
def columns_writer(path: Path, kind: str, provenance: Provenance) -> Iterator[ColumnsWriter]:
    """Open an artifact of many rows for appending; it gets its final name only when the block ends without error."""
    with replacing(path) as temporary, new_hdf5(temporary, newest=True) as new:
        writer = ColumnsWriter(new)
        yield writer
        for name, value in {"artifact": kind, **provenance.attributes(), "columns": json.dumps(writer.columns())}.items():
            writer.attribute(name, value)
        writer.attribute(FINGERPRINT, _seal(read_attributes(new.file)))


@contextmanager
def open_artifact(path: Path, kind: str) -> Iterator[h5py.File]:
    """Open an artifact for reading. Raises HerdbookError for a file that is missing, damaged or of another kind."""
    if not path.is_file():
        raise HerdbookError(f"{path}: there is no such file. Run snakemake: the rule '{kind}' makes it.")
    with ExitStack() as opened:
        try:
            file = opened.enter_context(open_hdf5(path))
        except OSError as error:
            raise HerdbookError(_unreadable(path, kind, error)) from error
        try:
            attributes = read_attributes(file)
            if attributes.get("artifact") != kind or FINGERPRINT not in attributes:
                raise HerdbookError(
                    f"{path}: expected an artifact of '{kind}', found {attributes.get('artifact', 'something else')!r}. "
                    f"Delete it and run snakemake again: the rule '{kind}' makes it again."
                )
            if attributes[FINGERPRINT] != _seal(attributes):
                raise HerdbookError(
                    f"{path}: its attributes do not match its fingerprint: it is damaged, was changed, or comes from another version of "
                    f"Herdbook. Delete it and run snakemake again: the rule '{kind}' makes it again."
                )
            yield file
        except (OSError, KeyError, RuntimeError) as error:
            # HDF5 raises these for a damaged or missing column. Any other error, such as a full disk, is not the fault of this file.
            if "write" in str(error) or not _raised_by_hdf5(error):
                raise
            raise HerdbookError(_unreadable(path, kind, error)) from error


def read_attributes(file: h5py.File) -> dict[str, Any]:
    """The attributes of a file: text as str, lists of text as list, numbers as HDF5 gives them."""
    found = {}
    for name, value in file.attrs.items():
        many = isinstance(value, np.ndarray) and value.dtype.kind in "SO"
        found[name] = [_as_text(part) for part in value] if many else _as_text(value)
    return found


def read_column(file: h5py.File, name: str, most_packed: int = MOST_PACKED) -> NDArray[Any]:
    """A whole column of an open artifact. Raises HerdbookError if it does not match its fingerprint, or if it says that it is more than
    `most_packed` times larger than what is stored.
    """
    values, attributes = read_stored(file, name, most_packed), read_attributes(file)
    found = _column_fingerprint(values, hashlib.sha256(np.ascontiguousarray(values).data).hexdigest())
    if json.loads(attributes["columns"]).get(name) != found:
        fault = f"the column {name} does not match its fingerprint"
        raise HerdbookError(_unreadable(Path(file.filename), attributes["artifact"], fault))
    return values


def read_stored(file: h5py.File, name: str, most_packed: int = MOST_PACKED) -> NDArray[Any]:
    """As `read_column`, without the fingerprint: for columns of which parts are read anyway, under the checksums of HDF5 alone."""
    try:
        return read_dataset(file[name], most_packed)
    except ValueError as error:
        raise HerdbookError(_unreadable(Path(file.filename), _as_text(file.attrs["artifact"]), error)) from error


def artifact_fingerprint(path: Path) -> str:
    """The fingerprint stored in an artifact, or that of another file's content."""
    return _stored_fingerprint(path) or file_fingerprint(path)


def has_fingerprint(path: Path, fingerprint: str) -> bool:
    """Whether `artifact_fingerprint` of a file is this one, also if an earlier version of Herdbook determined it."""
    stored = _stored_fingerprint(path)
    return stored == fingerprint if stored else same_content(path, fingerprint)


def _stored_fingerprint(path: Path) -> str:
    """The fingerprint stored in an artifact, "" for another file."""
    if path.suffix == ".h5":
        try:
            with open_hdf5(path) as file:
                # Files without this attribute are HDF5 files of other tools.
                if "artifact" in file.attrs:
                    return str(_as_text(file.attrs[FINGERPRINT]))
        except (OSError, KeyError, RuntimeError) as error:
            # The folder of an artifact is named like its rule.
            raise HerdbookError(_unreadable(path, path.parent.name, error)) from error
    return ""


@dataclass
class Artifact:
    """Base class of artifacts that fit into memory: each array field is a dataset, each other field an attribute.

    A field may be an array, a list of strings, a string, a number or a bool; a field that is None is not written.
    """

    kind: ClassVar[str]
    # How many times smaller a column may be stored than it is.
    most_packed = MOST_PACKED

    def save(self, path: Path, provenance: Provenance) -> None:
        """Write the artifact with its provenance; `path` appears only when it is complete."""
        with columns_writer(path, self.kind, provenance) as writer:
            for item in fields(self):
                value = getattr(self, item.name)
                if value is None:
                    continue
                if isinstance(value, np.ndarray) and value.nbytes > SMALL_BYTES:
                    writer.append(item.name, value)
                elif isinstance(value, np.ndarray):
                    writer.put(item.name, value)
                elif isinstance(value, list):
                    writer.attribute(item.name, json.dumps(value, ensure_ascii=False))
                else:
                    writer.attribute(item.name, value)

    @classmethod
    def load(cls, path: Path, *, without: Collection[str] = ()) -> Self:
        """Read the artifact; the arrays named in `without` stay empty. Errors name the rule that makes the file again."""
        with open_artifact(path, cls.kind) as file:
            values: dict[str, Any] = {}
            attributes = read_attributes(file)
            for item in fields(cls):
                if item.name in file:
                    column = file[item.name]
                    skipped = item.name in without and isinstance(column, h5py.Dataset)
                    values[item.name] = np.empty(0, column.dtype) if skipped else read_column(file, item.name, cls.most_packed)
                elif item.name in attributes:
                    value = attributes[item.name]
                    if isinstance(value, np.generic):
                        value = value.item()
                    if str(item.type).startswith("list") or any(str(a).startswith("list") for a in get_args(item.type)):
                        with parsing(path, f"not a readable artifact: {item.name} is no list", _remedy(cls.kind)):
                            value = json.loads(value)
                    values[item.name] = value
        try:
            return cls(**values)
        except TypeError as error:
            raise HerdbookError(
                f"{path}: columns are missing ({error}); it comes from another version of Herdbook. "
                f"Delete it and run snakemake again: the rule '{cls.kind}' makes it again."
            ) from error


def _seal(attributes: Mapping[str, Any]) -> str:
    """Fingerprint of all attributes, which include the fingerprints of the columns."""
    digest = hashlib.sha256()
    for name in sorted(attributes.keys() - {FINGERPRINT, INPUT_FILES}):
        digest.update(f"{name}={json.dumps(np.asarray(attributes[name]).tolist())};".encode())
    return digest.hexdigest()[:32]


def _column_fingerprint(column: h5py.Dataset | NDArray[Any], data: str) -> str:
    return hashlib.sha256(f"{column.dtype} {column.shape} {data}".encode()).hexdigest()[:32]


def _fixed_text(value: Any) -> Any:
    """Text as bytes (UTF-8) of fixed length: HDF5 stores text of variable length in heaps without checksums, and loops forever if the disk
    returns zeros for them.
    """
    if isinstance(value, str):
        value = value.encode()
    elif isinstance(value, list) and value and all(isinstance(part, str) for part in value):
        value = [part.encode() for part in value]
    else:
        return value
    longest = max(map(len, value), default=0) if isinstance(value, list) else len(value)
    return np.array(value, h5py.string_dtype("utf-8", max(1, longest)))


def _as_text(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value


def _raised_by_hdf5(error: BaseException) -> bool:
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and "h5py" in frames[-1].filename


def _unreadable(path: Path, kind: str, error: Exception | str) -> str:
    return f"{path}: not a readable artifact ({error}). {_remedy(kind)}"


def _remedy(kind: str) -> str:
    return f"Delete it and run snakemake again: the rule '{kind}' makes it again."
