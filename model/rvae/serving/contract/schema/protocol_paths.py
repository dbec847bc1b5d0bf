"""The paths of the Open Inference Protocol, for the OpenAPI document.

https://github.com/kserve/open-inference-protocol
"""

from collections.abc import Mapping
from typing import Any

from rvae.serving.contract.schema.parts import JSON, faults, reference

__all__ = ["infer_body", "protocol_paths", "protocol_responses"]

MODEL = "/v2/models/{model}"
VERSION = f"{MODEL}/versions/{{version}}"


def protocol_paths() -> dict[str, Any]:
    """The paths, by their names."""
    paths = {
        "/v2": _read("serverMetadata", "What the server is.", {}),
        "/v2/health/live": _read("live", "Whether the server answers.", {}),
        "/v2/health/ready": _read(
            "ready",
            "Whether every model is ready to answer.",
            {"503": reference("503", "responses")},
        ),
    }
    for path, names, suffix in (
        (MODEL, ("model",), ""),
        (VERSION, ("model", "version"), "Version"),
    ):
        what = "a version of a model" if suffix else "the default version of a model"
        named = {"parameters": [reference(name, "parameters") for name in names]}
        errors = faults(of_bodies=False)
        paths[path] = named | _read(
            "modelMetadata", f"What {what} takes and answers with.", errors, suffix
        )
        paths[f"{path}/ready"] = named | _read(
            "modelReady", f"Whether {what} is ready to answer.", errors, suffix
        )
        paths[f"{path}/infer"] = named | {
            "post": {
                "operationId": f"infer{suffix}",
                "summary": f"Ask {what} by the Open Inference Protocol.",
                "parameters": [reference("inferenceHeader", "parameters")],
                "requestBody": reference("infer", "requestBodies"),
                "responses": {"200": reference("infer", "responses"), **faults(of_bodies=True)},
            }
        }
    return paths


def infer_body(example: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a prediction."""
    return {
        "description": "Binary tensors may follow the JSON.",
        "required": True,
        "content": {JSON: {"schema": reference("InferenceRequest"), "example": example}},
    }


def protocol_responses(answered: Mapping[str, Any]) -> dict[str, Any]:
    """Answers that are no errors.

    Args:
        answered: What every answer of a version has.
    """

    def response(text: str, name: str) -> dict[str, Any]:
        return {"description": text, "content": {JSON: {"schema": reference(name)}}}

    return {
        "serverMetadata": response("The server.", "ServerMetadata"),
        "live": response("It does.", "Live"),
        "ready": response("Every model is.", "Ready"),
        "modelReady": response("It is.", "ModelReady"),
        "modelMetadata": {**answered, **response("The model.", "ModelMetadata")},
        "infer": {**answered, **response("Tensors in JSON.", "InferenceAnswer")},
    }


def _read(
    operation: str, summary: str, errors: Mapping[str, Any], suffix: str = ""
) -> dict[str, Any]:
    """A path that is read."""
    return {
        "get": {
            "operationId": f"{operation}{suffix}",
            "summary": summary,
            "responses": {"200": reference(operation, "responses"), **errors},
        }
    }
