"""Routes of labelling: names and rounds, the next points and their pictures, and answers, which are on the disk when they are answered."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from herdbook.app.desk import Desk
from herdbook.app.labelling.answers import Answers
from herdbook.app.labelling.labelling import Labelling
from herdbook.app.labelling.points import Wanted
from herdbook.app.labelling.sheets import frame_picture
from herdbook.app.routes.telling import content_of, number_of, told
from herdbook.errors import HerdbookError

# Answers that one request may hold: everybody in a frame.
MOST_ANSWERS = 500
WIDTHS = (120, 3840)


class LabelRoutes:
    """The routes below /api/label, and what they work on."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._labelling = Labelling(lambda: desk.opened)

    def close(self) -> None:
        """Close all files."""
        self._labelling.close()

    @property
    def routes(self) -> list[Route]:
        """The routes."""
        return [
            Route("/api/label", told(self._summary)),
            Route("/api/label/points", told(self._points)),
            Route("/api/label/sheet", told(self._sheet)),
            Route("/api/label/references", told(self._references)),
            Route("/api/label/montage", told(self._montage)),
            Route("/api/label/frame", told(self._frame)),
            Route("/api/label/everybody", told(self._everybody)),
            Route("/api/label/at", told(self._at)),
            Route("/api/label/answer", told(self._answer), methods=["POST"]),
            Route("/api/label/undo", told(self._undo), methods=["POST"]),
        ]

    async def _summary(self, request: Request) -> Response:
        try:
            return JSONResponse(await self._labelling.look(self._labelling.summary))
        except HerdbookError as error:
            # That nothing was run yet is no mistake of the page.
            return JSONResponse({"fault": str(error), "names": []})

    async def _points(self, request: Request) -> Response:
        wanted = Wanted.read(request.query_params)
        return JSONResponse(await self._labelling.look(lambda e, s: self._labelling.points(e, s, wanted)))

    async def _sheet(self, request: Request) -> Response:
        movie, tracklet, page = request.query_params.get("movie", ""), number_of(request, "tracklet", -1), number_of(request, "page", 0)
        return _binary(await self._labelling.look(lambda e, s: self._labelling.sheet(e, s, movie, tracklet, max(0, page))))

    async def _references(self, request: Request) -> Response:
        return _binary(await self._labelling.look(self._labelling.references))

    async def _montage(self, request: Request) -> Response:
        name = request.query_params.get("name", "")
        return _binary(await self._labelling.look(lambda e, s: self._labelling.montage(e, s, name)))

    async def _frame(self, request: Request) -> Response:
        movie, frame = request.query_params.get("movie", ""), number_of(request, "frame", 0)
        x, y, reach = (_real(request, name) for name in ("x", "y", "reach"))
        width = min(max(WIDTHS[0], number_of(request, "width", 340)), WIDTHS[1])

        def draw() -> bytes:
            image = self._desk.opened.movie(movie).source.exact(frame)
            made = frame_picture(image.bgr(), x, y, reach, width)
            image.forget_colours()
            return made

        return Response(await self._desk.do(draw), media_type="image/jpeg", headers={"Cache-Control": "private, max-age=600"})

    async def _everybody(self, request: Request) -> Response:
        movie, frame = request.query_params.get("movie", ""), number_of(request, "frame", 0)
        return JSONResponse({"animals": await self._labelling.look(lambda e, s: self._labelling.everybody(e, s, movie, frame))})

    async def _at(self, request: Request) -> Response:
        movie, frame = request.query_params.get("movie", ""), number_of(request, "frame", 0)
        x, y = _real(request, "x"), _real(request, "y")
        return JSONResponse({"point": await self._labelling.look(lambda e, s: self._labelling.at(e, s, movie, frame, x, y))})

    async def _answer(self, request: Request) -> Response:
        content = await content_of(request)
        answers = content.get("answers")
        if not isinstance(answers, list) or not 0 < len(answers) <= MOST_ANSWERS or not all(isinstance(one, dict) for one in answers):
            raise HerdbookError(f"expected 1 to {MOST_ANSWERS} answers")
        back = bool(content.get("back"))
        rows = await self._labelling.look(lambda e, s: self._labelling.labels_on(e, s, answers[0])) if content.get("instead") else []

        def write(tables: Answers) -> bool:
            if back:
                tables.take_back(answers[0])
                return False
            return tables.give_instead(rows, answers) if rows else tables.give(answers)

        gone = await self._labelling.write(write)
        if gone:
            await self._desk.do(self._labelling.name_left_out)
            await self._desk.tell_state()
        await self._tell(content.get("tab"))
        return JSONResponse({})

    async def _undo(self, request: Request) -> Response:
        content = await content_of(request)
        rows: list[dict[str, Any]] = await self._labelling.write(lambda tables: tables.undo())
        points = await self._labelling.look(lambda e, s: self._labelling.points_at(e, s, rows))
        await self._tell(content.get("tab"))
        return JSONResponse({"rows": rows, "points": points})

    async def _tell(self, tab: Any) -> None:
        """Tell all tabs that labels have changed, and by which of them."""
        await self._desk.tell({"type": "labels", "tab": str(tab or "")})


def _real(request: Request, name: str) -> float:
    try:
        return float(request.query_params.get(name, "0"))
    except ValueError as error:
        raise HerdbookError(f"{name} is no number") from error


def _binary(content: bytes) -> Response:
    return Response(content, media_type="application/octet-stream")
