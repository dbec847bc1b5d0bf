"""Requests that are kept for who asks for them, and how many."""

import asyncio

import orjson
import pytest

from rvae.serving.gateway import recordings
from rvae.serving.gateway.messages import Answer
from rvae.serving.gateway.recordings import MOST, Recorded, Recordings, TooManyError
from tests.support.gateways import Asked, front, until


def request(body: bytes = b"x") -> Recorded:
    return Recorded("/predictions/m", {"accept": "a/b"}, body)


def test_the_next_requests_of_a_model_are_recorded() -> None:
    async def run() -> None:
        some = Recordings()
        recording = asyncio.create_task(some.record("m", 2, 60))
        await until(lambda: some.wants("m"))
        some.hear("n", request(b"other"))
        for body in (b"1", b"2", b"3"):
            some.hear("m", request(body))
        assert await recording == [request(b"1"), request(b"2")]
        assert not some.wants("m")
        assert await some.record("m", 2, 0.01) == []

    asyncio.run(run())


def test_a_recording_is_bounded_in_bytes_and_there_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recordings, "MOST_BYTES", int(2.5 * request(b"1234").size))

    async def run() -> None:
        some = Recordings()
        recording = [asyncio.create_task(some.record("m", 100, 60)) for _ in range(MOST)]
        await until(lambda: len(some._open) == MOST)
        with pytest.raises(TooManyError):
            await some.record("m", 1, 60)
        for _ in range(3):
            some.hear("m", request(b"1234"))
        assert [len(await each) for each in recording] == [2] * MOST
        recording = [asyncio.create_task(some.record("m", 100, 60))]
        await until(lambda: some.wants("m"))
        recording[0].cancel()
        await until(lambda: not some.wants("m"))

    asyncio.run(run())


def test_requests_without_a_body_take_memory_too() -> None:
    long = Recorded("/predictions/m", {"rvae-options": "x" * 100}, b"")
    assert long.size - request(b"").size == 100 + len("rvae-options") - len("accepta/b")

    async def run() -> None:
        some = Recordings()
        recording = asyncio.create_task(some.record("m", 10**9, 60))
        await until(lambda: some.wants("m"))
        for _ in range(recordings.MOST_BYTES // long.size + 1):
            some.hear("m", long)
        assert len(await recording) == recordings.MOST_BYTES // long.size

    asyncio.run(run())


def test_the_end_of_a_server_waits_for_no_recording() -> None:
    async def echo(asked: Asked) -> Answer:
        return Answer(200, b"{}")

    async def run() -> None:
        async with front(echo) as one:
            some = one.gateway.recordings
            recording = asyncio.create_task(some.record("m", 2, 60))
            await until(lambda: some.wants("m"))
            await one.ask(b"x", "/predictions/m")
            await one.gateway.stop(0)
            async with asyncio.timeout(30):
                assert [each.body for each in await recording] == [b"x"]

    asyncio.run(run())


def test_what_clients_send_is_recorded_as_they_sent_it() -> None:
    async def echo(asked: Asked) -> Answer:
        return Answer(422, b"{}")

    async def run() -> None:
        async with front(echo) as one:
            some = one.gateway.recordings
            recording = asyncio.create_task(some.record("m", 2, 60))
            await until(lambda: some.wants("m"))
            await one.raw(b"GET /predictions/m HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            header = "Content-Type: text/csv"
            for path in ("/predictions/n", "/predictions/m?x=1", "/explanations/m/2.0"):
                await one.ask(b"1,2", path, header, "X-Other: y", "Cookie: z")
            assert await recording == [
                Recorded(path, {"content-type": "text/csv"}, b"1,2")
                for path in ("/predictions/m", "/explanations/m/2.0")
            ]
            assert orjson.loads((await one.ask(b"", "/predictions/n")).body)["code"] == 404

    asyncio.run(run())
