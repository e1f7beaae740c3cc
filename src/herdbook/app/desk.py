"""What all tabs share: the experiment that is open, one thread that works on it, and news that concern every tab."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from herdbook.app.edits import Conflict
from herdbook.app.live import Live
from herdbook.app.looks import describe_movie, packed
from herdbook.app.running.run_desk import RunDesk
from herdbook.app.samples import Samples, as_message
from herdbook.app.session import Session
from herdbook.errors import HerdbookError

T = TypeVar("T")
LOG = logging.getLogger(__name__)

# How often changes by others, and backgrounds that are being made, are looked for.
POLL_S = 0.25
# After the last move of a control, what was tried out becomes one step of the draft.
SETTLE_S = 1.0
# Sampled frames that are read between two looks.
CHUNK = 4


class Desk:
    """The experiment that is open in all tabs. Its methods are called in the server's loop; `do` runs what takes time in the one thread."""

    def __init__(self) -> None:
        self.sessions: set[Session] = set()
        self.runs = RunDesk(self._tell_all)
        self._live: Live | None = None
        self._samples: dict[str, Samples] = {}
        self._counted: dict[str, object] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="looks")
        self._news = asyncio.Event()
        self._looked: set[str] = set()
        self._moved_s = 0.0

    @property
    def opened(self) -> Live:
        """The experiment that is open. Raises HerdbookError if none is."""
        if self._live is None:
            raise HerdbookError("no experiment is open")
        return self._live

    async def do(self, work: Callable[[], T]) -> T:
        """Run work that takes time."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def open(self, path: Path | None) -> None:
        """Open an experiment instead of the one that is open; None closes it. Raises HerdbookError if it has faults."""
        await self.do(lambda: self._open(path))
        await self.runs.open(path)
        await self.tell_state()

    def _open(self, path: Path | None) -> None:
        made = None if path is None else Live(path)
        for samples in self._samples.values():
            samples.close()
        self._samples.clear()
        self._counted.clear()
        if self._live is not None:
            self._live.close()
        self._live = made

    def close(self) -> None:
        """Close all files and end what is being computed."""
        self._thread.submit(self._open, None).result()
        self._thread.shutdown()
        self.runs.close()

    async def try_out(self, changes: Mapping[str, Any]) -> None:
        """Use other values at once; they become a step of the draft when they rest."""
        self._moved_s = asyncio.get_running_loop().time()
        await self.do(lambda: self.opened.try_out(changes))

    async def settle(self, speaker: Session | None = None) -> None:
        """Make what was tried out a step of the draft."""
        if self.opened.pending:
            try:
                await self.do(self.opened.settle)
            except HerdbookError as error:
                await self._tell_all({"type": "fault", "text": str(error)})
        await self.tell_state()

    async def edit(self, action: str, revision: str) -> dict[str, Any]:
        """Save, discard, undo or redo. Returns what came of it; raises HerdbookError if it cannot be done."""
        await self.settle()
        live = self.opened
        if action == "save":
            done = await self.do(lambda: live.file.save(revision))
            result = {"conflict": {key: list(pair) for key, pair in done.keys.items()}} if isinstance(done, Conflict) else {}
        elif action == "discard":
            await self.do(live.file.discard)
            result = {}
        else:
            changed = await self.do(live.file.undo if action == "undo" else live.file.redo)
            result = {"values": changed}
        await self.do(live.refresh)
        await self.tell_state()
        return result | {"revision": live.file.revision}

    def state(self) -> dict[str, Any]:
        """What every tab knows of the experiment: values of all controls, the draft, and faults."""
        if self._live is None:
            return {"type": "state", "open": False}
        live, experiment = self._live, self._live.experiment
        raw = live.drafted
        sections = {name: experiment.section(name).model_dump(mode="json") for name in ("segment", "background", "animals")}
        # Values that do not fit together yet are shown, too, so that they can be corrected.
        for name, values in sections.items():
            values |= raw[name] if isinstance(raw.get(name), dict) else {}
        return {
            **{"type": "state", "open": True, "file": str(live.file.path), "experiment": experiment.experiment},
            **{"revision": live.file.revision, "fault": live.fault, "steps": list(live.file.steps), "values": sections},
            "draft": {key: list(pair) for key, pair in live.file.changes().items()},
            "conflict": {key: list(pair) for key, pair in live.file.conflicts().items()},
            "arenas": raw.get("arenas") or [],
            "scale": raw.get("scale"),
            "movies": [_movie_state(live, movie.name) for movie in experiment.movies],
            "number": experiment.number,
        }

    async def movie(self, name: str) -> dict[str, Any]:
        """What a page must know of a movie, which is opened. Raises HerdbookError if it cannot be read."""
        return await self.do(lambda: describe_movie(self.opened.movie(name)))

    def samples(self, name: str) -> Samples | None:
        """The sampled frames of a movie, None if none are held yet."""
        return self._samples.get(name)

    async def tell(self, message: dict[str, Any]) -> None:
        """Send a message to all tabs."""
        await self._tell_all(message)

    async def tell_state(self) -> None:
        """Send the state to all tabs."""
        turns = [(session, session.turn) for session in self.sessions]
        state = await self.do(self.state)
        await asyncio.gather(*(session.say(state | {"turn": turn}) for session, turn in turns))
        if self._live is not None and state["open"]:
            live = self._live
            self.runs.plan_for((state["revision"], repr(state["draft"])), await self.do(lambda: live.drafted))

    def looked(self, movie: str) -> None:
        """A tab has got a frame of a movie: its samples may be out of date."""
        self._looked.add(movie)
        self._news.set()

    async def watch(self) -> None:
        """Look for what happens elsewhere, and keep the counts of sampled frames up to date, for ever."""
        while True:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._news.wait(), POLL_S)
            self._news.clear()
            try:
                await self._watch_once()
            except HerdbookError as error:
                await self._tell_all({"type": "fault", "text": str(error)})
            except Exception as error:  # the page must go on after a mistake in the program, too
                LOG.exception("looking for news failed")
                await self._tell_all({"type": "fault", "text": f"{type(error).__name__}: {error}; the terminal shows more"})
                await asyncio.sleep(SETTLE_S)

    async def _watch_once(self) -> None:
        live = self._live
        if live is None:
            return
        resting = asyncio.get_running_loop().time() - self._moved_s > SETTLE_S
        if live.pending and resting:
            await self.settle()
        changed = await self.do(live.file.changed)
        if changed:
            await self.do(live.refresh)
            await self._tell_all({"type": "changed", **changed})
            await self.tell_state()
        for movie in list(live.movies.values()):
            if await self.do(movie.poll):
                await self._tell_all({"type": "scene", "movie": movie.name, "state": movie.maker.scene.state})
                self._looked.add(movie.name)
        for name in list(self._looked):
            self._looked.discard(name)
            await self._sample(name)

    async def _sample(self, name: str) -> None:
        """Read some more sampled frames of a movie, and count their blobs anew if these may have changed."""
        live = self._live
        if live is None or name not in live.movies:
            return
        movie = live.movies[name]
        if name not in self._samples:
            self._samples[name] = await self.do(lambda: Samples(movie))
        samples = self._samples[name]
        while not any(session.waiting for session in self.sessions) and samples.stale:
            await self.do(lambda: samples.read(CHUNK))
        if samples.stale:
            self._looked.add(name)
        await self.do(movie.segmenter)
        state = (movie.version, list(movie.numbers), samples.size)
        if state == self._counted.get(name) or not samples.size:
            return
        counts = await self.do(samples.count)
        if counts is not None:
            self._counted[name] = state
            known = [number for number in movie.numbers if number is not None]
            head, parts = as_message(counts, sum(known) if len(known) == len(movie.numbers) else None)
            await self._tell_all(packed(head | {"movie": name}, parts))

    async def recount(self) -> None:
        """Send the counts again: a tab has just come."""
        self._counted.clear()
        self._news.set()

    async def _tell_all(self, message: dict[str, Any] | bytes) -> None:
        await asyncio.gather(*(session.say(message) for session in list(self.sessions)))


def _movie_state(live: Live, name: str) -> dict[str, Any]:
    section = live.experiment.section("segment", name)
    return {"name": name, "intervals": [list(pair) for pair in section.intervals], "recording": live.experiment.recording_of(name)}
