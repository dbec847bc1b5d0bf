"""Series that came with a request, whatever they came in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rvae.data.series import Series
from rvae.errors import FieldError, require
from rvae.inference.card import Card
from rvae.serving.contract.beside import beside, classes_of, times_of
from rvae.serving.contract.options import MOST, Options

__all__ = ["Given", "given", "require_few", "require_fits", "require_window"]

Place = Callable[[int, int], str]


@dataclass(frozen=True)
class Given:
    """What a request is about.

    Attributes:
        series: None, where it is about latents or about nothing.
        flat: For each series, whether its values were given without a channel axis, as `columns` of
            a single channel are, too.
        many: Whether there might have been several.
        latent: Latents (S, D) to decode, if that is what it is about.
        wide: Whether numbers came with more than 32 bits.
        named: Whether each series came with a name.
    """

    series: list[Series]
    flat: list[bool]
    many: bool
    latent: NDArray[np.float32] | None = None
    wide: bool = True
    named: bool = False


def given(
    values: Sequence[NDArray[np.float64]],
    flat: list[bool],
    many: bool,
    options: Options,
    card: Card,
    wide: bool = True,
) -> Given:
    """Series of which the values (N, C) are known to fit, with what the options say beside them.

    Raises:
        FieldError: If times or classes do not fit the model or the values.
    """
    lengths = [len(one) for one in values]
    times = times_of(beside(options.timestamps, "timestamps", many, len(values)), lengths, card)
    classes = classes_of(beside(options.label, "label", many, len(values)), lengths, card)
    series = [
        Series(one, str(i), None, when, kinds)
        for i, (one, when, kinds) in enumerate(zip(values, times, classes, strict=True))
    ]
    return Given(series, flat, many, wide=wide)


def require_few(series: int, field: str) -> None:
    """Raise a `FieldError` where a request has too many series."""
    require(series <= MOST, field, f"has {series} series, a request may have {MOST}: send less")


def require_window(steps: int, field: str, card: Card) -> None:
    """Raise a `FieldError` where a series is shorter than the model's window."""
    require(
        steps >= card.window,
        field,
        f"has {steps} time steps, the model's window needs at least {card.window}",
    )


def require_fits(
    values: NDArray[np.float64],
    absent: NDArray[np.bool_] | None,
    field: str,
    place: Place,
    card: Card,
) -> None:
    """Raise a `FieldError` where a value is out of what the model takes, or all are missing.

    Args:
        values: Of a series (N, C).
        absent: Which of them are missing (N, C); none, if left out.
        field: What the series is called.
        place: What the value of a step and channel is called.
        card: Of the model.
    """
    low, high = card.bounds
    # A NaN that stands for what is missing is nowhere, any other is out of bounds.
    wrong = ~((values >= low) & (values <= high))
    coded = np.array(card.scaler.categories) > 0
    if coded.any():
        wrong |= coded & (values != np.trunc(values))
    if absent is not None:
        require(not absent.all(), field, "has no value at all")
        wrong &= ~absent
    if wrong.any():
        step, channel = divmod(int(np.argmax(wrong)), values.shape[1])
        takes = "whole numbers of categories" if card.scaler.categories[channel] else "values"
        raise FieldError(
            place(step, channel),
            f"is {values[step, channel]:g}, but the model takes {takes} from "
            f"{low[channel]:.4g} to {high[channel]:.4g}",
        )
