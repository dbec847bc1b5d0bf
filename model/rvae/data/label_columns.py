"""Columns of numbers that look like labels of anomalies or classes."""

import re
from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["has_label_name", "holds_labels"]

NAMES = re.compile(
    r"(is_?)?(label|anomaly|anomalous|abnormal|outlier|fault|faulty|failure|attack|target|class"
    r"|ground_?truth)(e?s)?|anomalies|(is_?)?anomaly_?label|labels?_?anomaly"
)

# Numbers of classes are whole and few; a target of 21.5 degrees is none.
MAX_CLASSES = 20


def has_label_name(name: str) -> bool:
    """Whether labels often have this name, in any case and with any separator."""
    return NAMES.fullmatch(re.sub(r"[\s.-]+", "_", name.strip().lower())) is not None


def holds_labels(pieces: Iterable[pa.Array]) -> bool:
    """Whether pieces of a numeric column hold whole numbers only, and few different ones.

    Reading ends with the first piece that holds a measurement.
    """
    different: set[float] = set()
    for piece in pieces:
        found = pc.unique(piece.cast(pa.float64(), safe=False)).to_pylist()
        different.update(value for value in found if value is not None and value == value)
        if len(different) > MAX_CLASSES or not all(value.is_integer() for value in different):
            return False
    return bool(different)
