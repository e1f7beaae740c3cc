"""Routes of proposals: from clicks, from measurements, and what rests in the background."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from herdbook.app.desk import Desk
from herdbook.app.live import LiveMovie
from herdbook.app.proposing.clicks import Click, Values, values_for
from herdbook.app.proposing.comparing import ClickLook, compare, segmenter_of
from herdbook.app.proposing.dishes import find_dishes
from herdbook.app.proposing.resting import find_resting
from herdbook.app.proposing.targets import dotted, present
from herdbook.app.proposing.tuning import Tuning
from herdbook.app.routes.telling import content_of, told
from herdbook.errors import HerdbookError
from herdbook.movie.frame import Frame

# Each click costs a frame to decode, and blobs at some twenty levels.
MOST_CLICKS = 60


class Proposing:
    """Proposals for the experiment that is open on a desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self._tuning = desk, Tuning()
        self._asked = 0
        # Frames that were clicked last, so that a click more costs one frame to decode.
        self._frames: tuple[LiveMovie | None, dict[int, Frame]] = (None, {})

    def close(self) -> None:
        """End what is being measured."""
        self._tuning.stop()

    @property
    def routes(self) -> list[Route]:
        """The routes below /api/propose."""
        return [
            Route("/api/propose/clicks", told(self._clicks), methods=["POST"]),
            Route("/api/propose/tune", told(self._tune), methods=["POST"]),
            Route("/api/propose/stop", told(self._stop), methods=["POST"]),
            Route("/api/propose/resting", told(self._resting)),
            Route("/api/propose/dishes", told(self._dishes)),
        ]

    async def _clicks(self, request: Request) -> Response:
        content = await content_of(request)
        name, clicks, shown = str(content.get("movie", "")), _read(content.get("clicks")), content.get("frame")
        self._asked += 1
        mine, do = self._asked, self._desk.do
        movie = await do(lambda: self._desk.opened.movie(name))
        settings = dict(movie.settings)
        if self._frames[0] is not movie:
            self._frames = (movie, {})
        frames = self._frames[1]
        shown_clicks = await do(lambda: ClickLook(movie, clicks, frames))
        every, look = clicks, shown_clicks
        if not any(click.animal for click in clicks):
            # Nobody said yet what an animal is: what is kept and not clicked must stay.
            number = self._desk.opened.experiment.number
            every = clicks + await do(lambda: shown_clicks.presumed(settings, number))
            look = await do(lambda: ClickLook(movie, every, frames))
        steps = values_for(every, settings, look)
        found: Values | None = None
        while found is None:
            # One level at a time, so that frames are shown in between; whoever clicks again wants the new answer only.
            found = await do(lambda: next(steps))
            if mine != self._asked:
                return JSONResponse({"outdated": True})
        answer: dict[str, Any] = {"fault": found.fault, "fulfilled": await do(lambda: shown_clicks.fulfilled(settings)), "changes": {}}
        if found.changes:
            answer |= await self._compared(name, found.changes, shown if isinstance(shown, int) else clicks[0].frame)
        return JSONResponse(answer)

    async def _compared(self, name: str, values: Mapping[str, Any], shown: int) -> dict[str, Any]:
        live = self._desk.opened
        changes = dotted(live.experiment, name, {"segment": values})

        def work() -> dict[str, Any]:
            movie = live.movie(name)
            frame = movie.source.exact(min(max(shown, 0), len(movie.index) - 1))
            return compare(movie, self._desk.samples(name), frame, {**movie.settings, **values}) | {"frame": frame.index}

        return {"changes": changes, "was": present(live.experiment, name, changes)} | await self._desk.do(work)

    async def _tune(self, request: Request) -> Response:
        content = await content_of(request)
        name, shown = str(content.get("movie", "")), content.get("frame")
        await self._desk.settle()
        live = self._desk.opened
        live.movie_exists(name)
        task = {"raw": await self._desk.do(lambda: live.drafted), "path": str(live.file.path), "movie": name}

        async def say(line: str) -> None:
            await self._desk.tell({"type": "tuning", "text": line})

        found = await self._tuning.propose(task, say)
        if found is None:
            return JSONResponse({"stopped": True})
        if "background" not in found and isinstance(shown, int):
            # With another background the blobs are seen only when it is there.
            with suppress(HerdbookError):
                found |= await self._compared(name, found["segment"], shown)
        return JSONResponse(found)

    async def _stop(self, _: Request) -> Response:
        self._tuning.stop()
        return JSONResponse({})

    async def _resting(self, request: Request) -> Response:
        name = request.query_params.get("movie", "")

        def work() -> list[dict[str, Any]]:
            movie = self._desk.opened.movie(name)
            segmenter, background = segmenter_of(movie), movie.maker.scene.background
            if background is None or movie.maker.scene.state != "ready":
                # Of the quick background nothing is taken out that rests.
                return []
            samples = self._desk.samples(name)
            frames = [] if samples is None else samples.frames
            counts = samples.count() if samples is not None else None
            kept = counts.area[counts.reason < 0] if counts is not None else np.zeros(0)
            found = []
            for window, first in enumerate(background.first_frame.tolist()):
                end = [*background.first_frame.tolist(), np.inf][window + 1]
                here = [frame.luma for frame in frames if first <= frame.index < end]
                typical = float(np.median(kept)) if len(kept) else None
                resting = find_resting(background.luma[window], here, segmenter.arena >= 0, movie.settings, typical)
                found += [asdict(one) | {"first": first, "end": end if np.isfinite(end) else len(movie.index)} for one in resting]
            return found

        section = self._desk.opened.experiment.background
        return JSONResponse({"resting": await self._desk.do(work), "takes_out": section.resting or section.file is not None})

    async def _dishes(self, request: Request) -> Response:
        name, shown = request.query_params.get("movie", ""), request.query_params.get("frame", "0")

        def work() -> list[dict[str, Any]]:
            movie = self._desk.opened.movie(name)
            background = movie.maker.scene.background
            # Without a background, animals are in the picture, too; dishes are larger.
            frame = min(max(int(shown) if shown.isdecimal() else 0, 0), len(movie.index) - 1)
            picture = movie.source.exact(frame).luma if background is None else background.luma[background.window_at(frame)]
            return [{"name": one.name, "include": [one.as_shape()]} for one in find_dishes(picture)]

        return JSONResponse({"dishes": await self._desk.do(work)})


def _read(clicks: Any) -> list[Click]:
    try:
        found = [Click(int(one["frame"]), float(one["x"]), float(one["y"]), one["animal"] is True) for one in clicks]
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise HerdbookError("the page sent clicks that are not understood") from error
    if not 0 < len(found) <= MOST_CLICKS:
        raise HerdbookError(f"a proposal needs 1 to {MOST_CLICKS} clicks, not {len(found)}")
    if not all(np.isfinite([one.x, one.y]).all() for one in found):
        raise HerdbookError("the page sent clicks that are not understood")
    return found
