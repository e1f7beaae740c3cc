"""Routes of random positions to judge (/api/validate), and of events that are noted while watching (/api/events)."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from herdbook.app.desk import Desk
from herdbook.app.reviewing import noting, validating
from herdbook.app.routes.telling import content_of, told
from herdbook.errors import HerdbookError


def validate_routes(desk: Desk) -> list[Route]:
    """The routes below /api/validate; each answers with what is asked next."""

    async def state(request: Request) -> Response:
        width = _width(request.query_params.get("width", "0.05"))
        return JSONResponse(await desk.do(lambda: validating.progress(validating.points_of(desk.opened), width)))

    async def act(request: Request) -> Response:
        content, live, action = await content_of(request), desk.opened, request.path_params["action"]
        width = _width(content.get("width", 0.05))

        def work() -> dict[str, Any]:
            if action == "draw":
                validating.draw(live, _whole(content, "count"))
            elif action == "answer":
                validating.answer(live, _whole(content, "number"), str(content.get("answer")))
            elif action == "undo":
                validating.undo(live)
            else:
                raise HerdbookError(f"there is no action {action!r}")
            return validating.progress(validating.points_of(live), width)

        done = await desk.do(work)
        await desk.tell({"type": "validated"})
        return JSONResponse(done)

    return [Route("/api/validate", told(state)), Route("/api/validate/{action}", told(act), methods=["POST"])]


def event_routes(desk: Desk) -> list[Route]:
    """The routes below /api/events; each answers with all events."""

    async def state(_: Request) -> Response:
        return JSONResponse({"events": await desk.do(lambda: noting.events_of(desk.opened))})

    async def act(request: Request) -> Response:
        content, live, action = await content_of(request), desk.opened, request.path_params["action"]

        def work() -> dict[str, Any]:
            row = None
            if action == "note":
                row = noting.note(live, content.get("event"))
            elif action == "change":
                row = noting.change(live, content.get("old"), content.get("event"))
            elif action == "remove":
                noting.remove(live, content.get("event"))
            elif action == "undo":
                noting.undo(live)
            else:
                raise HerdbookError(f"there is no action {action!r}")
            return {"row": row, "events": noting.events_of(live)}

        done = await desk.do(work)
        await desk.tell({"type": "noted", "events": done["events"]})
        return JSONResponse(done)

    return [Route("/api/events", told(state)), Route("/api/events/{action}", told(act), methods=["POST"])]


def _width(value: Any) -> float:
    try:
        width = float(value)
    except (TypeError, ValueError) as error:
        raise HerdbookError(f"{value!r} is no width of an interval") from error
    if not 0 < width < 1:
        raise HerdbookError(f"{value!r} is no width of an interval")
    return width


def _whole(content: dict[str, Any], name: str) -> int:
    value = content.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise HerdbookError(f"the page sent no number for {name}")
    return value
