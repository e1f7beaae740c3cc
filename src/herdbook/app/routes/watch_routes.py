"""Routes of watching: whom a run found in a movie, doubts, and the line of time of each animal. Positions come with the frames."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from herdbook.app.desk import Desk
from herdbook.app.routes.telling import number_of, told
from herdbook.errors import HerdbookError

# Lanes are asked for as wide as they are drawn.
MOST_WIDE = 8192


def watch_routes(desk: Desk) -> list[Route]:
    """The routes below /api/watch."""

    async def watched(request: Request) -> Response:
        name = request.query_params.get("movie", "")
        try:
            return JSONResponse(await desk.do(lambda: desk.opened.watched(name).summary()))
        except HerdbookError as error:
            # That nothing was run yet is no mistake of the page.
            return JSONResponse({"fault": str(error)})

    async def lanes(request: Request) -> Response:
        name = request.query_params.get("movie", "")
        first, end = number_of(request, "first", 0), number_of(request, "end", 1 << 40)
        width = min(max(1, number_of(request, "width", 800)), MOST_WIDE)
        return JSONResponse(await desk.do(lambda: desk.opened.watched(name).lanes(first, end, width)))

    return [Route("/api/watch", told(watched)), Route("/api/watch/lanes", told(lanes))]
