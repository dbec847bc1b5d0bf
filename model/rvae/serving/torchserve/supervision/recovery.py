"""Models that stay without a worker, and what is to be done about them.

TorchServe starts a worker that has died again, but only for `maxRetryTimeoutInSec`: after that it
never tries again, though requests queue up. A model whose number of workers is set to 0 and back
gets new ones. A model that does not load is tried ever more seldom, as each try takes the processor
from the others.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from rvae.serving.torchserve.registrations import Registration

__all__ = ["Recovery"]

# TorchServe's own next try begins a second after the last one ended.
ABSENT_SECONDS = 4.0
MOST_SECONDS = 300.0


@dataclass
class _Absence:
    since: float
    patience: float
    told: int = 0


class Recovery:
    """Finds the models for which TorchServe has given up.

    Args:
        has_worker: Whether any process of a registration exists, ready or not.
    """

    def __init__(self, has_worker: Callable[[Registration], bool]) -> None:
        self._has_worker = has_worker
        self._absences: dict[tuple[str, str], _Absence] = {}

    def given_up(
        self, registrations: Iterable[Registration], ready: Collection[int], now: float
    ) -> list[tuple[Registration, int]]:
        """Those that have had no process for too long, and how often they have been told before.

        Each is told ever more seldom, until it is ready again.
        """
        found = []
        registered = list(registrations)
        keys = {one.key for one in registered}
        self._absences = {key: one for key, one in self._absences.items() if key in keys}
        for one in registered:
            if one.min_workers == 0 or not one.ready.isdisjoint(ready):
                self._absences.pop(one.key, None)
                continue
            absence = self._absences.setdefault(one.key, _Absence(now, ABSENT_SECONDS))
            if self._has_worker(one):
                absence.since = now
            elif now - absence.since >= absence.patience:
                found.append((one, absence.told))
                absence.since = now
                absence.patience = min(2 * absence.patience, MOST_SECONDS)
                absence.told += 1
        return found
