"""Routes of runs: start, stop, unlock, and logs. How they stand is told over the socket."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from herdbook.app.desk import Desk
from herdbook.app.routes.telling import content_of, told


def run_routes(desk: Desk) -> list[Route]:
    """The routes below /api/run."""

    async def act(request: Request) -> Response:
        return JSONResponse(await desk.runs.act(request.path_params["action"], await content_of(request)))

    async def log(request: Request) -> Response:
        return JSONResponse({"text": await desk.runs.log(request.query_params.get("job", "run"))})

    return [Route("/api/run/log", told(log)), Route("/api/run/{action}", told(act), methods=["POST"])]
