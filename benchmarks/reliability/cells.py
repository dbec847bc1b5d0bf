"""Cells of the simulation: many calibrations of the same kind of series, averaged."""

from collections import defaultdict
from typing import Any, NamedTuple

import numpy as np

from benchmarks.reliability.series import KINDS
from benchmarks.reliability.simulation import measure

__all__ = ["CHANNELS", "LENGTHS", "Cell", "cell_of", "cells", "measured_cell"]

LENGTHS = (200, 500, 1_000, 2_000, 10_000, 100_000)
CHANNELS = (1, 12, 55)


class Cell(NamedTuple):
    """A kind of series.

    Attributes:
        kind: Name of the kind.
        channels: Channels C.
        points: Points N that are known.
    """

    kind: str
    channels: int
    points: int


def cells() -> list[Cell]:
    """All cells, the quick ones first."""
    found = [Cell(kind, c, n) for kind in KINDS for c in CHANNELS for n in LENGTHS]
    return sorted(found, key=lambda cell: cell.channels * (cell.points + fresh_points(cell)))


def cell_of(record: dict[str, Any]) -> Cell:
    """The cell of a record."""
    return Cell(record["kind"], record["channels"], record["points"])


def fresh_points(cell: Cell) -> int:
    """Points of fresh data for each calibration."""
    return 4_000 if cell.points < 10_000 else 20_000


def calibrations(cell: Cell) -> int:
    """Number of calibrations: fewer where each says more and takes longer."""
    numbers = cell.channels * cell.points
    return 400 if numbers < 200_000 else 200 if numbers < 1_000_000 else 100


def measured_cell(cell: Cell) -> dict[str, Any]:
    """The mean rates of a cell, with the standard error of their difference.

    Returns:
        The cell and `results`: per plan and promise the number of calibrations, that of those which
        promise, the means of what they promise and what is measured, the standard error of the
        measured less the promised, and the median number of blocks.
    """
    found: dict[tuple[str, str], list[tuple[float, float, int]]] = defaultdict(list)
    count = calibrations(cell)
    for number in range(count):
        seed = [number, *cell._asdict()["kind"].encode(), cell.channels, cell.points]
        random = np.random.default_rng(seed)
        for plan, one in measure(
            KINDS[cell.kind], cell.points, cell.channels, fresh_points(cell), random
        ):
            found[plan, one.promise].append((one.promised, one.measured, one.blocks))
    results = []
    for (plan, promise), rows in found.items():
        promised, measured, blocks = np.array(rows).T
        given = ~np.isnan(promised)
        number = int(given.sum())
        excess = measured[given] - promised[given]
        results.append(
            {
                "plan": plan,
                "promise": promise,
                "calibrations": len(rows),
                "promising": number,
                "promised": float(promised[given].mean()) if number else None,
                "measured": float(measured[given].mean()) if number else None,
                "error": float(excess.std(ddof=1) / np.sqrt(number)) if number > 1 else None,
                "blocks": float(np.median(blocks)),
            }
        )
    return {**cell._asdict(), "results": results}
