"""The servers side by side as bars."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Patch

from benchmarks.serving.results import Results
from benchmarks.serving.table import METRICS

__all__ = ["draw"]

SHOWN = ("lone_p50", "rate_32", "rate_128", "bulk_json", "memory_pss", "cold_start")
COLORS = {1: "#4c78a8", 2: "#f58518"}


def draw(results: Results, path: Path) -> None:
    """Write bars of medians with lines from the least round to the greatest, a panel a metric."""
    records = [record for record in results.records if record.workers]
    names = list(dict.fromkeys(record.server for record in records))
    workers = sorted({record.workers for record in records})
    thickness = 0.8 / len(workers)
    metrics = [metric for metric in METRICS if metric.name in SHOWN]
    figure, axes = plt.subplots(
        2, 3, figsize=(11, 1.6 + 0.7 * len(names)), sharey=True, layout="constrained"
    )
    for axis, metric in zip(axes.flat, metrics, strict=True):
        for i, count in enumerate(workers):
            for place, name in enumerate(names):
                values = [
                    record.values[metric.name]
                    for record in records
                    if (record.server, record.workers) == (name, count)
                    and metric.name in record.values
                ]
                if not values:
                    continue
                height = place + (i - (len(workers) - 1) / 2) * thickness
                color = COLORS.get(count, f"C{count}")
                axis.barh(height, float(np.median(values)), thickness, color=color)
                axis.plot([min(values), max(values)], [height, height], color="black", lw=1)
        better = "less is better" if metric.least_is_best else "more is better"
        axis.set_title(f"{metric.title} ({better})", fontsize=9)
        axis.set_yticks(range(len(names)), names)
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(labelsize=8)
    axes.flat[0].invert_yaxis()
    handles = [Patch(color=COLORS.get(count, f"C{count}")) for count in workers]
    labels = [f"{count} worker{'s' if count > 1 else ''}" for count in workers]
    figure.legend(handles, labels, loc="outside lower center", ncols=len(workers), fontsize=8)
    figure.savefig(path, dpi=120, metadata={"Date": None} if path.suffix == ".svg" else None)
    plt.close(figure)
