"""Answers as TorchServe 0.12 gives them."""

import orjson
import pytest

from rvae.serving.gateway.backend import Verdict
from rvae.serving.gateway.messages import Answer
from rvae.serving.torchserve.verdicts import verdict

JSON = {"content-type": "application/json"}


def torchserve_error(status: int, kind: str, message: str) -> Answer:
    content = {"code": status, "type": kind, "message": message}
    return Answer(status, orjson.dumps(content, option=orjson.OPT_INDENT_2), JSON)


# 507 of a worker that was ended by SIGKILL, 500 of any other.
@pytest.mark.parametrize("status", [500, 507])
def test_a_worker_that_died(status: int) -> None:
    answer = torchserve_error(status, "InternalServerException", "Worker died.")
    assert verdict(answer) == (Verdict.DIED, answer)


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (
            503,
            'Model "m" has no worker to serve inference request. Please use scale workers API to '
            "add workers. If this is a sequence inference, please check if it is closed, or "
            "expired; or exceeds maxSequenceJobQueueSize",
        ),
        (500, "Worker scaled down."),
    ],
)
def test_a_model_without_workers(status: int, message: str) -> None:
    answer = torchserve_error(status, "ServiceUnavailableException", message)
    assert verdict(answer) == (Verdict.UNAVAILABLE, answer)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, b"Worker died"),
        Answer(422, b'{"code": 422, "message": "Worker died", "field": "data"}', JSON),
        Answer(503, b'{"code":503,"message":"m","field":"body"}', {"rvae-deferred": "0.7"}),
    ],
)
def test_what_the_contract_answers_stays_as_it_is(answer: Answer) -> None:
    assert verdict(answer) == (Verdict.ANSWERED, answer)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            torchserve_error(404, "ModelNotFoundException", "Model not found: m"),
            {"code": 404, "message": "Model not found: m", "field": "model"},
        ),
        (
            torchserve_error(
                404, "ModelVersionNotFoundException", "Model version: 9 does not exist for model: m"
            ),
            {
                "code": 404,
                "message": "Model version: 9 does not exist for model: m",
                "field": "model",
            },
        ),
        (
            torchserve_error(503, "InternalServerException", "Prediction failed"),
            {"code": 503, "message": "Prediction failed", "field": "request"},
        ),
        (
            Answer(413, b""),
            {"code": 413, "message": "Request Entity Too Large", "field": "request"},
        ),
        (Answer(599, b"[1]"), {"code": 599, "message": "failed", "field": "request"}),
        (
            Answer(500, b'{"message": null}'),
            {"code": 500, "message": "Internal Server Error", "field": "request"},
        ),
    ],
)
def test_its_own_errors_take_the_form_of_the_contract(
    given: Answer, expected: dict[str, str | int]
) -> None:
    became, told = verdict(given)
    assert became is Verdict.ANSWERED and told.status == given.status
    assert orjson.loads(told.body) == expected
    assert told.headers["content-type"] == "application/json"


def test_large_bodies_are_not_parsed() -> None:
    answer = Answer(500, b'{"message": "Worker died", "more": "' + b"x" * 10_000 + b'"}')
    assert verdict(answer) == (Verdict.ANSWERED, answer)
