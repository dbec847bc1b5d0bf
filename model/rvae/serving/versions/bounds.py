"""How far a new version may be from the old one."""

from dataclasses import dataclass

from rvae.errors import require

__all__ = ["Bounds"]


@dataclass(frozen=True)
class Bounds:
    """How far a new version may be from the old one.

    Attributes:
        shift: Largest Kolmogorov distance between their tail probabilities, from 0 to 1.
        alerts: Largest difference of the shares of windows that they flag, from 0 to 1.
        latency: How many times as long the new version may take, at the median.
        errors: Share of the new version's answers to clients that may be errors of the server,
            beyond the old version's.
    """

    shift: float = 0.2
    alerts: float = 0.05
    latency: float = 2.0
    errors: float = 0.0

    def __post_init__(self) -> None:
        for name in ("shift", "alerts", "errors"):
            value = getattr(self, name)
            require(0 <= value <= 1, f"bounds.{name}", f"must be from 0 to 1, got {value}")
        require(self.latency > 0, "bounds.latency", f"must be above 0, got {self.latency}")
