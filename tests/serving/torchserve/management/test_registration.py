"""Versions that are added, and those that do not load."""

import asyncio

import pytest

from rvae.serving.torchserve.management import readiness
from tests.support.gateways import until
from tests.support.managed import FakeModels, FakeVersion, managed

REGISTER = "/models?url=m-2.0.mar&initial_workers=1"


def single() -> FakeModels:
    models = FakeModels({"1.0": FakeVersion()}, "1.0")
    models.hold.set()
    return models


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "POLL_SECONDS", 0.01)


def test_a_version_is_told_of_when_it_has_loaded() -> None:
    async def run() -> None:
        async with managed(single()) as one:
            coming = asyncio.create_task(one.ask("POST", REGISTER))
            await until(lambda: "2.0" in one.front.gateway.routes.served["m"].versions)
            waiting = asyncio.create_task(one.front.ask(path="/predictions/m/2.0"))
            assert (await one.front.ask()).headers["rvae-version"] == "1.0"
            # Other changes are made meanwhile, and what they tell is without it.
            assert (await one.ask("PUT", "/models/m/1.0/set-default")).status == 200
            assert one.told[-1] == [("m", "1.0", True)]
            refused = await one.ask("PUT", "/models/m/2.0/set-default")
            assert refused.error == (409, "version")
            assert not waiting.done() and not coming.done()
            one.models.loads.set()
            done = await coming
            assert done.status == 200 and b"registered with 1 initial" in done.body
            assert (await waiting).headers["rvae-version"] == "2.0"
            assert one.told[-1] == [("m", "1.0", True), ("m", "2.0", False)]
            (change,) = [each for each in one.models.changes if each.startswith("POST")]
            assert "synchronous=false" in change

    asyncio.run(run())


def test_who_does_not_want_to_wait_is_answered_at_once() -> None:
    async def run() -> None:
        async with managed(single()) as one:
            assert (await one.ask("POST", f"{REGISTER}&synchronous=false")).status == 202
            waiting = asyncio.create_task(one.front.ask(path="/predictions/m/2.0"))
            one.models.loads.set()
            assert (await waiting).status == 200

    asyncio.run(run())


def test_json_and_no_workers() -> None:
    async def run() -> None:
        async with managed(single()) as one:
            body = b'{"url": "m-2.0.mar", "initial_workers": 0, "handler": null}'
            kind = "Content-Type: application/json"
            assert (await one.ask("POST", "/models", body, kind)).status == 200
            assert one.told == [[("m", "1.0", True), ("m", "2.0", False)]]
            assert (await one.ask("POST", "/models", b"[]", kind)).error == (400, "body")

    asyncio.run(run())


def test_a_version_that_does_not_load_is_taken_away_with_its_reason() -> None:
    async def run() -> None:
        async with managed(single()) as one:
            coming = asyncio.create_task(one.ask("POST", REGISTER))
            await until(lambda: "2.0" in one.front.gateway.routes.served["m"].versions)
            waiting = asyncio.create_task(one.front.ask(path="/predictions/m/2.0"))
            one.fail()
            failed = await coming
            assert failed.error == (500, "model") and b"OSError: torn" in failed.body
            assert (await waiting).status == 410
            assert list(one.models.versions) == ["1.0"]
            assert one.told[-1] == [("m", "1.0", True)]
            one.models.loads.set()
            (one.logs / "model.log").unlink()
            assert (await one.ask("POST", REGISTER)).status == 200

    asyncio.run(run())


def test_what_a_refused_registration_leaves_is_taken_away() -> None:
    async def run() -> None:
        async with managed(single()) as one:
            url = "fails-2.0.mar"
            assert (await one.ask("POST", f"/models?url={url}&initial_workers=1")).status == 500
            assert list(one.models.versions) == ["1.0"]
            assert (await one.ask("POST", "/models?url=m-1.0.mar")).status == 409
            assert list(one.models.versions) == ["1.0"] and one.told == []

    asyncio.run(run())


def test_a_refused_archive_never_reaches_torchserve() -> None:
    async def run() -> None:
        async with managed(single()) as one:
            one.refused.add("m-2.0.mar")
            refused = await one.ask("POST", REGISTER)
            assert refused.error == (400, "url") and one.models.changes == []

    asyncio.run(run())


def test_a_version_that_is_unregistered_while_it_loads() -> None:
    async def run() -> None:
        async with managed(single()) as one:
            coming = asyncio.create_task(one.ask("POST", REGISTER))
            await until(lambda: "2.0" in one.front.gateway.routes.served["m"].versions)
            assert (await one.ask("DELETE", "/models/m/2.0")).status == 200
            failed = await coming
            assert failed.error == (500, "model") and b"unregistered" in failed.body

    asyncio.run(run())


def test_a_version_that_is_registered_again_is_not_taken_for_the_one_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(readiness, "POLL_SECONDS", 0.3)

    async def run() -> None:
        async with managed(single()) as one:
            first = asyncio.create_task(one.ask("POST", REGISTER))
            await until(lambda: "2.0" in one.front.gateway.routes.served["m"].versions)
            assert (await one.ask("DELETE", "/models/m/2.0")).status == 200
            second = asyncio.create_task(one.ask("POST", REGISTER))
            await until(lambda: "2.0" in one.front.gateway.routes.served["m"].versions)
            one.models.loads.set()
            gone, done = await asyncio.gather(first, second)
            assert gone.error == (500, "model") and b"unregistered" in gone.body
            assert done.status == 200 and list(one.models.versions) == ["1.0", "2.0"]
            assert one.told[-1] == [("m", "1.0", True), ("m", "2.0", False)]

    asyncio.run(run())
