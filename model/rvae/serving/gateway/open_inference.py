"""Answers of the Open Inference Protocol, version 2, that no model gives.

https://github.com/kserve/open-inference-protocol
"""

from collections.abc import Iterable
from dataclasses import replace
from http import HTTPStatus
from typing import Any

import orjson

from rvae._version import __version__
from rvae.serving.gateway.messages import Answer, refusal
from rvae.serving.version_order import version_key

__all__ = ["in_protocol", "live", "metadata", "model_ready", "ready", "server"]

ROOT = "/v2"
# Where clients look for what is wrong.
ERROR_KEY = "error"
# As the protocol has it, project and format.
PLATFORM = "rvae_mar"
JSON = {"content-type": "application/json"}


def server() -> Answer:
    """What the server is."""
    return _in_json({"name": "rvae", "version": __version__, "extensions": []})


def live() -> Answer:
    """That the server answers."""
    return _in_json({"live": True})


def ready(is_ready: bool) -> Answer:
    """Whether every model is ready; why not is nobody's business here."""
    if not is_ready:
        return refusal(503, "server", "not every model is ready: try again", 1)
    return _in_json({"live": True, "ready": True})


def model_ready(model: str, version: str, is_ready: bool) -> Answer:
    """Whether a version of a model is ready."""
    if not is_ready:
        return refusal(503, "model", f"{model} {version} is not ready: try again", 1)
    return _in_json({"name": model, "ready": True})


def metadata(model: str, versions: Iterable[str], described: Answer) -> Answer:
    """What a model takes and answers with.

    Args:
        model: Its name.
        versions: All of them.
        described: What one of them says of itself.
    """
    # Of an archive that an earlier version has made nobody knows its tensors: they are left out.
    tensors = orjson.loads(described.body)["card"].get("tensors", {})
    about = {
        "name": model,
        "versions": sorted(versions, key=version_key),
        "platform": PLATFORM,
        **tensors,
    }
    return replace(described, body=orjson.dumps(about))


def in_protocol(target: str, answer: Answer) -> Answer:
    """An answer with its error where clients of this path look for it.

    Args:
        target: Path and query of the request.
        answer: What is answered.
    """
    if answer.status < HTTPStatus.BAD_REQUEST:
        return answer
    if not f"{target.partition('?')[0]}/".startswith(f"{ROOT}/"):
        return answer
    try:
        content = orjson.loads(answer.body)
        content.setdefault(ERROR_KEY, f"{content['field']}: {content['message']}")
    except (orjson.JSONDecodeError, AttributeError, KeyError):
        return answer  # not of the contract: a handler's own
    return replace(answer, body=orjson.dumps(content))


def _in_json(content: dict[str, Any]) -> Answer:
    return Answer(200, orjson.dumps(content), JSON)
