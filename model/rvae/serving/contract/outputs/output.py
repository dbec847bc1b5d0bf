"""Definition of an output: its name, its axis, its fields in an answer, its computation."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from pydantic import ConfigDict
from pydantic import Field as SchemaField

from rvae.serving.contract.outputs.computation import Computation
from rvae.serving.contract.sizes import Kind

__all__ = ["CLOSED", "Axis", "Field", "Number", "Output", "Steps"]

CLOSED = ConfigDict(extra="forbid")

# Null is unknown: nothing was observed of this window, step or channel.
Number = float | None
Steps = Annotated[
    list[float | str | None] | list[list[float | str | None]],
    SchemaField(description="Values per step as in the request, categories as text."),
]


class Axis(StrEnum):
    """Meaning of the first axis of an output, and so of the rows of its table."""

    WINDOW = "window"
    POINT = "point"
    EVENT = "event"


@dataclass(frozen=True)
class Field:
    """A field of an answer.

    Attributes:
        name: Name in JSON, and of the tensor.
        schema: Type of the JSON value, from which pydantic makes the schema.
        axes: Names of the axes after the first. A last axis named "channel" is left out in the
            answer to a series that came without a channel axis.
        in_units: Whether the values are in the units of the data: a column per channel in tables,
            categories as words.
        column: Name of the column in tables, if that is not the name; of values in units it is the
            suffix of the channels' names.
        kind: What the values are, if they are not in units.
        shared: Whether one value holds for all windows, unless the threshold adapts.
    """

    name: str
    schema: Any
    axes: tuple[str, ...] = ()
    in_units: bool = False
    column: str | None = None
    kind: Kind = Kind.FLOAT64
    shared: bool = False

    @property
    def column_name(self) -> str:
        """Name of the column in tables."""
        return self.column or self.name


@dataclass(frozen=True)
class Output:
    """A kind of result of a series.

    Attributes:
        name: Name in a request.
        axis: What the first axis of the values counts.
        fields: What an answer holds, in order.
        compute: Values of every field for each series of a request, in order: arrays (W, ...) per
            window or (N, ...) per point, without axes if one number holds for all; lists of
            `rvae.scoring.events.Event` for the axis of events.
        uses_threshold: Whether it depends on the threshold, whose quantile must then be within
            the range of the calibration.
        decodes: Whether it needs more than the latents of windows.
    """

    name: str
    axis: Axis
    fields: tuple[Field, ...]
    compute: Callable[[Computation], list[dict[str, Any]]]
    uses_threshold: bool = False
    decodes: bool = True

    @property
    def is_array(self) -> bool:
        """Whether one array, the field of the same name, holds the output."""
        return self.axis is not Axis.EVENT and any(field.name == self.name for field in self.fields)
