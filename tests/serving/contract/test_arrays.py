"""Arrays as bodies of requests and answers."""

import json
import struct
from typing import Any, Literal

import numpy as np
import pytest

from rvae.errors import MalformedError
from rvae.inference.engine import Engine
from rvae.serving.contract.arrays import read_array
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


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8", "f2", "i4"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_any_number_is_read(dtype: str, order: Literal["C", "F"]) -> None:
    array = np.arange(24, dtype=dtype).reshape(2, 4, 3, order=order)
    np.testing.assert_array_equal(read_array(to_npy(array)), array)


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


def test_the_answer_may_be_of_another_kind(service: Service, fresh: list[np.ndarray]) -> None:
    windows = np.stack(fresh[:2])
    status, answer = ask(service, windows, accept="application/json")
    assert status == 200 and len(answer["predictions"]) == 2
    series = {"instances": [w.tolist() for w in fresh[:2]], "output": ["latent"]}
    status, latent = answer_to(service, series, accept=NPY)
    assert status == 200
    np.testing.assert_allclose(latent[:, 0], [p["latent"][0] for p in answer["predictions"]])
    series["instances"][1] *= 2
    status, error = answer_to(service, series, accept=NPY)
    assert (status, error["field"]) == (422, "instances")


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


@pytest.mark.parametrize("options", ["{", "[]", "1", "\ud800", ""])
def test_options_are_a_json_object(service: Service, options: str) -> None:
    status, error = answer_to(service, to_npy(np.full(32, 20.0)), NPY, options=options)
    assert (status, error["field"]) == (400, "Rvae-Options")


def header(text: str, version: bytes = b"\x01\x00") -> bytes:
    line = text.encode() + b"\n"
    size = struct.pack("<H" if version == b"\x01\x00" else "<I", len(line))
    return b"\x93NUMPY" + version + size + line


GOOD = to_npy(np.zeros((32, 1), np.float32))
SHAPES = ["(32, 2)", "(31, 1)", "(-32, -1)", "(10**30, 1)", f"({2**62}, 4)", "(0, 1)", "(32, 1, 0)"]


@pytest.mark.parametrize(
    "body",
    [
        *(GOOD[:end] for end in (6, 7, 8, 9, 10, 11, 60, len(GOOD) - 1)),
        GOOD + b"\0",
        *(
            header(f"{{'descr': '<f4', 'fortran_order': False, 'shape': {s}}}") + bytes(128)
            for s in SHAPES
        ),
        *(
            header(f"{{'descr': {d}, 'fortran_order': False, 'shape': (32, 1)}}") + bytes(32 * 8)
            for d in (
                "'|O'",
                "'<c8'",
                "'|b1'",
                "'<U2'",
                "'|V8'",
                "'<M8[us]'",
                "[('a', '<f8')]",
                "8",
            )
        ),
        header("{'descr': '<f4'}"),
        header("__import__('os').system('true')"),
        header("(" * 900),
        header("{" + " " * 60_000 + "}"),
        header("{'descr': '<f4', 'fortran_order': 3, 'shape': (32, 1)}") + bytes(128),
        header("{'descr': '<f4', 'fortran_order': False, 'shape': (True, 32)}")[:-1],
        header("{}", b"\x09\x00"),
        b"\x93NUMPY\x02\x00\xff\xff\xff\xff",
    ],
)
def test_what_is_no_array_is_malformed(service: Service, body: bytes) -> None:
    with pytest.raises(MalformedError) as caught:
        read_array(body)
    assert caught.value.field == "body"
    assert ask(service, body)[0] == 400


def test_an_archive_of_arrays_is_never_unpacked(service: Service) -> None:
    status, error = answer_to(service, b"PK\x03\x04" + bytes(100), NPY)
    assert status == 400 and ".npz" in error["message"]
