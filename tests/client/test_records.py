from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from rvae.client import records
from rvae.client.bulk import Bulk
from rvae.client.records import Judging
from rvae.data.columns import table_of
from rvae.data.series import Series
from rvae.inference import export
from rvae.inference.engine import Engine
from tests.client.conftest import Served
from tests.client.test_bodies import series_for


def table(pieces: Iterable[dict[str, Any]]) -> pa.Table:
    return pa.concat_tables([table_of(piece) for piece in pieces])


def require_same(found: pa.Table, expected: pa.Table) -> None:
    """The same rows: numbers may differ in the last bits, as runs of another size do."""
    assert found.schema == expected.schema and len(found) == len(expected)
    for name in expected.column_names:
        mine, theirs = found[name], expected[name]
        assert mine.is_null().to_pylist() == theirs.is_null().to_pylist(), name
        if pa.types.is_floating(theirs.type):
            np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-5, err_msg=name)
        else:
            assert mine.to_pylist() == theirs.to_pylist(), name


def several(kind: Served) -> list[Series]:
    """Series of one and of several requests."""
    lengths = [20, 8, 20, 700, 8]
    return [series_for(kind, steps, str(i)) for i, steps in enumerate(lengths)]


@pytest.mark.parametrize("stride", [None, 3])
def test_rows_of_every_kind_of_model_are_those_of_this_process(
    kind: Served, stride: int | None
) -> None:
    series, engine = several(kind), kind.engine
    with kind.client.bulk() as bulk:
        for mine, theirs in (
            (records.window_records, export.window_records),
            (records.point_records, export.point_records),
        ):
            require_same(
                table(mine(bulk, series, stride, Judging())), table(theirs(engine, series, stride))
            )
        judging = Judging(quantile=0.9, gap=5)
        found = table(records.event_records(bulk, series, stride, judging))
        expected = table(export.event_records(engine, series, stride, gap=5, quantile=0.9))
        require_same(found, expected)
        require_same(
            table(records.latent_records(bulk, series, stride)),
            table(export.latent_records(engine, series, stride)),
        )
        require_same(
            table(records.reconstruction_records(bulk, series, stride)),
            table(export.reconstruction_records(engine, series, stride)),
        )


ROWS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "windows": (records.window_records, export.window_records),
    "points": (records.point_records, export.point_records),
    "events": (records.event_records, export.event_records),
}


@pytest.mark.parametrize("rows", ROWS.values(), ids=ROWS)
@pytest.mark.parametrize(
    "asked", [{}, {"quantile": 0.9}, {"adapt": 0.05}, {"adapt": 0.02, "quantile": 0.9}], ids=str
)
def test_whatever_is_asked_of_them(
    bulk: Bulk,
    engine: Engine,
    bumpy: np.ndarray,
    rows: tuple[Callable[..., Any], Callable[..., Any]],
    asked: dict[str, Any],
) -> None:
    mine, theirs = rows
    # A threshold that follows a series is that of one request.
    values = bumpy[90:330] if "adapt" in asked else bumpy
    series = [Series(values[:, None], "a")]
    expected = table(theirs(engine, series, 1, **asked))
    require_same(table(mine(bulk, series, 1, Judging(**asked))), expected)


def test_alarms_are_a_threshold(bulk: Bulk, engine: Engine, bumpy: np.ndarray) -> None:
    series = [Series(bumpy[:, None], "a")]
    quantile = engine.card.quantile_of(None, "1 per 100 steps")
    for mine, theirs in ROWS.values():
        found = table(mine(bulk, series, 4, Judging(alarms="1 per 100 steps")))
        require_same(found, table(theirs(engine, series, 4, quantile=quantile)))


def test_times_are_those_of_the_data(bulk: Bulk, engine: Engine, bumpy: np.ndarray) -> None:
    times = np.datetime64("2026-01-01", "us") + np.arange(len(bumpy)) * np.timedelta64(1, "m")
    series = [replace(Series(bumpy[:, None], "a"), times=times)]
    for mine, theirs in ROWS.values():
        found = table(mine(bulk, series, 5, Judging()))
        require_same(found, table(theirs(engine, series, 5)))
        assert "time" in found.column_names
