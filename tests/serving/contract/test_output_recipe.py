"""A new output is one object and one entry of the registry: everything else reads the registry."""

import json
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray
from pydantic import Field as SchemaField

from rvae.inference.engine import Engine
from rvae.serving.contract.outputs import OUTPUTS
from rvae.serving.contract.outputs.computation import Computation
from rvae.serving.contract.outputs.output import Axis, Field, Number, Output
from rvae.serving.contract.schema.openapi import openapi
from rvae.serving.service import Limits, Service
from tests.support.service_client import answer_to, arrow

ARROW = "application/vnd.apache.arrow.stream"


def compute(request: Computation) -> list[dict[str, Any]]:
    """Half the score of each window (W,)."""
    return [{"half_score": analysis.score / 2} for analysis in request.analyses]


HALF_SCORE = Output(
    name="half_score",
    axis=Axis.WINDOW,
    fields=(
        Field("half_score", Annotated[list[Number], SchemaField(description="Half the score, W.")]),
    ),
    compute=compute,
)


def compute_points(request: Computation) -> list[dict[str, Any]]:
    """Half the score of each point (N,)."""
    return [{"half_points": analysis.point_scores / 2} for analysis in request.analyses]


HALF_POINTS = Output(
    "half_points", Axis.POINT, (Field("half_points", list[Number]),), compute_points
)


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    for output in (HALF_SCORE, HALF_POINTS):
        monkeypatch.setitem(OUTPUTS, output.name, output)


@pytest.fixture
def service(engine: Engine) -> Service:
    return Service(engine, "waves", "1.0", Limits())


@pytest.fixture
def data(fresh: list[np.ndarray]) -> NDArray[np.float64]:
    return np.concatenate(fresh[:2])[:, 0]


def test_it_is_checked_in_requests(
    service: Service, data: NDArray[np.float64], monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {"data": data.tolist(), "output": ["half_score"]}
    status, error = answer_to(service, body)
    assert (status, error["field"]) == (422, "output[0]")
    monkeypatch.setitem(OUTPUTS, HALF_SCORE.name, HALF_SCORE)
    assert answer_to(service, body)[0] == 200
    status, error = answer_to(service, body | {"output": ["half_score", "half_score"]})
    assert (status, error["field"]) == (422, "output")


def test_it_is_answered_in_json(
    service: Service, data: NDArray[np.float64], registered: None
) -> None:
    body = {"data": data.tolist(), "output": ["half_score", "score"]}
    status, answer = answer_to(service, body)
    assert status == 200
    np.testing.assert_allclose(2 * np.array(answer["half_score"]), answer["score"])


@pytest.mark.parametrize("accept", [ARROW, "text/csv"])
def test_it_has_a_column_of_its_own_in_tables(
    service: Service, data: NDArray[np.float64], registered: None, accept: str
) -> None:
    def ask(*output: str) -> pa.Table:
        options = json.dumps({"output": list(output)})
        status, table = answer_to(
            service, arrow(height=data), ARROW, accept=accept, options=options
        )
        assert status == 200
        return table

    windows = ask("score", "half_score")
    assert windows.column_names[-1] == "half_score"
    np.testing.assert_allclose(2 * windows["half_score"].to_numpy(), windows["score"], rtol=1e-6)
    points = ask("point_scores", "half_points")
    assert points.column_names == ["series", "step", "score", "half_points"]
    np.testing.assert_allclose(2 * points["half_points"].to_numpy(), points["score"], rtol=1e-6)
    assert "score" not in ask("half_points").column_names


def test_windows_and_points_share_no_table(
    service: Service, data: NDArray[np.float64], registered: None
) -> None:
    options = json.dumps({"output": ["half_score", "half_points"]})
    status, error = answer_to(service, arrow(height=data), ARROW, options=options)
    assert (status, error["field"]) == (422, "output")
    assert "half_score" in error["message"] and "half_points" in error["message"]


def test_it_is_an_array_and_a_tensor(
    service: Service, data: NDArray[np.float64], registered: None
) -> None:
    body = {"data": data.tolist(), "output": ["half_score"]}
    status, array = answer_to(service, body, accept="application/octet-stream")
    _, answer = answer_to(service, body)
    assert status == 200
    np.testing.assert_allclose(array, answer["half_score"])
    tensor = {"name": "x", "shape": [64, 1], "datatype": "FP64", "data": data.tolist()}
    request = {"inputs": [tensor], "outputs": [{"name": "half_score"}]}
    status, tensors = answer_to(service, request)
    assert status == 200
    (output,) = tensors["outputs"]
    np.testing.assert_allclose(output["data"], answer["half_score"])


def test_it_is_in_the_documents(service: Service, registered: None) -> None:
    schemas = openapi()["components"]["schemas"]
    (names, _) = schemas["output"]["anyOf"]
    assert {"half_score", "half_points"} < set(names["items"]["enum"])
    assert names["maxItems"] == len(OUTPUTS)
    for answer in ("Prediction", "OfSeries"):
        described = schemas[answer]["properties"]["half_score"]
        assert described["type"] == "array"
        assert described["description"] == "Half the score, W."
        assert "half_score" not in schemas[answer]["required"]
    card = json.loads(service.describe().body)["card"]
    assert "half_score" in card["outputs"]
    assert "half_score" in json.dumps(card["request"])
