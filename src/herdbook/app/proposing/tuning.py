"""What `herdbook tune` proposes, measured by a process of its own (`measuring`): it takes much memory, and the page must go on."""

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from herdbook.errors import HerdbookError
from herdbook.system.progress import VARIABLE


class Tuning:
    """One measurement at a time; a new one ends the one before."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None

    async def propose(self, task: Mapping[str, Any], say: Callable[[str], Awaitable[None]]) -> dict[str, Any] | None:
        """Measure, and tell the proposal; None if it was stopped. `say` hears how far it is. Raises HerdbookError if nothing is found."""
        self.stop()
        with tempfile.TemporaryDirectory(prefix="herdbook-") as folder:
            out = Path(folder) / "proposal.json"
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "herdbook.app.proposing.measuring", str(out)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                env=os.environ | {VARIABLE: "1"},
            )
            self._process = process
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps(task).encode())
            process.stdin.close()
            last = ""
            async for line in process.stdout:
                last = line.decode("utf-8", "replace").strip() or last
                await say(last)
            failed = await process.wait()
            if self._process is not process:
                return None
            self._process = None
            if failed:
                raise HerdbookError(last or f"the measurement ended with status {failed}")
            return dict(json.loads(out.read_text(encoding="utf-8")))

    def stop(self) -> None:
        """End the measurement that runs, if one does."""
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError):
                process.kill()
