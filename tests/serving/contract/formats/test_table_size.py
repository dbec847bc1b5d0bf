"""No cell of a table is shorter or longer than is said."""

import numpy as np
import pytest

from rvae.serving.contract.formats.table_size import CSV_CELLS, event_row_size
from rvae.serving.contract.formats.tables import write_csv
from rvae.serving.contract.sizes import Kind, Values
from tests.support.untrained import KINDS


@pytest.mark.parametrize("kind", [Kind.FLOAT64, Kind.FLOAT32, Kind.FLAG, Kind.TIME])
def test_cells_are_as_long_as_is_said(kind: Kind) -> None:
    random = np.random.default_rng(0)
    bits = random.integers(0, 2**64, 100_000, np.uint64, endpoint=False)
    times = np.datetime64("2026-01-01", "us") + np.arange(100)
    values = {
        Kind.FLOAT64: np.append(bits.view(np.float64), [0.0, -0.0, np.nan, 1e20, -123456789e-14]),
        Kind.FLOAT32: bits.view(np.float32),
        Kind.FLAG: np.array([True, False]),
        Kind.TIME: times,
    }[kind]
    lines = write_csv({"a": values}, 1 << 30).splitlines()[1:]
    lengths = [len(line) + 1 for line in lines]
    span = CSV_CELLS.kinds[kind]
    assert len(lines) == len(values)
    assert span.least <= min(lengths) and max(lengths) <= span.most


def test_texts_are_as_long_as_is_said() -> None:
    words = ("on", 'say "ä"', "")
    for word in words:
        column = np.array([word, word], dtype=object)
        body = write_csv({"a": column}, 1000)
        size = CSV_CELLS.size(Values("a", Kind.TEXT, 2, texts=(word,)))
        assert size.least == size.most == len(body) - len('"a"\n')
    assert CSV_CELLS.text(None) == 1


def test_a_row_of_an_event_has_a_bound() -> None:
    span = event_row_size(KINDS["several"])
    assert 0 < span.least < 60 < span.most
