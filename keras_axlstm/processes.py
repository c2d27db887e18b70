"""Doing one thing for many items in several processes."""

import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

# So many items wait for a process that none is idle, and so few that they fit in memory.
_WAITING_PER_PROCESS = 4

_function: Callable[[Any], Any]


def map_in_processes(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    processes: int,
    *,
    preload: str,
) -> Iterator[Result]:
    """Call a function with each item, in some processes; yields the results in order.

    Only a few items are taken ahead of the results, so `items` may be an iterator over more than
    fits in memory.

    Args:
        function: picklable; it is sent to each process once.
        items: picklable.
        processes: at most so many; with 1 the work is done in this process.
        preload: name of the module whose imports are done once for all processes.
    """
    if processes <= 1:
        yield from map(function, items)
        return
    # The imports are done once, in a process that has no threads yet and is copied from then on.
    context = multiprocessing.get_context("spawn" if sys.platform == "win32" else "forkserver")
    if sys.platform != "win32":
        context.set_forkserver_preload([__name__, preload])
    pool = ProcessPoolExecutor(processes, context, initializer=_start, initargs=(function,))
    waiting: deque[Any] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(_call, item))
            if len(waiting) > _WAITING_PER_PROCESS * processes:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _start(function: Callable[[Any], Any]) -> None:
    global _function
    _function = function
    # Ctrl-C goes to all processes. The main one answers it, and waits for items that are begun.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _call(item: Any) -> Any:
    return _function(item)


def _end_with_parent() -> None:
    """Without this, workers of a process that is killed would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
