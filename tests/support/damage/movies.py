"""Small movies of many kinds, damaged, and what the stages that read movies make of them."""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from herdbook.artifacts.index import Index
from herdbook.artifacts.segment import Blobs
from herdbook.experiment.model import Experiment
from herdbook.movie.reading import read_frames
from herdbook.stages import background, index, segment
from tests.support.damage.limits import PASSED, TOLD, Outcome, run_limited
from tests.support.damage.mutations import Rng, mutate

FRAMES, WIDTH, HEIGHT = 40, 64, 48
STAGES = {"index": index, "background": background, "segment": segment}
# Coder, pixel format, options of the coder and of the container.
KINDS: dict[str, tuple[str, str, dict[str, str], dict[str, str]]] = {
    "h264.mp4": ("libx264", "yuv420p", {"bf": "2", "g": "12"}, {}),
    "h264-fragments.mp4": ("libx264", "yuv420p", {"g": "12"}, {"movflags": "frag_keyframe+empty_moov"}),
    "h264.mkv": ("libx264", "yuv420p", {"g": "12"}, {}),
    "h264.ts": ("libx264", "yuv420p", {"g": "12"}, {}),
    "hevc.mp4": ("libx265", "yuv420p", {"g": "12", "x265-params": "pools=1:frame-threads=1:log-level=error"}, {}),
    "mpeg4.avi": ("mpeg4", "yuv420p", {"g": "12", "bf": "0"}, {}),
    "mjpeg.avi": ("mjpeg", "yuvj420p", {}, {}),
    "vp9.webm": ("libvpx-vp9", "yuv420p", {"g": "12", "cpu-used": "8", "deadline": "realtime"}, {}),
    "ffv1.mkv": ("ffv1", "gray", {}, {}),
}
FOLDERS = ("png", "jpg")
# FFmpeg leaves in the lost part of a JPEG what was in memory before: such a frame is never twice the same. A frame taken for another would
# shift all that follow.
MOST_UNLIKE = 2


@dataclass(frozen=True)
class Case:
    """A damaged movie: which kind, what was done to it, and the number from which it can be made again."""

    kind: str
    change: str
    number: int
    path: Path


def picture(number: int) -> NDArray[np.uint8]:
    """A bright scene with a dark animal that walks, and the frame's number as eight blocks along the top."""
    image = np.tile(np.linspace(150, 200, WIDTH).astype(np.uint8), (HEIGHT, 1))
    col = 4 + number % (WIDTH - 16)
    image[28:36, col : col + 12] = 40
    for bit in range(8):
        image[2:12, 8 * bit : 8 * bit + 8] = 230 if number >> bit & 1 else 110
    return image


def write_movies(folder: Path) -> list[Path]:
    """One whole movie of each kind, and two folders of images."""
    for name, (codec, pixel_format, options, mux) in KINDS.items():
        with av.open(str(folder / name), "w", options=mux) as container:
            stream = container.add_stream(codec, rate=20, options=options)
            stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, pixel_format
            stream.codec_context.thread_count = 1
            for number in range(FRAMES):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture(number), format="gray").reformat(format=pixel_format)))
            container.mux(stream.encode(None))
    for suffix in FOLDERS:
        images = folder / suffix
        images.mkdir()
        for number in range(FRAMES):
            cv2.imwrite(str(images / f"frame{number}.{suffix}"), picture(number))
    return [folder / name for name in (*KINDS, *FOLDERS)]


def damage(whole: list[Path], number: int, folder: Path, seed: int) -> Case:
    """The damaged movie of this number, in a folder of its own; of a folder of images one is damaged, lost or out of place."""
    rng = np.random.default_rng([seed, number])
    source = whole[number % len(whole)]
    path = folder / f"damaged{number}{source.suffix}"
    if source.is_file():
        change, data = mutate(source.read_bytes(), rng)
        path.write_bytes(data)
        return Case(source.name, change, number, path)
    shutil.copytree(source, path)
    return Case(f"folder of {source.name}", _damage_images(path, rng), number, path)


def _damage_images(folder: Path, rng: Rng) -> str:
    images = sorted(folder.iterdir())
    image = images[int(rng.integers(len(images)))]
    match int(rng.integers(5)):
        case 0:
            image.unlink()
            return "an image is lost"
        case 1:
            cv2.imwrite(str(image), np.zeros((HEIGHT + 2, WIDTH), np.uint8))
            return "an image of another size"
        case _:
            change, data = mutate(image.read_bytes(), rng)
            image.write_bytes(data)
            return change


def decoded(path: Path) -> list[NDArray[np.uint8]]:
    """Luma of all frames that FFmpeg decodes, in the order in which they are shown; what cannot be decoded is passed over."""
    if path.is_dir():
        images = sorted(path.iterdir(), key=lambda file: int(file.stem.removeprefix("frame")))
        return [frame for file in images for frame in decoded(file)[:1]]
    frames = []
    with suppress(FFmpegError), av.open(str(path), metadata_errors="replace") as container:
        stream = container.streams.video[0]
        stream.thread_type = "NONE"
        for packet in container.demux(stream):
            with suppress(FFmpegError):
                frames += [_luma(frame) for frame in packet.decode()]
    return frames


def _luma(frame: av.VideoFrame) -> NDArray[np.uint8]:
    if frame.format.name not in ("gray", "yuv420p", "yuvj420p"):
        return np.asarray(frame.to_ndarray(format="gray"), np.uint8)
    plane = frame.planes[0]
    return np.frombuffer(plane, np.uint8).reshape(plane.height, -1)[:, : plane.width].copy()


def settings(stage: str, window: bool) -> str:
    """The settings of a stage; with a window of time for the background, or without."""
    raw: dict[str, Any] = {
        "experiment": "e",
        "movies": [{"name": "m", "file": "m.mp4"}],
        "animals": {"marking": "none"},
        "segment": {"area": [10, 2000]},
        "background": {"scope": "window", "window_s": 1} if window else {},
    }
    return Experiment.model_validate(raw).settings(stage, "m")


def run_stages(case: Case, folder: Path, on_broken: str) -> Iterator[tuple[str, Outcome]]:
    """The stages one after the other, until one does not pass."""
    at = {stage: folder / f"{stage}.h5" for stage in STAGES}
    files = {
        "index": {"movie": case.path, "out": at["index"]},
        "background": {"movie": case.path, "index": at["index"], "reference": at["index"], "out": at["background"]},
        "segment": {"movie": case.path, "index": at["index"], "background": at["background"], "out": at["segment"]},
    }
    for stage, module in STAGES.items():
        at[stage].unlink(missing_ok=True)
        told = f'{{"on_broken": "{on_broken}"}}' if stage == "index" else settings(stage, window=case.number % 4 == 0)
        options = [part for name, path in files[stage].items() for part in (f"--{name}", str(path))]

        def work(module: Any = module, options: list[str] = options, told: str = told) -> dict[str, Any]:
            module.main([*options, "--settings", told])
            return {}

        outcome = run_limited(work)
        yield stage, outcome
        if outcome.kind != PASSED:
            return


def judge(case: Case, folder: Path) -> tuple[str, str, list[Outcome]]:
    """What a user gets from a damaged movie: "passed", "kept" (only what is before the fault), "told" or a fault; the words for it."""
    outcomes: list[Outcome] = []
    for on_broken in ("stop", "keep"):
        last = ""
        for stage, outcome in run_stages(case, folder, on_broken):
            outcomes.append(outcome)
            last = stage
        end = outcomes[-1]
        if end.fault:
            return end.kind, f"{last}: {end.printed}", outcomes
        if end.kind == TOLD and not _is_clear(end.printed, case.path):
            return "unclear", f"{last}: {end.printed}", outcomes
        if end.kind == PASSED:
            wrong = run_limited(partial(_compared, case, folder, on_broken == "keep"))
            if wrong.fault or wrong.result["wrong"]:
                return "wrong", f"{on_broken}: {wrong.result.get('wrong') or wrong.printed}", outcomes
            return (PASSED if on_broken == "stop" else "kept"), "", outcomes
    return TOLD, outcomes[-1].printed, outcomes


def _compared(case: Case, folder: Path, kept: bool) -> dict[str, Any]:
    return {"wrong": compare(case, folder, kept=kept)}


def compare(case: Case, folder: Path, *, kept: bool) -> str:
    """What is wrong with the artifacts of a damaged movie that passed, "" for nothing: FFmpeg alone, without an index, must decode as many
    frames, or at least as many where only those before a fault are kept, and the same ones.
    """
    found, blobs = Index.load(folder / "index.h5"), Blobs.load(folder / "segment.h5")
    there = decoded(case.path)
    n = len(found)
    if blobs.frames != n:
        return f"index has {n} frames, segment {blobs.frames}"
    if n > len(there) or (n < len(there) and not kept):
        return f"index has {n} frames, {len(there)} can be decoded"
    if (np.diff(found.time_s) <= 0).any() or not np.isfinite(found.time_s).all() or not found.fps > 0:
        return f"times {found.time_s}, {found.fps} frames per second"
    others = [n for n, frame in enumerate(read_frames(case.path, found)) if not np.array_equal(frame.luma, there[n])]
    return f"frames {others} are not those that FFmpeg gives" if len(others) > MOST_UNLIKE else ""


def _is_clear(printed: str, path: Path) -> bool:
    """Whether a message names the file, says what to do, and fits on a screen."""
    said = printed[printed.rfind("herdbook ") :]
    return str(path) in said and len(said) < 2000
