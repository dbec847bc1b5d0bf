"""docs/openapi.yaml, and what it becomes where the model is known."""

from copy import deepcopy
from typing import Any

import jsonschema_rs
import yaml

from rvae.inference.card import Card
from rvae.serving.contract.schema.parts import REFERENCES
from rvae.serving.contract.schema.request_schema import request_schema
from tests.support.paths import ROOT

__all__ = ["DOCUMENT", "PATH", "of_model", "only_json", "schema_named"]

PATH = ROOT / "docs" / "openapi.yaml"
DOCUMENT = yaml.safe_load(PATH.read_text())


def of_model(card: Card) -> dict[str, Any]:
    """The document in which requests are those that one model takes."""
    request = request_schema(card, REFERENCES)
    document = deepcopy(DOCUMENT)
    document["components"]["schemas"] |= request.pop("$defs") | {"Request": request}
    return document


def only_json(document: dict[str, Any]) -> dict[str, Any]:
    """The document with requests in JSON alone, and not of the Open Inference Protocol."""
    bodies = document["components"]["requestBodies"]
    for body in (bodies["predict"], bodies["explain"]):
        request, _ = body["content"]["application/json"]["schema"]["anyOf"]
        body["content"] = {"application/json": {"schema": request}}
    for path in document["paths"].values():
        path.get("post", {}).pop("parameters", None)
    return document


def schema_named(
    name: str, document: dict[str, Any] = DOCUMENT
) -> jsonschema_rs.Draft202012Validator:
    """What says whether a value fits one of the document's schemas."""
    schema = {"$ref": REFERENCES.format(model=name), "components": document["components"]}
    return jsonschema_rs.Draft202012Validator(schema)
