"""Who is told of what is served."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from rvae.serving.gateway.routes import Routes, Served
from rvae.serving.torchserve.management.models import Models
from rvae.serving.torchserve.management.serving import Serving
from rvae.serving.torchserve.management.surroundings import Surroundings
from rvae.serving.torchserve.registrations import Registration
from tests.support.gateways import front
from tests.support.managed import LIMITS, FakeModels, FakeVersion


def test_requests_find_every_version_and_others_hear_of_those_that_have_loaded() -> None:
    told: list[Sequence[Registration]] = []
    nowhere = Path()
    around = Surroundings(nowhere, nowhere, "", "", print, told.append, dict)
    versions = {"1.0": FakeVersion(), "2.0": FakeVersion([False])}

    async def run() -> None:
        async with front(FakeModels(versions, "1.0")) as one:
            models, routes = Models(LIMITS), Routes()
            models.use(one.backend)
            serving = Serving(models, routes, around)
            serving.loading.add(("m", "2.0"))
            await serving.tell()
            assert routes.served == {"m": Served("1.0", frozenset({"1.0", "2.0"}))}
            assert [each.version for each in told[-1]] == ["1.0"]
            serving.loading.clear()
            await serving.tell()
            assert [each.version for each in told[-1]] == ["1.0", "2.0"]
            models.use(None)

    asyncio.run(run())
