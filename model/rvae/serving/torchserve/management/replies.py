"""What the management says, in the form of TorchServe's."""

from typing import Any

import orjson

from rvae.serving.gateway.messages import Answer

__all__ = ["done", "in_json"]


def done(status: str) -> Answer:
    """The answer to a change that was made, in words."""
    return in_json({"status": status})


def in_json(content: Any) -> Answer:
    """A good answer."""
    return Answer(200, orjson.dumps(content), {"content-type": "application/json"})
