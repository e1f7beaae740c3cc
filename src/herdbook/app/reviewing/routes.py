"""Routes of reviewing: questions, answers, who is who after them, random positions to judge, and noted events."""

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from herdbook.app.desk import Desk
from herdbook.app.live import Live
from herdbook.app.reviewing.answers import correction_of, facts_of, undo, write_correction, write_facts
from herdbook.app.reviewing.more_routes import event_routes, validate_routes
from herdbook.app.reviewing.namers import Namers
from herdbook.app.reviewing.people_files import table_of
from herdbook.app.reviewing.portraits import portraits
from herdbook.app.reviewing.queue import PLACES, questions_left
from herdbook.app.reviewing.tracks import TrackFinder
from herdbook.app.routes.telling import content_of, number_of, told
from herdbook.app.watching.reviewed import result_of
from herdbook.errors import HerdbookError

LOG = logging.getLogger(__name__)
MOST_QUESTIONS = 300


def facts_are_newer(live: Live) -> bool:
    """Whether facts were written since the animals got their names: by an editor, or just before a crash."""
    facts = live.experiment.animals.facts
    if not facts or not Path(facts).is_file():
        return False
    written = Path(facts).stat().st_mtime_ns
    results = [result_of(live.experiment, recording) for recording in live.experiment.recordings]
    return any(path.is_file() and path.stat().st_mtime_ns < written for path in results)


class Reviewing:
    """Review of the experiment that is open on a desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self._namers = desk, Namers()
        self._naming = asyncio.Lock()
        # Answers that were written since names were found without a fault the last time.
        self._unproved = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._left: dict[tuple[Path, str], Mapping[str, Any]] = {}
        self._tracks, self._prepared = TrackFinder(), object()
        self._portraits: dict[str, tuple[object, dict[str, bytes]]] = {}

    async def close(self) -> None:
        """End what is being computed."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._namers.close()

    @property
    def routes(self) -> list[Route]:
        """The routes below /api/review."""
        return [
            Route("/api/review", told(self._state)),
            Route("/api/review/portrait", told(self._portrait)),
            Route("/api/review/track", told(self._track)),
            Route("/api/review/prepare", told(self._prepare), methods=["POST"]),
            Route("/api/review/answer", told(self._answer), methods=["POST"]),
            Route("/api/review/undo", told(self._undo), methods=["POST"]),
            *validate_routes(self._desk),
            *event_routes(self._desk),
        ]

    async def _state(self, _: Request) -> Response:
        return JSONResponse(await self._desk.do(lambda: self.state(self._desk.opened)))

    def state(self, live: Live) -> dict[str, Any]:
        """The questions that are left, and whom a person can name."""
        experiment = live.experiment
        if experiment.animals.marking == "none":
            return {"fault": "These animals have no names, so there is nothing to review: animals.marking is none."}
        missing = [one for one in experiment.recordings if not experiment.artifact("propagate", one).is_file()]
        if missing:
            return {"fault": f"There is nothing to review in {missing[0]} yet: run it first."}
        run = experiment.folder / "doubtful.csv"
        added = table_of(live, "facts").added_since(run.stat().st_mtime) if run.is_file() else []
        left = questions_left(experiment, added)
        return {
            "questions": [question.described() for question in left[:MOST_QUESTIONS]],
            "count": len(left),
            "names": experiment.animals.classes,
            "individuals": experiment.animals.individuals,
            "steps": max(table_of(live, kind).last_step()[0] for kind in ("facts", "corrections")),
            "answers": len(table_of(live, "facts").rows()) if table_of(live, "facts").path.is_file() else 0,
            **self._share(live, sum(question.doubt.gain for question in left if question.kind == PLACES)),
        }

    def _share(self, live: Live, places: float) -> dict[str, Any]:
        """The share of the animals' frames that is expected to be wrong still, if the names of all recordings were found again here."""
        found = [self._left.get((live.file.path, recording)) for recording in live.experiment.recordings]
        if not found or None in found:
            return {"left": None}
        frames = sum(one["frames"] for one in found if one)
        return {"left": (sum(one["wrong"] for one in found if one) + places) / max(1.0, frames)}

    async def _portrait(self, request: Request) -> Response:
        movie, name = request.query_params.get("movie", ""), request.query_params.get("name", "")

        def work() -> bytes:
            live = self._desk.opened
            live.movie_exists(movie)
            recording = live.experiment.recording_of(movie)
            path = result_of(live.experiment, recording)
            # Of the run, not of each answer: a picture that changes while one looks for it helps nobody.
            mark = (live.file.path, live.experiment.artifact("propagate", recording).stat().st_mtime_ns if path.is_file() else 0)
            if self._portraits.get(recording, (None, {}))[0] != mark:
                self._portraits[recording] = (mark, portraits(live.experiment, recording) if path.is_file() else {})
            return self._portraits[recording][1].get(name, b"")

        picture = await self._desk.do(work)
        return Response(picture, 200 if picture else 204, media_type="image/jpeg", headers={"Cache-Control": "max-age=600"})

    async def _track(self, request: Request) -> Response:
        movie, frame = request.query_params.get("movie", ""), number_of(request, "frame", 0)
        x, y = number_of(request, "x", 0), number_of(request, "y", 0)

        def work() -> dict[str, Any]:
            live = self._desk.opened
            live.movie_exists(movie)
            return self._tracks.at(live.experiment, movie, frame, x, y)

        return JSONResponse(await self._desk.do(work))

    async def _prepare(self, _: Request) -> Response:
        live = self._desk.opened
        outdated, known = await self._desk.do(lambda: (facts_are_newer(live), self._marks(live)))
        if outdated or known != self._prepared:
            self._begin(prepare=not outdated)
            self._prepared = known
        else:
            await self._told_state({})
        return JSONResponse({})

    def _marks(self, live: Live) -> object:
        """What tells the results of one run from those of another."""
        paths = [live.experiment.artifact("propagate", recording) for recording in live.experiment.recordings]
        return [(path, path.stat().st_mtime_ns) for path in paths if path.is_file()]

    async def _answer(self, request: Request) -> Response:
        content, live = await content_of(request), self._desk.opened
        if "correction" in content:
            if not isinstance(content["correction"], dict):
                raise HerdbookError("the page sent an answer that is not understood")
            await self._desk.do(lambda: write_correction(live, correction_of(live, content["correction"])))
            await self._told_state({"corrected": True})
            return JSONResponse({"rows": 1})
        facts = await self._desk.do(lambda: facts_of(live, content.get("rows")))
        await self._desk.do(lambda: write_facts(live, facts))
        self._unproved += 1
        self._begin()
        return JSONResponse({"rows": len(facts)})

    async def _undo(self, _: Request) -> Response:
        live = self._desk.opened
        kind = await self._desk.do(lambda: undo(live))
        if kind == "facts":
            self._unproved = max(0, self._unproved - 1)
            self._begin()
        else:
            await self._told_state({"corrected": True})
        return JSONResponse({"table": kind})

    def _begin(self, *, prepare: bool = False) -> None:
        task = asyncio.get_running_loop().create_task(self._name(prepare))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _name(self, prepare: bool) -> None:
        """Name all animals again, and tell all tabs what has changed."""
        live = self._desk.opened
        try:
            async with self._naming:
                if live is self._desk.opened:
                    await self._named(live, prepare)
        except HerdbookError as error:
            await self._desk.tell({"type": "review", "fault": str(error)})
        except Exception as error:  # the page must go on after a mistake in the program, too
            LOG.exception("naming again failed")
            await self._desk.tell({"type": "review", "fault": f"{type(error).__name__}: {error}; the terminal shows more"})

    async def _named(self, live: Live, prepare: bool) -> None:
        changed, seconds, cpu_s, refused = 0, 0.0, 0.0, ""
        for recording in live.experiment.recordings:
            found = None
            while found is None:
                proved = self._unproved
                try:
                    found = await self._namers.ask(live.file.path, recording, "prepare" if prepare else "name")
                except HerdbookError as error:
                    if prepare or not self._unproved:
                        raise
                    # What contradicts other facts or labels would stop every further run: the last answer is taken back.
                    refused = str(error)
                    await self._desk.do(lambda: undo(live))
                    self._unproved -= 1
            self._left[(live.file.path, recording)] = found
            changed, seconds, cpu_s = changed + int(found["changed"]), seconds + float(found["seconds"]), cpu_s + float(found["cpu_s"])
        if not prepare:
            # Whatever was answered meanwhile is named next.
            self._unproved -= min(proved, self._unproved)
        times = {"seconds": round(seconds, 2), "cpu_s": round(cpu_s, 2)}
        await self._told_state({"changed": None if prepare else changed, **times, "refused": refused})

    async def _told_state(self, news: Mapping[str, Any]) -> None:
        live = self._desk.opened
        state = await self._desk.do(lambda: self.state(live))
        await self._desk.tell({"type": "review", **state, **news})
