"""The OpenAPI document of the HTTP interface:

python -m rvae.serving.contract.schema.openapi > docs/openapi.yaml
"""

import sys
from typing import Any

import yaml
from pydantic import TypeAdapter
from pydantic.json_schema import models_json_schema

from rvae._version import __version__
from rvae.serving.contract.formats import FORMATS, media_types
from rvae.serving.contract.formats.negotiation import AMBIGUOUS
from rvae.serving.contract.formats.tensors import InferenceRequest
from rvae.serving.contract.forms import FORM, MAX_PARTS, PLACES
from rvae.serving.contract.schema.description_schema import PublicDescription, Registered
from rvae.serving.contract.schema.parts import FAULTS, JSON, REFERENCES, faults, reference
from rvae.serving.contract.schema.protocol_paths import (
    infer_body,
    protocol_paths,
    protocol_responses,
)
from rvae.serving.contract.schema.request_schema import request_schema
from rvae.serving.contract.schema.response_schema import (
    Drawing,
    Fault,
    Health,
    InferenceAnswer,
    Live,
    ModelMetadata,
    ModelReady,
    Ready,
    ServerFault,
    ServerMetadata,
    answer_types,
)

__all__ = ["openapi"]

# Errors of management: of the socket itself, and of TorchServe behind it.
SOCKET_FAULTS = {
    403: "The request comes from a web page.",
    405: "The method is not allowed.",
    503: "TorchServe is being replaced, or there is no worker: try again.",
    504: "TorchServe did not answer in time.",
}
SERVER_FAULTS = {
    400: "The path cannot be decoded.",
    404: "There is no such model or version.",
    405: SOCKET_FAULTS[405],
    500: "The model failed to describe itself.",
    503: SOCKET_FAULTS[503],
}

EXAMPLES: dict[str, dict[str, Any]] = {
    "series": {"data": [20.1, 20.4, None, 19.8], "output": ["score", "events"], "stride": 2},
    "columns": {"columns": {"heat": [20.1, 20.4, 19.8], "mode": ["idle", "idle", "busy"]}},
    "tensors": {
        "inputs": [
            {"name": "series", "shape": [3, 2], "datatype": "FP32", "data": [20, 3, 21, 3, 20, 4]}
        ],
        "outputs": [{"name": "score"}],
    },
    "drawing": {"task": "sample", "count": 3, "seed": 1},
}


def openapi() -> dict[str, Any]:
    """The document as plain lists and dictionaries."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "rvae",
            "version": __version__,
            "description": "Latent vectors, reconstructions and calibrated anomaly scores of time "
            "series, as `rvae serve` answers. TorchServe alone, without it, has errors of its own: "
            "as ServerFault, of a body that is too large without a word, and 507 for a worker that "
            "ended.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [
            {"url": "/", "description": "Where this document comes from, such as a proxy."},
            {"url": "http://localhost:8080", "description": "The server alone."},
        ],
        "security": [{"key": []}, {}],
        "paths": {
            "/predictions/{model}": _asked("predict", "Ask the default version of a model.")
            | _introduced("introduce", "What the default version of a model takes."),
            "/predictions/{model}/{version}": _asked(
                "predictWith", "Ask a version of a model.", "version"
            )
            | _introduced("introduceVersion", "What a version of a model takes."),
            "/explanations/{model}": _asked(
                "explain", "What each step and channel adds to the score."
            ),
            "/ping": _asked_for_health(),
            **protocol_paths(),
            "/models/{model}": _described(),
        },
        "components": {
            "parameters": _parameters(),
            "requestBodies": {
                "predict": _body("Request", "InferenceRequest"),
                "explain": _body("scoring", "InferenceRequest"),
                "infer": infer_body(EXAMPLES["tensors"]),
            },
            "responses": _responses(),
            "schemas": _schemas(),
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "What a proxy in front may ask for; the server alone does not.",
                }
            },
        },
    }


def _asked(operation: str, summary: str, *more: str) -> dict[str, Any]:
    """A path at which a model answers requests."""
    kind = "explain" if operation == "explain" else "predict"
    return {
        "parameters": [reference(name, "parameters") for name in ("model", *more)],
        "post": {
            "operationId": operation,
            "summary": summary,
            "parameters": [
                reference(name, "parameters") for name in ("options", "inferenceHeader")
            ],
            "requestBody": reference(kind, "requestBodies"),
            "responses": {
                "200": reference(kind, "responses"),
                **faults(of_bodies=True),
            },
        },
    }


def _introduced(operation: str, summary: str) -> dict[str, Any]:
    """The method by which a model describes itself to its clients."""
    return {
        "get": {
            "operationId": operation,
            "summary": summary,
            "responses": {
                "200": reference("introduce", "responses"),
                **faults(of_bodies=False),
            },
        }
    }


def _asked_for_health() -> dict[str, Any]:
    """The path at which the server says whether it is ready."""
    return {
        "get": {
            "operationId": "ping",
            "summary": "Whether every model is ready to answer.",
            "responses": {
                str(status): {
                    "description": text,
                    "content": {JSON: {"schema": reference("Health")}},
                }
                for status, text in ((200, "Every model is."), (503, "Not every model is."))
            },
        }
    }


def _described() -> dict[str, Any]:
    """The path at which a model describes itself."""
    return {
        "servers": [
            {
                "url": "http://localhost",
                "description": "Management, through the socket logs/management.sock.",
            }
        ],
        "parameters": [reference("model", "parameters")],
        "get": {
            "operationId": "describe",
            "summary": "What the default version of a model is and takes.",
            "parameters": [
                {
                    "name": "customized",
                    "in": "query",
                    "description": "Whether the model describes itself, too.",
                    "schema": {"type": "boolean", "default": False},
                    "example": True,
                }
            ],
            "responses": {
                "200": reference("describe", "responses"),
                **{
                    str(status): reference(f"{status}OfManagement", "responses")
                    for status in sorted({*SERVER_FAULTS, *SOCKET_FAULTS})
                },
            },
        },
    }


def _parameters() -> dict[str, Any]:
    text = {"type": "string", "minLength": 1}
    return {
        "model": {"name": "model", "in": "path", "required": True, "schema": text},
        "version": {"name": "version", "in": "path", "required": True, "schema": dict(text)},
        "options": {
            "name": "Rvae-Options",
            "in": "header",
            "description": "Fields of a request whose body has no place for them: a table or an "
            "array. It is not valid for JSON.",
            "content": {
                JSON: {
                    "schema": reference("options"),
                    "example": {"stride": 8, "output": ["point_scores"]},
                }
            },
        },
        "inferenceHeader": {
            "name": "Inference-Header-Content-Length",
            "in": "header",
            "description": "Number of bytes of JSON, where binary tensors follow.",
            "schema": {"type": "integer", "minimum": 1},
        },
    }


def _any_of(*names: str) -> dict[str, Any]:
    schemas = [reference(name) for name in names]
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def _contents(*names: str) -> dict[str, Any]:
    """Bodies in every format, of which JSON has one of some schemas."""
    others = {
        one.media_type: {"schema": dict(one.schema)} for one in FORMATS if one.media_type != JSON
    }
    return {JSON: {"schema": _any_of(*names)}, **others}


def _body(*names: str) -> dict[str, Any]:
    content = _contents(*names)
    content[JSON]["examples"] = {
        name: {"value": value}
        for name, value in EXAMPLES.items()
        if "task" not in value or "Request" in names
    }
    for one in FORMATS:
        if one.example is not None:
            content[one.media_type]["example"] = one.example
    unknown = ", ".join(sorted(AMBIGUOUS - {"", FORM}))
    return {
        "description": "The first bytes of a body tell its format where the type does not: of "
        f"{unknown}, and where there is none. Of what they do not tell JSON is expected.",
        "required": True,
        "content": {**content, FORM: _form()},
    }


def _form() -> dict[str, Any]:
    """A body within a form."""
    first, second = PLACES
    return {
        "schema": {
            "description": f"A form of at most {MAX_PARTS} parts. Its part {first} is a body in "
            f"one of the other formats; without it, the part {second}, or else the only file.",
            "type": "object",
            "properties": {first: {}},
            "required": [first],
        },
        "encoding": {first: {"contentType": ", ".join(media_types())}},
    }


def _responses() -> dict[str, Any]:
    def response(text: str, *names: str) -> dict[str, Any]:
        return {"description": text, "content": {JSON: {"schema": _any_of(*names)}}}

    description = "In the format of the request, unless Accept asks for another."
    answers = ("Prediction", "Predictions", "InferenceAnswer")
    version = {"description": "The version that answers.", "schema": {"type": "string"}}
    answered = {"description": description, "headers": {"Rvae-Version": version}}
    responses: dict[str, Any] = {
        "predict": {**answered, "content": _contents(*answers, "Drawing")},
        "explain": {**answered, "content": _contents(*answers)},
        "introduce": response("The model.", "PublicDescription"),
        "describe": {
            "description": "The model, as the only entry of a list.",
            "content": {
                JSON: {
                    "schema": {
                        "type": "array",
                        "items": reference("Registered"),
                        "minItems": 1,
                        "maxItems": 1,
                    }
                }
            },
        },
    }
    responses |= protocol_responses(answered)
    for status, text in FAULTS.items():
        responses[str(status)] = response(text, "Fault")
    for status, text in (SERVER_FAULTS | SOCKET_FAULTS).items():
        names = ["Fault"] * (status in SOCKET_FAULTS) + ["ServerFault"] * (status in SERVER_FAULTS)
        responses[f"{status}OfManagement"] = response(text, *names)
    responses["405"]["headers"] = {
        "Allow": {"description": "The allowed methods.", "schema": {"type": "string"}}
    }
    for busy in ("429", "503"):
        responses[busy]["headers"] = {
            "Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}
        }
    return responses


def _schemas() -> dict[str, Any]:
    types = (
        *answer_types(),
        Drawing,
        InferenceAnswer,
        PublicDescription,
        Fault,
        Health,
        ServerMetadata,
        Live,
        Ready,
        ModelMetadata,
        ModelReady,
        ServerFault,
        Registered,
    )
    _, answers = TypeAdapter.json_schemas(
        [(one.__name__, "serialization", TypeAdapter(one)) for one in types],
        ref_template=REFERENCES,
    )
    _, requests = models_json_schema([(InferenceRequest, "validation")], ref_template=REFERENCES)
    request = request_schema(references=REFERENCES)
    fields = request.pop("$defs")
    return {
        "Request": request,
        **fields,
        **_untitled(requests["$defs"] | answers["$defs"]),
    }


def _untitled(schemas: dict[str, Any]) -> dict[str, Any]:
    """Without the titles of properties, which only repeat their names."""
    for schema in schemas.values():
        for one in schema.get("properties", {}).values():
            one.pop("title", None)
    return schemas


class _Plain(yaml.SafeDumper):
    """Writes repeated content in full, without anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def main() -> None:
    """Write the document to standard output."""
    yaml.dump(
        openapi(),
        sys.stdout,
        Dumper=_Plain,
        default_flow_style=None,
        sort_keys=False,
        allow_unicode=True,
        width=100,
    )


if __name__ == "__main__":
    main()
