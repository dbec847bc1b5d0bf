"""What a service tells of its work."""

from collections.abc import Sequence
from typing import Protocol

from rvae.data.series import Series
from rvae.inference.analysis import Encoded
from rvae.serving.metrics.measures import Phases

__all__ = ["UNREPORTED", "Report"]


class Report(Protocol):
    """Told by a service what it has done, while clients wait: it must take no time."""

    def batch(self, requests: int) -> None:
        """So many requests came together."""

    def answered(self, phases: Phases, series: Sequence[Series], found: Sequence[Encoded]) -> None:
        """A request was answered, with what the model has found in each of its series."""


class _Unreported:
    """Where nobody wants to know."""

    def batch(self, requests: int) -> None: ...

    def answered(
        self, phases: Phases, series: Sequence[Series], found: Sequence[Encoded]
    ) -> None: ...


UNREPORTED: Report = _Unreported()
