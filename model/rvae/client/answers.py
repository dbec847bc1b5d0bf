"""Answers in JSON → arrays, checked against what was asked: no row is lost, none comes twice."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from rvae.client.description import Description
from rvae.client.errors import AnswerError
from rvae.client.pieces import Piece
from rvae.client.transport import Answer
from rvae.scoring.events import Event
from rvae.serving.contract.outputs import OUTPUTS
from rvae.serving.contract.outputs.output import Axis, Field
from rvae.serving.contract.sizes import Kind

__all__ = ["Fields", "read_array", "read_fields"]

Fields = dict[str, Any]
"""Results of a series by the names of fields: arrays (W, ...) or (N, ...), events, or one number.

Values in the data's units are a list of columns (N,), one per channel.
"""

TYPES = {Kind.FLAG: np.bool_, Kind.FLOAT32: np.float32}


def read_fields(
    answer: Answer, description: Description, group: Sequence[Piece], outputs: Sequence[str]
) -> list[Fields]:
    """The results of pieces, in order.

    Raises:
        AnswerError: If the answer is not that of this version to this request.
    """
    try:
        content = orjson.loads(answer.body)
        found = content.get("predictions", [content])
        _require(content["version"] == description.version, "comes from another version")
        _require(len(found) == len(group), "is about another number of series")
        return [
            _fields(one, description, piece, outputs)
            for one, piece in zip(found, group, strict=True)
        ]
    except AnswerError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise AnswerError(answer.status, "server", f"sent what is no answer: {error!r}") from error


def read_array(answer: Answer, shape: tuple[int | None, ...]) -> NDArray[Any]:
    """The array in an answer, of a shape in which None is any size.

    Raises:
        AnswerError: If there is none of this shape.
    """
    try:
        array: NDArray[Any] = np.load(io.BytesIO(answer.body), allow_pickle=False)
        fits = array.ndim == len(shape) and all(
            size in (None, found) for size, found in zip(shape, array.shape, strict=True)
        )
        _require(fits, f"has the shape {array.shape}")
    except (ValueError, EOFError, OSError, AttributeError) as error:
        raise AnswerError(answer.status, "server", f"sent no such array: {error}") from error
    return array


def _fields(
    found: Mapping[str, Any], description: Description, piece: Piece, outputs: Sequence[str]
) -> Fields:
    window = found["window"]
    asked = (piece.window, piece.stride, piece.starts())
    _require((window["length"], window["stride"], window["starts"]) == asked, "has other windows")
    fields: Fields = {}
    for name in outputs:
        output = OUTPUTS[name]
        rows = piece.windows if output.axis is Axis.WINDOW else piece.steps
        for field in output.fields:
            values = found[field.name]
            if output.axis is Axis.EVENT:
                fields[field.name] = [_event(one) for one in values]
            elif field.in_units:
                _require(len(values) == rows, f"has {len(values)} {name} of {rows}")
                fields[field.name] = _columns(values, description)
            else:
                fields[field.name] = _array(values, field, rows)
    return fields


def _array(values: Any, field: Field, rows: int) -> NDArray[Any]:
    array: NDArray[Any] = np.array(values, dtype=TYPES.get(field.kind, np.float64))
    shared = field.shared and array.ndim == 0
    fits = array.ndim == 1 + len(field.axes) and len(array) == rows
    _require(shared or fits, f"has the shape {array.shape} in {field.name}, for {rows} rows")
    return array


def _columns(steps: Sequence[Any], description: Description) -> list[NDArray[Any]]:
    """Each channel (N,) of values per step: numbers, or words of categories."""
    columns: list[NDArray[Any]] = []
    for name, values in zip(description.channels, zip(*steps, strict=True), strict=True):
        words = name in description.vocabulary.categories
        columns.append(np.array(values, dtype=object if words else np.float64))
    return columns


def _event(found: Mapping[str, Any]) -> Event:
    return Event(
        start=found["start"],
        end=found["end"],
        peak=found["peak"],
        score=found["score"],
        severity=found["severity"],
        channels=tuple((one["name"], one["score"]) for one in found["channels"]),
        tail_probability=found["tail_probability"],
        persistent=found["persistent"],
    )


def _require(holds: bool, wrong: str) -> None:
    if not holds:
        raise AnswerError(200, "server", f"sent an answer that {wrong}")
