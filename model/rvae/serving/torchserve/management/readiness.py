"""Until the workers of a version have loaded, or why they do not."""

import asyncio

from rvae.serving.torchserve.management.models import GoneError, Models
from rvae.serving.torchserve.worker_log import WorkerLog

__all__ = ["until_ready"]

POLL_SECONDS = 0.1
POLLS_BETWEEN_LOGS = 5  # a worker that does not load is started again and again


async def until_ready(
    models: Models,
    key: tuple[str, str],
    least: int,
    log: WorkerLog,
    seconds: float,
) -> str | None:
    """Return when a version has its workers; or why it does not get them, in words.

    TorchServe would tell so itself, but not without making others wait.

    Args:
        models: The models of TorchServe.
        key: Name and version.
        least: How many workers are to be ready.
        log: What is written of workers since they were asked for.
        seconds: Longest time.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    polls = 0
    while loop.time() < deadline:
        try:
            workers = await models.workers(*key)
        except GoneError:
            return "TorchServe was replaced meanwhile"
        if workers is None:
            return "it was unregistered meanwhile"
        if sum(workers) >= least:
            return None
        polls += 1
        if polls % POLLS_BETWEEN_LOGS == 0:
            reason = await asyncio.to_thread(log.failure, "_".join(key))
            if reason is not None:
                return reason
        await asyncio.sleep(POLL_SECONDS)
    return f"it has not loaded within {seconds:g} s"
