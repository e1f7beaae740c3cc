"""Files as an enemy would make them: with links, with their data in other files, with sizes that they do not have, networks that do harm.

Each case lies in a folder with two files that belong to somebody else, an HDF5 file and a text; whatever becomes of the case, they and all
others must stay as they are, and nothing may be written but what was asked for.
"""

import io
import json
import shutil
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from herdbook.classifier.image_folders import load_set
from herdbook.formats.pose_files import read_poses, rewrite_poses
from tests.support.damage import artifacts
from tests.support.damage.limits import TOLD, Outcome, run_limited
from tests.support.damage.mutations import EXTREMES, Rng
from tests.support.damage.tables import write_files

POSES = ("sleap.h5", "movement.nc", "deeplabcut-table.h5", "deeplabcut-fixed.h5")
TRAINSET, IMAGES, NETWORK, DESCRIPTION = "trainset.h5", "images", "network.keras", "network.json"
VICTIMS = ("victim.h5", "victim.txt")
MOST_CHARACTERS = 2000
# As HDF5 and NumPy count: larger than any memory, at the end of 32 and 64 bits, and what overflows when it is multiplied by 8.
SIZES = (10**6, 10**9, 2**31, 2**32 - 1, 2**40, 2**61, 2**63 - 1)
Change = tuple[str, str]


@dataclass(frozen=True)
class Case:
    """A hostile file: the kind of hostility, which file, what was done to it."""

    kind: str
    source: str
    change: str
    path: Path


def write_whole(folder: Path) -> Path:
    """Good files, and the victims; by a process of its own, for one that has calculated with a network cannot fork."""
    outcome = run_limited(lambda: _write_whole(folder))
    assert not outcome.fault, outcome.printed
    return folder


def _write_whole(folder: Path) -> dict[str, Any]:
    from herdbook.classifier.architectures import build_network, save_model

    write_files(folder)
    for name in [path.name for path in folder.iterdir() if path.name not in (*POSES, IMAGES)]:
        (folder / name).unlink()
    artifacts.write_trainset(folder / TRAINSET)
    network, _ = build_network("small", 48, 32, 3)
    save_model(network, folder / NETWORK)
    (folder / DESCRIPTION).write_text(network.to_json(), encoding="utf-8")
    with h5py.File(folder / VICTIMS[0], "w") as file:
        file["values"] = np.arange(1000.0)
    (folder / VICTIMS[1]).write_text("not to be touched\n" * 500, encoding="utf-8")
    return {}


def damage(whole: Path, number: int, folder: Path, seed: int) -> Case:
    """The hostile file of this number, in a folder with all the good ones."""
    rng = np.random.default_rng([seed, number])
    kind = list(KINDS)[number % len(KINDS)]
    target = folder / f"case{number}"
    shutil.copytree(whole, target)
    source, change = KINDS[kind](target, rng)
    return Case(kind, source, change, target / source)


def judge(case: Case) -> tuple[str, Outcome]:
    """What a user gets from a hostile file: PASSED, TOLD or a fault; "wrong" where another file was changed or made."""
    before = dict(_contents(case.path.parent))
    outcome = run_limited(lambda: _use(case.path))
    after = dict(_contents(case.path.parent))
    changed = [name for name in before.keys() | after.keys() if before.get(name) != after.get(name) and not name.startswith("out")]
    if changed:
        return "wrong", outcome
    said = outcome.printed[outcome.printed.rfind("herdbook: ") :]
    if outcome.kind == TOLD and not (case.path.name in said and len(said) <= MOST_CHARACTERS):
        return "unclear", outcome
    return outcome.kind, outcome


def _contents(folder: Path) -> Iterator[tuple[str, int]]:
    for path in folder.rglob("*"):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), zlib.crc32(path.read_bytes())


def _use(path: Path) -> dict[str, Any]:
    """Read the file as Herdbook does, and write it with other places, if it has any."""
    if path.name in POSES:
        poses = read_poses([path])
        rewrite_poses(path.with_name(f"out{path.suffix}"), poses.moved_to(poses.columns + 1), path)
    elif path.name in (TRAINSET, IMAGES):
        load_set(path)
    else:
        from herdbook.classifier.architectures import load_model

        load_model(path)
    return {}


def _links(folder: Path, rng: Rng) -> Change:
    """Something in the file is a link, or has a second name."""
    source = str(rng.choice([*POSES, TRAINSET, NETWORK]))

    def change(file: h5py.File) -> str:
        name = _any_dataset(file, rng)
        victim = str(folder / VICTIMS[0]) if rng.random() < 0.5 else VICTIMS[0]
        ways: dict[str, Callable[[], Any]] = {
            "an external link": lambda: h5py.ExternalLink(victim, "/values"),
            "an external link to itself": lambda: h5py.ExternalLink(source, name),
            "a soft link": lambda: h5py.SoftLink(_any_dataset(file, rng)),
            "a soft link to nothing": lambda: h5py.SoftLink("/nowhere"),
            "a soft link to itself": lambda: h5py.SoftLink(name),
            "another dataset": lambda: file[_any_dataset(file, rng)],
            "the root": lambda: file["/"],
        }
        way = str(rng.choice(list(ways)))
        link = ways[way]()
        if rng.random() < 0.8:
            del file[name]
        else:
            name = f"{file[name].parent.name.rstrip('/')}/more"
        file[name] = link
        return f"{name} is {way}"

    return source, _change_hdf5(folder / source, change)


def _storage(folder: Path, rng: Rng) -> Change:
    """Values of a dataset lie in another file."""
    source = str(rng.choice([*POSES, TRAINSET, NETWORK]))

    def change(file: h5py.File) -> str:
        name = _any_dataset(file, rng)
        old = file[name]
        shape, dtype, attributes = old.shape or (4,), old.dtype, dict(old.attrs) if not old.is_scale else {}
        victim = str(folder / str(rng.choice(VICTIMS)))
        if dtype.hasobject:
            dtype = np.dtype("S8")
        del file[name]
        if rng.random() < 0.6:
            size = max(1, int(np.prod(shape)) * dtype.itemsize)
            parts = (
                [(victim, 0, size)] if rng.random() < 0.5 else [(victim, 0, size // 2), (str(folder / "made.bin"), 0, h5py.h5f.UNLIMITED)]
            )
            new, way = file.create_dataset(name, shape, dtype, external=parts), "external"
        else:
            layout = h5py.VirtualLayout(shape, dtype)
            layout[...] = h5py.VirtualSource(victim if rng.random() < 0.7 else ".", "/values", shape)
            new, way = file.create_virtual_dataset(name, layout), "virtual"
        for key, value in attributes.items():
            if key not in ("DIMENSION_LIST", "REFERENCE_LIST"):
                new.attrs[key] = value
        return f"{name} has {way} storage"

    return source, _change_hdf5(folder / source, change)


def _sizes(folder: Path, rng: Rng) -> Change:
    """Headers say more than there is."""
    source = str(rng.choice([*POSES, *POSES, TRAINSET, IMAGES, NETWORK]))
    if source == IMAGES:
        return source, _change_png(folder / IMAGES, rng)
    if rng.random() < 0.3:
        return source, _patch_hdf5(folder / source, rng)

    def change(file: h5py.File) -> str:
        name = _any_dataset(file, rng)
        old = file[name]
        size = int(rng.choice(np.array(SIZES)))
        shape, dtype = old.shape or (4,), old.dtype
        match int(rng.integers(6)):
            case 0:
                group = old.parent
                key = str(rng.choice([*group.attrs, "nblocks", "ndim", "axis0_nlevels"]))
                group.attrs[key] = size
                return f"the attribute {key} of {group.name} is {size}"
            case 1:
                group = file if rng.random() < 0.5 else old.parent
                group.attrs.create("many", np.array(["x" * 60_000] * 4000, object), dtype=h5py.string_dtype())
                return "a list of texts in an attribute"
            case 2:
                del file[name]
                file.create_dataset(name, (4_000_000,), "u1", chunks=True, compression="gzip")[...] = 65
                return f"{name} is a long row of ones"
            case 3:
                del file[name]
                texts = file.create_dataset(name, (min(size, 10**7),), h5py.string_dtype(), chunks=(10_000,), compression="gzip")
                texts[:10] = "x" * 100_000
                return f"{name} has {texts.shape} texts"
            case 4:
                del file[name]
                axis = int(rng.integers(len(shape)))
                larger = tuple(min(2**40, size) if k == axis else n for k, n in enumerate(shape))
                file.create_dataset(name, larger, dtype, chunks=tuple(min(64, max(1, n)) for n in larger), compression="gzip")
                return f"{name} has the shape {larger}, and nothing in it"
            case _:
                del file[name]
                many = (*(max(1, n) for n in shape[:-1]), max(1, 3 * 10**8 // max(1, int(np.prod(shape[:-1])))))
                zeros = file.create_dataset(name, many, "u1", chunks=tuple(min(n, 10**6) for n in many), compression="gzip")
                zeros.id.write_direct_chunk((0,) * len(many), zlib.compress(bytes(int(np.prod(zeros.chunks)))))
                return f"{name} has the shape {many}, packed"

    return source, _change_hdf5(folder / source, change)


def _networks(folder: Path, rng: Rng) -> Change:
    """Descriptions of networks with strange values, and .keras with strange members."""
    source = NETWORK if rng.random() < 0.5 else DESCRIPTION
    path = folder / source
    if source == DESCRIPTION:
        config = json.loads(path.read_text(encoding="utf-8"))
        change = _change_config(config, rng)
        path.write_text(_as_json(config, rng), encoding="utf-8")
        return source, change
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    packed, change = zipfile.ZIP_STORED, ""
    match int(rng.integers(6)):
        case 0:
            members["../" * int(rng.integers(1, 4)) + "outside.txt"] = b"outside"
            change = "a member that leads out"
        case 1:
            name = str(rng.choice([*members, "assets/more"]))
            members[name], packed = bytes(300_000_000), zipfile.ZIP_DEFLATED
            change = f"{name} is 300 MB of zeros"
        case 2:
            members["config.json"] = b"[" * 10**6 if rng.random() < 0.5 else b'{"config": ' * 10**5
            change = "a deep description"
        case 3:
            name = str(rng.choice(list(members)))
            del members[name]
            change = f"without {name}"
        case _:
            config = json.loads(members["config.json"])
            change = _change_config(config, rng)
            members["config.json"] = _as_json(config, rng).encode()
    with zipfile.ZipFile(path, "w", packed) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    if rng.random() < 0.2:
        data = bytearray(path.read_bytes())
        for place in range(len(data)):
            # Sizes in the directory at the end.
            if data[place : place + 4] == b"PK\x01\x02":
                struct.pack_into("<I", data, place + int(rng.choice([20, 24])), int(rng.choice(np.array([0, 2**30, 2**32 - 1]))))
        path.write_bytes(bytes(data))
        change += ", other sizes in its directory"
    return source, change


KINDS: dict[str, Callable[[Path, Rng], Change]] = {"links": _links, "storage": _storage, "sizes": _sizes, "networks": _networks}


def _change_hdf5(path: Path, change: Callable[[h5py.File], str]) -> str:
    """Change an HDF5 file, or the weights of a network."""
    if path.suffix != ".keras":
        with h5py.File(path, "r+") as file:
            return change(file)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    content = io.BytesIO(members["model.weights.h5"])
    with h5py.File(content, "r+") as file:
        told = change(file)
    members["model.weights.h5"] = content.getvalue()
    with zipfile.ZipFile(path, "w") as archive:
        for name, part in members.items():
            archive.writestr(name, part)
    return told


def _any_dataset(file: h5py.File, rng: Rng) -> str:
    names: list[str] = []
    file.visititems(lambda name, part: names.append(name) if isinstance(part, h5py.Dataset) else None)
    return str(rng.choice(names))


def _patch_hdf5(path: Path, rng: Rng) -> str:
    """Overwrite lengths of axes where they stand in the file; without checksums, as older versions of HDF5 write it."""
    data = bytearray(path.read_bytes())
    length = int(rng.choice([3, 6, 9, 2, 24]))
    places = [k for k in range(len(data) - 8) if data[k : k + 8] == length.to_bytes(8, "little")]
    value = int(rng.choice(np.array([*SIZES, *EXTREMES], np.uint64)))
    for place in rng.permutation(places)[: int(rng.integers(1, 4))].tolist():
        data[place : place + 8] = value.to_bytes(8, "little")
    path.write_bytes(bytes(data))
    return f"{length} is {value} in the file"


def _change_png(folder: Path, rng: Rng) -> str:
    """Another width or height in the header of an image, with the right checksum; or a long note, packed."""
    image = sorted(folder.rglob("*.png"))[int(rng.integers(9))]
    data = image.read_bytes()
    if rng.random() < 0.3:
        note = b"herdbook\0\0" + zlib.compress(b"[" * 50_000_000)
        part = struct.pack(">I", len(note)) + b"zTXt" + note + struct.pack(">I", zlib.crc32(b"zTXt" + note))
        image.write_bytes(data[:33] + part + data[33:])
        return "a long note"
    sides = [int(rng.choice(np.array([16, 1024, 13_000, 30_000, 10**6, 2**31 - 1]))) for _ in range(2)]
    header = b"IHDR" + struct.pack(">II", *sides) + data[24:29]
    image.write_bytes(data[:12] + header + struct.pack(">I", zlib.crc32(header)) + data[33:])
    return f"an image of {sides} px"


LAYERS: tuple[dict[str, Any], ...] = (
    {"class_name": "Lambda", "module": "keras.layers", "config": {"name": "l", "function": "print"}},
    {"class_name": "ZeroPadding2D", "module": "keras.layers", "config": {"name": "z", "padding": [[10**5, 10**5], [10**5, 10**5]]}},
    {"class_name": "UpSampling2D", "module": "keras.layers", "config": {"name": "u", "size": [10**4, 10**4]}},
    {"class_name": "Conv2D", "module": "keras.layers", "config": {"name": "c", "filters": 10**7, "kernel_size": [999, 999]}},
    {"class_name": "TFSMLayer", "module": "keras.layers", "config": {"name": "t", "filepath": "victim.h5"}},
    {"class_name": "system", "module": "os", "config": "touch made"},
    {"class_name": "function", "module": "os", "config": "system"},
)


def _change_config(config: Any, rng: Rng) -> str:
    """Change something in a description: a value, or a layer."""
    places = list(_places(config))
    layers = [place for place in places if place[-1] == "config" and "layers" in place]
    if rng.random() < 0.35:
        place = layers[int(rng.integers(len(layers)))][:-1]
        layer = dict(LAYERS[int(rng.integers(len(LAYERS)))])
        owner = _at(config, place)
        kept = {key: owner[key] for key in ("inbound_nodes", "name") if key in owner}
        owner.clear()
        owner.update(layer | kept | {"registered_name": None})
        return f"{place[-1]} is {layer['class_name']}"
    place = places[int(rng.integers(len(places)))]
    owner, key = _at(config, place[:-1]), place[-1]
    strange: tuple[Any, ...] = (None, -1, 0, 1.5, 10**6, 10**9, 2**63, 10**30, 10**4000, 1e308, float("nan"), "x", [], {}, [10**5] * 4)
    owner[key] = strange[int(rng.integers(len(strange)))]
    return f"{'.'.join(map(str, place[-4:]))} is {str(owner[key])[:20]}"


def _as_json(config: Any, rng: Rng) -> str:
    """JSON, sometimes with a number of 5,000 digits, which Python does not write."""
    text = json.dumps(config)
    return text.replace("null", "9" * 5000, 1) if rng.random() < 0.1 else text


def _places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield (*place, key)
        yield from _places(part, (*place, key))


def _at(value: Any, place: tuple[Any, ...]) -> Any:
    for key in place:
        value = value[key]
    return value
