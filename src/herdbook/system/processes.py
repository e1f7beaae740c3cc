"""Parts of one long piece of work in several processes, their results in the order of the parts."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.context import BaseContext
from queue import Empty
from typing import Any, TypeVar

import cv2

P = TypeVar("P")
T = TypeVar("T")

# Results that wait for their turn, per process: the work stops there until the reader has caught up. With room for fewer than a part's
# results the processes would wait for each other; with room for just one part they did so whenever one of them was held up.
WAITING = 24
ALIVE_CHECK_S = 1.0


def run_side_by_side(work: Callable[[P], Iterator[T]], parts: Sequence[P], workers: int) -> Iterator[T]:
    """The results of `work` for each part, part after part, whichever was done first.

    The parts are dealt to `workers` processes in turn. Processes, not threads: between decoder and kernels Python itself has so much to do
    that two threads gained only 1.4 x. They are forks, which start in milliseconds; where there are none, and for a single worker, the
    parts are done one after the other. An exception in a process is raised here, and all processes end with the iterator.
    """
    workers = min(workers, len(parts))
    if workers <= 1 or "fork" not in multiprocessing.get_all_start_methods():
        return (result for part in parts for result in work(part))
    # A pool of OpenCV's threads would not survive the fork.
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
        # Only then do they end by themselves: before, they may wait for room in a queue that nobody empties.
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
