"""Which column of a table is what."""

import json
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from rvae.config import ReaderConfig
from rvae.data.cells import are_numbers, require_every
from rvae.data.columns import categorical_column, is_number, numbers, words
from rvae.data.roles import anomalies, as_labels
from rvae.data.times import timestamps
from rvae.data.vocabulary import Vocabulary, sorted_vocabulary
from rvae.errors import FieldError, require

__all__ = ["Columns", "name_list"]


def name_list(names: Iterable[str]) -> str:
    """Names as the value of an option of the command line."""
    return shlex.quote(json.dumps(list(names), ensure_ascii=False))


@dataclass(frozen=True)
class Columns:
    """Which column of a table is what.

    Attributes:
        config: With the columns that are numeric channels, and those that are left out.
        spare: Columns without a role.
        file: Name of the table in messages.
    """

    config: ReaderConfig
    spare: tuple[str, ...]
    file: str

    @classmethod
    def of(cls, schema: pa.Schema, config: ReaderConfig, file: str) -> "Columns":
        """Find every column that the configuration names, and numeric ones where it names none.

        Raises:
            FieldError: If a column is missing, has another type, or is there twice; or if the
                configuration names all columns and this one is not among them.
        """
        names = schema.names
        require(len(set(names)) == len(names), "data", f"{file} has two columns with the same name")
        taken = list(config.categorical)
        for option in ("time", "label", "classes", "series"):
            name = getattr(config, option)
            taken += [] if name is None else [name]
            _require_columns([] if name is None else [name], option, names, config, file)
        _require_columns(config.categorical, "categorical", names, config, file)
        free = [name for name in names if name not in taken and name not in (config.ignore or ())]
        if config.columns is None:
            _require_columns(config.ignore or (), "ignore", names, config, file)
            numeric = tuple(name for name in free if is_number(schema.field(name).type))
            require(
                "" not in numeric,
                "reader.columns",
                f"a numeric column of {file} has no name: name the columns that are channels, or "
                """leave it out with --reader.ignore '[""]'""",
            )
            spare = tuple(name for name in free if name not in numeric)
            # None would stand for all numeric columns of the next file.
            chosen = numeric if numeric or config.categorical else None
            found = replace(config, columns=chosen, ignore=config.ignore or ())
            return cls(found, spare, file)
        _require_columns(config.columns, "columns", names, config, file)
        for name in config.columns:
            kind = schema.field(name).type
            require(
                is_number(kind) or pa.types.is_null(kind),
                "reader.columns",
                f"column {name!r} of {file} is {kind}, not numeric: is it one of "
                "reader.categorical?",
            )
        others = [name for name in free if name not in config.columns]
        if config.ignore is None:
            return cls(replace(config, ignore=tuple(others)), (), file)
        if others:
            raise FieldError(
                "reader.ignore",
                f"{file} has the column {others[0]!r}, which has no role: leave it out, on the "
                f"command line with --reader.ignore {name_list(others)}",
            )
        return cls(config, (), file)

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the channels: numeric ones, then categorical ones."""
        return (self.config.columns or ()) + self.config.categorical

    @property
    def needed(self) -> list[str]:
        """All columns that are read."""
        others = (self.config.time, self.config.label, self.config.classes)
        named = [name for name in others if name is not None]
        return list(dict.fromkeys([*self.channels, *named]))

    def require_channels(self) -> None:
        """Raise a `FieldError` if there are no channels."""
        require(
            bool(self.channels),
            "data",
            f"{self.file} has no numeric column, and reader.categorical names none",
        )

    def require_roles(self, schema: pa.Schema) -> None:
        """Raise a `FieldError` if a column has no role."""
        if not self.spare:
            return
        name = self.spare[0]
        kind, one = schema.field(name).type, name_list([name])
        more = f" (as have {', '.join(map(repr, self.spare[1:]))})" if self.spare[1:] else ""
        option = shlex.quote(name)
        roles = [f"with --reader.time {option}, if it holds the times of the steps"]
        if not (pa.types.is_timestamp(kind) or pa.types.is_date(kind)):
            roles += [
                f"--reader.categorical {one}, if categories",
                f"--reader.series {option}, if the names of several series",
                f"--reader.classes {option}, if classes",
            ]
        raise FieldError(
            repr(name) if not name.strip() else name,
            f"column of {self.file} has no role{more}, and is {kind}: say what it is, "
            f"{', '.join(roles)}; or leave it out with --reader.ignore {name_list(self.spare)}",
        )

    def require_known(self, schema: pa.Schema, vocabulary: Vocabulary) -> None:
        """Raise a `FieldError` if numbers stand where a model knows nothing but words."""
        for name in self.config.categorical:
            kind, known = schema.field(name).type, vocabulary.categories[name]
            numeric = is_number(kind) and not pa.types.is_boolean(kind)
            require(
                not numeric or any(map(_is_number, known)),
                "reader.categorical",
                f"column {name!r} of {self.file} is {kind}, but the model knows the categories "
                f"{', '.join(known[:10])}",
            )

    def vocabulary(self, pieces: Iterable[pa.Table]) -> Vocabulary:
        """All categories and classes in some pieces of a table."""
        wanted = [*self.config.categorical, *([self.config.classes] if self.config.classes else [])]
        found: dict[str, set[str]] = {name: set() for name in wanted}
        for piece in pieces if wanted else ():
            for name in wanted:
                found[name].update(
                    word for word in pc.unique(words(piece, name)).to_pylist() if word
                )
        return Vocabulary(
            {name: sorted_vocabulary(found[name], name) for name in self.config.categorical},
            sorted_vocabulary(found[self.config.classes], self.config.classes)
            if self.config.classes
            else (),
        )

    def values(self, piece: pa.Table, vocabulary: Vocabulary) -> NDArray[np.float64]:
        """The channels (N, C)."""
        columns = [numbers(piece, name) for name in self.config.columns or ()]
        for name in self.config.categorical:
            columns.append(categorical_column(piece, name, vocabulary.categories[name]))
        return np.stack(columns, axis=1)

    def roles(
        self, piece: pa.Table, vocabulary: Vocabulary
    ) -> tuple[NDArray[np.bool_] | None, NDArray[np.datetime64] | None, NDArray[np.int64] | None]:
        """Labels, times and classes (N,), each None where the configuration names no column."""
        config = self.config
        labels = times = classes = None
        if config.label is not None:
            column = piece[config.label]
            problem = f"is no label: {config.label!r} must hold a number or truth value everywhere"
            require_every(are_numbers(column), "reader.label", column, problem)
            labels = as_labels(column.to_numpy(), config.label)
        if config.time is not None:
            times = timestamps(piece, config.time, config.format.time_format)
            problem = f"is no time: {config.time!r} must hold one everywhere"
            require_every(~np.isnat(times), "reader.time", piece[config.time], problem)
        if config.classes is not None:
            codes = np.nan_to_num(categorical_column(piece, config.classes, vocabulary.classes))
            classes = codes.astype(np.int64) - 1
            if config.normal:
                labels = anomalies(classes, vocabulary.classes, config.normal)
        return labels, times, classes


def _require_columns(
    wanted: Sequence[str], option: str, names: Sequence[str], config: ReaderConfig, file: str
) -> None:
    """Raise a `FieldError` that names a column which is not there, and the one that is meant."""
    for name in wanted:
        if name in names:
            continue
        roles = (*(config.columns or ()), *config.categorical)
        others = {other.lower(): other for other in names if other not in roles}
        meant = get_close_matches(name.lower(), list(others), n=1)
        hint = (
            f": did you mean {others[meant[0]]!r}?" if meant else f", which has {', '.join(names)}"
        )
        raise FieldError(f"reader.{option}", f"no column {name!r} in {file}{hint}")


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
