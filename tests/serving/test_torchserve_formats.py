"""Every form of requests and answers through a real TorchServe."""

import gzip
import io
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import product
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import requests
import tritonclient.http as triton
from numpy.typing import NDArray
from pyarrow import csv

from rvae.inference.engine import Engine
from rvae.serving.torchserve import Endpoint
from tests.support.service_client import arrow, read_answer, to_npy


def post(
    server: Endpoint, body: bytes | str, path: str = "predictions/waves", **headers: str
) -> requests.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.post(f"{server.url}/{path}", data=body, headers=named, timeout=60)


def forms(windows: NDArray[Any]) -> dict[str, tuple[Any, dict[str, str], Callable[[Any], Any]]]:
    """The same windows (S, T, 1) in every form, and how their scores are read from the answer."""
    series = [window[:, 0].tolist() for window in windows]
    steps = len(series[0])
    tensor = triton.InferInput("x", list(windows.shape), "FP64")
    tensor.set_data_from_numpy(windows)
    binary, length = triton.InferenceServerClient.generate_request_body([tensor])
    tensor.set_data_from_numpy(windows, binary_data=False)
    text, _ = triton.InferenceServerClient.generate_request_body([tensor])
    options = json.dumps({"stride": steps, "output": ["score"]})
    long = np.concatenate(series)
    table = pa.table({"height": long})
    sink = io.BytesIO()
    csv.write_csv(table, sink)

    def of_tensors(reply: requests.Response) -> NDArray[Any]:
        result = triton.InferenceServerClient.parse_response_body(reply.content)
        return result.as_numpy("score").ravel()

    def of_table(reply: requests.Response) -> NDArray[Any]:
        return read_answer(reply.headers["content-type"], reply.content)["score"].to_numpy()

    json_type, csv_type = "application/json", "text/csv"
    arrow_type, npy_type = "application/vnd.apache.arrow.stream", "application/octet-stream"
    return {
        "instances": (
            json.dumps({"instances": series}),
            {"Content_Type": json_type},
            lambda reply: [one["score"][0] for one in reply.json()["predictions"]],
        ),
        "columns": (
            json.dumps({"columns": {"height": long.tolist()}, "stride": steps}),
            {"content_type": json_type},
            lambda reply: reply.json()["score"],
        ),
        "tensors": (text, {"Content_Type": json_type}, of_tensors),
        "binary tensors": (
            binary,
            {"Content_Type": npy_type, "inference_header_content_length": str(length)},
            of_tensors,
        ),
        "npy": (
            to_npy(windows),
            {"Content_Type": npy_type},
            lambda reply: np.load(io.BytesIO(reply.content))[:, 0],
        ),
        "npy, untold": (
            to_npy(windows),
            {},
            lambda reply: np.load(io.BytesIO(reply.content))[:, 0],
        ),
        "csv": (sink.getvalue(), {"Content_Type": csv_type, "Rvae_Options": options}, of_table),
        "arrow": (
            arrow(height=long),
            {"Content_Type": arrow_type, "rvae_options": options},
            of_table,
        ),
        "csv for json": (
            json.dumps({"data": long.tolist(), "stride": steps, "output": ["score"]}),
            {"Content_Type": json_type, "Accept": csv_type},
            of_table,
        ),
        "json for csv": (
            sink.getvalue(),
            {"CONTENT_TYPE": csv_type, "ACCEPT": json_type, "RVAE_OPTIONS": options},
            lambda reply: reply.json()["score"],
        ),
    }


@pytest.fixture(scope="module")
def expected(engine: Engine, fresh: list[np.ndarray]) -> list[float]:
    return [analysis.score[0] for analysis in engine.analyse(fresh[:4])]


def test_every_form_alone_and_all_in_one_batch(
    server: Endpoint, fresh: list[np.ndarray], expected: list[float]
) -> None:
    asked = forms(np.stack(fresh[:4]))
    for body, headers, scores in asked.values():
        reply = post(server, body, **headers)
        assert reply.status_code == 200, reply.text
        np.testing.assert_allclose(scores(reply), expected, rtol=1e-4, atol=1e-5)
    bad = [("height\nx", {"Content_Type": "text/csv"}, None), (b"\x93NUMPY\x01", {}, None)]
    mixed: list[tuple[Any, dict[str, str], Callable[[Any], Any] | None]]
    mixed = [*asked.values(), *bad] * 3
    with ThreadPoolExecutor(len(mixed)) as pool:
        replies = list(pool.map(lambda one: post(server, one[0], **one[1]), mixed))
    for (_, _, read), reply in zip(mixed, replies, strict=True):
        if read is None:
            assert reply.status_code in (400, 422) and reply.json()["field"]
        else:
            assert reply.status_code == 200, reply.text
            np.testing.assert_allclose(read(reply), expected, rtol=1e-4, atol=1e-5)


def test_a_part_of_a_form_has_a_type_of_its_own(
    server: Endpoint, fresh: list[np.ndarray], expected: list[float]
) -> None:
    text = "height\n" + "\n".join(map(str, fresh[0][:, 0]))
    url = f"{server.url}/predictions/waves"
    for name in ("data", "body"):
        reply = requests.post(url, files={name: ("x.csv", text, "text/csv")}, timeout=60)
        assert reply.headers["content-type"] == "text/csv", reply.text
        (score,) = read_answer("text/csv", reply.content)["score"].to_pylist()
        assert score == pytest.approx(expected[0], 1e-4, 1e-5)
    reply = requests.post(url, files={"data": ("x.npy", to_npy(fresh[0]))}, timeout=60)
    assert np.load(io.BytesIO(reply.content))[0] == pytest.approx(expected[0], 1e-4, 1e-5)


def test_explanations_in_kind(
    server: Endpoint, fresh: list[np.ndarray], expected: list[float]
) -> None:
    reply = post(server, to_npy(fresh[0]), "explanations/waves")
    said = np.load(io.BytesIO(reply.content))
    assert said.shape == (1, 32, 1)
    assert said.sum() == pytest.approx(expected[0], 1e-4, 1e-5)


@pytest.mark.parametrize(
    ("body", "headers", "status", "field"),
    [
        ("{}", {"Content_Type": "application/xml"}, 415, "Content-Type"),
        ("{}", {"Content_Type": "application/json", "Accept": "image/png"}, 406, "Accept"),
        ("a=1", {"Content_Type": "application/x-www-form-urlencoded"}, 400, "body"),
        (gzip.compress(b"{}", mtime=0), {"Content_Type": "application/json"}, 400, "body"),
        (b"PK\x03\x04", {"Content_Type": "application/octet-stream"}, 400, "body"),
        ("x", {"Content_Type": "text/csv"}, 422, "body"),
        (to_npy(np.zeros(31)), {}, 422, "body"),
        (to_npy(np.zeros(32)), {"Rvae_Options": "{"}, 400, "Rvae-Options"),
        ("{}", {"Content_Type": "application/json", "Rvae_Options": "{}"}, 422, "Rvae-Options"),
        ("{}", {"Inference_Header_Content_Length": "x"}, 400, "Inference-Header-Content-Length"),
    ],
)
def test_what_is_wrong_is_said(
    server: Endpoint, body: bytes | str, headers: dict[str, str], status: int, field: str
) -> None:
    reply = post(server, body, **headers)
    assert (reply.status_code, reply.json()["field"]) == (status, field)
    assert reply.headers["content-type"] == "application/json"


def test_a_header_that_is_called_like_a_part(
    server: Endpoint, fresh: list[np.ndarray], expected: list[float]
) -> None:
    body = json.dumps({"data": fresh[0].tolist()})
    for name in ("body", "data"):
        headers = {name: "x", "Content-Type": "application/json"}
        reply = requests.post(
            f"{server.url}/predictions/waves", data=body, headers=headers, timeout=60
        )
        assert reply.json()["score"][0] == pytest.approx(expected[0], 1e-4, 1e-5)


def test_a_client_of_the_open_inference_protocol(
    server: Endpoint, fresh: list[np.ndarray], expected: list[float]
) -> None:
    """Triton's own, with what the model says of its tensors and nothing else."""
    with closing(triton.InferenceServerClient(server.url.removeprefix("http://"))) as client:
        assert client.is_server_live() and client.is_server_ready()
        assert client.get_server_metadata()["name"] == "rvae"
        told = client.get_model_metadata("waves")
        versions = told["versions"]
        for version in ("", *versions):
            assert client.is_model_ready("waves", version)
        (said,) = told["inputs"]
        for binary, version in product((True, False), ("", *versions)):
            for window, score in zip(fresh, expected, strict=False):
                given = triton.InferInput(said["name"], list(window.shape), said["datatype"])
                given.set_data_from_numpy(window.astype(np.float64), binary_data=binary)
                wanted = [triton.InferRequestedOutput(one["name"]) for one in told["outputs"]]
                answer = client.infer("waves", [given], version, outputs=wanted, request_id="7")
                assert answer.get_response()["id"] == "7"
                np.testing.assert_allclose(answer.as_numpy("score"), [score], rtol=1e-4, atol=1e-5)
                for one in told["outputs"]:
                    tensor = answer.get_output(one["name"])
                    assert tensor["datatype"] == one["datatype"]
                    assert tensor["shape"][1:] == one["shape"][1:]
                if version:
                    assert answer.get_response()["model_version"] == version
        assert not client.is_model_ready("waves", "9.9") and not client.is_model_ready("other")
        with pytest.raises(triton.InferenceServerException, match="inputs"):
            client.infer("waves", [triton.InferInput("x", [1, 1], "FP64")])
        with pytest.raises(triton.InferenceServerException, match="model: other is not served"):
            client.get_model_metadata("other")
