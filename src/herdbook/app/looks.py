"""One look at a frame: the message that a page gets for its request, and how messages with numbers and pictures are packed."""

import json
import struct
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from herdbook.app.live import Live, LiveBlobs, LiveMovie
from herdbook.app.outlines import kept_and_dropped, pack_outlines
from herdbook.app.pictures import VIEWS, picture
from herdbook.app.samples import count_right
from herdbook.errors import HerdbookError
from herdbook.movie.frame import Frame

WIDTHS, QUALITIES = (160, 7680), (30, 95)


@dataclass(frozen=True)
class Request:
    """What a page asks for. `near`: a frame near this one, at once; `queued`: none of a row may be left out, as in playing.
    `along`: asked while playing, and the row goes on.

    `image`: whether the page lacks the picture; it has it when only settings have changed. `watch`: what a run found, not the blobs of now.
    """

    seq: int
    movie: str
    frame: int
    near: bool = False
    queued: bool = False
    along: bool = False
    image: bool = True
    outlines: bool = True
    width: int = 1920
    quality: int = 75
    view: str = "image"
    watch: bool = False

    @classmethod
    def read(cls, message: dict[str, Any]) -> "Request":
        """A look from the JSON of a page; values beyond what is possible become the nearest possible ones. Raises HerdbookError."""
        try:
            return cls(
                seq=int(message["seq"]),
                movie=str(message["movie"]),
                frame=int(message["frame"]),
                near=bool(message.get("near", False)),
                queued=bool(message.get("queued", False)),
                along=bool(message.get("along", False)),
                image=bool(message.get("image", True)),
                outlines=bool(message.get("outlines", True)),
                watch=bool(message.get("watch", False)),
                width=min(max(int(message.get("width", 1920)), WIDTHS[0]), WIDTHS[1]),
                quality=min(max(int(message.get("quality", 75)), QUALITIES[0]), QUALITIES[1]),
                view=message["view"] if message.get("view") in VIEWS else "image",
            )
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise HerdbookError(f"the page asked for a frame in a way that is not understood ({error})") from error


def packed(head: dict[str, Any], parts: list[bytes]) -> bytes:
    """A binary message: length of the head (uint32, little endian), the head as JSON, padded to four bytes, and the parts.

    `parts` in the head are their lengths in bytes; each part is padded to four bytes.
    """
    text = json.dumps(head | {"parts": [len(part) for part in parts]}, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 4)
    return b"".join([struct.pack("<I", len(text)), text, *(part + bytes(-len(part) % 4) for part in parts)])


def unpacked(message: bytes) -> tuple[dict[str, Any], list[bytes]]:
    """Head and parts of a binary message."""
    (length,) = struct.unpack_from("<I", message)
    head, place, parts = json.loads(message[4 : 4 + length]), 4 + length, []
    for size in head["parts"]:
        parts.append(message[place : place + size])
        place += size + -size % 4
    return head, parts


def answer(live: Live, look: Request) -> bytes:
    """The message with the frame, its blobs and its picture. Raises HerdbookError if the frame cannot be read."""
    start = time.perf_counter()
    movie = live.movie(look.movie)
    number = min(max(look.frame, 0), len(movie.index) - 1)
    frame = movie.source.near(number) if look.near else movie.source.exact(number)
    head, outlines, trails = _found(live, movie, frame, look)
    image = _picture(movie, frame, look) if look.image else b""
    frame.forget_colours()
    scene = movie.maker.scene
    head |= {
        **{"type": "frame", "seq": look.seq, "movie": look.movie, "frame": frame.index, "asked": number, "queued": look.queued},
        **{"view": look.view, "time": round(float(movie.index.time_s[frame.index]), 4), "fault": live.fault, "faults": movie.faults},
        **{"scene": scene.state, "scene_fault": scene.fault, "ms": round(1000 * (time.perf_counter() - start), 2)},
    }
    return packed(head, [outlines, image, trails])


def describe_movie(movie: LiveMovie) -> dict[str, Any]:
    """What a page must know of a movie."""
    index = movie.index
    return {
        **{"name": movie.name, "frames": len(index), "fps": index.fps, "width": index.width, "height": index.height},
        **{"duration": index.duration_s, "notes": index.notes, "intervals": movie.settings["intervals"]},
    }


def _found(live: Live, movie: LiveMovie, frame: Frame, look: Request) -> tuple[dict[str, Any], bytes, bytes]:
    """What is drawn on a frame: head, outlines and trails."""
    if look.watch:
        try:
            return live.watched(look.movie).on_frame(frame.index, outlines=look.outlines)
        except HerdbookError as error:
            return {"watch_fault": str(error)}, b"", b""
    found = movie.find(frame) if look.outlines else None
    return (*_blobs(found, movie), b"") if found else ({}, b"", b"")


def _blobs(found: LiveBlobs, movie: LiveMovie) -> tuple[dict[str, Any], bytes]:
    shown, reason = kept_and_dropped(found.blobs, found.reason)
    outlines = pack_outlines(shown, (movie.index.height, movie.index.width))
    head = {
        "kept": int((found.reason < 0).sum()),
        "dropped": int((found.reason >= 0).sum()),
        "broken": found.broken,
        "right": count_right(found, movie.numbers),
        "areas": shown.area.tolist(),
        "reasons": reason.tolist(),
        "centres": np.round(np.stack([shown.x, shown.y], 1), 1).tolist(),
    }
    return head, outlines.tobytes()


def _picture(movie: LiveMovie, frame: Frame, look: Request) -> bytes:
    background = movie.maker.scene.background
    return picture(frame, look.view, background, grey=movie.index.grey, width=look.width, quality=look.quality)
