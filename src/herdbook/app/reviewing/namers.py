"""The processes that name animals again (`naming`), one for each recording that is reviewed; they outlive no experiment that is closed."""

import asyncio
import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from herdbook.errors import HerdbookError

MODULE = "herdbook.app.reviewing.naming"
# The longest answer: a message of a fault.
MOST_BYTES = 1 << 20


class Namers:
    """Asks the process of a recording, which is started when it is needed. Its methods are called in the server's loop."""

    def __init__(self) -> None:
        self._processes: dict[tuple[Path, str], asyncio.subprocess.Process] = {}
        self._locks: dict[tuple[Path, str], asyncio.Lock] = {}

    async def ask(self, path: Path, recording: str, request: str) -> dict[str, Any]:
        """The answer to `prepare` or `name`, for a recording of an experiment file. Raises HerdbookError with what is wrong."""
        key = (path, recording)
        async with self._locks.setdefault(key, asyncio.Lock()):
            for fresh in (False, True):
                process = await self._process(key)
                assert process.stdin is not None
                assert process.stdout is not None
                line = b""
                with suppress(ConnectionError):
                    process.stdin.write(f"{request}\n".encode())
                    await process.stdin.drain()
                    line = await process.stdout.readline()
                if line:
                    break
                # It had ended, for nobody asked it for a long time, or somebody ended it.
                self._processes.pop(key, None)
                if fresh:
                    raise HerdbookError("naming the animals again ended without an answer; is there enough memory?")
        answer = dict(json.loads(line))
        if "fault" in answer:
            raise HerdbookError(str(answer["fault"]))
        return answer

    async def close(self) -> None:
        """End all processes."""
        for process in self._processes.values():
            await _end(process)
        self._processes.clear()

    async def _process(self, key: tuple[Path, str]) -> asyncio.subprocess.Process:
        known = self._processes.get(key)
        if known is not None and known.returncode is None:
            return known
        # Those of other experiment files are not needed any more.
        for other in [other for other in self._processes if other[0] != key[0]]:
            await _end(self._processes.pop(other))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", MODULE, str(key[0]), key[1]),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=os.environ.copy(),
            limit=MOST_BYTES,
        )
        self._processes[key] = process
        return process


async def _end(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.kill()
    await process.wait()
