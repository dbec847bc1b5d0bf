"""What is served at the moment, told to all who have to know."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rvae.serving.gateway.messages import Answer
from rvae.serving.gateway.routes import Routes
from rvae.serving.torchserve.management.models import GoneError, Models
from rvae.serving.torchserve.management.surroundings import Surroundings
from rvae.serving.torchserve.registrations import served
from rvae.serving.torchserve.state import with_defaults

__all__ = ["Serving"]


class Serving:
    """What is served at the moment.

    Args:
        models: The models of TorchServe.
        routes: The way of requests to them.
        surroundings: The server.

    Attributes:
        models: As given.
        routes: As given.
        surroundings: As given.
        loading: Versions that were added and are not ready, by name and version, and the task that
            waits for each.
    """

    def __init__(self, models: Models, routes: Routes, surroundings: Surroundings) -> None:
        self.models = models
        self.routes = routes
        self.surroundings = surroundings
        self._turn = asyncio.Lock()
        self.loading: dict[tuple[str, str], asyncio.Task[Answer]] = {}

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """For who changes something, until it is told; never while requests are waited for.

        Raises:
            GoneError: If TorchServe was replaced in it: nobody knows which of the two was changed.
        """
        async with self._turn:
            backend = self.models.backend
            yield
            if self.models.backend is not backend:
                raise GoneError

    async def tell(self) -> None:
        """Tell what is served now; by who has the turn.

        Raises:
            GoneError: If it cannot be found out.
        """
        registrations = await self.models.registrations()
        self.routes.update(served(registrations))
        # A default that is loading does not count yet: another one stands in for it.
        kept = with_defaults([one for one in registrations if one.key not in self.loading])
        await asyncio.to_thread(self.surroundings.changed, kept)
