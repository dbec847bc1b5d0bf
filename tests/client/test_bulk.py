from dataclasses import replace

import numpy as np
import pytest

from rvae.client import bulk as bulk_module
from rvae.client import retries
from rvae.client.bulk import Bulk, Wanted
from rvae.client.client import Client
from rvae.client.errors import RefusedError
from rvae.data.series import Series
from rvae.errors import FieldError
from rvae.inference.engine import Engine
from tests.support.faulty_server import (
    FaultyServer,
    changed,
    cut,
    cut_without_length,
    drop,
    right,
    status,
)

EVERYTHING = [Wanted(("score", "latent", "reconstruction", "point_scores"))]


@pytest.fixture
def series(bumpy: np.ndarray) -> list[Series]:
    """A series that takes several requests, and short ones that share requests."""
    short = [Series(bumpy[at : at + 40, None], str(at)) for at in range(0, 400, 40)]
    return [*short[:4], Series(bumpy[:, None], "long"), *short[4:]]


def require_same(bulk: Bulk, engine: Engine, series: list[Series], stride: int) -> None:
    """Every series has its results, in order, and every window and step its own."""
    found = list(bulk.results(series, stride, EVERYTHING))
    assert [one.series.name for one in found] == [one.name for one in series]
    for result, analysis in zip(found, engine.analyse(series, stride), strict=True):
        fields = result.fields
        np.testing.assert_array_equal(result.starts, analysis.starts)
        np.testing.assert_allclose(fields["score"], analysis.score, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(fields["latent"], analysis.latent, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(fields["point_scores"], analysis.point_scores, atol=1e-6)
        np.testing.assert_allclose(
            fields["reconstruction"][0], analysis.reconstruction[:, 0], rtol=1e-6
        )


@pytest.mark.parametrize("stride", [1, 7, 50])
def test_results_of_many_requests_are_those_of_one(
    bulk: Bulk, engine: Engine, series: list[Series], stride: int, faulty: FaultyServer
) -> None:
    require_same(bulk, engine, series, stride)
    assert len(faulty.bodies) > (8 if stride == 1 else 1)


def test_no_row_is_lost_or_comes_twice_whatever_happens_to_answers(
    bulk: Bulk,
    engine: Engine,
    series: list[Series],
    faulty: FaultyServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(retries, "FIRST_SECONDS", 0.001)
    storm = [status(503), status(502), status(504, {"Retry-After": "0"}), cut, drop]
    faulty.faults = storm * 4
    require_same(bulk, engine, series, 1)
    assert len(faulty.bodies) > 20 and not faulty.faults
    wrong = [
        cut_without_length,
        status(200, {}, b"<html>come in</html>"),
        changed(lambda body: body.replace(b'"version":"1.0"', b'"version":"2.0"')),
        changed(lambda body: body.replace(b'"starts":[0,', b'"starts":[1,')),
        changed(lambda body: body.replace(b'"score":[', b'"score":[9.5,')),
    ]
    # One after another, as the same wrong answer again and again is what a server means.
    faulty.faults = [one for fault in wrong for one in (fault, right)]
    require_same(replace(bulk, connections=1), engine, series, 1)
    assert not faulty.faults


def test_less_is_sent_where_the_server_says_that_it_is_too_much(
    bulk: Bulk, engine: Engine, series: list[Series], faulty: FaultyServer
) -> None:
    """A server may be slower than its limits tell, and a proxy take smaller bodies."""
    said = b'{"code": 422, "field": "stride", "message": "would take about 99 s"}'
    # What is asked for at once is refused, and so is a half of it.
    many = replace(bulk, connections=1)
    faulty.faults = [status(422, {}, said), status(413, {}, b"<html>too large</html>")]
    require_same(many, engine, series, 4)
    faulty.faults = [status(422, {}, said)] * 10_000
    with pytest.raises(RefusedError, match=r"99 s \(in steps 0 to 32 of series 0\)"):
        list(many.results(series, 4, EVERYTHING))


@pytest.mark.parametrize(
    ("chosen", "place"),
    [
        (slice(4, 5), r"steps \d+ to \d+ of series long"),
        (slice(1), "series 0"),
        (slice(4), "series 0 to 120"),
    ],
)
def test_what_is_refused_is_placed_in_the_data(
    bulk: Bulk, series: list[Series], faulty: FaultyServer, chosen: slice, place: str
) -> None:
    faulty.faults = [status(422, {}, b'{"field": "body[3]", "message": "is odd"}')] * 100
    with pytest.raises(RefusedError, match=rf"body\[3\]: is odd \(in {place}\)"):
        list(bulk.results(series[chosen], 1, EVERYTHING))


def test_a_threshold_that_follows_a_series_needs_it_in_one_request(
    bulk: Bulk, engine: Engine, series: list[Series]
) -> None:
    wanted = [Wanted(("score",), {"adapt": 0.05})]
    (result,) = bulk.results([series[5]], 1, wanted)
    assert result.fields["threshold"].shape == (9,)
    with pytest.raises(FieldError, match="adapt: a threshold follows the windows of one request"):
        list(bulk.results(series, 1, wanted))


def test_a_stride_is_positive(bulk: Bulk, series: list[Series]) -> None:
    with pytest.raises(FieldError, match="stride: must be at least 1"):
        list(bulk.results(series, 0, EVERYTHING))


def test_requests_are_as_large_as_there_is_work_for_all_connections(
    faulty: FaultyServer, monkeypatch: pytest.MonkeyPatch, bumpy: np.ndarray
) -> None:
    monkeypatch.setattr(bulk_module, "FEWEST_VALUES", 320)
    windows = [Series(bumpy[at : at + 32, None], str(at)) for at in range(0, 320, 2)]
    for connections, requests in ((1, 6), (10, 16)):  # of 31 windows at most, and of at least 10
        faulty.bodies = []
        with Client(faulty.url, "waves", connections=connections) as client, client.bulk() as bulk:
            assert len(list(bulk.results(windows, 1, [Wanted(("score",))]))) == 160
        assert len(faulty.bodies) == requests
