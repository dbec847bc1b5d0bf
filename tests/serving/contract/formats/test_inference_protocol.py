"""Requests of the Open Inference Protocol, most of them made and read by Triton's client."""

import io
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import tritonclient.http as triton
from numpy.typing import NDArray

from rvae.config import ModelConfig, TimeConfig
from rvae.inference.engine import Engine
from rvae.serving.contract.formats.tensors import MAX_TENSORS
from rvae.serving.contract.messages import Request
from rvae.serving.contract.options import MAX_SERIES
from rvae.serving.service import Limits, Service
from tests.support.service_client import answer_to
from tests.support.untrained import untrained_card, untrained_engine

MODE: dict[str, tuple[str, ...]] = {"mode": ("off", "on")}
SCORED = {
    *("score", "tail_probability", "above_calibration", "severity", "threshold", "drift"),
    "is_anomaly",
}


@pytest.fixture(scope="module")
def service(engine: Engine) -> Service:
    return Service(engine, "waves", "1.0", Limits())


@pytest.fixture(scope="module")
def mixed() -> Service:
    card = untrained_card(channels=("heat", "mode"), categories=MODE)
    return Service(untrained_engine(card), "any", "1.0", Limits())


def tensor(name: str, values: NDArray[Any], datatype: str, binary: bool) -> triton.InferInput:
    made = triton.InferInput(name, list(values.shape), datatype)
    made.set_data_from_numpy(values, binary_data=binary)
    return made


def infer(
    service: Service,
    inputs: list[triton.InferInput],
    outputs: list[triton.InferRequestedOutput] | None = None,
    binary: bool = True,
    **request: Any,
) -> triton.InferResult:
    """What the client makes of the answer to what it sends."""
    body, length = triton.InferenceServerClient.generate_request_body(
        inputs, outputs=outputs, **request
    )
    (reply,) = service.answer(
        [Request(body, content_type="application/octet-stream", json_length=length and str(length))]
    )
    assert reply.status == 200, reply.body
    return triton.InferenceServerClient.parse_response_body(reply.body)


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize(("datatype", "dtype"), [("FP32", np.float32), ("FP64", np.float64)])
def test_a_batch_of_series(
    service: Service,
    engine: Engine,
    fresh: list[np.ndarray],
    binary: bool,
    datatype: str,
    dtype: type[np.floating],
) -> None:
    windows = np.stack(fresh[:4]).astype(dtype)
    result = infer(service, [tensor("x", windows, datatype, binary)], request_id="seven")
    expected = engine.analyse([w.astype(float) for w in windows])
    close: dict[str, Any] = {"rtol": 1e-4, "atol": 1e-5}
    np.testing.assert_allclose(result.as_numpy("score"), [a.score for a in expected], **close)
    np.testing.assert_allclose(result.as_numpy("latent"), [a.latent for a in expected], **close)
    said = result.get_response()
    assert {one["name"] for one in said["outputs"]} == SCORED | {"latent", "starts"}
    assert (said["model_name"], said["model_version"], said["id"]) == ("waves", "1.0", "seven")
    assert result.as_numpy("is_anomaly").dtype == bool
    assert result.as_numpy("above_calibration").dtype == bool
    assert result.as_numpy("above_calibration").shape == (4, 1)
    assert result.as_numpy("threshold").shape == (4,)


def test_only_what_is_wanted_is_answered(
    service: Service, engine: Engine, fresh: list[np.ndarray]
) -> None:
    series = np.concatenate(fresh[:2])
    outputs = [triton.InferRequestedOutput(n) for n in ("is_anomaly", "starts", "lower", "upper")]
    result = infer(service, [tensor("x", series, "FP64", True)], outputs, parameters={"stride": 16})
    names = [one["name"] for one in result.get_response()["outputs"]]
    assert sorted(names) == ["is_anomaly", "lower", "starts", "upper"]
    assert result.as_numpy("starts").tolist() == [0, 16, 32]
    (analysis,) = engine.analyse([series], 16)
    assert (result.as_numpy("lower") < analysis.reconstruction).all()
    assert result.as_numpy("upper").shape == (64, 1)


def test_what_is_missing_goes_in_and_out(service: Service) -> None:
    series = np.full((64, 1), 20.0)
    series[32:] = np.nan
    result = infer(service, [tensor("x", series, "FP64", True)], parameters={"stride": 32})
    assert np.isnan(result.as_numpy("score").astype(float)).tolist() == [False, True]
    body = {
        "inputs": [{"name": "x", "shape": [32], "datatype": "FP32", "data": [None] + [20] * 31}]
    }
    assert answer_to(service, body)[0] == 200


@pytest.mark.parametrize("binary", [True, False])
def test_a_tensor_for_each_channel(mixed: Service, binary: bool) -> None:
    heat = np.linspace(18, 22, 16, dtype=np.float32)
    mode = np.array(["on", "off", "stuck", "on"] * 4, dtype=object)
    rows = [[float(h), m] for h, m in zip(heat, mode, strict=True)]
    inputs = [tensor("mode", mode, "BYTES", binary), tensor("heat", heat, "FP32", binary)]
    alone = infer(mixed, inputs)
    _, expected = answer_to(mixed, {"data": rows})
    np.testing.assert_allclose(alone.as_numpy("score"), expected["score"], rtol=1e-6)
    both = [
        tensor("mode", mode.reshape(2, 8), "BYTES", binary),
        tensor("heat", heat.reshape(2, 8), "FP32", binary),
    ]
    _, expected = answer_to(mixed, {"instances": [rows[:8], rows[8:]]})
    np.testing.assert_allclose(
        infer(mixed, both).as_numpy("score"),
        [one["score"] for one in expected["predictions"]],
        rtol=1e-6,
    )


def test_a_tensor_of_all_channels_may_be_called_like_one_of_them() -> None:
    service = Service(
        untrained_engine(untrained_card(channels=("heat", "speed"))), "m", "1", Limits()
    )
    values = np.random.default_rng(0).normal(20, 1, (8, 2))
    scores = [
        infer(service, [tensor(name, values, "FP64", True)]).as_numpy("score")
        for name in ("heat", "x")
    ]
    assert scores[0] == scores[1]


@pytest.mark.parametrize("binary", [True, False])
def test_a_category_by_name_is_no_number(mixed: Service, binary: bool) -> None:
    inputs = [
        tensor("heat", np.full(8, 20.0), "FP64", binary),
        tensor("mode", np.ones(8, np.int32), "INT32", binary),
    ]
    body, length = triton.InferenceServerClient.generate_request_body(inputs)
    status, error = answer_to(mixed, body, json_length=length and str(length))
    assert (status, error["field"]) == (422, "inputs[1]")
    assert "BYTES" in error["message"]


def test_times_and_classes_beside() -> None:
    model = ModelConfig("dense", time=TimeConfig(calendar=("hour",)), conditional=True)
    service = Service(
        untrained_engine(untrained_card(model, classes=("a", "b"))), "m", "1", Limits()
    )
    times = [f"2026-01-31T{hour:02}:00:00" for hour in range(8)]
    values = np.linspace(18, 22, 8)
    _, expected = answer_to(service, {"data": values.tolist(), "timestamps": times, "label": "b"})
    beside = [
        tensor("timestamps", np.array(times, dtype=object), "BYTES", True),
        tensor("label", np.array(["b"], dtype=object), "BYTES", True),
    ]
    result = infer(service, [tensor("x", values[:, None], "FP64", True), *beside])
    np.testing.assert_allclose(result.as_numpy("score"), expected["score"])
    beside = [
        tensor("timestamps", np.array([times, times], dtype=object), "BYTES", False),
        tensor("label", np.array(["b", "b"], dtype=object), "BYTES", False),
    ]
    two = np.stack([values, values])[..., None]
    result = infer(service, [tensor("x", two, "FP64", False), *beside])
    np.testing.assert_allclose(result.as_numpy("score"), [expected["score"]] * 2)


@pytest.mark.parametrize("task", ["score", "decode"])
def test_of_several_labels_for_one_series_none_is_picked(task: str) -> None:
    card = untrained_card(ModelConfig("dense", latent=8, conditional=True), classes=("a", "b"))
    service = Service(untrained_engine(card), "m", "1", Limits())
    labels = x(["a", "b"], [2], "BYTES", "label")
    values = {"score": x(VALUES[:8], [8, 1]), "decode": x(VALUES[:16], [2, 8])}[task]
    body = {"inputs": [values, labels], "parameters": {"task": task}}
    status, error = answer_to(service, body)
    assert (status, error["field"]) == (422, "label")
    one = {"inputs": [values, x(["b"], [1], "BYTES", "label")], "parameters": {"task": task}}
    assert answer_to(service, one)[0] == 200


@pytest.mark.parametrize("name", ["z", "height"])
def test_other_tasks(service: Service, engine: Engine, name: str) -> None:
    latent = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    result = infer(service, [tensor(name, latent, "FP32", True)], parameters={"task": "decode"})
    assert result.as_numpy("instances").shape == (3, 32, 1)
    np.testing.assert_allclose(result.as_numpy("latent"), latent)
    status, answer = answer_to(
        service, {"inputs": [], "parameters": {"task": "sample", "count": 2, "seed": 5}}
    )
    shapes = {one["name"]: one["shape"] for one in answer["outputs"]}
    assert status == 200
    assert shapes == {"instances": [2, 32, 1], "latent": [2, 4], "seed": [1]}
    windows = np.array(answer["outputs"][0]["data"]).reshape(2, 32, 1)
    np.testing.assert_allclose(windows, engine.sample(2, seed=5), rtol=1e-5)


@pytest.mark.parametrize(
    ("task", "names"),
    [
        ("score", ["starts"]),
        ("encode", ["latent"]),
        ("encode", ["starts", "latent"]),
        ("reconstruct", ["reconstruction"]),
        ("decode", ["instances"]),
        ("sample", ["latent", "seed"]),
    ],
)
def test_each_task_answers_with_the_tensors_that_are_wanted(
    service: Service, task: str, names: list[str]
) -> None:
    series, latents = x(VALUES), x([0.0] * 4, [1, 4])
    inputs = {"sample": [], "decode": [latents]}.get(task, [series])
    body = {"inputs": inputs, "outputs": [{"name": n} for n in names], "parameters": {"task": task}}
    status, answer = answer_to(service, body)
    assert status == 200, answer
    assert sorted(one["name"] for one in answer["outputs"]) == sorted(names)


@pytest.mark.parametrize(
    ("task", "name"),
    [("score", "instances"), ("encode", "score"), ("decode", "starts"), ("sample", "threshold")],
)
def test_what_a_task_has_no_tensor_of_cannot_be_wanted(
    service: Service, task: str, name: str
) -> None:
    body = {"inputs": [x(VALUES)], "outputs": [{"name": name}], "parameters": {"task": task}}
    status, error = answer_to(service, body)
    assert (status, error["field"]) == (422, "outputs[0].name")


def test_an_array_is_what_was_wanted_and_nothing_else(service: Service) -> None:
    body = {"inputs": [x(VALUES)], "outputs": [{"name": "score"}]}
    accept = "application/octet-stream"
    status, scores = answer_to(service, body, accept=accept)
    assert (status, scores.shape) == (200, (1,))
    status, error = answer_to(service, body | {"outputs": [{"name": "threshold"}]}, accept=accept)
    assert (status, error["field"]) == (422, "outputs")
    latents = {"inputs": [x([0.0] * 4, [1, 4])], "parameters": {"task": "decode"}}
    wanted = latents | {"outputs": [{"name": "instances"}]}
    status, windows = answer_to(service, wanted, accept=accept)
    assert (status, windows.shape) == (200, (1, 32, 1))


def test_values_may_be_nested(service: Service, fresh: list[np.ndarray]) -> None:
    flat = {"name": "x", "shape": [1, 32, 1], "datatype": "FP64", "data": fresh[0][:, 0].tolist()}
    nested = flat | {"data": [fresh[0].tolist()]}
    answers = [answer_to(service, {"inputs": [one]})[1] for one in (flat, nested)]
    assert answers[0] == answers[1]


def test_an_error_has_the_name_that_its_clients_know(service: Service) -> None:
    status, error = answer_to(service, {"inputs": [{"name": "x", "shape": [3]}]})
    assert status == 400
    assert error.keys() == {"code", "message", "field", "error"}
    body = {"inputs": [{"name": "x", "shape": [1], "datatype": "FP32", "data": [1]}]}
    status, error = answer_to(service, body)
    assert (status, error["field"]) == (422, "inputs[0]")
    assert error["error"].startswith("inputs[0]: ")


def test_errors_that_are_not_of_the_request_have_it_too(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {"inputs": [x(VALUES)]}
    status, error = answer_to(Service(engine, "waves", "1.0", Limits(seconds=0.0)), body)
    assert (status, error["error"]) == (503, f"body: {error['message']}")
    monkeypatch.setattr(type(engine), "analyse", None)
    status, error = answer_to(Service(engine, "waves", "1.0", Limits()), body)
    assert (status, error["error"]) == (500, f"body: {error['message']}")


def x(
    data: Any, shape: Sequence[int] = (32, 1), datatype: str = "FP32", name: str = "x", **more: Any
) -> dict[str, Any]:
    return {"name": name, "shape": list(shape), "datatype": datatype, "data": data, **more}


VALUES = [20.0] * 32


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"inputs": None}, 400, "inputs"),
        ({"inputs": {}}, 400, "inputs"),
        ({"inputs": [1]}, 400, "inputs[0]"),
        ({"inputs": [{}] * (MAX_TENSORS + 1)}, 400, "body"),
        ({"inputs": [x(VALUES[:1])] * (MAX_TENSORS + 1)}, 400, "inputs"),
        ({"inputs": [x(VALUES)], "outputs": [{}] * (MAX_TENSORS + 1)}, 400, "body"),
        (
            {"inputs": [x([20] * 32 * (MAX_SERIES + 1), shape=[MAX_SERIES + 1, 32, 1])]},
            422,
            "inputs[0]",
        ),
        (
            {
                "inputs": [
                    x([20] * 32 * (MAX_SERIES + 1), shape=[MAX_SERIES + 1, 32]) | {"name": "height"}
                ]
            },
            422,
            "inputs[0]",
        ),
        ({"inputs": [x(VALUES)], "id": 7}, 400, "id"),
        ({"inputs": [x(VALUES, datatype="FP8")]}, 400, "inputs[0].datatype"),
        ({"inputs": [x(VALUES, shape=[])]}, 400, "inputs[0].shape"),
        ({"inputs": [x(VALUES, shape=[-32])]}, 400, "inputs[0].shape[0]"),
        ({"inputs": [x([], shape=[0])]}, 400, "inputs[0].shape[0]"),
        ({"inputs": [x(VALUES, shape=[2**31 + 1])]}, 400, "inputs[0].shape[0]"),
        ({"inputs": [x(VALUES, shape=[2**31] * 3)]}, 400, "inputs[0].data"),
        ({"inputs": [x(VALUES, shape=[32, 1, 1, 1])]}, 400, "inputs[0].shape"),
        ({"inputs": [x(VALUES, shape=[33])]}, 400, "inputs[0].data"),
        ({"inputs": [x([VALUES], shape=[32, 1])]}, 400, "inputs[0].data"),
        ({"inputs": [x([[20.0]] * 31 + [20.0], shape=[32, 1])]}, 400, "inputs[0].data"),
        ({"inputs": [x([*VALUES[1:], "1"])]}, 400, "inputs[0].data[31]"),
        ({"inputs": [x([*VALUES[1:], True])]}, 400, "inputs[0].data[31]"),
        ({"inputs": [x([*VALUES[1:], 1.5], datatype="INT64")]}, 400, "inputs[0].data[0]"),
        ({"inputs": [x(["a"] * 32, datatype="BYTES")]}, 422, "inputs[0].data[0]"),
        ({"inputs": [{"name": "x", "shape": [32], "datatype": "FP32"}]}, 400, "inputs[0].data"),
        ({"inputs": [x(VALUES), x(VALUES)]}, 400, "inputs[1].name"),
        ({"inputs": [x(VALUES), x(VALUES, name="y")]}, 422, "inputs"),
        ({"inputs": []}, 422, "inputs"),
        ({"inputs": [x(VALUES[1:], shape=(31, 1))]}, 422, "inputs[0]"),
        ({"inputs": [x([None] * 32)]}, 422, "inputs[0]"),
        ({"inputs": [x([1e30, *VALUES[1:]])]}, 422, "inputs[0][0][0]"),
        ({"inputs": [x([1e30, *VALUES[1:]], (32,), name="height")]}, 422, "inputs[0].data[0]"),
        ({"inputs": [x(VALUES)], "parameters": {"strid": 1}}, 422, "strid"),
        ({"inputs": [x(VALUES)], "parameters": {"stride": 0}}, 422, "stride"),
        ({"inputs": [x(VALUES)], "parameters": {"data": [1]}}, 422, "data"),
        ({"inputs": [x(VALUES)], "parameters": {"output": ["events"]}}, 422, "output"),
        ({"inputs": [x(VALUES)], "outputs": [{"name": "everything"}]}, 422, "outputs[0].name"),
        ({"inputs": [x(VALUES)], "outputs": [{"name": "events"}]}, 422, "outputs[0].name"),
        ({"inputs": [x(VALUES), x(["b"], [1], "BYTES", "label")]}, 422, "label"),
        ({"inputs": [x(VALUES)], "parameters": {"task": "sample"}}, 422, "inputs"),
        (
            {"inputs": [x(VALUES)], "outputs": [{"name": "score"}], "parameters": {"output": []}},
            422,
            "output",
        ),
        ({"inputs": [x(None, parameters={"binary_data_size": 4})]}, 400, "inputs[0].parameters"),
        ({"inputs": [x(None, parameters={"binary_data_size": -1})]}, 400, "inputs[0].parameters"),
        ({"inputs": [x(None, parameters={"binary_data_size": True})]}, 400, "inputs[0].parameters"),
        ({"inputs": [x(None, parameters={"binary_data_size": 0})]}, 400, "inputs[0]"),
    ],
)
def test_what_does_not_fit_names_its_field(
    service: Service, body: dict[str, Any], status: int, field: str
) -> None:
    got, error = answer_to(service, body)
    assert (got, error["field"]) == (status, field)
    assert len(error["message"]) > 5


def texts(*lengths: int) -> bytes:
    return b"".join(length.to_bytes(4, "little") + b"x" * 2 for length in lengths)


@pytest.mark.parametrize(
    ("datatype", "chunk"),
    [
        ("FP32", b"\0" * 127),
        ("FP64", b"\0" * 128),
        ("BOOL", b"\0" * 31),
        ("BYTES", texts(2) * 31),
        ("BYTES", texts(*[2] * 31, 3)),
        ("BYTES", texts(*[2] * 31, 2**32 - 1)),
        ("BYTES", (2).to_bytes(4, "little") + b"\xff\xfe" + texts(*[2] * 31)),
        ("BYTES", b"\0"),
    ],
)
def test_binary_values_are_as_many_as_was_said(
    service: Service, datatype: str, chunk: bytes
) -> None:
    parameters = {"binary_data_size": len(chunk)}
    head = json.dumps({"inputs": [x(None, datatype=datatype, parameters=parameters)]}).encode()
    status, error = answer_to(service, head + chunk, json_length=str(len(head)))
    assert (status, error["field"]) == (400, "inputs[0]")
    status, error = answer_to(service, head + chunk + b"\0", json_length=str(len(head)))
    assert status == 400


@pytest.mark.parametrize("length", ["", "-1", "0", "1e3", "999999", "9" * 5000, "²"])
def test_the_length_of_the_json_is_a_part_of_the_body(service: Service, length: str) -> None:
    status, error = answer_to(service, {"inputs": []}, json_length=length)
    assert (status, error["field"]) == (400, "Inference-Header-Content-Length")


def test_where_tensors_are_expected_nothing_else_is_taken(service: Service) -> None:
    values = np.full((32, 1), 20.0)
    tensors: dict[str, Any] = {
        "inputs": [
            {"name": "x", "shape": [32], "datatype": "FP64", "data": values.ravel().tolist()}
        ]
    }
    array = io.BytesIO()
    np.save(array, values)
    bodies: list[tuple[bytes, str | None, int, str | None]] = [
        (json.dumps(tensors).encode(), None, 200, None),
        (json.dumps(tensors).encode(), "text/plain", 200, None),
        (
            b'--b\r\nContent-Disposition: form-data; name="body"\r\n\r\n%b\r\n--b--\r\n'
            % json.dumps(tensors).encode(),
            "multipart/form-data; boundary=b",
            200,
            None,
        ),
        (json.dumps({"data": values.tolist()}).encode(), "application/json", 400, "inputs"),
        (b"{}", "application/json", 400, "inputs"),
        (b"height\n20\n", "text/csv", 415, "Content-Type"),
        (array.getvalue(), "application/octet-stream", 415, "Content-Type"),
        (b"--b--", "multipart/form-data; boundary=b", 400, "body"),
    ]
    for body, kind, status, field in bodies:
        (reply,) = service.answer([Request(body, content_type=kind, tensors=True)])
        content = json.loads(reply.body)
        assert (reply.status, content.get("field")) == (status, field), content
        assert reply.content_type == "application/json"
