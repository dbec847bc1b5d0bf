"""Data frames of pandas, polars and others ⇄ Arrow tables.

Nothing else knows which library a frame comes from: narwhals does.
"""

from typing import Any

import narwhals as nw
import pyarrow as pa
from narwhals.dependencies import is_into_dataframe, is_into_series, is_polars_lazyframe
from narwhals.exceptions import DuplicateError

from rvae.data.times import timestamps
from rvae.errors import FieldError, require

__all__ = ["Frame", "as_frame", "frame_like", "table_of_frame", "time_index"]

Frame = nw.DataFrame[Any]

# Names of an index of times, and of a single column, that have none.
TIME, CHANNEL = "time", "value"

# Entries of an index of text that tell whether it holds times.
LOOKED_AT = 100


def as_frame(data: Any) -> Frame | None:
    """The data frame in some data, which may be one column of it; None if it is something else.

    Raises:
        FieldError: If two columns have the same name, or an index would be lost that matters: one
            of several levels, or of times as text.
    """
    if is_polars_lazyframe(data):
        data = data.collect()
    if is_into_series(data):
        column = nw.from_native(data, series_only=True)
        return _with_plain_index(column.alias(str(column.name or CHANNEL)).to_frame())
    if not is_into_dataframe(data):
        return None
    try:
        return _with_plain_index(nw.from_native(data, eager_only=True))
    except DuplicateError as error:
        raise FieldError("data", f"has two columns with the same name: {error}") from None


def _with_plain_index(frame: Frame) -> Frame:
    index: Any = nw.maybe_get_index(frame)
    if index is None:
        return frame
    require(
        index.nlevels == 1,
        "index",
        f"has {index.nlevels} levels, {', '.join(str(name) for name in index.names)}: make columns "
        "of them with reset_index()",
    )
    require(
        index.inferred_type != "string" or not _holds_times(index[:LOOKED_AT]),
        "index",
        "holds times as text: convert it with pandas.to_datetime",
    )
    return frame


def _holds_times(index: Any) -> bool:
    try:
        timestamps(pa.table({TIME: pa.array(index, pa.string())}), TIME)
    except FieldError:
        return False
    return len(index) > 0


def time_index(frame: Frame) -> str | None:
    """Name of a frame's index if it holds times, as it may in pandas."""
    index = nw.maybe_get_index(frame)
    if index is None or index.inferred_type not in ("datetime64", "period"):
        return None
    return str(index.name or TIME)


def table_of_frame(frame: Frame, time: str | None) -> pa.Table:
    """A frame as a table.

    Args:
        frame: The frame; its columns may have names of any type.
        time: Column of the times. If the frame lacks it, but has an index of times with this name
            or none, the index becomes this column.

    Raises:
        FieldError: If a column cannot be read, for example because its values have several types,
            or if two names are the same as text.
    """
    columns = {}
    for name, column in zip(frame.columns, frame.iter_columns(), strict=True):
        require(str(name) not in columns, "data", f"has two columns called {str(name)!r}")
        try:
            columns[str(name)] = column.to_arrow()
        except (pa.ArrowException, TypeError) as error:
            raise FieldError(str(name), f"cannot be read: {error}") from None
    index: Any = nw.maybe_get_index(frame)
    if (
        time is not None
        and time not in columns
        and time_index(frame) is not None
        and index.name in (None, time)
    ):
        times = index.to_timestamp() if index.inferred_type == "period" else index
        columns = {time: pa.Array.from_pandas(times)} | columns
    return pa.table(columns)


def frame_like(table: pa.Table, frame: Frame, keep_index: bool) -> Any:
    """A table as a frame of the same library as another frame.

    Args:
        table: The content.
        frame: The other frame.
        keep_index: Whether the table has the rows of the other frame, so that it takes its index.
    """
    made = nw.from_arrow(table, backend=frame.implementation).to_native()
    if keep_index and (index := nw.maybe_get_index(frame)) is not None:
        made.index = index
    return made
