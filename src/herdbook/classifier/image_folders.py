"""Training sets as folders of images, `<label>/<movie>.<tracklet>.<frame>.png`: to be looked at, cleaned in a file browser, and shared.

An image carries in its file how it was made, so that it may be moved to another label, copied and sent.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import PIL.Image
from PIL.PngImagePlugin import PngInfo

from herdbook.arrays import Pixels
from herdbook.artifacts.store import Provenance
from herdbook.artifacts.trainset import TrainingSet
from herdbook.classifier.crops import MOST_SIDE, CropSpec
from herdbook.classifier.merging import Example, assemble_set, fit_image, labelled_part, list_examples
from herdbook.errors import HerdbookError, nearest, parsing
from herdbook.experiment.sheets.text import composed
from herdbook.geometry.ellipses import body_length

Result = TypeVar("Result")

# A number of a frame or tracklet fits into the columns of a training set.
NAMED = re.compile(r"(.+)\.(\d{1,9})")
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")
# Images of all labels, as many as fit into memory twice: a hundred thousand of 32 x 48 px.
MOST_PIXELS = 180_000_000
MOST_NOTE = 10_000
# Under this name an image carries how it was made.
INFO = "herdbook"
# Images of others say neither which end is the head, which most makers of such images turn up, nor the time between two frames.
FOREIGN_HEAD, FOREIGN_FPS = 0.95, 10.0
# A pixel this far (levels) from the ground shows the animal.
GROUND_LEVELS = 12


@dataclass(frozen=True)
class Found:
    """An image file of a folder: its label, what its name says, its pixels and, if it was exported, how it was made."""

    path: Path
    tracklet: str
    frame: int
    image: Pixels
    info: dict[str, Any]


def export_images(examples: TrainingSet, folder: Path) -> None:
    """Write the images of a training set into a new or empty folder.

    Raises HerdbookError when it is not empty, or when a label or a movie, of a set that somebody else made, cannot name a file.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise HerdbookError(f"{folder}: is not an empty folder. Give a new one, so that no old images are mixed with these.")
    for what, names in (("label", examples.classes), ("movie", examples.movies)):
        for name in names:
            if "/" in name or "\0" in name or name.startswith("."):
                raise HerdbookError(f"the {what} {name!r} cannot be the name of a file. Rename it in the experiment and its labels.")
    for name in examples.classes:
        (folder / name).mkdir(parents=True, exist_ok=True)
    common = {"crops": json.loads(examples.crops), "body_length_px": examples.body_length_px}
    for image, row in zip(examples.images, list_examples(examples), strict=True):
        info = PngInfo()
        info.add_text(INFO, json.dumps(common | {"time_s": row.time_s, "head": row.head, "chroma": row.chroma}))
        picture = PIL.Image.fromarray(np.ascontiguousarray(image[..., ::-1]))
        picture.save(folder / row.label / f"{row.movie}.{row.tracklet}.{row.frame}.png", pnginfo=info)


def import_images(folder: Path) -> TrainingSet:
    """Read a folder of images: one folder per label; a name up to its last number is the tracklet, that number the frame.

    Images without Herdbook's note of how they were made, such as those of anTraX, are taken as they are: their scale is that of the animals
    in them. Raises HerdbookError for a folder without images, with images that cannot be read (all are named) or made in different ways.
    """
    if not folder.is_dir():
        raise HerdbookError(f"{folder}: there is no such folder. Expected one with a folder of images for each label.")
    labels = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    paths = [path for label in labels for path in sorted(label.iterdir()) if path.suffix.lower() in SUFFIXES and path.name[0] != "."]
    if not paths:
        raise HerdbookError(f"{folder}: holds no images. Expected a folder for each label, and in it <movie>.<tracklet>.<frame>.png.")
    faults: dict[Path, str] = {}
    _check_pixels(folder, sum(_without_faults(paths, _pixels_in, faults)))
    found = _without_faults([path for path in paths if path not in faults], _read, faults)
    if faults:
        more = f"\n  and {len(faults) - 10} more" if len(faults) > 10 else ""
        told = [faults[path] for path in paths if path in faults][:10]
        raise HerdbookError(f"{folder}: {len(faults)} files cannot be used:\n  " + "\n  ".join(told) + more)
    spec, length = _how_made(found)
    _check_pixels(folder, len(found) * spec.size[0] * spec.size[1])
    images = [_fitted(one, spec) for one in found]
    return assemble_set(
        np.stack(images), _examples(found, folder.name, images, spec), [composed(path.name) for path in labels], spec, length
    )


def load_set(path: Path) -> TrainingSet:
    """A training set: the labelled images of an artifact, or a folder of images."""
    if path.is_dir():
        return import_images(path)
    examples = TrainingSet.load(path)
    with parsing(path, "the columns of the training set do not fit together", "Make it again, or get it anew from who made it."):
        examples.verify()
        CropSpec.from_dict(json.loads(examples.crops))
    return labelled_part(examples)


def check_given_set(examples: TrainingSet, path: Path, identities: Sequence[str]) -> None:
    """Raise HerdbookError unless a given training set has images of all identities of the experiment."""
    shown = [name for k, name in enumerate(examples.classes) if (examples.label == k).any()]
    missing = [name for name in identities if name not in shown]
    if missing:
        guesses = "; ".join(f"{name}: {nearest(name, shown)}" for name in missing[:3])
        raise HerdbookError(
            f"{path}: the given training set has no images of {', '.join(missing)}. It has images of {', '.join(shown) or 'nobody'}. "
            f"{guesses} Correct animals.identities, or rename the folders of the images and import them again."
        )


def save_set(examples: TrainingSet, path: Path, command: str, sources: Sequence[Path]) -> None:
    """Write a training set that a command made of some sources."""
    if path.suffix != ".h5":
        raise HerdbookError(f"{path}: a training set is a file whose name ends in .h5.")
    names = json.dumps({"command": command, "sources": [str(source) for source in sources]})
    examples.save(path, Provenance(command, 1, names))


def _without_faults(paths: Sequence[Path], work: Callable[[Path], Result], faults: dict[Path, str]) -> list[Result]:
    """The results of `work` for the files that have no fault; adds those that have one to `faults`."""
    found = []
    for path in paths:
        try:
            found.append(work(path))
        except HerdbookError as fault:
            faults[path] = str(fault)
    return found


def _check_pixels(folder: Path, pixels: int) -> None:
    if pixels > MOST_PIXELS:
        raise HerdbookError(
            f"{folder}: its images have {pixels / 1e6:.0f} million pixels, at most {MOST_PIXELS / 1e6:.0f} million are read. "
            "Take fewer of them, or make them smaller."
        )


def _pixels_in(path: Path) -> int:
    """Pixels of an image by its header, which says it before anything is decoded."""
    if not NAMED.fullmatch(path.stem):
        raise HerdbookError(f"{path}: the name does not end with the number of a frame; expected <movie>.<tracklet>.<frame>{path.suffix}")
    with parsing(path, "not a readable image", "Delete it."), PIL.Image.open(path) as picture:
        width, height = picture.size
    if max(width, height) > MOST_SIDE:
        raise HerdbookError(f"{path}: {width} x {height} px; the image of an animal has at most {MOST_SIDE} px a side")
    return width * height


def _read(path: Path) -> Found:
    named = NAMED.fullmatch(path.stem)
    assert named is not None
    with parsing(path, "not a readable image", "Delete it."), PIL.Image.open(path) as picture:
        note = picture.info.get(INFO, "{}")
        if len(note) > MOST_NOTE:
            raise ValueError(f"its note of how it was made has {len(note)} characters")
        info = json.loads(note)
        if info:
            # What is not there, or no number, is found here, where the file has a name.
            CropSpec.from_dict(info["crops"])
            float(info["body_length_px"]), float(info["time_s"]), float(info["head"]), float(info["chroma"])
        pixels = np.asarray(picture.convert("RGB"))[..., ::-1]
    return Found(path, named[1], int(named[2]), np.ascontiguousarray(pixels), info)


def _how_made(found: Sequence[Found]) -> tuple[CropSpec, float]:
    """How the images were made, and the length of the animals in px."""
    ways = Counter(json.dumps([one.info["crops"], one.info["body_length_px"]], sort_keys=True) for one in found if one.info)
    if len(ways) > 1:
        (first, _), (other, _) = ways.most_common(2)
        odd = next(
            one for one in found if one.info and json.dumps([one.info["crops"], one.info["body_length_px"]], sort_keys=True) == other
        )
        raise HerdbookError(
            f"{odd.path}: this image was made in another way ({other}) than most here ({first}). "
            "Keep images of different sets in different folders and put them together by herdbook trainset merge."
        )
    if ways:
        crops, length = json.loads(next(iter(ways)))
        return CropSpec.from_dict(crops), float(length)
    (height, width), _ = Counter(one.image.shape[:2] for one in found).most_common(1)[0]
    blank = int(np.median([one.image[[0, 0, -1, -1], [0, -1, 0, -1]] for one in found]))
    moments = [_moments(one.image, blank) for one in found if one.image.shape[:2] == (height, width)]
    return CropSpec(float(height), (width, height), blank), float(body_length(np.array(moments, np.float32)))


def _moments(image: Pixels, blank: int) -> tuple[float, float, float]:
    """Central second moments xx, xy, yy of what is not the ground."""
    y, x = np.nonzero((np.abs(image.astype(np.int16) - blank) > GROUND_LEVELS).any(axis=2))
    if len(x) < 2:
        return 1.0, 0.0, 1.0
    return float(x.var()), float(np.mean((x - x.mean()) * (y - y.mean()))), float(y.var())


def _fitted(one: Found, spec: CropSpec) -> Pixels:
    zoom = min(spec.size[0] / one.image.shape[1], spec.size[1] / one.image.shape[0])
    return fit_image(one.image, zoom, spec.size, spec.blank)


def _examples(found: Sequence[Found], movie: str, images: Sequence[Pixels], spec: CropSpec) -> list[Example]:
    """Where each image comes from. A tracklet named <movie>.<number> says so; others are numbered, as of one movie."""
    foreign = {name: k for k, name in enumerate(sorted({one.tracklet for one in found if not _of_movie(one)}))}
    rows = []
    for one, image in zip(found, images, strict=True):
        named = _of_movie(one)
        place = (named[1], int(named[2])) if named else (movie, foreign[one.tracklet])
        known = (one.info.get("time_s", one.frame / FOREIGN_FPS), one.info.get("head", FOREIGN_HEAD))
        chroma = one.info["chroma"] if one.info else _chroma(image, spec.blank)
        rows.append(Example(*place, one.frame, float(known[0]), composed(one.path.parent.name), float(known[1]), float(chroma)))
    return rows


def _of_movie(one: Found) -> re.Match[str] | None:
    return NAMED.fullmatch(one.tracklet)


def _chroma(image: Pixels, blank: int) -> float:
    """How coloured the animal is: the mean over its pixels of the greatest less the least channel, levels."""
    pixels = image[(np.abs(image.astype(np.int16) - blank) > GROUND_LEVELS).any(axis=2)].astype(np.int16)
    return float((pixels.max(axis=1) - pixels.min(axis=1)).mean()) if len(pixels) else 0.0
