"""Series and latents as arrays."""

import json
from typing import Any

import numpy as np
import pytest

from rvae.inference.engine import Engine
from rvae.serving.service import Limits, Service
from tests.support.service_client import answer_to, to_npy
from tests.support.untrained import untrained_card, untrained_engine

NPY = "application/octet-stream"


@pytest.fixture(scope="module")
def service(engine: Engine) -> Service:
    return Service(engine, "waves", "1.0", Limits())


def ask(
    service: Service, array: Any, options: dict[str, Any] | None = None, **call: Any
) -> tuple[int, Any]:
    given = None if options is None else json.dumps(options)
    body = array if isinstance(array, bytes) else to_npy(array)
    return answer_to(service, body, NPY, options=given, **call)


def test_scores_of_windows_as_the_engine_gives_them(
    service: Service, engine: Engine, fresh: list[np.ndarray]
) -> None:
    windows = np.stack(fresh[:5]).astype(np.float32)
    expected = engine.analyse([w.astype(np.float64) for w in windows])
    status, scores = ask(service, windows)
    assert (status, scores.dtype, scores.shape) == (200, np.float32, (5, 1))
    np.testing.assert_allclose(scores[:, 0], [a.score[0] for a in expected], rtol=1e-4, atol=1e-5)
    for output, shape in (
        ("latent", (5, 1, 4)),
        ("reconstruction", (5, 32, 1)),
        ("point_scores", (5, 32)),
        ("contributions", (5, 1, 32, 1)),
    ):
        _, answer = ask(service, windows, {"output": [output]})
        assert answer.shape == shape
        np.testing.assert_allclose(
            answer, [getattr(a, output) for a in expected], rtol=1e-4, atol=1e-5
        )


def test_one_series_and_what_is_done_with_it(
    service: Service, engine: Engine, fresh: list[np.ndarray]
) -> None:
    series = np.concatenate(fresh[:3])
    (analysis,) = engine.analyse([series], 8)
    for given in (series, series[:, 0]):
        status, latent = ask(service, given, {"task": "encode", "stride": 8})
        assert status == 200 and latent.dtype == np.float32
        np.testing.assert_allclose(latent, analysis.latent, rtol=1e-4, atol=1e-5)
    # Whoever sends doubles gets doubles.
    _, said = ask(service, series, {"task": "reconstruct", "stride": 8})
    assert said.dtype == np.float64
    np.testing.assert_allclose(said, analysis.reconstruction, rtol=1e-5)
    _, explained = ask(service, series[:32], explain=True)
    np.testing.assert_allclose(explained.sum(), analysis.score[0], rtol=1e-4)


def test_nan_is_missing(service: Service) -> None:
    series = np.full((64, 1), 20.0, np.float32)
    series[32:] = np.nan
    _, scores = ask(service, series, {"stride": 32})
    assert np.isfinite(scores[0]) and np.isnan(scores[1])


def test_latents_are_decoded(service: Service, engine: Engine) -> None:
    latent = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    status, windows = ask(service, latent, {"task": "decode"})
    assert (status, windows.shape, windows.dtype) == (200, (3, 32, 1), np.float32)
    _, answer = answer_to(service, {"task": "decode", "latent": latent.tolist()})
    np.testing.assert_allclose(windows[..., 0], answer["instances"], rtol=1e-5)


def test_a_category_is_its_number() -> None:
    card = untrained_card(channels=("heat", "mode"), categories={"mode": ("off", "on")})
    service = Service(untrained_engine(card), "any", "1.0", Limits())
    rows = np.array([[20.0, 2], [21, 1], [np.nan, np.nan], [22, 0]] * 2)
    status, scores = ask(service, rows)
    words = [[20, "on"], [21, "off"], [None, None], [22, "stuck"]] * 2
    assert status == 200
    np.testing.assert_allclose(scores, answer_to(service, {"data": words})[1]["score"])
    for value in (0.5, 3, -1):
        rows[3, 1] = value
        status, error = ask(service, rows)
        assert (status, error["field"]) == (422, "body[3][1]")
        assert "whole numbers" in error["message"]


@pytest.mark.parametrize(
    ("array", "options", "field"),
    [
        (np.zeros((31, 1)), None, "body"),
        (np.zeros((1, 32)), None, "body"),
        (np.zeros((5, 32)), None, "body"),
        (np.zeros((5, 32, 2)), None, "body"),
        (np.zeros((1, 1, 32, 1)), None, "body"),
        (np.array(1.0), None, "body"),
        (np.full((32, 1), np.inf), None, "body[0][0]"),
        (np.full(32, 1e30), None, "body[0]"),
        (np.full((2, 32, 1), np.nan), None, "body[0]"),
        (np.full((32, 1), 20.0), {"stride": 0}, "stride"),
        (np.full((32, 1), 20.0), {"output": ["score", "latent"]}, "output"),
        (np.full((32, 1), 20.0), {"output": ["events"]}, "output"),
        (np.full((32, 1), 20.0), {"output": ["band"]}, "output"),
        (np.full((32, 1), 20.0), {"data": [1]}, "data"),
        (np.full((32, 1), 20.0), {"dta": [1]}, "dta"),
        (np.full((32, 1), 20.0), {"task": "sample"}, "body"),
        (np.zeros((3, 5)), {"task": "decode"}, "body"),
        (np.full((3, 4), 1e9), {"task": "decode"}, "body[0][0]"),
        (np.full((3, 4), np.nan), {"task": "decode"}, "body[0][0]"),
    ],
)
def test_what_does_not_fit_names_its_field(
    service: Service, array: Any, options: dict[str, Any] | None, field: str
) -> None:
    status, error = ask(service, array, options)
    assert (status, error["field"]) == (422, field)
