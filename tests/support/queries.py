"""Requests in JSON → what a service makes of them, without running a model."""

import json
from typing import Any

from rvae.inference.card import Card
from rvae.serving.contract.messages import Request
from rvae.serving.contract.pipeline import decode, validate
from rvae.serving.contract.query import Query

__all__ = ["body", "parse"]


def parse(text: Any, card: Card) -> Query:
    """What a request in JSON, or what a server has parsed of it, is about."""
    return validate(decode(Request(text)), card)


def body(**fields: Any) -> bytes:
    """A body in JSON."""
    return json.dumps(fields).encode()
