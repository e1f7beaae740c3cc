"""Routes of training sets and classifiers of others; what is taken becomes a step of the draft."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from herdbook.app.desk import Desk
from herdbook.app.labelling.sets import check_classifier, compare_sets, write_merged
from herdbook.app.looks import packed
from herdbook.app.routes.telling import content_of, told
from herdbook.errors import HerdbookError

T = TypeVar("T")


def set_routes(desk: Desk, inside: Callable[[str], Path]) -> list[Route]:
    """The routes below /api/sets; `inside` gives the path that a page named, or refuses it."""

    async def apart(work: Callable[[], T]) -> T:
        # Sets may have thousands of images: the movies go on meanwhile.
        return await asyncio.get_running_loop().run_in_executor(None, work)

    def named(text: Any) -> Path:
        folder = desk.opened.file.path.parent
        return inside(str(folder / str(text or "")))

    async def compare(request: Request) -> Response:
        path, experiment = named(request.query_params.get("file")), desk.opened.experiment
        options = {name: request.query_params.get(name) == "1" for name in ("other_movies", "leave_out")}
        found = await apart(lambda: compare_sets(experiment, path, **options))
        head, picture = found.told()
        return Response(packed(head, [picture]), media_type="application/octet-stream")

    async def merge(request: Request) -> Response:
        content = await content_of(request)
        path, experiment = named(content.get("file")), desk.opened.experiment
        options = {name: bool(content.get(name)) for name in ("other_movies", "leave_out", "add_classes")}
        folder = desk.opened.file.path.parent
        target = await apart(lambda: write_merged(experiment, path, folder, **options))
        await take({"trainset.use": target.name, **({"train.use": None} if experiment.train.use else {})})
        return JSONResponse({"written": target.name})

    async def classifier(request: Request) -> Response:
        content = await content_of(request)
        path, experiment = named(content.get("file")), desk.opened.experiment
        names = await apart(lambda: check_classifier(experiment, path))
        await take({"train.use": str(content.get("file")), **({"trainset.use": None} if experiment.trainset.use else {})})
        return JSONResponse({"names": names})

    async def take(changes: dict[str, Any]) -> None:
        live = desk.opened
        if live.pending:
            raise HerdbookError("Something is being changed just now. Try again.")
        await desk.do(lambda: live.file.set_draft(changes))
        await desk.do(live.refresh)
        await desk.tell_state()

    return [
        Route("/api/sets/compare", told(compare)),
        Route("/api/sets/merge", told(merge), methods=["POST"]),
        Route("/api/sets/classifier", told(classifier), methods=["POST"]),
    ]
