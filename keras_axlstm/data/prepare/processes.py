import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed

from keras_axlstm.data.prepare.shard_job import ShardJob

_job: ShardJob


def write_shards(job: ShardJob, numbers: Sequence[int], processes: int) -> Iterator[int]:
    """Make shards in some processes; yields the number of each as it is finished."""
    processes = min(processes, len(numbers))
    if processes <= 1:
        yield from map(job.write, numbers)
        return
    # The imports are done once, in a process that has no threads yet and is copied from then on.
    context = multiprocessing.get_context("spawn" if sys.platform == "win32" else "forkserver")
    if sys.platform != "win32":
        context.set_forkserver_preload([__name__])
    pool = ProcessPoolExecutor(processes, context, initializer=_start, initargs=(job,))
    try:
        futures = [pool.submit(_write, number) for number in numbers]
        for future in as_completed(futures):
            yield future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _start(job: ShardJob) -> None:
    global _job
    _job = job
    # Ctrl-C goes to all processes. The main one answers it, and waits for shards that are begun.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _write(number: int) -> int:
    return _job.write(number)


def _end_with_parent() -> None:
    """Without this, workers of a process that is killed would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
