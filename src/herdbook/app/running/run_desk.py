"""The runs of the experiment that is open, for all tabs: what is known of them is sent whenever it changes."""

import asyncio
import logging
import os
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from herdbook.app.running.profiles import profile_folders
from herdbook.app.runs import RunError, Runs
from herdbook.errors import HerdbookError

T = TypeVar("T")
LOG = logging.getLogger(__name__)
Tell = Callable[[dict[str, Any]], Awaitable[None]]

# How often a run is looked at, and how often whether somebody else has begun one.
POLL_S, IDLE_S = 0.5, 2.0
# Which jobs would run is asked of Snakemake, which takes seconds of computing: only when nothing was moved for so long.
REST_S = 2.0


class RunDesk:
    """Starts, follows and stops runs. Its methods are called in the server's loop; `tell` sends a message to all tabs."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._runs: Runs | None = None
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="runs")
        self._planner = ThreadPoolExecutor(1, thread_name_prefix="plans")
        self._state: dict[str, Any] = {}
        self._plan: dict[str, Any] = {}
        self._wanted: tuple[object, Mapping[str, Any]] | None = None
        self._planned: object = None
        self._asked = asyncio.Event()

    async def open(self, path: Path | None) -> None:
        """Follow the runs of another experiment, or of none."""
        self._runs = None if path is None else await self._do(lambda: Runs(path))
        self._state, self._plan, self._wanted, self._planned = {}, {}, None, None

    def close(self) -> None:
        """Leave runs to themselves."""
        self._threads.shutdown()
        self._planner.shutdown(wait=False, cancel_futures=True)

    def news(self) -> list[dict[str, Any]]:
        """What a tab that has just come must know."""
        return [message for message in (self._state, self._plan) if message]

    async def act(self, action: str, content: Mapping[str, Any]) -> dict[str, Any]:
        """Start, stop or unlock. Raises HerdbookError if it cannot be done."""
        runs = self._opened
        if action == "start":
            target, cores, profile = str(content.get("target", "everything")), content.get("cores"), str(content.get("profile") or "")
            if cores is not None and not (isinstance(cores, int) and 1 <= cores <= 10_000):
                raise RunError(f"{cores!r} is no number of cores")
            folders = profile_folders()
            if profile and profile not in folders:
                raise RunError(f"there is no profile {profile!r}; there are {', '.join(sorted(folders)) or 'none'}")
            await self._do(lambda: runs.start(target, cores, str(folders[profile]) if profile else None))
            result: dict[str, Any] = {}
        elif action == "stop":
            result = {"signal": await self._do(runs.stop)}
        elif action == "unlock":
            await self._do(runs.unlock)
            result = {}
        else:
            raise RunError(f"there is no action {action!r}")
        await self._look()
        return result

    async def log(self, job: str) -> str:
        """The end of the log of a job."""
        runs = self._opened
        return await self._do(lambda: runs.log(job))

    def plan_for(self, key: object, values: Mapping[str, Any]) -> None:
        """Find out soon which jobs would run with these values of the experiment file; `key` tells them from others."""
        self._wanted = (key, values)
        if key != self._planned:
            self._asked.set()

    async def watch(self) -> None:
        """Look at runs and plan, for ever."""
        await asyncio.gather(self._look_again(), self._plan_again())

    @property
    def _opened(self) -> Runs:
        if self._runs is None:
            raise HerdbookError("no experiment is open")
        return self._runs

    async def _do(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def _look_again(self) -> None:
        while True:
            try:
                await self._look()
            except Exception:  # the page must go on after a mistake in the program, too
                LOG.exception("looking at the run failed")
            await asyncio.sleep(POLL_S if self._state.get("running") else IDLE_S)

    async def _look(self) -> None:
        runs = self._runs
        if runs is None:
            return
        state = await self._do(runs.state)
        state |= {"type": "run", "computer_cores": os.cpu_count() or 1, "profiles": sorted(profile_folders())}
        if state == self._state or runs is not self._runs:
            return
        ended = self._state.get("running") and not state["running"]
        self._state = state
        await self._tell(state)
        if ended:
            self._planned = None
            self._asked.set()

    async def _plan_again(self) -> None:
        while True:
            await self._asked.wait()
            self._asked.clear()
            await asyncio.sleep(REST_S)
            # Whatever was asked meanwhile counts; what would run after the run is asked when it has ended.
            if self._asked.is_set() or self._runs is None or self._wanted is None or self._state.get("running"):
                continue
            runs, (key, values) = self._runs, self._wanted
            try:
                jobs = await asyncio.get_running_loop().run_in_executor(self._planner, lambda: runs.planned("everything", values))  # noqa: B023
                plan: dict[str, Any] = {"jobs": dict(Counter(job["stage"] for job in jobs)), "fault": ""}
            except HerdbookError as error:
                plan = {"jobs": {}, "fault": str(error)}
            except Exception as error:  # as above
                LOG.exception("planning failed")
                plan = {"jobs": {}, "fault": str(error)}
            if runs is self._runs:
                self._planned, self._plan = key, {"type": "planned", **plan}
                await self._tell(self._plan)
