"""What all workers have counted since the start, also those that have ended."""

import logging
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rvae.data.sketch import stability_index
from rvae.serving.metrics.counts_file import SUFFIX, Contents, read, weight
from rvae.serving.metrics.measures import NUMBERS

__all__ = ["LEAST_RECENT", "Total", "Totals"]

# Of fewer values, chance alone makes the index of ten bins larger than 0.01.
LEAST_RECENT = 1000

logger = logging.getLogger(__name__)


@dataclass
class Total:
    """What was counted of a version of a model.

    Attributes:
        common: In the `PLACES` of `measures` (NUMBERS,).
        flagged_share: Share of normal windows that the model flags, at most.
        missing: Missing values by channel.
        bins: By channel, the share of the training values in each bin (B,), and the weights of the
            values there (B,) at the time that `Totals` has for all.
    """

    common: NDArray[np.float64] = field(default_factory=lambda: np.zeros(NUMBERS))
    flagged_share: float = 0.0
    missing: dict[str, float] = field(default_factory=dict)
    bins: dict[str, tuple[tuple[float, ...], NDArray[np.float64]]] = field(default_factory=dict)

    def add(self, counted: Contents, weight: float) -> None:
        """Add what a worker has counted.

        Args:
            counted: Its file.
            weight: Weight of its weights.
        """
        head = counted.head
        self.common = self.common + counted.common
        self.flagged_share = head.flagged_share
        for name, missing in zip(head.channels, counted.missing.tolist(), strict=True):
            self.missing[name] = self.missing.get(name, 0.0) + missing
        ends = np.cumsum([len(shares) for shares in head.shares])
        for name, shares, weights in zip(
            head.channels[: len(ends)], head.shares, np.split(counted.bins, ends)[:-1], strict=True
        ):
            known, before = self.bins.get(name, (shares, 0.0))
            # Another model under the same name and version begins anew.
            self.bins[name] = shares, weight * weights + (before if known == shares else 0.0)

    def copy(self) -> "Total":
        """Another one, to which can be added."""
        return Total(self.common, self.flagged_share, dict(self.missing), dict(self.bins))

    def drift(self, recent: float) -> dict[str, float]:
        """Population stability index of each channel of which enough values are known.

        Args:
            recent: Weight of a value of now.
        """
        return {
            name: stability_index(shares, weights)
            for name, (shares, weights) in self.bins.items()
            if weights.sum() >= LEAST_RECENT * recent
        }


class Totals:
    """Adds up the files of a folder, for one reader at a time.

    The file of a process that has ended is added once more, kept and removed: so that nothing that
    was counted is lost, and files do not pile up.

    Args:
        folder: Folder of the workers' counts.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ended: dict[tuple[str, str], Total] = {}
        # All weights are those of this time.
        self._since = time.monotonic()

    def read(self) -> dict[tuple[str, str], Total]:
        """What was counted, by name and version of the model."""
        living = []
        for path in self._folder.glob(f"*{SUFFIX}"):
            try:
                counted, is_final = read(path)
                if is_final:
                    path.unlink()
            except OSError as error:
                logger.warning("Cannot read what a worker has counted: %s", error)
                continue
            except ValueError as error:
                logger.warning("No metrics of worker %s: %s", path.name.split("-")[0], error)
                path.unlink(missing_ok=True)  # it counts on in memory that nobody reads
                continue
            if is_final:
                self._add(self._ended, counted)
            else:
                living.append(counted)
        found = {key: total.copy() for key, total in self._ended.items()}
        for counted in sorted(living, key=lambda one: one.head.since):
            self._add(found, counted)
        return found

    @property
    def recent(self) -> float:
        """The weight of a value of now."""
        return weight(time.monotonic(), self._since)

    def _add(self, to: dict[tuple[str, str], Total], counted: Contents) -> None:
        head = counted.head
        total = to.setdefault((head.model, head.version), Total())
        total.add(counted, weight(head.since, self._since))
