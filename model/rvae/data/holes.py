"""Series cut at holes in their times."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from rvae.config.duration import duration_text, round_duration
from rvae.data.series import Dataset, Series
from rvae.data.time_steps import UNEVEN_SHARE, TimeSteps
from rvae.errors import FieldError

__all__ = ["cut_at_holes", "long_enough", "short_pieces"]

NAMED = 5


def cut_at_holes(dataset: Dataset, steps: Sequence[TimeSteps | None]) -> Dataset:
    """Cut every series that has holes into its pieces: series/1, series/2, …

    The pieces of a series follow each other and make up the whole of it.

    Args:
        dataset: The series.
        steps: The time steps of each series.

    Raises:
        FieldError: If the steps are uneven throughout, so that there is no usual one.
    """
    _require_even(dataset, steps)
    cut: list[Series] = []
    notes = list(dataset.notes)
    for series, its in zip(dataset.series, steps, strict=True):
        if its is None or not len(its.holes):
            cut.append(series)
            continue
        borders = pairwise([0, *its.holes.tolist(), len(series)])
        for number, (start, stop) in enumerate(borders, 1):
            piece = series.steps(slice(start, stop), f"{series.name}/{number}")
            cut.append(replace(piece, origin=series.name))
        longest = int(its.lengths.argmax())
        before = int(its.holes[longest]) - 1
        notes.append(
            f"Series {series.name} was cut at holes in its times ({len(its.holes)}), the "
            f"longest of {duration_text(its.lengths[longest])} after "
            f"{series.part(before, before + 1).clock()[0].astype('datetime64[s]')}."
        )
    return replace(dataset, series=cut, notes=tuple(notes))


def _require_even(dataset: Dataset, steps: Sequence[TimeSteps | None]) -> None:
    there = [its for its in steps if its is not None]
    count, uneven = (sum(getattr(its, name) for its in there) for name in ("count", "uneven"))
    if uneven <= UNEVEN_SHARE * count:
        return
    worst, its = max(
        ((series, its) for series, its in zip(dataset.series, steps, strict=True) if its),
        key=lambda pair: pair[1].uneven / pair[1].count,
    )
    raise FieldError(
        "reader.time",
        f"{uneven} of {count} steps differ by more than half from the usual one, which is "
        f"{duration_text(its.usual)} in series {worst.name}: place the rows on a regular grid, "
        f"for instance with --reader.every {round_duration(its.usual)}, or take them as even "
        "steps with --reader.holes keep",
    )


def long_enough(series: Sequence[Series], window: int, field: str, fix: str) -> list[Series]:
    """The series without the pieces that are shorter than a window.

    Args:
        series: Whole series, or their pieces.
        window: Time steps of a window.
        field: Field of the error.
        fix: What the user may do, for its message.

    Raises:
        FieldError: If there is nothing but pieces that are too short.
    """
    kept = [s for s in series if s.origin is None or len(s) >= window]
    if not kept:
        longest = max(series, key=len)
        raise FieldError(
            field,
            f"a window of {window} steps has no hole in it, but the longest piece between holes "
            f"is {longest.name} with {len(longest)} steps{fix}",
        )
    return kept


def short_pieces(series: Sequence[Series], window: int) -> tuple[str, ...]:
    """A sentence on the pieces that are shorter than a window, if there are any."""
    short = [s for s in series if s.origin is not None and len(s) < window]
    if not short:
        return ()
    names = ", ".join(s.name for s in short[:NAMED]) + (", …" if short[NAMED:] else "")
    return (
        f"Left out: {sum(map(len, short))} points in {len(short)} pieces between holes that are "
        f"shorter than a window of {window} steps: {names}.",
    )
