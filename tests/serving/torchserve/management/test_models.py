"""TorchServe's own management, as it is asked from here."""

import asyncio

import pytest

from rvae.serving.torchserve.management.models import GoneError, Models
from tests.support.gateways import front
from tests.support.managed import LIMITS, FakeModels, FakeVersion


def test_what_is_registered_and_which_workers_are_ready() -> None:
    versions = {"1.0": FakeVersion(), "2.0": FakeVersion([True, False], 2, 3)}

    async def run() -> None:
        async with front(FakeModels(versions, "2.0")) as one:
            models = Models(LIMITS)
            with pytest.raises(GoneError):
                await models.registrations()
            models.use(one.backend)
            first, second = await models.registrations()
            assert (first.key, first.default) == (("m", "1.0"), False)
            assert (second.key, second.default, second.min_workers) == (("m", "2.0"), True, 2)
            assert await models.workers("m", "2.0") == [True, False]
            assert await models.workers("m", "3.0") is None
            models.use(None)

    asyncio.run(run())


def test_a_torchserve_that_tells_nothing() -> None:
    async def run() -> None:
        async with front(FakeModels({}, "", silent=True)) as one:
            models = Models(LIMITS)
            models.use(one.backend)
            with pytest.raises(GoneError):
                await models.workers("m", "1.0")
            models.use(None)

    asyncio.run(run())
