"""TorchServe's answers → what became of a request, and what its client is told."""

from http import HTTPStatus
from http.client import responses
from typing import Any

import orjson

from rvae.serving.gateway.backend import Verdict
from rvae.serving.gateway.messages import Answer, refusal

__all__ = ["verdict"]

# TorchServe's own errors are shorter, and so are those of the contract.
MAX_ERROR_BYTES = 4096

# Its messages: of a worker that ended (the status tells how), and of a model without workers.
DIED = "Worker died"
NO_WORKER = ("has no worker to serve inference request", "Worker scaled down")
# Types of errors that speak of the model in the path.
UNKNOWN_MODEL = ("ModelNotFoundException", "ModelVersionNotFoundException")


def verdict(answer: Answer) -> tuple[Verdict, Answer]:
    """What became of a request, by TorchServe's answer, and the answer in the contract's form."""
    if answer.status < HTTPStatus.BAD_REQUEST or len(answer.body) > MAX_ERROR_BYTES:
        return Verdict.ANSWERED, answer
    content = _content(answer.body)
    if "field" in content:
        return Verdict.ANSWERED, answer  # of the contract
    message = str(content.get("message") or responses.get(answer.status, "failed"))
    if message.startswith(DIED):
        return Verdict.DIED, answer
    if any(known in message for known in NO_WORKER):
        return Verdict.UNAVAILABLE, answer
    field = "model" if content.get("type") in UNKNOWN_MODEL else "request"
    told = refusal(answer.status, field, message)
    return Verdict.ANSWERED, Answer(told.status, told.body, {**answer.headers, **told.headers})


def _content(body: bytes) -> dict[str, Any]:
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return content if isinstance(content, dict) else {}
