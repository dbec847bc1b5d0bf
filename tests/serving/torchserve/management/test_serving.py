"""Who is told of what is served."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from rvae.serving.gateway.messages import Answer
from rvae.serving.gateway.routes import Routes, Served
from rvae.serving.torchserve.management.models import GoneError, Models
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
        async with front(FakeModels(versions, "2.0")) as one:
            models, routes = Models(LIMITS), Routes()
            models.use(one.backend)
            serving = Serving(models, routes, around)
            loading = asyncio.create_task(asyncio.sleep(60, Answer(200, b"")))
            serving.loading["m", "2.0"] = loading
            await serving.tell()
            assert routes.served == {"m": Served("2.0", frozenset({"1.0", "2.0"}))}
            assert [each.version for each in told[-1]] == ["1.0"]
            assert told[-1][0].default  # as long as the other one loads
            serving.loading.clear()
            loading.cancel()
            await serving.tell()
            assert [each.version for each in told[-1]] == ["1.0", "2.0"]
            models.use(None)

    asyncio.run(run())


def test_what_is_changed_while_torchserve_is_replaced_is_not_taken_for_done() -> None:
    nowhere = Path()
    around = Surroundings(nowhere, nowhere, "", "", print, print, dict)

    async def run() -> None:
        async with front(FakeModels({}, "")) as one:
            models = Models(LIMITS)
            serving = Serving(models, Routes(), around)
            with pytest.raises(GoneError):
                async with serving.turn():
                    models.use(one.backend)
            async with serving.turn():
                pass
            models.use(None)

    asyncio.run(run())
