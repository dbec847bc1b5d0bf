"""TorchServe's own management, asked without waiting in a thread."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson

from rvae.serving.gateway.backend import Backend
from rvae.serving.gateway.forwarding import Forwarding
from rvae.serving.gateway.limits import GatewayLimits
from rvae.serving.gateway.messages import Answer, Head, Request
from rvae.serving.torchserve.management.targets import model_path, with_query
from rvae.serving.torchserve.registrations import LISTED, Registration, registration_of

__all__ = ["GoneError", "Models"]

METHODS = ("GET", "POST", "PUT", "DELETE", "OPTIONS")


class GoneError(Exception):
    """TorchServe does not tell what it serves: it is being replaced."""


class Models:
    """The models of a TorchServe, which may be replaced meanwhile.

    Args:
        limits: The bounds.

    Attributes:
        forwarding: What passes requests on to it as they are.
        backend: The TorchServe of the moment; None while there is none.
    """

    def __init__(self, limits: GatewayLimits) -> None:
        self.backend: Backend | None = None
        self.forwarding = Forwarding(lambda backend: backend.management, limits, METHODS)

    def use(self, backend: Backend | None) -> None:
        """Ask another TorchServe from now on."""
        self.backend = backend
        self.forwarding.use(backend)

    async def ask(self, method: str, path: str, query: Mapping[str, str] | None = None) -> Answer:
        """The answer to a request of our own."""
        target = with_query(path, query or {})
        return await self.forwarding.answer(Request(Head(method, target, {}), b""))

    async def registrations(self) -> tuple[Registration, ...]:
        """Every registered version.

        Raises:
            GoneError: If it cannot be told.
        """
        found = []
        for model in (await self._read(LISTED))["models"]:
            path = model_path(model["modelName"], "all")
            found += [registration_of(one, model["modelUrl"]) for one in await self._read(path)]
        return tuple(found)

    async def workers(self, name: str, version: str) -> list[bool] | None:
        """Of each worker of a version, whether it is ready; None if there is no such version.

        Raises:
            GoneError: If it cannot be told.
        """
        answer = await self.ask("GET", model_path(name, version))
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        (model,) = _content(answer)
        return [worker["status"] == "READY" for worker in model["workers"]]

    async def _read(self, path: str) -> Any:
        return _content(await self.ask("GET", path))


def _content(answer: Answer) -> Any:
    if answer.status != HTTPStatus.OK:
        raise GoneError
    return orjson.loads(answer.body)
