"""Arrays as bodies of requests and answers."""

import json
import struct
from typing import Any, Literal

import numpy as np
import pytest

from rvae.errors import MalformedError
from rvae.inference.engine import Engine
from rvae.serving.contract.formats.npy import read_array
from rvae.serving.service import Limits, Service
from tests.support.service_client import answer_to, to_npy

NPY = "application/octet-stream"


@pytest.fixture(scope="module")
def service(engine: Engine) -> Service:
    return Service(engine, "waves", "1.0", Limits())


def ask(service: Service, array: Any, options: Any = None, **call: Any) -> Any:
    given = None if options is None else json.dumps(options)
    body = array if isinstance(array, bytes) else to_npy(array)
    return answer_to(service, body, NPY, options=given, **call)


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8", "f2", "i4"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_any_number_is_read(dtype: str, order: Literal["C", "F"]) -> None:
    array = np.arange(24, dtype=dtype).reshape(2, 4, 3, order=order)
    np.testing.assert_array_equal(read_array(to_npy(array)), array)


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
SHAPES += ["(True, 32)", "(32, True)", "(32, False)", "(32.0, 1)", "((32, 1),)", "[32, 1]", "32"]
SHAPES += [f"({'1, ' * 65})", f"(32, {'1, ' * 32})", "(-1, 32, -1)", "(-32, 32, 1)"]


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


def test_a_signalling_nan_is_a_missing_value(service: Service) -> None:
    array = np.full(32, 20, "<f4")
    array.view("<u4")[5] = 0x7FA00000
    status, scores = ask(service, array)
    assert status == 200 and np.isfinite(scores).all()
