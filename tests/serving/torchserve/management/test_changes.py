"""What becomes of requests when versions and workers are taken away."""

import asyncio

import orjson

from rvae.serving.gateway.limits import GatewayLimits
from tests.support.gateways import until
from tests.support.managed import FakeModels, FakeVersion, managed


def two(workers: int = 1) -> FakeModels:
    """Versions 1.0, the default, and 2.0."""
    versions = {
        version: FakeVersion([True] * workers, workers, workers) for version in ("1.0", "2.0")
    }
    return FakeModels(versions, "1.0")


def test_a_switch_holds_for_all_that_come_after_it() -> None:
    async def run() -> None:
        async with managed(two()) as one:
            one.models.hold.set()
            assert (await one.front.ask()).headers["rvae-version"] == "1.0"
            assert (await one.ask("PUT", "/models/m/2.0/set-default")).status == 200
            assert (await one.front.ask()).headers["rvae-version"] == "2.0"
            assert one.told == [[("m", "1.0", False), ("m", "2.0", True)]]
            unknown = await one.ask("PUT", "/models/m/3.0/set-default")
            assert unknown.status == 404 and len(one.told) == 1
            assert (await one.front.ask()).headers["rvae-version"] == "2.0"

    asyncio.run(run())


def test_a_version_without_a_ready_worker_does_not_replace_one_that_has_one() -> None:
    async def run() -> None:
        async with managed(two()) as one:
            one.models.hold.set()
            one.models.versions["2.0"].workers = [False]
            refused = await one.ask("PUT", "/models/m/2.0/set-default")
            assert refused.error == (409, "version")
            assert (await one.front.ask()).headers["rvae-version"] == "1.0"
            one.models.versions["1.0"].workers = []
            assert (await one.ask("PUT", "/models/m/2.0/set-default")).status == 200

    asyncio.run(run())


def test_a_version_goes_when_its_requests_are_answered() -> None:
    async def run() -> None:
        async with managed(two()) as one:
            asked = [
                asyncio.create_task(one.front.ask(path="/predictions/m/2.0")) for _ in range(3)
            ]
            await until(lambda: one.models.running.get("2.0") == 3)
            going = asyncio.create_task(one.ask("DELETE", "/models/m/2.0"))
            await until(lambda: ("m", "2.0") in one.front.gateway.routes._closing)
            refused = await one.front.ask(path="/predictions/m/2.0")
            assert refused.error == (410, "version") and b"1.0" in refused.body
            assert (await one.ask("PUT", "/models/m/2.0/set-default")).error == (409, "version")
            assert (await one.ask("DELETE", "/models/m/2.0")).error == (409, "version")
            assert one.models.changes == [] and not going.done()
            one.models.hold.set()
            assert {(await each).status for each in asked} == {200}
            assert (await going).status == 200
            assert one.models.harmed == [] and one.told == [[("m", "1.0", True)]]
            assert (await one.front.ask(path="/predictions/m/2.0")).error == (410, "version")
            assert (await one.front.ask()).headers["rvae-version"] == "1.0"

    asyncio.run(run())


def test_a_version_that_becomes_the_default_is_not_taken_away_meanwhile() -> None:
    async def run() -> None:
        async with managed(two()) as one:
            one.models.hold.set()
            async with one.manager._changes._serving.turn():
                switching = asyncio.create_task(one.ask("PUT", "/models/m/2.0/set-default"))
                await until(lambda: ("m", "2.0") in one.manager._changes._changing)
                assert (await one.ask("DELETE", "/models/m/2.0")).error == (409, "version")
                assert (await one.front.ask(path="/predictions/m/2.0")).status == 200
            assert (await switching).status == 200
            assert (await one.front.ask()).headers["rvae-version"] == "2.0"

    asyncio.run(run())


def test_what_torchserve_refuses_harms_nobody() -> None:
    async def run() -> None:
        async with managed(two()) as one:
            asked = asyncio.create_task(one.front.ask())
            await until(lambda: one.models.running.get("1.0") == 1)
            for path, status in (("m/1.0", 403), ("m", 403), ("m/3.0", 404), ("other", 404)):
                assert (await one.ask("DELETE", f"/models/{path}")).status == status
            assert ("m", "1.0") not in one.front.gateway.routes._closing and one.told == []
            one.models.hold.set()
            assert (await asked).status == 200

    asyncio.run(run())


def test_the_last_version_goes_and_comes_back() -> None:
    async def run() -> None:
        models = FakeModels({"1.0": FakeVersion()}, "1.0")
        async with managed(models) as one:
            asked = asyncio.create_task(one.front.ask())
            await until(lambda: models.running.get("1.0") == 1)
            going = asyncio.create_task(one.ask("DELETE", "/models/m"))
            await until(lambda: ("m", "1.0") in one.front.gateway.routes._closing)
            models.hold.set()
            assert (await asked).status == 200
            assert (await going).status == 200 and models.harmed == []
            for path in ("m", "m/1.0"):
                assert (await one.front.ask(path=f"/predictions/{path}")).error == (410, "model")
            models.loads.set()
            assert (await one.ask("POST", "/models?url=m-1.0.mar&initial_workers=1")).status == 200
            assert (await one.front.ask()).headers["rvae-version"] == "1.0"

    asyncio.run(run())


def test_workers_are_taken_away_while_they_are_idle_and_requests_wait() -> None:
    async def run() -> None:
        async with managed(two(workers=2)) as one:
            asked = asyncio.create_task(one.front.ask())
            await until(lambda: one.models.running.get("1.0") == 1)
            scaling = asyncio.create_task(one.ask("PUT", "/models/m/1.0?min_worker=1"))
            await until(lambda: ("m", "1.0") in one.front.gateway.routes._held)
            waiting = asyncio.create_task(one.front.ask())
            pinned = await asyncio.gather(one.ask("PUT", "/models/m/1.0?min_worker=1"))
            assert pinned[0].error == (409, "version")
            assert one.models.running == {"1.0": 1} and not scaling.done()
            one.models.hold.set()
            assert (await asked).status == 200
            assert (await scaling).status == 202
            assert (await waiting).status == 200
            assert one.models.harmed == []
            assert one.models.changes == ["PUT /models/m/1.0?min_worker=1&max_worker=1"]

    asyncio.run(run())


def test_workers_that_are_added_or_stay_make_nobody_wait() -> None:
    async def run() -> None:
        async with managed(two()) as one:
            asked = asyncio.create_task(one.front.ask())
            await until(lambda: one.models.running.get("1.0") == 1)
            for query in ("min_worker=2", "min_worker=1&max_worker=3"):
                assert (await one.ask("PUT", f"/models/m?{query}")).status == 202
            assert one.models.running == {"1.0": 1}
            waited = asyncio.create_task(
                one.ask("PUT", "/models/m/1.0?min_worker=3&synchronous=true")
            )
            await until(lambda: len(one.models.changes) == 3)
            assert not any("synchronous" in each for each in one.models.changes)
            assert not waited.done()
            one.models.loads.set()
            scaled = await waited
            assert scaled.status == 200 and b"scaled to 3" in scaled.body
            one.models.hold.set()
            assert (await asked).status == 200

    asyncio.run(run())


def test_a_version_that_does_not_become_idle_keeps_its_workers() -> None:
    async def run() -> None:
        limits = GatewayLimits(seconds=0.6, drain_seconds=0.0)
        async with managed(two(workers=2), limits) as one:
            asked = asyncio.create_task(one.front.ask())
            await until(lambda: one.models.running.get("1.0") == 1)
            refused = await one.ask("PUT", "/models/m/1.0?min_worker=0&max_worker=0")
            assert refused.error == (503, "version") and one.models.changes == []
            assert (await asked).status == 503  # by its own time
            one.models.hold.set()
            assert (await one.front.ask()).status == 200

    asyncio.run(run())


def test_wrong_numbers_are_told() -> None:
    async def run() -> None:
        async with managed(two(workers=2)) as one:
            for query in ("min_worker=-1", "min_worker=x", "max_worker=1.5"):
                refused = await one.ask("PUT", f"/models/m/1.0?{query}")
                assert refused.error == (400, query.partition("=")[0])
            assert (await one.ask("PUT", "/models/m/1.0?min_worker=2&max_worker=1")).status == 400
            for version in ("3.0", "all"):
                assert (await one.ask("PUT", f"/models/m/{version}?min_worker=1")).status == 404
            assert one.told == []

    asyncio.run(run())


def test_a_change_goes_on_when_nobody_waits_for_it() -> None:
    async def run() -> None:
        async with managed(two()) as one:
            asked = asyncio.create_task(one.front.ask(path="/predictions/m/2.0"))
            await until(lambda: one.models.running.get("2.0") == 1)
            _, writer = await asyncio.open_unix_connection(one.front.management)
            writer.write(b"DELETE /models/m/2.0 HTTP/1.1\r\nHost: x\r\n\r\n")
            await until(lambda: ("m", "2.0") in one.front.gateway.routes._closing)
            writer.close()
            await until(lambda: not len(one.front.gateway._operators))
            one.models.hold.set()
            assert (await asked).status == 200
            await until(lambda: one.told == [[("m", "1.0", True)]])

    asyncio.run(run())


def test_a_change_that_cannot_be_told_is_not_answered_as_done() -> None:
    async def run() -> None:
        async with managed(two()) as one:
            one.models.silent = True
            answer = await one.ask("DELETE", "/models/m/2.0")
            assert answer.error == (503, "server") and "2.0" not in one.models.versions
            one.front.manager.use(None)
            assert (await one.ask("PUT", "/models/m/1.0?min_worker=1")).error == (503, "server")
            content = orjson.loads((await one.ask("GET", "/server")).body)
            assert content["models"]["m"]["versions"] == ["1.0", "2.0"]

    asyncio.run(run())
