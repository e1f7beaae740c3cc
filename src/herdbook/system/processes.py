"""Parts of a long task in several processes, with results in the order of the parts."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.context import BaseContext
from queue import Empty
from typing import Any, TypeVar

import cv2

P = TypeVar("P")
T = TypeVar("T")

# Length of the queue of results of each process; a process with a full queue waits for the reader. With queues shorter than the results of
# one part, processes would wait for each other; with exactly one part, they still did whenever one of them was delayed.
WAITING = 24
ALIVE_CHECK_S = 1.0


def run_side_by_side(work: Callable[[P], Iterator[T]], parts: Sequence[P], workers: int) -> Iterator[T]:
    """The results of `work` for each part, in the order of the parts.

    Parts are distributed to `workers` processes in turn. Processes, not threads: Python itself has so much to do between decoder and
    kernels that two threads were only 1.4 times as fast as one. Processes are forks, which start in milliseconds; where the system has no
    fork, and for a single worker, parts are processed one after the other. An exception in a process is raised here, and all processes end
    with the iterator.
    """
    workers = min(workers, len(parts))
    if workers <= 1 or "fork" not in multiprocessing.get_all_start_methods():
        return (result for part in parts for result in work(part))
    # OpenCV's thread pool does not survive a fork.
    cv2.setNumThreads(1)
    context: BaseContext = multiprocessing.get_context("fork")
    queues = [context.Queue(WAITING) for _ in range(workers)]
    processes = [
        context.Process(target=_work, args=(work, parts[k::workers], queue), daemon=True)  # type: ignore[attr-defined]
        for k, queue in enumerate(queues)
    ]
    for process in processes:
        process.start()
    return _in_order(len(parts), queues, processes)


def _work(work: Callable[[P], Iterator[T]], parts: Sequence[P], queue: Any) -> None:
    try:
        for part in parts:
            for result in work(part):
                queue.put(("result", result))
            queue.put(("end", None))
    except BaseException as error:
        queue.put(("error", error))


def _in_order(parts: int, queues: list[Any], processes: list[Any]) -> Iterator[Any]:
    done = False
    try:
        for part in range(parts):
            worker = part % len(queues)
            while True:
                kind, value = _next(queues[worker], processes[worker])
                if kind == "error":
                    raise value
                if kind == "end":
                    break
                yield value
        # Now all processes end by themselves; before, they might wait forever for space in a queue that is no longer read.
        done = True
    finally:
        for process, queue in zip(processes, queues, strict=True):
            if not done:
                process.terminate()
            process.join()
            queue.close()


def _next(queue: Any, process: Any) -> tuple[str, Any]:
    while True:
        try:
            return queue.get(timeout=ALIVE_CHECK_S)  # type: ignore[no-any-return]
        except Empty:
            if not process.is_alive() and queue.empty():
                raise RuntimeError(f"a process ended before its work was done (exit code {process.exitcode}); out of memory?") from None
