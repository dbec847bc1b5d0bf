"""Which version answers, and which requests a version has."""

import asyncio
from collections.abc import Awaitable

import orjson
import pytest

from rvae.serving.gateway.routes import CANARY, SHADOW, NotServedError, Routes, Served, Share

BOTH = {"m": Served("1.0", frozenset({"1.0", "2.0"}))}
SWITCHED = {"m": Served("2.0", frozenset({"1.0", "2.0"}))}
LAST = {"m": Served("2.0", frozenset({"2.0"}))}


def routes() -> Routes:
    found = Routes()
    found.update(BOTH)
    return found


async def entered(all_routes: Routes, version: str | None = None, model: str = "m") -> str:
    """The version that a short request gets."""
    async with all_routes.enter(model, version) as resolved:
        return resolved


async def refused(
    all_routes: Routes, version: str | None = None, model: str = "m"
) -> tuple[int, str, str]:
    """Status, field and message of a refusal."""
    with pytest.raises(NotServedError) as caught:
        await entered(all_routes, version, model)
    content = orjson.loads(caught.value.answer.body)
    assert content["code"] == caught.value.answer.status
    return content["code"], content["field"], content["message"]


async def still_waits(waiting: Awaitable[object]) -> bool:
    for _ in range(10):  # more turns of the loop than anything here takes
        await asyncio.sleep(0)
    return not asyncio.ensure_future(waiting).done()


def test_a_request_without_a_version_gets_the_default_of_that_moment() -> None:
    async def run() -> None:
        some = routes()
        assert (await entered(some), await entered(some, "2.0")) == ("1.0", "2.0")
        async with some.enter("m", None) as before:
            some.update(SWITCHED)
            assert (before, await entered(some), await entered(some, "1.0")) == (
                "1.0",
                "2.0",
                "1.0",
            )

    asyncio.run(run())


def test_requests_are_refused_until_something_was_ready_once() -> None:
    """Another server may be: whoever stands before several of them asks the next one."""

    async def run() -> None:
        some = Routes()
        for version in (None, "1.0"):
            status, field, message = await refused(some, version)
            assert (status, field) == (503, "server") and "is starting" in message
        with pytest.raises(NotServedError) as caught:
            some.require("m")
        assert caught.value.answer.headers["retry-after"] == "1"
        some.update(BOTH)
        assert await entered(some) == "1.0"
        assert some.require("m") == some.require("m", "2.0") == BOTH["m"]
        some.update({})  # by then a model that is missing is missing
        assert await refused(some) == (410, "model", "m is no longer served")

    asyncio.run(run())


def test_what_was_served_is_gone_and_what_was_not_is_unknown() -> None:
    async def run() -> None:
        some = routes()
        assert await refused(some, None, "n") == (404, "model", "n is not served: there is m")
        words = "3.0 is not served: there is 1.0, 2.0"
        assert await refused(some, "3.0") == (404, "version", words)
        some.update(LAST)
        words = "1.0 is no longer served: the default is 2.0"
        assert await refused(some, "1.0") == (410, "version", words)
        some.update(BOTH)
        assert await entered(some, "1.0") == "1.0"
        some.update({})
        for version in (None, "1.0", "2.0"):
            assert await refused(some, version) == (410, "model", "m is no longer served")
        assert await refused(some, "3.0") == (404, "model", "m is not served: there is none")
        some.update(LAST)
        assert await entered(some) == "2.0"

    asyncio.run(run())


def test_an_error_names_some_of_many() -> None:
    async def run() -> None:
        some = Routes()
        some.update({f"m{i:02d}": Served("1", frozenset("1")) for i in range(30)})
        _, _, message = await refused(some)
        assert "m00, m01" in message and message.endswith("m19, and others")

    asyncio.run(run())


def test_requests_for_a_held_version_wait_and_others_pass() -> None:
    async def run() -> None:
        some = routes()
        with some.hold("m", "1.0"), some.hold("m", "1.0"):
            waiting = [asyncio.create_task(entered(some, one)) for one in (None, "1.0")]
            assert await entered(some, "2.0") == "2.0"
            assert await still_waits(asyncio.gather(*waiting))
        assert [await one for one in waiting] == ["1.0", "1.0"]
        with some.hold("m", "1.0"):
            waiting = [asyncio.create_task(entered(some))]
            assert await still_waits(waiting[0])
            some.update(SWITCHED)  # what waits takes the new default
            assert await waiting[0] == "2.0"
            pinned = asyncio.create_task(entered(some, "1.0"))
            assert await still_waits(pinned)
            some.update(LAST)
            with pytest.raises(NotServedError):
                await pinned

    asyncio.run(run())


def test_a_closed_version_refuses_new_requests_and_drains() -> None:
    async def run() -> None:
        some = routes()
        release = asyncio.Event()

        async def request(version: str) -> None:
            async with some.enter("m", version):
                await release.wait()

        asked = [asyncio.create_task(request(one)) for one in ("2.0", "2.0", "1.0")]
        await asyncio.sleep(0)
        with some.close("m", "2.0"):
            assert (await refused(some, "2.0"))[:2] == (410, "version")
            assert await entered(some) == "1.0"
            drained = asyncio.create_task(some.drained("m", "2.0"))
            assert await still_waits(drained)
            asked[0].cancel()  # its client has hung up
            assert await still_waits(drained)
            release.set()
            await drained
        assert await entered(some, "2.0") == "2.0"  # where nothing came of it
        await some.drained("m", "2.0")
        await asyncio.gather(*asked, return_exceptions=True)

    asyncio.run(run())


def test_the_last_version_refuses_everybody_while_it_is_closed() -> None:
    async def run() -> None:
        some = Routes()
        some.update(LAST)
        with some.close("m", "2.0"):
            for version in (None, "2.0"):
                words = "2.0 is no longer served"
                assert await refused(some, version) == (410, "version", words)

    asyncio.run(run())


def test_a_canary_gets_its_share_of_the_requests_without_a_version() -> None:
    async def run() -> None:
        drawn = iter([0.0, 0.24, 0.25, 0.99] * 2)
        some = Routes(lambda: next(drawn))
        some.update(BOTH)
        some.give(CANARY, "m", Share("2.0", 0.25))
        assert [await entered(some) for _ in range(4)] == ["2.0", "2.0", "1.0", "1.0"]
        assert [await entered(some, "1.0") for _ in range(4)] == ["1.0"] * 4
        assert some.shares("m") == {CANARY: Share("2.0", 0.25)}
        with some.close("m", "2.0"):
            assert [await entered(some) for _ in range(4)] == ["1.0"] * 4
        some.give(CANARY, "m", Share("1.0", 0.0))  # which it never had
        assert some.shares("m")
        some.give(CANARY, "m", Share("2.0", 0.0))
        assert some.shares("m") == {} and await entered(some) == "1.0"

    asyncio.run(run())


@pytest.mark.parametrize("after", [SWITCHED, {"m": Served("1.0", frozenset({"1.0"}))}, {}])
def test_a_share_ends_when_its_version_is_the_default_or_gone(after: dict[str, Served]) -> None:
    some = routes()
    for kind in (CANARY, SHADOW):
        some.give(kind, "m", Share("2.0", 0.5))
    some.update(BOTH)
    assert set(some.shares("m")) == {CANARY, SHADOW}
    some.update(after)
    assert some.shares("m") == {}


def test_copies_go_to_the_shadow_unless_it_is_held_or_closed() -> None:
    some = Routes(lambda: 0.5)
    some.update(BOTH)
    assert some.shadow("m") is None
    some.give(SHADOW, "m", Share("2.0", 0.5))
    assert some.shadow("m") is None
    some.give(SHADOW, "m", Share("2.0", 0.6))
    assert some.shadow("m") == "2.0"
    for mark in (some.hold, some.close):
        with mark("m", "2.0"):
            assert some.shadow("m") is None


def test_who_requires_a_version_is_told_if_it_is_not_served() -> None:
    some = routes()
    assert some.require("m", "2.0") == BOTH["m"]
    for model, version in (("m", "3.0"), ("n", "1.0")):
        with pytest.raises(NotServedError):
            some.require(model, version)


def test_that_nothing_is_served_is_something_to_know() -> None:
    routes = Routes()
    assert not routes.are_known
    routes.update({})
    assert routes.are_known and routes.served == {}
