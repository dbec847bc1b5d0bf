"""What can be asked of the management's socket, and what cannot."""

import asyncio
import base64

import orjson
import pytest

from tests.support.gateways import until
from tests.support.managed import FakeModels, FakeVersion, managed


def models() -> FakeModels:
    found = FakeModels({"1.0": FakeVersion(), "2.0": FakeVersion()}, "1.0")
    found.hold.set()
    return found


def test_what_the_server_says_of_itself() -> None:
    found = models()
    found.versions["10.0"] = FakeVersion()

    async def run() -> None:
        async with managed(found) as one:
            assert orjson.loads((await one.ask("GET", "/server")).body) == {
                "store": "/store",
                "logs": str(one.logs),
                "predictions": "http://p",
                "metrics": "http://m",
                "models": {
                    "m": {
                        "default": "1.0",
                        "previous": "0.9",
                        "versions": ["1.0", "2.0", "10.0"],
                    }
                },
            }

    asyncio.run(run())


def test_a_server_that_starts_does_not_say_that_it_serves_nothing() -> None:
    async def run() -> None:
        async with managed(models()) as one:
            one.front.gateway.routes._served = None
            assert (await one.ask("GET", "/server")).error == (503, "server")

    asyncio.run(run())


def test_who_may_manage_may_ask_what_clients_ask() -> None:
    async def run() -> None:
        async with managed(models()) as one:
            body = b"x" * 200_000  # more than what management itself is sent
            for path, version in (("m", "1.0"), ("m/2.0", "2.0")):
                answer = await one.ask("POST", f"/predictions/{path}", body)
                assert (answer.status, answer.headers["rvae-version"]) == (200, version)
                assert one.front.asked[-1].body == body
            assert (await one.ask("POST", "/explanations/other")).error == (404, "model")
            assert (await one.ask("GET", "/ping")).status == 200
            assert (await one.ask("POST", "/metrics")).error == (405, "method")

    asyncio.run(run())


def test_web_pages_and_other_methods_are_refused() -> None:
    async def run() -> None:
        async with managed(models()) as one:
            for path in ("/models", "/server"):
                refused = await one.ask("GET", path, b"", "Origin: http://a")
                assert refused.error == (403, "Origin")
            assert (await one.ask("TRACE", "/models")).error == (405, "method")
            assert one.front.asked == []

    asyncio.run(run())


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/workflows?url=x"),
        ("DELETE", "/workflows/x"),
        ("POST", "/models/m"),
        ("PUT", "/models"),
        ("PUT", "/models/m/1.0/other"),
        ("PUT", "/models/m/1.0/set-default/x"),
        ("DELETE", "/models"),
        ("DELETE", "/models/m/1.0/x"),
        ("PUT", "//models/m/1.0"),
    ],
)
def test_what_is_no_change_that_is_known_never_reaches_torchserve(method: str, path: str) -> None:
    async def run() -> None:
        async with managed(models()) as one:
            assert (await one.ask(method, path)).error == (404, "path")
            assert one.front.asked == []

    asyncio.run(run())


def test_a_question_for_what_a_model_says_of_itself_is_one_of_its_requests() -> None:
    async def run() -> None:
        async with managed(models()) as one:
            path = "/models/m/2.0?customized=true"
            assert orjson.loads((await one.ask("GET", path)).body)[0]["customizedMetadata"]
            with one.front.gateway.routes.hold("m", "2.0"):
                asking = asyncio.create_task(one.ask("GET", path))
                for other in ("m/all?customized=true", "m/2.0", "m?customized=false"):
                    assert (await one.ask("GET", f"/models/{other}")).status in (200, 404)
                await until(lambda: len(one.front.asked) == 4)
                assert not asking.done()
            assert (await asking).status == 200
            assert (await one.ask("GET", "/models/n?customized=true")).error == (404, "model")

    asyncio.run(run())


def test_shares_are_given_and_told() -> None:
    async def run() -> None:
        async with managed(models()) as one:
            for kind in ("canary", "shadow"):
                assert (await one.ask("PUT", f"/models/m/2.0/{kind}?share=1")).status == 200
            told = orjson.loads((await one.ask("GET", "/server")).body)["models"]["m"]
            assert told["canary"] == told["shadow"] == {"version": "2.0", "share": 1.0}
            assert (await one.front.ask()).headers["rvae-version"] == "2.0"
            for path, error in (
                ("m/1.0/canary?share=0.1", (409, "version")),
                ("m/3.0/shadow?share=0.1", (404, "version")),
                ("m/2.0/canary", (400, "share")),
                ("m/2.0/canary?share=1.1", (400, "share")),
            ):
                assert (await one.ask("PUT", f"/models/{path}")).error == error
            one.models.versions["2.0"].workers = [False]
            refused = await one.ask("PUT", "/models/m/2.0/canary?share=0.5")
            assert refused.error == (409, "version")
            assert (await one.ask("PUT", "/models/m/2.0/canary?share=0")).status == 200
            assert (await one.front.ask()).headers["rvae-version"] == "1.0"
            assert not any("share" in each for each in one.models.changes)

    asyncio.run(run())


def test_clients_requests_are_recorded_and_not_those_of_operators() -> None:
    async def run() -> None:
        async with managed(models()) as one:
            asking = asyncio.create_task(one.ask("GET", "/models/m/traffic?requests=1&seconds=9.5"))
            await until(lambda: one.front.gateway.recordings.wants("m"))
            await one.ask("POST", "/predictions/m", b"operator")
            await one.front.ask(b"client", "/predictions/m", "Accept: a/b")
            told = orjson.loads((await asking).body)
            request = {
                "path": "/predictions/m",
                "headers": {"accept": "a/b"},
                "body": base64.b64encode(b"client").decode(),
            }
            assert told == {"model": "m", "requests": [request]}
            for path, error in (
                ("n/traffic", (404, "model")),
                ("m/traffic?seconds=-1", (400, "seconds")),
                ("m/traffic?requests=x", (400, "requests")),
            ):
                assert (await one.ask("GET", f"/models/{path}")).error == error

    asyncio.run(run())


def test_why_workers_ended_is_told_from_a_position_on() -> None:
    async def run() -> None:
        async with managed(models()) as one:

            async def told(version: str, query: str = "") -> object:
                answer = await one.ask("GET", f"/models/m/{version}/failure{query}")
                assert answer.status == 200, answer.body
                return orjson.loads(answer.body)

            assert await told("2.0") == {"reason": None, "position": 0}
            one.fail()
            end = (one.logs / "model.log").stat().st_size
            torn = {"reason": "OSError: torn", "position": end}
            nothing = {"reason": None, "position": end}
            assert await told("2.0", "?since=0") == torn
            assert await told("1.0", "?since=0") == nothing
            assert await told("2.0", f"?since={end}") == nothing
            # No position, no reason: whoever is about to register it does not know one yet.
            assert [await told(version) for version in ("2.0", "3.0")] == [nothing] * 2
            # The log is a shorter one than it was: another one was begun.
            assert await told("2.0", f"?since={end + 1}") == torn
            assert await told("2.0", f"?since={'9' * 18}") == torn
            one.front.manager.use(None)  # TorchServe is being replaced
            assert await told("2.0", "?since=0") == torn
            assert one.front.asked == []

    asyncio.run(run())


def test_why_workers_ended_is_told_of_a_version_that_was_taken_away() -> None:
    found = FakeModels({"1.0": FakeVersion()}, "1.0")

    async def run() -> None:
        async with managed(found) as one:
            path = "/models/m/2.0/failure?since=0"
            assert (await one.ask("GET", path)).error == (404, "version")
            one.fail()
            assert b"OSError: torn" in (await one.ask("GET", path)).body

    asyncio.run(run())


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("m/2.0/failure?since=x", (400, "since")),
        ("m/2.0/failure?since=-1", (400, "since")),
        ("m/2.0/failure?since=1.5", (400, "since")),
        ("m/2.0/failure?since=", (400, "since")),
        (f"m/2.0/failure?since={'9' * 5000}", (400, "since")),
        ("m/3.0/failure?since=0", (404, "version")),
        ("n/2.0/failure?since=0", (404, "model")),
        ("m/a%20b/failure?since=0", (404, "version")),
        ("m//failure?since=0", (404, "version")),
        ("/2.0/failure?since=0", (404, "model")),
    ],
)
def test_what_cannot_be_told_of_workers(path: str, error: tuple[int, str]) -> None:
    async def run() -> None:
        async with managed(models()) as one:
            assert (await one.ask("GET", f"/models/{path}")).error == error
            assert one.front.asked == []

    asyncio.run(run())
