"""What is served at the moment, told to all who have to know."""

import asyncio

from rvae.serving.gateway.routes import Routes
from rvae.serving.torchserve.management.models import Models
from rvae.serving.torchserve.management.surroundings import Surroundings
from rvae.serving.torchserve.registrations import served

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
        turn: Held by who changes something, until it is told; never while requests are waited for.
        loading: Versions that were added and are not ready, by name and version.
    """

    def __init__(self, models: Models, routes: Routes, surroundings: Surroundings) -> None:
        self.models = models
        self.routes = routes
        self.surroundings = surroundings
        self.turn = asyncio.Lock()
        self.loading: set[tuple[str, str]] = set()

    async def tell(self) -> None:
        """Tell what is served now; by who has the turn.

        Raises:
            GoneError: If it cannot be found out.
        """
        registrations = await self.models.registrations()
        self.routes.update(served(registrations))
        kept = [one for one in registrations if one.key not in self.loading]
        await asyncio.to_thread(self.surroundings.changed, kept)
