"""Two processes that meet by gloo, for tests of what they do together."""

import time
from collections.abc import Callable

import torch


def in_two_processes(work: Callable[..., None], *given: object) -> None:
    """Run ``work(rank, *given)`` in both to their end; neither may fail or hang."""
    context = torch.multiprocessing.get_context("spawn")
    processes = [context.Process(target=work, args=(rank, *given)) for rank in range(2)]
    for process in processes:
        process.start()
    end = time.monotonic() + 300
    for process in processes:
        process.join(max(0.0, end - time.monotonic()))
        if process.is_alive():
            process.terminate()
            process.join()
    assert [process.exitcode for process in processes] == [0, 0]
