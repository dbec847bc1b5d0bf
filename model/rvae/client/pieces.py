"""Series → pieces that requests can hold: every window in exactly one, every step, too."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from rvae.client.description import Description
from rvae.data.series import Series
from rvae.data.windows import count_windows
from rvae.errors import require

__all__ = ["Budget", "Piece", "groups", "pieces"]

# Most bytes of a number in an answer of JSON, and of a body, far below what servers take.
BYTES_OF_NUMBER, BYTES_OF_BODY = 26, 4_000_000
# Share of an answer that numbers may take, beside names and brackets.
SHARE_OF_ANSWER = 0.9


@dataclass(frozen=True)
class Piece:
    """Windows of a series that are asked for together.

    Attributes:
        series: The whole series.
        window: Time steps T of a window.
        stride: Steps between windows.
        first: Number of the first window that this piece is for.
        end: Number of the window after its last.
        by_step: Whether results of steps are asked for: all windows that cover them have a say.
        padding: Where a stride of steps is added, and so a window, if anywhere.
    """

    series: Series
    window: int
    stride: int
    first: int
    end: int
    by_step: bool
    padding: Literal["before", "after"] | None = None

    @classmethod
    def whole(cls, series: Series, window: int, stride: int) -> Self:
        """All windows of a series."""
        return cls(series, window, stride, 0, count_windows(len(series), window, stride), False)

    @property
    def is_last(self) -> bool:
        """Whether no windows of the series follow."""
        return self.start(self.end - 1) + self.window == len(self.series)

    @property
    def is_whole(self) -> bool:
        """Whether it is for all windows of the series."""
        return self.first == 0 and self.is_last

    @property
    def lead(self) -> int:
        """Windows that are sent before the first one that it is for."""
        return self._shared + (self.padding == "before")

    @property
    def begin(self) -> int:
        """First step that is sent."""
        return self.start(self.first - self._shared) - self._added("before")

    @property
    def steps(self) -> int:
        """Number of steps that are sent."""
        return self.start(self.end - 1) + self.window + self._added("after") - self.begin

    @property
    def windows(self) -> int:
        """Number of windows that are computed."""
        return self.end - self.first + self._shared + (self.padding is not None)

    @property
    def settled(self) -> tuple[int, int]:
        """The steps that this piece has the results of: the first, and the one after the last.

        No window of a later piece covers them, and all of earlier pieces that do are sent, too.
        """
        following = len(self.series) if self.is_last else self.start(self.end)
        return self.start(self.first) if self.first else 0, following

    def start(self, window: int) -> int:
        """First step of a window of the series, by its number."""
        return min(window * self.stride, len(self.series) - self.window)

    def starts(self) -> list[int]:
        """First steps of the windows that are computed, in what is sent."""
        numbers = range(self.first - self._shared, self.end)
        starts = [self.start(number) - self.begin for number in numbers]
        if self.padding == "before":
            return [0, *starts]
        return [*starts, starts[-1] + self.stride] if self.padding else starts

    def part(self, filling: NDArray[np.float64]) -> Series:
        """What is sent.

        Args:
            filling: Values of a step (C,) that the model takes.
        """
        begin, added = self.begin + self._added("before"), self.stride
        sent = self.series.part(begin, self.begin + self.steps - self._added("after"))
        if self.padding is None:
            return sent
        pad = np.full((added, len(filling)), np.nan)
        values, classes, times = np.asarray(sent.values), sent.class_codes, None
        moments = np.arange(1, added + 1) * np.timedelta64(1, "us")
        # Only the window that is added sees the filling: it lies at the very end of what is sent.
        if self.padding == "before":
            pad[0] = filling
            values = np.concatenate([pad, values])
            classes = np.pad(classes, (added, 0), mode="edge")
            if sent.times is not None:
                times = np.concatenate([sent.clock()[0] - moments[::-1], sent.clock()])
        else:
            pad[-1] = filling
            values = np.concatenate([values, pad])
            classes = np.pad(classes, (0, added), mode="edge")
            if sent.times is not None:
                times = np.concatenate([sent.clock(), sent.clock()[-1] + moments])
        return Series(values, sent.name, None, times, classes)

    def with_a_value(self) -> "Piece":
        """The same piece, padded if all of it is missing: servers refuse a series without a value.

        Raises:
            FieldError: If all of the series is missing.
        """
        begin = self.start(self.first - self._shared)
        sent = self.series.part(begin, begin + self.steps)
        if not all(np.isnan(np.asarray(one.values)).all() for one in sent.pieces()):
            return self
        require(not self.is_whole, "data", f"series {self.series.name} has no value at all")
        return replace(self, padding="before" if self.is_last else "after")

    def halves(self) -> "list[Piece]":
        """The same windows in two pieces; itself if there is but one."""
        middle = (self.first + self.end) // 2
        if middle == self.first:
            return [self]
        return [replace(self, end=middle), replace(self, first=middle)]

    @property
    def _shared(self) -> int:
        """Windows before the first one that its steps need, too."""
        # The last window of a series may begin less than a stride after the one before.
        return min(self.first, -(-self.window // self.stride)) if self.by_step else 0

    def _added(self, where: str) -> int:
        return self.stride if self.padding == where else 0


@dataclass(frozen=True)
class Budget:
    """The most that a request should hold.

    Attributes:
        windows: Windows that are computed.
        steps: Steps that are sent.
        per_window: Numbers of a window in the answer.
        per_step: Numbers of a step in the answer.
        answer_bytes: Most bytes of the answer.
        series: Series that are sent.
    """

    windows: int
    steps: int
    per_window: int
    per_step: int
    answer_bytes: int
    series: int

    @classmethod
    def of(
        cls, description: Description, values: int, per_window: int, per_step: int, series: int
    ) -> Self:
        """The budget of requests of at most so many values to compute, and so many series."""
        width = description.width
        return cls(
            min(values, description.values) // (description.window * width),
            min(description.values // width, BYTES_OF_BODY // 8 // len(description.channels)),
            per_window,
            per_step,
            int(SHARE_OF_ANSWER * description.answer_bytes),
            series,
        )

    def holds(self, windows: int, steps: int) -> bool:
        """Whether a request may have so many windows and steps."""
        numbers = self.per_window * windows + self.per_step * steps
        return (
            windows <= self.windows
            and steps <= self.steps
            and BYTES_OF_NUMBER * numbers <= self.answer_bytes
        )


def pieces(
    series: Iterable[Series], window: int, stride: int, budget: Budget, by_step: bool
) -> Iterator[Piece]:
    """Pieces of series within a budget, in order; at least of one window each.

    Args:
        series: The series.
        window: Time steps T of a window.
        stride: Steps between windows.
        budget: The most that a request should hold.
        by_step: Whether results of steps are asked for.
    """
    for one in series:
        first, windows = 0, count_windows(len(one), window, stride)
        while first < windows:
            piece = Piece(one, window, stride, first, first + 1, by_step)
            end = min(first + _most_windows(budget, piece), windows)
            yield replace(piece, end=end)
            first = end


def groups(every: Iterable[Piece], budget: Budget) -> Iterator[list[Piece]]:
    """Neighbouring pieces of one length that a request can hold, in order."""
    group: list[Piece] = []
    for piece in every:
        if group and not _joins(piece, group, budget):
            yield group
            group = []
        group.append(piece)
    if group:
        yield group


def _joins(piece: Piece, group: Sequence[Piece], budget: Budget) -> bool:
    count = len(group) + 1
    return (
        count <= budget.series
        and piece.steps == group[0].steps
        and piece.is_whole == group[0].is_whole
        and budget.holds(count * piece.windows, count * piece.steps)
    )


def _most_windows(budget: Budget, piece: Piece) -> int:
    """The most windows that a piece which begins with this one is for; at least one."""
    low, high = 1, max(1, budget.windows)
    while low < high:
        middle = (low + high + 1) // 2
        windows = middle + piece.lead
        fits = budget.holds(windows, (windows - 1) * piece.stride + piece.window)
        low, high = (middle, high) if fits else (low, middle - 1)
    return low
