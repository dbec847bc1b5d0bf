"""Series → their results, by as many requests as it takes, several at a time."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from rvae.client.answers import Fields, read_fields
from rvae.client.bodies import fit_together, most_series, series_request
from rvae.client.calls import in_order
from rvae.client.description import Description
from rvae.client.errors import RefusedError
from rvae.client.pieces import Budget, Piece, groups, pieces
from rvae.client.retries import ask
from rvae.client.transport import Call, Transport
from rvae.data.series import Series
from rvae.data.windows import count_windows, window_starts
from rvae.errors import require
from rvae.serving.contract.outputs import OUTPUTS
from rvae.serving.contract.outputs.events import EVENTS
from rvae.serving.contract.outputs.output import Axis

__all__ = ["Bulk", "Result", "Wanted"]

# Values of a request: fewer cost more than they save, as requests have a cost of their own.
FEWEST_VALUES = 20_000
# The largest requests are long to wait for, and to send again.
SHARE_OF_LIMIT = 8
REQUESTS_PER_CONNECTION = 2
# Windows of a piece for each that it shares with the one before.
WINDOWS_PER_SHARED = 4

# Fields by which a server says that less should be sent at once.
TOO_MUCH = frozenset({"body", "instances", "output", "stride"})
# A proxy may take smaller bodies than the server behind it.
BODY_TOO_LARGE, NOT_VALID = 413, 422


@dataclass(frozen=True)
class Wanted:
    """Outputs that one request can have, and the options that they are for.

    Attributes:
        outputs: Names of outputs.
        options: Other fields of the request.
    """

    outputs: tuple[str, ...]
    options: Mapping[str, Any] = field(default_factory=dict)

    def of_part(self) -> "Wanted":
        """The same of a part of a series: its events are those of the series, not of the part."""
        if EVENTS.name not in self.outputs:
            return self
        outputs = tuple(name for name in self.outputs if name != EVENTS.name)
        options = {name: value for name, value in self.options.items() if name != "gap"}
        return Wanted(outputs, options)


@dataclass(frozen=True)
class Result:
    """Results of a series.

    Attributes:
        series: The series.
        starts: First step of each window (W,).
        fields: Results by the names of fields, see `answers.Fields`. There are no events of a
            series that took several requests.
    """

    series: Series
    starts: NDArray[np.int64]
    fields: Fields


@dataclass(frozen=True)
class Bulk:
    """Asks one version of a model, for one call of a method.

    Attributes:
        transport: The server.
        description: The version.
        call: The call.
        seconds: How long a request may take with all its repetitions.
        connections: Requests at the same time.
        progress: Whether to show how many windows are done.
    """

    transport: Transport
    description: Description
    call: Call
    seconds: float
    connections: int
    progress: bool = False

    def results(
        self, series: Sequence[Series], stride: int | None, wanted: Sequence[Wanted]
    ) -> Iterator[Result]:
        """Results of series, in order.

        Args:
            series: In the data's units, each with N ≥ T.
            stride: Steps between windows; the model's own if left out.
            wanted: What is asked for, in as many requests for each piece.

        Raises:
            FieldError: If a series does not fit the model, or the server refuses an option.
            UnavailableError: If an answer did not come in time.
        """
        known = self.description
        stride = known.stride if stride is None else stride
        require(stride >= 1, "stride", f"must be at least 1, got {stride}")
        adapts = any("adapt" in one.options for one in wanted)
        by_step = any(OUTPUTS[name].axis is Axis.POINT for one in wanted for name in one.outputs)
        windows = sum(count_windows(len(one), known.window, stride) for one in series)
        budget = self._budget(windows, stride, by_step, adapts, wanted)
        planned = pieces(self._fitting(series), known.window, stride, budget, by_step)
        if adapts:
            planned = map(_require_whole, planned)
        grouped = groups(planned, budget)
        asked = in_order(partial(self._ask, wanted), grouped, self.connections, self.call)
        with tqdm(total=windows, unit=" windows", disable=not self.progress) as bar:
            found: list[tuple[Piece, Fields]] = []
            for piece, fields in (one for answered in asked for one in answered):
                found.append((piece, fields))
                bar.update(piece.end - piece.first)
                if piece.is_last:
                    yield _joined(found)
                    found = []

    def values_of(self, windows: int) -> int:
        """Values of a request, of so many windows in all: there is one for every connection."""
        known = self.description
        values = windows * known.window * known.width
        values //= REQUESTS_PER_CONNECTION * self.connections
        return min(max(values, FEWEST_VALUES), known.values // SHARE_OF_LIMIT)

    def _fitting(self, series: Iterable[Series]) -> Iterator[Series]:
        for one in series:
            self.description.require_fits(one)
            yield one

    def _budget(
        self, windows: int, stride: int, by_step: bool, adapts: bool, wanted: Sequence[Wanted]
    ) -> Budget:
        """The most of a request: enough requests for every connection, none too small."""
        known = self.description
        per_window = known.window * known.width
        values = self.values_of(windows)
        if by_step:
            shared = -(-known.window // stride)
            values = max(values, (1 + WINDOWS_PER_SHARED) * shared * per_window)
        if adapts:
            values = known.values
        numbers = [_numbers(known, one.outputs) for one in wanted]
        per_window, per_step = (max(of_axis) for of_axis in zip(*numbers, strict=True))
        return Budget.of(known, values, per_window, per_step, most_series(known))

    def _ask(self, wanted: Sequence[Wanted], group: list[Piece]) -> list[tuple[Piece, Fields]]:
        """The results of pieces; of fewer at once where a server says that they are too many."""
        sent = [piece.with_a_value() for piece in group]
        if not fit_together(self.description, sent):
            return [one for piece in sent for one in self._ask(wanted, [piece])]
        try:
            return list(zip(sent, self._answers(wanted, sent), strict=True))
        except RefusedError as error:
            parts = _smaller(group)
            if not _is_too_much(error) or len(parts) < 2:
                raise _placed(error, group) from error
            return [one for part in parts for one in self._ask(wanted, part)]

    def _answers(self, wanted: Sequence[Wanted], group: Sequence[Piece]) -> list[Fields]:
        found: list[Fields] = [{} for _ in group]
        for one in wanted:
            if not all(piece.is_whole for piece in group):
                one = one.of_part()
            options = {"output": one.outputs, "stride": group[0].stride, **one.options}
            request = series_request(self.description, group, options)
            read = partial(
                read_fields, description=self.description, group=group, outputs=one.outputs
            )
            answers = ask(self.transport, request, read, self.seconds, self.call)
            for fields, more in zip(found, answers, strict=True):
                fields.update(more)
        return found


def _numbers(known: Description, outputs: Sequence[str]) -> tuple[int, int]:
    """Numbers in an answer of each window, and of each step."""
    sizes = {"channel": len(known.channels), "latent": known.latent, "step": known.window}
    count = dict.fromkeys(Axis, 0)
    for output in (OUTPUTS[name] for name in outputs):
        for one in output.fields:
            count[output.axis] += math.prod(sizes[axis] for axis in one.axes)
    return count[Axis.WINDOW] + 1, count[Axis.POINT]  # and where the window starts


def _require_whole(piece: Piece) -> Piece:
    require(
        piece.is_whole,
        "adapt",
        f"a threshold follows the windows of one request, and series {piece.series.name} takes "
        "several: raise the stride, or score the series in parts",
    )
    return piece


def _is_too_much(error: RefusedError) -> bool:
    """Whether less at once would not be refused."""
    named = error.status == NOT_VALID and error.field in TOO_MUCH
    return named or error.status == BODY_TOO_LARGE


def _smaller(group: list[Piece]) -> list[list[Piece]]:
    """A group in two parts, as long as it can be divided."""
    if len(group) > 1:
        middle = len(group) // 2
        return [group[:middle], group[middle:]]
    return [[piece] for piece in group[0].halves()]


def _placed(error: RefusedError, group: Sequence[Piece]) -> RefusedError:
    """An error with the place of what was sent in the data, if there are several places."""
    first, last = group[0], group[-1]
    if first.is_whole and first is last:
        where = f"series {first.series.name}" if first.series.name else ""
    elif first is last:
        where = f"steps {first.begin} to {first.begin + first.steps} of series {first.series.name}"
    else:
        where = f"series {first.series.name} to {last.series.name}"
    message = f"{error.message} (in {where})" if where else error.message
    return RefusedError(error.status or 0, error.field, message)


def _joined(found: Sequence[tuple[Piece, Fields]]) -> Result:
    """The results of a series from those of its pieces."""
    piece, fields = found[0]
    series = piece.series
    starts = window_starts(len(series), piece.window, piece.stride)
    if len(found) == 1:
        return Result(series, starts, fields)
    joined: Fields = {}
    for output in (one for one in OUTPUTS.values() if one.axis is not Axis.EVENT):
        for name in (one.name for one in output.fields if one.name in fields):
            parts = [(piece, of_piece[name]) for piece, of_piece in found]
            if output.axis is Axis.WINDOW:
                joined[name] = _joined_windows(parts)
            elif isinstance(fields[name], list):
                columns = zip(*(values for _, values in parts), strict=True)
                joined[name] = [
                    _joined_steps(
                        [(piece, one) for (piece, _), one in zip(parts, column, strict=True)]
                    )
                    for column in columns
                ]
            else:
                joined[name] = _joined_steps(parts)
    return Result(series, starts, joined)


def _joined_windows(parts: Sequence[tuple[Piece, NDArray[Any]]]) -> NDArray[Any]:
    if parts[0][1].ndim == 0:
        return parts[0][1]  # one number that holds for all windows
    return np.concatenate(
        [values[piece.lead :][: piece.end - piece.first] for piece, values in parts]
    )


def _joined_steps(parts: Sequence[tuple[Piece, NDArray[Any]]]) -> NDArray[Any]:
    """Values of all steps; those that no window covers are missing."""
    first, values = parts[0]
    missing = None if values.dtype == object else np.nan
    joined = np.full((len(first.series), *values.shape[1:]), missing, dtype=values.dtype)
    for piece, values in parts:
        begin, end = piece.settled
        settled = values[begin - piece.begin : end - piece.begin]
        joined[begin : begin + len(settled)] = settled
    return joined
