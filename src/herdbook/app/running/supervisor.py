"""`python -m herdbook.app.running.supervisor FOLDER DETAILS COMMAND...` runs a command; run.json in FOLDER says which process it is.

It outlives the app, so that a run goes on when the app ends, and the app finds it again. Signals are for the command, which has the same
group of processes. Whoever interrupts it means that it ends: if the command does not by itself, the supervisor ends it.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType

from herdbook.app.running.snakemake_locks import remove_locks
from herdbook.system.alive import group_members, process_start
from herdbook.system.files import write_text

RUN, LOG = "run.json", "run.log"
# Seconds from Ctrl-C to the next signals. Snakemake usually needs 2 s; it may hang if it is interrupted just when it starts jobs, and a
# job in the middle of a long computation does not listen.
FIRMER: tuple[tuple[float, int], ...] = ((2.5, signal.SIGTERM), (4.0, signal.SIGKILL))
PAUSE_S = 0.05


class Supervisor:
    """Waits for a command that shares its group of processes, and ends the group if it was interrupted and does not end.

    `firmer`: seconds after the interrupt, and the signal to the group then.
    """

    def __init__(self, firmer: Sequence[tuple[float, int]] = FIRMER) -> None:
        self._firmer = list(firmer)
        self._interrupted_s: float | None = None
        # Whether the group had to be ended by force, and may have left its lock.
        self.forced = False

    def listen(self) -> None:
        """Take the signals of the group. A handler, unlike a signal that is ignored, is not passed on to the command."""
        signal.signal(signal.SIGINT, self._interrupt)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _leave_it_to_the_command)

    def wait_for(self, process: "subprocess.Popen[bytes]") -> int:
        """The exit status of the command. If it was interrupted, nothing of its group is left then."""
        status = None
        while True:
            with suppress(subprocess.TimeoutExpired):
                status = process.wait(PAUSE_S if self._interrupted_s is not None else 0.5)
            if status is not None and (self._interrupted_s is None or not self._firmer or not _others_of_group()):
                return status
            if status is not None:
                time.sleep(PAUSE_S)
            if self._interrupted_s is None or not self._firmer or time.monotonic() - self._interrupted_s < self._firmer[0][0]:
                continue
            number = self._firmer.pop(0)[1]
            self.forced = self.forced or number == signal.SIGKILL
            for pid in _others_of_group():
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, number)

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        if self._interrupted_s is None:
            self._interrupted_s = time.monotonic()


def _others_of_group() -> list[int]:
    """The other processes of the own group that live."""
    return [pid for pid in group_members(os.getpgrp()) if pid != os.getpid() and process_start(pid) is not None]


def main(arguments: list[str]) -> int:
    """Run the command to its end; its exit status."""
    folder, details, command = Path(arguments[0]), json.loads(arguments[1]), arguments[2:]
    # Jobs on a cluster are called off one by one, which takes time: who is in a hurry there clicks again.
    supervisor = Supervisor(() if details.get("profile") else FIRMER)
    supervisor.listen()
    own = {"pid": os.getpid(), "start": process_start(os.getpid()), "host": socket.gethostname(), "began": time.time()}
    with (folder / LOG).open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        child = {"pid": process.pid, "start": process_start(process.pid)}
        run = {**details, **own, "command": command, "child": child}
        write_text(folder / RUN, json.dumps(run, indent=1) + "\n")
        status = supervisor.wait_for(process)
    if supervisor.forced and details.get("results"):
        remove_locks(Path(details["results"]), folder.parent.name)
    write_text(folder / RUN, json.dumps({**run, "status": status, "ended": time.time()}, indent=1) + "\n")
    return status


def _leave_it_to_the_command(_number: int, _frame: FrameType | None) -> None:
    pass


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
