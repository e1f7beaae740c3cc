"""Routes of the form for a new experiment: folders, movies with a picture, names from tags, and the file that is written."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from herdbook.app.beginning.new import (
    COLOURS,
    MARKINGS,
    MOST_TAGS,
    PICTURE_AT,
    allowed,
    describe_movie,
    list_folder,
    names_of_tags,
    write_new,
)
from herdbook.app.routes.telling import content_of, told
from herdbook.errors import HerdbookError
from herdbook.experiment.new import NewAnimals

# Where pictures of movies may be taken, by the page's word for it.
PLACES = {"": PICTURE_AT, "first": 0.0, "last": 1.0}
# Widths of pictures, px: in a list, and to look at.
WIDTHS = {"": 240, "first": 480, "last": 480}


def beginning_routes(folders: Sequence[Path]) -> list[Route]:
    """The routes below /api/new; nothing outside of the `folders` is seen or written."""

    async def choices(_: Request) -> Response:
        return JSONResponse({"markings": [asdict(marking) for marking in MARKINGS], "colours": COLOURS, "most_tags": MOST_TAGS})

    async def folder(request: Request) -> Response:
        text = request.query_params.get("dir", "")
        if not text:
            return JSONResponse({"folder": "", "folders": [str(root) for root in folders], "experiments": [], "movies": [], "cut": False})
        return JSONResponse(await run_in_threadpool(_folder, Path(text), folders))

    async def movie(request: Request) -> Response:
        path, at = Path(request.query_params.get("path", "")), request.query_params.get("at", "")
        if at not in PLACES:
            raise HerdbookError(f"a picture is taken first, last or at its usual place, not {at!r}")
        return JSONResponse(await run_in_threadpool(_movie, allowed(path, folders), at))

    async def names(request: Request) -> Response:
        content = await content_of(request)
        tags = content.get("tags", 2)
        if not isinstance(tags, int) or not 1 <= tags <= MOST_TAGS:
            raise HerdbookError(f"an animal carries 1 to {MOST_TAGS} tags")
        return JSONResponse({"names": names_of_tags(_texts(content, "colours"), tags)})

    async def write(request: Request) -> Response:
        content = await content_of(request)
        return JSONResponse(await run_in_threadpool(_write, content, folders))

    return [
        Route("/api/new/choices", told(choices)),
        Route("/api/new/folder", told(folder)),
        Route("/api/new/movie", told(movie)),
        Route("/api/new/names", told(names), methods=["POST"]),
        Route("/api/new", told(write), methods=["POST"]),
    ]


def _folder(path: Path, roots: Sequence[Path]) -> dict[str, Any]:
    """What a folder holds, with whole paths, and the folder above it, "" where the page may not go."""
    found, real = list_folder(path, roots), path.resolve()
    above = str(real.parent) if any(real.parent.is_relative_to(root) for root in roots) else ""
    lists = {name: [str(real / entry) for entry in getattr(found, name)] for name in ("folders", "experiments", "movies")}
    return {"folder": str(real), "above": above, **lists, "cut": found.cut}


def _movie(path: Path, at: str) -> dict[str, Any]:
    found, picture = describe_movie(path, WIDTHS[at], PLACES[at])
    return asdict(found) | {"picture": base64.b64encode(picture).decode("ascii")}


def _write(content: Mapping[str, Any], roots: Sequence[Path]) -> dict[str, Any]:
    marking, number = _text(content, "marking"), content.get("number")
    asks = next((one.asks for one in MARKINGS if one.name == marking), None)
    if asks is None:
        raise HerdbookError("choose how the animals are told apart")
    if number is not None and (not isinstance(number, int) or isinstance(number, bool)):
        raise HerdbookError("the number of animals is a whole number")
    names = tuple(_texts(content, "identities")) if "identities" in asks else ()
    if "identities" in asks and not names:
        raise HerdbookError("marked animals need names: tick the colours of their tags, or type the names")
    if "number" in asks and number is None:
        raise HerdbookError("animals without marks need a number: how many there are")
    written = write_new(
        Path(_text(content, "folder")),
        [Path(movie) for movie in _texts(content, "movies")],
        NewAnimals(marking, names, None if names else number),
        roots,
        name=_text(content, "name") or None,
        one_recording=content.get("one_recording") is True,
    )
    return {"file": str(written[0]), "written": [str(path) for path in written]}


def _text(content: Mapping[str, Any], key: str) -> str:
    value = content.get(key, "")
    if not isinstance(value, str):
        raise HerdbookError(f"the page sent no text as {key}")
    return value.strip()


def _texts(content: Mapping[str, Any], key: str) -> list[str]:
    values = content.get(key, [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise HerdbookError(f"the page sent no list of texts as {key}")
    return [value.strip() for value in values if value.strip()]
