"""What the columns of a table seem to be, and the roles that would follow."""

import re
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from rvae.config import ReaderConfig
from rvae.data.cells import CellError, are_numbers
from rvae.data.columns import is_number, numbers, words
from rvae.data.label_columns import has_label_name, holds_labels
from rvae.data.times import timestamps
from rvae.errors import FieldError

__all__ = ["ColumnGuess", "guess_roles"]

TIME_NAME = re.compile(r"(.*[_ ])?(time|times|timestamp|datetime|date|ts|epoch|when|index)", re.I)
NORMAL = {"normal", "ok", "benign", "healthy", "good", "none"}
ANOMALOUS = {"abnormal", "anomalous", "anomaly", "attack", "fault", "faulty", "failure", "outlier"}

# More words than this are names or remarks, not states of a machine.
MAX_CATEGORIES = 50

# Share of numbers beyond which the other cells of a column are mistakes.
NEARLY_ALL = 0.9


@dataclass(frozen=True)
class ColumnGuess:
    """A column, and what is proposed for it.

    Attributes:
        name: Its name.
        type: Its type in the table.
        role: "channel", "categorical", "time", "label", "classes", "series" or "left out".
        missing: Number of missing values.
        remark: Why it has this role, where that is not plain.
    """

    name: str
    type: str
    role: str
    missing: int
    remark: str = ""


def guess_roles(table: pa.Table, config: ReaderConfig) -> tuple[ReaderConfig, list[ColumnGuess]]:
    """A role for every column, so that the table can be trained on.

    Roles that the configuration names stay as they are.

    Args:
        table: A row per time step.
        config: What the user has chosen.
    """
    guesser = _Guesser(table, config)
    guesses = [guesser.guess(name) for name in table.column_names]
    named = {role: [g.name for g in guesses if g.role == role] for role in ROLES}
    ignore = named["left out"] if config.columns is None else config.ignore
    # What the user names stays, also where it is no column: reading says so.
    found = replace(
        config,
        categorical=tuple(dict.fromkeys([*config.categorical, *named["categorical"]])),
        time=guesser.time,
        label=next(iter(named["label"]), config.label),
        classes=next(iter(named["classes"]), config.classes),
        normal=config.normal or guesser.normal,
        series=guesser.series,
        ignore=None if not ignore else tuple(ignore),
    )
    return found, guesses


NO_KEYS = (pa.types.is_floating, pa.types.is_nested, pa.types.is_temporal)
ROLES = ("channel", "categorical", "time", "label", "classes", "series", "left out")


class _Guesser:
    """One table. The time and the series are found first, since they depend on each other."""

    def __init__(self, table: pa.Table, config: ReaderConfig) -> None:
        self._table, self._config = table, config
        self.normal: tuple[str, ...] = ()
        self._labelled = config.label is not None or config.classes is not None
        self._no_times: dict[str, str] = {}
        self._times = {
            name: times
            for name in table.column_names
            if (times := self._as_times(name)) is not None
        }
        self.series = config.series
        self.time = config.time
        self._disorder: dict[str, str] = {}
        self._choose_time()

    def guess(self, name: str) -> ColumnGuess:
        """The role of one column."""
        column = self._table[name]
        missing = column.null_count
        if pa.types.is_floating(column.type):
            missing += int(pc.sum(pc.is_nan(column)).as_py() or 0)
        role, remark = self._stated(name) or self._role(name, missing)
        return ColumnGuess(name, str(column.type), role, missing, remark)

    def _stated(self, name: str) -> tuple[str, str] | None:
        config = self._config
        if name == self.time:
            return "time", ""
        if name == self.series:
            return "series", f"{len(self._table[name].unique())} series"
        for role in ("label", "classes"):
            if name == getattr(config, role):
                return role, ""
        if name in config.categorical:
            return "categorical", ""
        if name in (config.columns or ()):
            return "channel", ""
        if config.columns is not None or name in (config.ignore or ()):
            return "left out", "as you say"
        return None

    def _role(self, name: str, missing: int) -> tuple[str, str]:
        column, count = self._table[name], self._table.num_rows
        if missing == count:
            return "left out", "is empty"
        if name in self._times:
            return "left out", self._disorder.get(name, "has times, as another column has")
        kind = column.type
        if is_number(kind):
            if has_label_name(name) and holds_labels(column.chunks):
                return self._labels(name, missing)
            return self._number(name)
        if pa.types.is_time(kind):
            return "left out", "is a time of day: join it with its date to one column"
        try:
            text = words(self._table, name)
        except FieldError:
            return "left out", f"is {kind}, which no model takes"
        different = pc.unique(text.drop_null()).to_pylist()
        if len(different) == 1:
            return "left out", f"is {different[0]!r} everywhere"
        spoken = {word.strip().lower() for word in different}
        labelled = has_label_name(name) or bool(spoken & NORMAL and spoken & ANOMALOUS)
        if labelled and len(different) <= MAX_CATEGORIES:
            return self._labels(name, missing)
        if len(different) <= MAX_CATEGORIES and len(different) < count / 2:
            return "categorical", f"{len(different)} words"
        usual = f"text with {len(different)} different values"
        return "left out", self._odd_cell(name, text) or usual

    def _odd_cell(self, name: str, text: pa.ChunkedArray) -> str | None:
        """What keeps a column of text from being times or numbers, if it nearly is."""
        if name in self._no_times:
            return self._no_times[name]
        numeric = are_numbers(text)
        there = text.is_valid().to_numpy()
        if numeric.sum() <= NEARLY_ALL * there.sum():
            return None
        row = int(np.argmax(there & ~numeric))
        problem = f"is no number, as {numeric.sum()} other cells are: correct it"
        return CellError(name, text[row].as_py(), row, problem).message

    def _number(self, name: str) -> tuple[str, str]:
        values = numbers(self._table, name)
        there = values[~np.isnan(values)]
        if np.isinf(there).any():
            return "left out", "holds infinite values"
        if there.min() == there.max():
            return "left out", f"is {there[0]:g} everywhere"
        if len(there) == len(values) > 2 and (np.diff(values) == 1).all():
            return "left out", "counts the rows"
        if name == "":
            return "left out", "has no name"
        return "channel", ""

    def _labels(self, name: str, missing: int) -> tuple[str, str]:
        """The role of a column that looks like labels."""
        if self._labelled:
            return "left out", "looks like further labels"
        if missing:
            return "left out", "looks like labels, but some are missing"
        self._labelled = True
        column = self._table[name]
        different = {str(word).lower() for word in pc.unique(column.drop_null()).to_pylist()}
        different = {word.removesuffix(".0") for word in different}
        if len(different) == 1 and not different & {"0", "false"}:
            # As labels, they would leave nothing to train on, or say nothing.
            return "left out", f"is {different.pop()} everywhere"
        if is_number(column.type) and different <= {"0", "1", "true", "false"}:
            faulty = int(pc.sum(column.cast(pa.float64())).as_py() or 0)
            return "label", f"looks like labels: {faulty} anomalous rows are not trained on"
        if different == {"-1", "1"}:
            self.normal = ("1",)
            return "classes", "looks like labels of which 1 is normal and -1 an anomaly"
        words_here = pc.unique(column.drop_null()).to_pylist()
        self.normal = tuple(str(word) for word in words_here if str(word).lower() in NORMAL)
        if not self.normal:
            return "classes", (
                f"{len(different)} classes, trained on alike: --reader.normal says which are "
                "normal, if others are anomalies"
            )
        normal = " and ".join(map(repr, self.normal))
        return "classes", f"{len(different)} classes; all but {normal} are anomalies"

    def _as_times(self, name: str) -> NDArray[np.datetime64] | None:
        """The times (N,) of a column, if it holds some everywhere."""
        column = self._table[name]
        plain = pa.types.is_timestamp(column.type) or pa.types.is_date(column.type)
        text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
        if not (plain or text or TIME_NAME.fullmatch(name)) or pa.types.is_boolean(column.type):
            return None
        try:
            times = timestamps(self._table, name, self._config.format.time_format)
        except FieldError as error:
            if text and TIME_NAME.fullmatch(name):
                self._no_times[name] = error.message
            return None
        return None if np.isnat(times).any() else times

    def _choose_time(self) -> None:
        """Choose the first column of times that rise, in each series if need be."""
        wanted = self._config.time
        times = {n: t for n, t in self._times.items() if wanted in (None, n)}
        keys = [self.series] if self.series is not None else [None, *self._keys()]
        for key in keys:
            for name in times:
                if name != key and self._rises(times[name], key):
                    self.time, self.series = name, key
                    return
        for name in times:
            steps = np.diff(times[name])
            self._disorder[name] = (
                "has times that go back: sort the rows by it and remove repeated ones, or "
                "windows mix times"
                if (steps < np.timedelta64(0)).any()
                else f"has the same time twice, {(steps == np.timedelta64(0)).sum()} times: remove "
                "such rows"
            )

    def _keys(self) -> list[str]:
        """Columns that may tell series apart: words or whole numbers that occur many times.

        They are there in every row.
        """
        keys = []
        for name in self._table.column_names:
            kind = self._table[name].type
            # A time of day repeats, but tells no series apart.
            told = any(test(kind) for test in NO_KEYS) or name in self._times
            if told or has_label_name(name) or not self._is_full(name):
                continue
            different = len(self._table[name].unique())
            if 2 <= different <= self._table.num_rows / 2:
                keys.append(name)
        return keys

    def _is_full(self, name: str) -> bool:
        try:
            return bool(words(self._table, name).null_count == 0)
        except FieldError:
            return False

    def _rises(self, times: NDArray[np.datetime64], key: str | None) -> bool:
        if key is None:
            return bool((np.diff(times) > np.timedelta64(0)).all())
        column = self._table[key]
        groups = pc.index_in(column, column.unique()).to_numpy()
        order = np.argsort(groups, kind="stable")
        inside = np.diff(groups[order]) == 0
        return bool((np.diff(times[order])[inside] > np.timedelta64(0)).all())
