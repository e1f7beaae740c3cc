"""The server of the page: its routes, and the files that it may see."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket

from herdbook.app.beginning.routes import beginning_routes
from herdbook.app.desk import Desk
from herdbook.app.form import controls
from herdbook.app.guard import Guard
from herdbook.app.labelling.routes import LabelRoutes
from herdbook.app.labelling.set_routes import set_routes
from herdbook.app.proposing.routes import Proposing
from herdbook.app.reviewing.routes import Reviewing
from herdbook.app.routes.run_routes import run_routes
from herdbook.app.routes.telling import content_of, told
from herdbook.app.routes.watch_routes import watch_routes
from herdbook.app.session import Session
from herdbook.errors import HerdbookError

STATIC = Path(__file__).parent / "static"
EDITS = ("save", "discard", "undo", "redo")


class Roots:
    """The folders below which the page may see names and open experiment files."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = [folder.resolve() for folder in folders]

    @property
    def folders(self) -> list[Path]:
        """The folders, links followed."""
        return list(self._folders)

    def inside(self, text: str) -> Path:
        """The path that a page gave. Raises HerdbookError unless it is below one of the folders, links followed."""
        try:
            path = Path(text).resolve()
        except (OSError, ValueError, RuntimeError) as error:
            raise HerdbookError(f"{text!r} cannot be used as a path") from error
        if not any(path.is_relative_to(folder) for folder in self._folders):
            raise HerdbookError(f"{path} is outside of the folders that this page may see; start `herdbook app` with --root {path.parent}")
        return path


def make_server(desk: Desk, roots: Roots, token: str, cookie: str, first: Path | None = None) -> Starlette:
    """The application; `first` is the experiment file that is open at the beginning."""

    proposing, labelling, reviewing = Proposing(desk), LabelRoutes(desk), Reviewing(desk)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        if first is not None:
            await desk.open(first)
        watcher = asyncio.gather(desk.watch(), desk.runs.watch())
        yield
        watcher.cancel()
        with suppress(asyncio.CancelledError):
            await watcher
        proposing.close()
        labelling.close()
        await reviewing.close()
        desk.close()

    async def page(_: Request) -> Response:
        return FileResponse(STATIC / "index.html")

    async def form(_: Request) -> Response:
        return JSONResponse({"groups": controls()})

    async def state(_: Request) -> Response:
        return JSONResponse(await desk.do(desk.state))

    async def movie(request: Request) -> Response:
        return JSONResponse(await desk.movie(request.query_params.get("name", "")))

    async def opened(request: Request) -> Response:
        await desk.open(roots.inside(str((await content_of(request)).get("file", ""))))
        return JSONResponse({})

    async def edit(request: Request) -> Response:
        content, action = await content_of(request), request.path_params["action"]
        if action not in EDITS:
            return JSONResponse({"fault": f"there is no action {action!r}"}, 404)
        return JSONResponse(await desk.edit(action, str(content.get("revision", ""))))

    async def talk(socket: WebSocket) -> None:
        session = Session(socket, desk)
        desk.sessions.add(session)
        await desk.recount()
        try:
            await session.run()
        finally:
            desk.sessions.discard(session)

    routes = [
        Route("/", page),
        Route("/api/form", told(form)),
        Route("/api/experiment", told(state)),
        Route("/api/movie", told(movie)),
        Route("/api/open", told(opened), methods=["POST"]),
        Route("/api/edit/{action}", told(edit), methods=["POST"]),
        *beginning_routes(roots.folders),
        *proposing.routes,
        *labelling.routes,
        *set_routes(desk, roots.inside),
        *reviewing.routes,
        *run_routes(desk),
        *watch_routes(desk),
        WebSocketRoute("/ws", talk),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
    return Starlette(routes=routes, middleware=[Middleware(Guard, token=token, name=cookie)], lifespan=lifespan)
