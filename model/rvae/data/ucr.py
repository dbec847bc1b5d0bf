"""Files of the UCR and UEA archives of time series → series and their classes."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rvae.config import ReaderConfig
from rvae.data.roles import anomalies, rows
from rvae.data.series import Dataset
from rvae.data.vocabulary import Vocabulary, sorted_vocabulary, word_codes
from rvae.errors import FieldError, require

__all__ = ["Cases", "read_archive", "read_ucr"]


@dataclass(frozen=True)
class Cases:
    """The series of a file, which these archives call cases.

    Attributes:
        values: At least one (N, C), NaN where missing; N may differ, C does not.
        classes: One per case, as text; None if the file has none. Whole numbers are written
            without decimals: 1, 1.0 and 1.0000000e+00 in a file are "1" here.
    """

    values: list[NDArray[np.float64]]
    classes: list[str] | None


def read_ucr(path: Path) -> Cases:
    """Read a .ts file, or a file with one case per row such as the archive's .tsv and .txt.

    A row holds the class and then the values of the one channel, separated by tabs, commas or
    spaces as in the first row. Rows are equally long; NaN at the end of a row is padding and not
    part of the series (Dau et al., "The UCR Time Series Archive", 2018). The .ts format is that of
    https://www.aeon-toolkit.org ("ts File Format"), without time stamps.

    Raises:
        FieldError: If the file is malformed; the message names the line.
    """
    return _read_ts(path) if path.suffix == ".ts" else _read_rows(path)


def read_archive(path: Path, config: ReaderConfig, vocabulary: Vocabulary | None) -> Dataset:
    """Read a file of the UCR archive, in which each series has a class."""
    for option in ("columns", "categorical", "array", "time", "label", "series", "classes"):
        require(
            not getattr(config, option), f"reader.{option}", f"has no meaning for {path.suffix}"
        )
    cases = read_ucr(path)
    labels = codes = None
    is_new = vocabulary is None
    vocabulary = vocabulary or Vocabulary()
    if cases.classes is not None:
        if is_new:
            vocabulary = Vocabulary({}, sorted_vocabulary(cases.classes, "class"))
        codes = word_codes(cases.classes, vocabulary.classes).astype(np.int64) - 1
        labels = anomalies(codes, vocabulary.classes, config.normal) if config.normal else None
    series = rows(cases.values, labels, codes)
    longest = max(map(len, series))
    padded = [one.padded(longest) for one in series]
    channels = padded[0].values.shape[1]
    names = ("value",) if channels == 1 else tuple(f"channel_{i}" for i in range(channels))
    return Dataset(padded, names, replace(config, layout="rows"), vocabulary)


def _read_rows(path: Path) -> Cases:
    cases: list[NDArray[np.float64]] = []
    classes = []
    separator, width = None, 0
    for where, text in _lines(path):
        if not cases:
            separator = next((mark for mark in "\t," if mark in text), None)
        label, *rest = text.split(separator, 1)
        require(bool(rest), "data", f"{where} holds no values after the class")
        classes.append(_class_of(label, where))
        require(
            classes[-1].lstrip("-").isdigit() or not _is_number(classes[-1]),
            "data",
            f"{where} begins with {label.strip()}, which is not a class: the class must come first",
        )
        row = _numbers(rest[0], separator, where)
        width = width or len(row)
        require(
            len(row) == width,
            "data",
            f"{where} has {len(row)} values, earlier rows {width}: pad with NaN",
        )
        observed = np.flatnonzero(~np.isnan(row))
        require(len(observed) > 0, "data", f"{where} holds nothing but missing values")
        cases.append(row[: observed[-1] + 1, None])
    require(bool(cases), "data", f"{path.name} holds no series")
    return Cases(cases, classes)


def _read_ts(path: Path) -> Cases:
    # Some files comment with % instead of #.
    lines = _lines(path, comments=(b"#", b"%"))
    header = _Header.of(lines, path.name)
    dimensions = header.dimensions
    cases: list[NDArray[np.float64]] = []
    classes = []
    for where, text in lines:
        parts = text.split(":")
        if header.labelled:
            require(len(parts) > 1, "data", f"{where} has no class: it should follow a last colon")
            classes.append(_class_of(parts.pop(), where))
            require(
                not header.classes or classes[-1].casefold() in header.classes,
                "data",
                f"{where} has the class {_shown(classes[-1])}, which @classLabel does not name",
            )
        dimensions = dimensions or len(parts)
        require(
            len(parts) == dimensions,
            "data",
            f"{where} has {len(parts)} dimensions instead of {dimensions}",
        )
        channels = [_numbers(part, ",", where) for part in parts]
        lengths = {len(channel) for channel in channels}
        require(
            len(lengths) == 1,
            "data",
            f"{where} has dimensions of {min(lengths)} to {max(lengths)} values: all those of a "
            "case must be equally long",
        )
        cases.append(np.stack(channels, axis=1))
        require(
            not header.equal_length or len(cases[-1]) == len(cases[0]),
            "data",
            f"{where} has {len(cases[-1])} time steps and the first case {len(cases[0])}, although "
            "@equalLength is true",
        )
    require(bool(cases), "data", f"{path.name} holds no series")
    return Cases(cases, classes if header.labelled else None)


@dataclass
class _Header:
    """Lines before @data; their names are not case-sensitive."""

    dimensions: int | None = None
    equal_length: bool = False
    labelled: bool = False
    classes: frozenset[str] = frozenset()

    @classmethod
    def of(cls, lines: Iterator[tuple[str, str]], name: str) -> "_Header":
        header = cls()
        for where, text in lines:
            key, *words = text.split()
            match key.lower():
                case "@data":
                    return header
                case "@timestamps":
                    require(
                        not _flag(words, where),
                        "data",
                        f"{where} announces time stamps, which cannot be read: write plain values",
                    )
                case "@univariate":
                    if _flag(words, where):
                        header.dimensions = 1
                case "@dimensions" | "@dimension":
                    count = words[0] if words else ""
                    require(
                        count.isdecimal() and int(count) > 0,
                        "data",
                        f"{where} gives {_shown(count)} as the number of dimensions",
                    )
                    header.dimensions = int(count)
                case "@equallength":
                    header.equal_length = _flag(words, where)
                case "@classlabel":
                    header.labelled |= _flag(words, where)
                    header.classes = frozenset(
                        _class_of(word, where).casefold() for word in words[1:]
                    )
                case "@targetlabel":
                    header.labelled |= _flag(words, where)
                case _:
                    require(
                        key.startswith("@"), "data", f"{where} holds {_shown(text)} before @data"
                    )
        raise FieldError("data", f"{name} has no line @data")


def _lines(path: Path, comments: tuple[bytes, ...] = ()) -> Iterator[tuple[str, str]]:
    """Location and text of each line that is neither blank nor a comment."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            line = line.removeprefix(codecs.BOM_UTF8)
            # Comments of old files have varying encodings: they are not decoded.
            if line.startswith(comments):
                continue
            where = f"line {number} of {path.name}"
            try:
                text = line.decode().rstrip()
            except UnicodeDecodeError:
                raise FieldError("data", f"{where} is not UTF-8 text") from None
            if text:
                yield where, text


def _numbers(text: str, separator: str | None, where: str) -> NDArray[np.float64]:
    cells = text.split(separator)
    if "?" in text:
        cells = ["nan" if cell.strip() == "?" else cell for cell in cells]
    try:
        values = np.array(cells, dtype=np.float64)
    except ValueError:
        word = next(cell for cell in cells if not _is_number(cell))
        raise FieldError("data", f"{where} holds {_shown(word)} where a number should be") from None
    require(not np.isinf(values).any(), "data", f"{where} holds an infinite value")
    return values


def _class_of(label: str, where: str) -> str:
    label = label.strip()
    require(label.lower() not in ("", "?", "nan"), "data", f"{where} has no class")
    if _is_number(label) and float(label).is_integer():
        return str(int(float(label)))
    return label


def _flag(words: list[str], where: str) -> bool:
    word = words[0].lower() if words else ""
    require(
        word in ("true", "false"), "data", f"{where} says {_shown(word)} instead of true or false"
    )
    return word == "true"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _shown(text: str) -> str:
    """A text for a message: cut to length, with unprintable characters escaped."""
    return ascii(text if len(text) <= 20 else f"{text[:20]}…")
