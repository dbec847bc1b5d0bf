"""Promised and measured rates of flags and events, as a table and as a picture."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

    from rvae.evaluation.reliability import Reliability

__all__ = ["draw_reliability", "reliability_sentences", "reliability_table"]


def reliability_table(found: "Reliability") -> "Table":
    """One row per threshold, and one for the band."""
    from rich.table import Table

    from rvae.evaluation.reliability_text import VERDICT_WORDS, event_unit, measured_text, number
    from rvae.scoring.promise import share_text

    unit, steps = event_unit(found.interval)
    table = Table(
        "quantile",
        "windows: promised, at most",
        "measured (95 % interval)",
        f"events per {unit}: promised, at most",
        "measured (95 % interval)",
        "promise",
        title=f"Normal windows, {found.levels[0].windows.blocks} independent blocks",
    )
    for place, level in enumerate(found.levels):
        name = f"{level.quantile:.6g}"
        table.add_row(
            name if place else f"{name} (own)",
            share_text(level.windows.promised),
            measured_text(level.windows),
            number(steps * level.events.promised),
            measured_text(level.events, steps),
            VERDICT_WORDS[level.verdict],
        )
    if found.band is not None:
        promised, measured = share_text(found.band.promised), measured_text(found.band)
        table.add_row(
            "values beyond band", promised, measured, "", "", VERDICT_WORDS[found.band.verdict]
        )
    return table


def reliability_sentences(found: "Reliability") -> Iterator[str]:
    """Whether a promise is broken, the least that is promised, and what stricter promises take."""
    from rvae.config.alarms import alarm_text
    from rvae.evaluation.reliability_text import BROKEN, need_text
    from rvae.scoring.promise import share_text

    if any(level.verdict == "broken" for level in found.levels):
        yield BROKEN
    fewest = alarm_text(found.fewest, found.interval)
    yield f"Nothing below {share_text(found.smallest)} of windows or {fewest} is promised."
    for need in found.needs:
        yield f"Needed for {need_text(need, found.interval)}."


def draw_reliability(found: "Reliability | None", path: Path) -> None:
    """Write the picture.

    Raises:
        FieldError: If there was nothing to compare.
    """
    from rvae.errors import FieldError
    from rvae.evaluation.reliability_text import event_unit
    from rvae.plots.reliability import plot_reliability
    from rvae.plots.saving import save_axes

    if found is None:
        raise FieldError("data", "has no normal window to compare promises with")
    axes = plot_reliability(
        [level.windows for level in found.levels],
        [level.events for level in found.levels],
        (found.smallest, found.fewest),
        event_unit(found.interval),
    )
    save_axes(axes[0], path)
