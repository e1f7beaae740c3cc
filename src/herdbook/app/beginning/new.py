"""A new experiment on the page: movies in the allowed folders, the kinds of marking, names from the colours of tags.

What is written is what `herdbook new` writes.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import av
import cv2
from av.error import FFmpegError

from herdbook.errors import HerdbookError, reason_of
from herdbook.experiment.new import NewAnimals, natural_order, write_experiment
from herdbook.movie.decoding import open_video
from herdbook.movie.images import CODECS, decode_image, image_files, is_stack
from herdbook.movie.listing import USUAL_FPS
from herdbook.movie.orientation import AS_STORED, exchanges_sides, orientation_of_frame, orientation_of_image, turned

MOVIES = (
    ".mp4",
    ".avi",
    ".mkv",
    ".mov",
    ".m4v",
    ".mpg",
    ".mpeg",
    ".mts",
    ".m2ts",
    ".webm",
    ".wmv",
    ".flv",
    ".h264",
    ".ts",
    ".mjpeg",
    ".tif",
    ".tiff",
)
EXPERIMENTS = (".yaml", ".yml")
# Colours in which paint and tags are sold, in the order of the page.
COLOURS = ("blue", "green", "orange", "pink", "white", "yellow", "red", "purple", "silver", "black")
# Names beyond these are typed; a page with thousands of them helps nobody.
MOST_TAGS = 4
# A folder of results may have a million files; a page shows no more.
MOST_ENTRIES = 2000
# A folder with this many images is a movie.
FEWEST_IMAGES = 2
# Where in a movie its picture is taken: at its beginning a hand is often in the way.
PICTURE_AT = 0.1
JPEG_QUALITY = 80


@dataclass(frozen=True)
class Marking:
    """A way to tell animals apart, and what follows from it for a person; `asks`: what must be given."""

    name: str
    title: str
    consequence: str
    asks: tuple[str, ...]


MARKINGS = (
    Marking(
        "marked",
        "The animals carry marks",
        "You give each animal a name and label some 10 points of each. A network learns the marks, and names hold over movies and days.",
        ("identities",),
    ),
    Marking(
        "unmarked",
        "No marks, but the animals differ a little",
        "You give the number of animals. A network learns their looks without labels; who is who is found again within the experiment.",
        ("number",),
    ),
    Marking(
        "none",
        "Nobody needs to be told apart",
        "Trajectories without names: quick, and enough for densities and speeds. Where animals touch, they may be exchanged.",
        (),
    ),
)


@dataclass(frozen=True)
class FoundMovie:
    """A movie file or folder of images as its header tells: size (width, height) as shown, px; rate, 1/s; duration, s; 0 if not told.

    `fault`: why it cannot be used, "" if it can.
    """

    name: str
    size: tuple[int, int] = (0, 0)
    fps: float = 0.0
    duration_s: float = 0.0
    fault: str = ""


@dataclass(frozen=True)
class FolderView:
    """What a folder holds, by name in natural order: folders, experiment files, movies; `cut` if there is more than is shown."""

    folders: list[str]
    experiments: list[str]
    movies: list[str]
    cut: bool


def list_folder(folder: Path, roots: Sequence[Path]) -> FolderView:
    """What a folder within one of the `roots` holds; no file is opened. Raises HerdbookError for other folders."""
    folder = allowed(folder, roots)
    try:
        entries = sorted((entry for entry in folder.iterdir() if not entry.name.startswith(".")), key=natural_order)
    except OSError as error:
        raise HerdbookError(f"{folder}: the folder cannot be read ({error.strerror}).") from error
    shown = entries[:MOST_ENTRIES]
    folders = [entry for entry in shown if entry.is_dir()]
    of_images = [entry.name for entry in folders if _has_images(entry)]
    files = [entry for entry in shown if entry.is_file()]
    return FolderView(
        [entry.name for entry in folders],
        [entry.name for entry in files if entry.suffix.lower() in EXPERIMENTS],
        [*(entry.name for entry in files if entry.suffix.lower() in MOVIES), *of_images],
        len(entries) > len(shown),
    )


def allowed(path: Path, roots: Sequence[Path]) -> Path:
    """The path without links, if it lies within one of the `roots`. Raises HerdbookError if it does not, or does not exist."""
    try:
        real = path.resolve(strict=True)
    except (OSError, ValueError, RuntimeError) as error:
        raise HerdbookError(f"{path}: there is no such file or folder.") from error
    if not any(real.is_relative_to(root.resolve()) for root in roots):
        raise HerdbookError(f"{path}: lies outside of the folders that may be used here. Start the app with --root for others.")
    return real


def describe_movie(path: Path, width: int = 240, at: float = PICTURE_AT) -> tuple[FoundMovie, bytes]:
    """What a movie's header tells, and a picture of it as JPEG of this width, px, b"" if there is none.

    `at`: where in the movie the picture is taken, 0 for its first frame to 1 for its last. The numbers are for choosing: `herdbook check`
    counts the frames.
    """
    try:
        size, fps, duration_s, image = _of_images(path, at) if path.is_dir() else _of_video(path, at)
    except (HerdbookError, FFmpegError, ValueError, cv2.error) as error:
        return FoundMovie(path.name, fault=reason_of(error)), b""
    scale = width / image.shape[1]
    small = cv2.resize(
        image, (width, max(1, round(image.shape[0] * scale))), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    )
    _, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return FoundMovie(path.name, size, fps, duration_s), data.tobytes()


def names_of_tags(colours: Sequence[str], tags: int = 2) -> list[str]:
    """Names of animals with `tags` tags of these colours in a given order: 4 colours and 2 tags give 16 names, such as BG for blue, green.

    A name holds the first letters of the colours, as many as tell them apart. Raises HerdbookError for a colour that is given twice.
    """
    words = [colour.strip().lower() for colour in colours]
    if len(set(words)) < len(words) or not all(words):
        raise HerdbookError("each colour has a name of its own, given once")
    letters = next((n for n in range(1, max(map(len, words), default=0) + 1) if len({word[:n] for word in words}) == len(words)), 1)
    codes = [word[:letters].capitalize() for word in words]
    return ["".join(code) for code in product(codes, repeat=tags)]


def write_new(
    folder: Path,
    movies: Sequence[Path],
    animals: NewAnimals,
    roots: Sequence[Path],
    *,
    name: str | None = None,
    one_recording: bool = False,
) -> list[Path]:
    """Write an experiment file as `herdbook new` does; movies and folder lie within the `roots`. Returns the paths of written files.

    Raises HerdbookError if the file exists, or if its content would not be valid.
    """
    allowed(folder if folder.exists() else folder.parent, roots)
    found = [allowed(movie, roots) and movie.parent.resolve() / movie.name for movie in movies]
    if not found:
        raise HerdbookError("an experiment needs a movie: choose at least one")
    return write_experiment(folder, found, animals, name=name, one_recording=one_recording)


def _has_images(folder: Path) -> bool:
    try:
        images = (entry for k, entry in enumerate(folder.iterdir()) if k < MOST_ENTRIES and entry.suffix.lower() in CODECS)
        return sum(1 for _, _ in zip(range(FEWEST_IMAGES), images, strict=False)) == FEWEST_IMAGES
    except OSError:
        return False


def _of_images(folder: Path, at: float) -> tuple[tuple[int, int], float, float, Any]:
    files = image_files(folder)
    if not files:
        raise HerdbookError(f"{folder.name}: there are no images in the folder")
    shown = files[min(len(files) - 1, int(len(files) * at))]
    image = turned(decode_image(shown).to_ndarray(format="bgr24"), orientation_of_image(shown))
    return (image.shape[1], image.shape[0]), USUAL_FPS, len(files) / USUAL_FPS, image


def _of_video(path: Path, at: float) -> tuple[tuple[int, int], float, float, Any]:
    container, stream = open_video(path, 0)
    with container:
        rate = float(stream.average_rate or stream.guessed_rate or 0)
        duration_s = float((container.duration or 0) / av.time_base)
        if duration_s > 0 and at > 0 and not is_stack(path):
            container.seek(int((container.start_time or 0) + container.duration * at))
        frames = container.decode(stream)
        frame = next(iter(frames), None)
        if at >= 1:
            frame = next(iter(deque(frames, maxlen=1)), frame)
    if frame is None:
        raise HerdbookError(f"{path.name}: no frame can be decoded")
    orientation = orientation_of_frame(frame) or AS_STORED
    size = (frame.height, frame.width) if exchanges_sides(orientation) else (frame.width, frame.height)
    return size, rate, duration_s, turned(frame.to_ndarray(format="bgr24"), orientation)
