"""Tables, annotations, files of body points and images that people give, damaged, and what their readers make of them."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import h5py
import numpy as np
import pandas as pd
import PIL.Image

from herdbook.classifier.cards import read_card
from herdbook.classifier.image_folders import import_images
from herdbook.experiment.file import load_experiment
from herdbook.experiment.sheets.corrections import read_corrections
from herdbook.experiment.sheets.facts import read_facts
from herdbook.experiment.sheets.labels import read_labels
from herdbook.formats.pose_files import read_poses
from herdbook.formats.poses import Poses
from herdbook.positions.corrections import correct_points
from herdbook.segmentation.arenas import read_mask
from herdbook.segmentation.scene_file import read_scene
from herdbook.tables.scoring import load_trajectories, load_truth
from tests.support.damage.limits import TOLD, Outcome, run_limited
from tests.support.damage.mutations import Rng, mutate

MOVIES, NAMES, SIZE = ["m1", "m2"], ["A", "Bé", "C D"], (48, 64)
FRAMES, POINTS = 9, ("nose", "tail")
MOST_CHARACTERS = 4000
CELLS = (
    *("", "nan", "NaN", "inf", "-inf", "1e400", "-1", "1.5", "99999999999999999999", "1e9", "0x10", "١٢", "1_000", "1 000", "1,5", "true"),
    *("A", "m1", "é\u0301", "\x00", '"', "'", "=1+1", "#", "\ufeff", "\r", "x" * 2000, "None", "NA", "null"),
)


@dataclass(frozen=True)
class Case:
    """A damaged file: which kind, and what was done to it."""

    kind: str
    change: str
    path: Path


def _rows(*header: str, rows: list[tuple[Any, ...]]) -> str:
    return "\n".join(",".join(map(str, row)) for row in [header, *rows]) + "\n"


def _points() -> pd.DataFrame:
    columns = [("net", who, point, coord) for who in NAMES for point in POINTS for coord in ("x", "y", "likelihood")]
    names = ["scorer", "individuals", "bodyparts", "coords"]
    values = np.random.default_rng(1).uniform(0, 1, (FRAMES, len(columns)))
    return pd.DataFrame(values, columns=pd.MultiIndex.from_tuples(columns, names=names))


def write_files(folder: Path) -> dict[str, Path]:
    """One good file of each kind."""
    places = [(movie, frame, 10.5 + frame, 20, NAMES[frame % 3]) for movie in MOVIES for frame in range(6)]
    texts = {
        "labels.csv": _rows("movie", "frame", "x", "y", "label", rows=places),
        "facts.csv": _rows(
            *("movie", "frame", "x", "y", "fact", "name", "last"),
            rows=[*((m, t, x, y, "is", n, "") for m, t, x, y, n in places), ("m1", 3, "", "", "absent", "A", 5)],
        ),
        "corrections.csv": _rows(
            *("movie", "frame", "individual", "point", "x", "y"), rows=[(m, t, n, POINTS[t % 2], x, y) for m, t, x, y, n in places]
        ),
        "corrections.json": json.dumps(
            [{"movie": m, "frame": t, "individual": n, "point": "nose", "x": x, "y": y} for m, t, x, y, n in places]
        ),
        "truth.csv": _rows("movie", "frame", "identity", "x", "y", rows=[(m, t, n, x, y) for m, t, x, y, n in places]),
        "trajectories.csv": _rows("movie", "frame", "individual", "x", "y", rows=[(m, t, n, x, y) for m, t, x, y, n in places]),
        "movies.tsv": "name\tfile\trecording\tstart\tsegment.area\nm1\tm1.mp4\tday\t2026-05-17\t[5, 50]\nm2\tm2.mp4\tday\t\t\n",
        "dustrack.json": json.dumps({point: {str(t): [t, 2.5] for t in range(FRAMES)} for point in POINTS}),
        "card.json": json.dumps(
            {
                **{"format": 1, "classes": NAMES, "others": [], "body_length_px": 20.5, "chroma": 3.0, "prototypes": {"A": [1.0, 0.5]}},
                "crops": {"length_px": 40.0, "size": [32, 48], "blank": 127, "neighbours": False, "white_balance": True},
                "calibration": {"temperature": 1.0},
            }
        ),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    points = _points()
    points.to_csv(folder / "deeplabcut.csv")
    points.to_hdf(folder / "deeplabcut-table.h5", key="df_with_missing", format="table")
    points.to_hdf(folder / "deeplabcut-fixed.h5", key="df_with_missing", format="fixed")
    with h5py.File(folder / "sleap.h5", "w") as file:
        file["tracks"] = np.random.default_rng(2).uniform(0, 60, (3, 2, 2, FRAMES))
        file["track_names"] = [name.encode() for name in NAMES]
        file["node_names"] = [name.encode() for name in POINTS]
        file["point_scores"] = np.full((3, 2, FRAMES), 0.5)
    with h5py.File(folder / "movement.nc", "w") as file:
        sizes = {"time": np.arange(FRAMES) / 25, "space": ["x", "y"], "keypoint": POINTS, "individual": NAMES}
        for name, values in sizes.items():
            file.create_dataset(name, data=values, dtype=None if name == "time" else h5py.string_dtype()).make_scale(name)
        position = file.create_dataset("position", data=np.full((FRAMES, 2, 2, 3), 4.5))
        for axis, name in enumerate(sizes):
            position.dims[axis].attach_scale(file[name])
    image = np.random.default_rng(3).integers(0, 255, (*SIZE, 3), dtype=np.uint8)
    for name in ("scene.png", "scene.jpg", "mask.png", "mask.tif"):
        cv2.imwrite(str(folder / name), image if name.startswith("scene") else image[..., 0])
    images = folder / "images"
    for name in NAMES:
        (images / name).mkdir(parents=True)
        for frame in range(3):
            PIL.Image.fromarray(image[:24, :16]).save(images / name / f"m1.{frame}.{frame}.png")
    return {path.name: path for path in sorted(folder.iterdir())}


def damage(whole: dict[str, Path], number: int, folder: Path, seed: int) -> Case:
    """The damaged file of this number, in a folder of its own; of a folder of images one is damaged."""
    rng = np.random.default_rng([seed, number])
    kind = list(whole)[number % len(whole)]
    place = folder / str(number)
    place.mkdir()
    if whole[kind].is_dir():
        for source in sorted(whole[kind].rglob("*.png")):
            target = place / kind / source.parent.name / source.name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
        images = sorted((place / kind).rglob("*.png"))
        image = images[int(rng.integers(len(images)))]
        change, data = mutate(image.read_bytes(), rng)
        image.write_bytes(data)
        return Case(kind, change, place / kind)
    path, data = place / kind, whole[kind].read_bytes()
    if path.suffix in (".csv", ".tsv", ".json") and rng.random() < 0.6:
        change, data = _change_text(path.suffix, data.decode(), rng)
    else:
        change, data = mutate(data, rng)
    path.write_bytes(data)
    return Case(kind, change, path)


def judge(case: Case) -> tuple[str, Outcome]:
    """What a user gets from a damaged file: PASSED, TOLD or a fault."""
    outcome = run_limited(lambda: {"wrong": READERS[case.kind](case.path)})
    said = outcome.printed[outcome.printed.rfind("herdbook: ") :]
    if outcome.kind == TOLD and not (case.path.name in said and len(said) <= MOST_CHARACTERS):
        return "unclear", outcome
    return ("wrong" if outcome.result.get("wrong") else outcome.kind), outcome


def _labels(path: Path) -> str:
    found = read_labels(path, MOVIES, NAMES)
    good = all(one.movie in MOVIES and one.label in NAMES and one.frame >= 0 and np.isfinite([one.x, one.y]).all() for one in found)
    return "" if good else f"{found}"


def _facts(path: Path) -> str:
    found = read_facts(path, MOVIES, NAMES)
    good = all(one.movie in MOVIES and one.name in NAMES and 0 <= one.frame <= one.last for one in found)
    return "" if good else f"{found}"


def _corrections(path: Path) -> str:
    blank = np.full((FRAMES, len(NAMES), len(POINTS), 2), np.nan)
    poses, _ = correct_points(Poses(tuple(NAMES), POINTS, blank, blank[..., 0]), read_corrections(path), path)
    return "" if not np.isinf(poses.xy).any() else "a place that is not finite"


def _positions(read: Callable[[Path], pd.DataFrame]) -> Callable[[Path], str]:
    def check(path: Path) -> str:
        table = read(path)
        good = (table["frame"] >= 0).all() and not np.isinf(table[["x", "y"]].to_numpy()).any()
        return "" if good else table.to_csv()

    return check


def _sheet(path: Path) -> str:
    file = path.with_name("experiment.yaml")
    file.write_text("{experiment: e, movies: movies.tsv, animals: {marking: none}}", encoding="utf-8")
    try:
        found = load_experiment(file)
    finally:
        file.unlink()
    return "" if all("/" not in movie.name for movie in found.movies) else "a name that leads out of the results"


def _poses(path: Path) -> str:
    poses = read_poses([path])
    return "" if not np.isinf(poses.xy).any() else "a place that is not finite"


def _scene(path: Path) -> str:
    return "" if read_scene(path, SIZE[1], SIZE[0]).shape == (*SIZE, 3) else "an image of another size"


def _mask(path: Path) -> str:
    return "" if read_mask(path, SIZE, "dish").shape == SIZE else "a mask of another size"


def _images(path: Path) -> str:
    found = import_images(path)
    return "" if len(found.images) == len(found.label) <= 9 else f"{len(found.images)} images"


def _card(path: Path) -> str:
    card = read_card(path)
    return "" if all(isinstance(name, str) for name in card.classes) else f"names {card.classes}"


READERS: dict[str, Callable[[Path], str]] = {
    **{"labels.csv": _labels, "facts.csv": _facts, "corrections.csv": _corrections, "corrections.json": _corrections},
    **{"truth.csv": _positions(load_truth), "trajectories.csv": _positions(load_trajectories), "movies.tsv": _sheet, "card.json": _card},
    **dict.fromkeys(("dustrack.json", "deeplabcut.csv", "deeplabcut-table.h5", "deeplabcut-fixed.h5", "sleap.h5", "movement.nc"), _poses),
    **{"scene.png": _scene, "scene.jpg": _scene, "mask.png": _mask, "mask.tif": _mask, "images": _images},
}


def _change_text(suffix: str, text: str, rng: Rng) -> tuple[str, bytes]:
    """A change that a person or a spreadsheet makes."""
    if suffix == ".json" and rng.random() < 0.7:
        return _change_json(json.loads(text), rng)
    delimiter = "\t" if suffix == ".tsv" else ","
    lines = [line.split(delimiter) for line in text.splitlines()]
    line = lines[int(rng.integers(len(lines)))]
    column = int(rng.integers(len(line)))
    match int(rng.integers(8)):
        case 0:
            for cells in lines:
                del cells[min(column, len(cells) - 1)]
            change = f"column {column} is lost"
        case 1:
            lines[0][min(column, len(lines[0]) - 1)] += "s"
            change = f"column {column} is renamed"
        case 2:
            line += ["more"] * 3
            change = "more cells in a line"
        case 3:
            del line[column]
            change = "fewer cells in a line"
        case 4:
            delimiter, change = (";" if delimiter == "," else ","), "another delimiter"
        case _:
            line[column] = str(rng.choice(np.array(CELLS, object)))
            change = f"a cell {line[column][:20]!r}"
    changed = "\n".join(delimiter.join(cells) for cells in lines) + "\n"
    encoding = str(rng.choice(["utf-8", "utf-8", "utf-8", "utf-8-sig", "latin-1", "utf-16"]))
    return f"{change}, {encoding}", changed.encode(encoding, "replace")


def _change_json(value: Any, rng: Rng) -> tuple[str, bytes]:
    strange: tuple[Any, ...] = (None, [], {}, "x", -1, 10**30, 1e308, float("nan"), float("inf"), True, [1], {"a": 1}, "9" * 6000)
    owner, key = value, _any_key(value, rng)
    while isinstance(owner[key], dict | list) and owner[key] and rng.random() < 0.7:
        owner = owner[key]
        key = _any_key(owner, rng)
    new = strange[int(rng.integers(len(strange)))]
    if isinstance(owner, dict) and rng.random() < 0.4:
        owner[str(new)[:5000]] = owner.pop(key)
        return f"{key} is called {str(new)[:20]}", json.dumps(value).encode()
    owner[key] = new
    return f"{key} is {str(new)[:20]}", json.dumps(value).encode()


def _any_key(owner: Any, rng: Rng) -> Any:
    return str(rng.choice(list(owner))) if isinstance(owner, dict) else int(rng.integers(len(owner)))
