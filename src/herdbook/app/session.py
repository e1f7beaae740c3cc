"""What one tab of the page says and hears over its WebSocket: the latest look counts, looks of playing are answered in order."""

import asyncio
import json
import logging
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from herdbook.app.looks import Request, answer
from herdbook.errors import HerdbookError

if TYPE_CHECKING:
    from herdbook.app.desk import Desk

LOG = logging.getLogger(__name__)
# Looks of playing that may wait; the page asks for three ahead.
MOST_QUEUED = 16


class Session:
    """One tab."""

    def __init__(self, socket: WebSocket, desk: "Desk") -> None:
        self._socket, self._desk = socket, desk
        self._latest: Request | None = None
        self._queue: deque[Request] = deque()
        self._called = asyncio.Event()
        self._sending = asyncio.Lock()
        self.movie = ""
        # The last change of settings that was heard: what is told of the state holds this one and all before.
        self.turn = 0

    @property
    def waiting(self) -> bool:
        """Whether a look is not answered yet."""
        return self._latest is not None or bool(self._queue)

    async def run(self) -> None:
        """Talk with the tab until it is closed."""
        await self._socket.accept()
        worker = asyncio.create_task(self._work())
        try:
            for message in (await self._desk.do(self._desk.state) | {"turn": self.turn}, *self._desk.runs.news()):
                await self.say(message)
            while True:
                await self._hear(await self._socket.receive_text())
        except WebSocketDisconnect:
            pass
        finally:
            worker.cancel()
            with suppress(asyncio.CancelledError):
                await worker

    async def say(self, message: dict[str, Any] | bytes) -> None:
        """Send a message, unless the tab is gone."""
        with suppress(RuntimeError, WebSocketDisconnect):
            async with self._sending:
                if isinstance(message, bytes):
                    await self._socket.send_bytes(message)
                else:
                    await self._socket.send_text(json.dumps(message, ensure_ascii=False))

    async def _hear(self, text: str) -> None:
        try:
            message = json.loads(text)
            if not isinstance(message, dict):
                raise ValueError("no object")
        except ValueError:
            await self.say({"type": "fault", "text": "the page sent something that is not understood"})
            return
        try:
            if message.get("changes"):
                await self._desk.try_out(dict(message["changes"]))
                self.turn = int(message.get("turn") or 0)
            if message.get("type") == "settle":
                await self._desk.settle(self)
            elif message.get("type") == "look":
                self._take(Request.read(message))
        except HerdbookError as error:
            await self.say({"type": "fault", "text": str(error)})

    def _take(self, look: Request) -> None:
        self.movie = look.movie
        if look.queued:
            self._queue.append(look)
            if len(self._queue) > MOST_QUEUED:
                self._queue.popleft()
        else:
            # Whoever goes elsewhere no longer wants the frames that were to come.
            if not look.along:
                self._queue.clear()
            self._latest = look if self._latest is None or look.image or not self._latest.image else _with_image(look)
        self._called.set()

    async def _work(self) -> None:
        while True:
            await self._called.wait()
            look = self._latest or (self._queue.popleft() if self._queue else None)
            if look is None:
                self._called.clear()
                continue
            self._latest = None
            try:
                message: dict[str, Any] | bytes = await self._desk.do(_answered(self._desk, look))
            except HerdbookError as error:
                message = {"type": "fault", "seq": look.seq, "text": str(error)}
            except Exception as error:  # the tab must go on after a mistake in the program, too
                LOG.exception("a look at frame %d of %s failed", look.frame, look.movie)
                message = {"type": "fault", "seq": look.seq, "text": f"{type(error).__name__}: {error}; the terminal shows more"}
            await self.say(message)
            self._desk.looked(look.movie)


def _with_image(look: Request) -> Request:
    """A look that replaces one whose picture the page does not have yet."""
    return Request(**{**look.__dict__, "image": True})


def _answered(desk: "Desk", look: Request) -> Callable[[], bytes]:
    return lambda: answer(desk.opened, look)
