"""The paths of the Open Inference Protocol, as a client sees them."""

import asyncio
from typing import Any

import orjson
import pytest

from rvae._version import __version__
from rvae.serving.gateway.limits import GatewayLimits
from rvae.serving.gateway.messages import Answer
from rvae.serving.gateway.recordings import Recorded
from rvae.serving.gateway.routes import CANARY, Served, Share
from tests.support.gateways import Asked, Front, Reply, front, reply, until

INFER = "/v2/models/m/infer"
BODY = b'{"inputs": []}'
TENSORS = {"inputs": [{"name": "series"}], "outputs": [{"name": "score"}]}


async def describe(asked: Asked) -> Answer:
    """A description to who asks for it, else what was sent."""
    if "rvae-describe" not in asked.headers:
        return Answer(200, asked.body, {"content-type": "application/json"})
    card = {"window": 8, "tensors": TENSORS}
    return Answer(200, orjson.dumps({"model": "packaged as", "card": card}))


async def read(one: Front, path: str, method: str = "GET") -> Reply:
    sent = f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    return reply(await one.raw(sent.encode()))


def said(answer: Reply) -> tuple[int, Any]:
    return answer.status, orjson.loads(answer.body)


def fault(answer: Reply) -> tuple[int, str]:
    """Status and field of an error that clients of the protocol find, too."""
    content = orjson.loads(answer.body)
    assert content["error"] == f"{content['field']}: {content['message']}"
    assert content["code"] == answer.status
    return answer.status, content["field"]


def test_the_server_says_what_it_is_and_that_it_is_ready() -> None:
    async def run() -> None:
        async with front(describe) as one:
            for path in ("/v2", "/v2/"):
                told = {"name": "rvae", "version": __version__, "extensions": []}
                assert said(await read(one, path)) == (200, told)
            assert said(await read(one, "/v2/health/live")) == (200, {"live": True})
            ready = {"live": True, "ready": True}
            assert said(await read(one, "/v2/health/ready")) == (200, ready)
            assert one.asked == []

    asyncio.run(run())


def test_a_server_that_is_not_ready_lives_and_tells_no_reasons() -> None:
    async def run() -> None:
        async with front(describe, reasons=("/secret is full",), ready=False) as one:
            assert (await read(one, "/v2/health/live")).status == 200
            answer = await read(one, "/v2/health/ready")
            assert fault(answer) == (503, "server") and b"secret" not in answer.body
            assert answer.headers["retry-after"] == "1"

    asyncio.run(run())


def test_a_model_is_ready_by_itself() -> None:
    async def run() -> None:
        async with front(describe) as one:  # whose default versions answer, and no others
            ready = {"name": "m", "ready": True}
            for path in ("/v2/models/m/ready", "/v2/models/m/versions/1.0/ready"):
                assert said(await read(one, path)) == (200, ready)
            loading = await read(one, "/v2/models/m/versions/2.0/ready")
            assert fault(loading) == (503, "model")
            for path, refused in (
                ("/v2/models/other/ready", (404, "model")),
                ("/v2/models/m/versions/3.0/ready", (404, "version")),
            ):
                assert fault(await read(one, path)) == refused
            # A share of the requests makes no other version the one that is meant.
            one.gateway.routes.give(CANARY, "m", Share("2.0", 1.0))
            assert (await read(one, "/v2/models/m/ready")).status == 200
            assert one.asked == []
            one.gateway.routes.update({"m": Served("2.0", frozenset({"2.0"}))})
            gone = await read(one, "/v2/models/m/versions/1.0/ready")
            assert fault(gone) == (410, "version")

    asyncio.run(run())


def test_a_model_says_what_it_takes() -> None:
    async def run() -> None:
        async with front(describe) as one:
            for path, version in (
                ("/v2/models/m", "1.0"),
                ("/v2/models/m/versions/2.0", "2.0"),
            ):
                answer = await read(one, path)
                told = {"name": "m", "versions": ["1.0", "2.0"], "platform": "rvae_mar"}
                assert said(answer) == (200, told | TENSORS)
                assert answer.headers["rvae-version"] == version
                asked = one.asked.pop()
                assert asked.line == f"POST /predictions/m/{version} HTTP/1.1"
                assert (asked.headers["rvae-describe"], asked.body) == ("True", b"")
            missing = await read(one, "/v2/models/m/versions/3.0")
            assert fault(missing) == (404, "version")
            # Nothing of it counts as a request of a client.
            assert one.gateway.traffic.requests == {}

    asyncio.run(run())


def test_tensors_that_an_archive_does_not_tell_are_left_out() -> None:
    async def untold(asked: Asked) -> Answer:
        return Answer(200, b'{"card": {"window": 8}}')

    async def run() -> None:
        async with front(untold) as one:
            _, told = said(await read(one, "/v2/models/m"))
            assert set(told) == {"name", "versions", "platform"}

    asyncio.run(run())


def test_an_inference_is_a_prediction_of_tensors() -> None:
    async def run() -> None:
        async with front(describe) as one:
            for path, version in (
                (INFER, "1.0"),
                ("/v2/models/m/versions/2.0/infer", "2.0"),
            ):
                answer = await one.ask(
                    BODY,
                    path,
                    "Content-Type: application/octet-stream",
                    "Accept: text/csv",
                    "Inference-Header-Content-Length: 14",
                    "Rvae-Tensors: no",
                )
                assert (answer.status, answer.body) == (200, BODY)
                assert answer.headers["rvae-version"] == version
                asked = one.asked.pop()
                assert asked.line == f"POST /predictions/m/{version} HTTP/1.1"
                internal = ("rvae-ticket", "rvae-arrived")
                told = {name: it for name, it in asked.headers.items() if name not in internal}
                assert told == {
                    "host": "localhost",
                    "content-length": "14",
                    "content-type": "application/octet-stream",
                    "rvae-content-type": "application/octet-stream",
                    "inference-header-content-length": "14",
                    "rvae-tensors": "True",
                }
            await one.ask(BODY, "/predictions/m", "Rvae-Tensors: True")
            assert "rvae-tensors" not in one.asked[0].headers
            counted = one.gateway.traffic.requests
            assert (counted["m", "1.0", 200], counted["m", "2.0", 200]) == (2, 1)

    asyncio.run(run())


def test_an_inference_is_recorded_as_it_was_sent() -> None:
    async def run() -> None:
        async with front(describe) as one:
            some = one.gateway.recordings
            recording = asyncio.create_task(some.record("m", 2, 60))
            await until(lambda: some.wants("m"))
            pinned = "/v2/models/m/versions/2.0/infer"
            for path in (INFER, pinned):
                await one.ask(BODY, path, "Content-Type: application/json")
            headers = {"content-type": "application/json"}
            assert await recording == [Recorded(path, headers, BODY) for path in (INFER, pinned)]

    asyncio.run(run())


def test_every_error_is_where_clients_of_the_protocol_look_for_it() -> None:
    """Whoever finds it: what reads the request, what passes it on, or the model."""

    async def refuse(asked: Asked) -> Answer:
        known = {"code": 422, "message": "is odd", "field": "inputs"}
        if asked.body == b"known":
            known["error"] = "inputs: is odd"
        return Answer(422, orjson.dumps(known), {"content-type": "application/json"})

    async def run() -> None:
        limits = GatewayLimits(body_bytes=100, drain_seconds=0.0)
        async with front(refuse, limits) as one:
            assert fault(await one.ask(b"{}", INFER)) == (422, "inputs")
            assert fault(await one.ask(b"known", INFER)) == (422, "inputs")
            assert fault(await one.ask(b"x" * 101, INFER)) == (413, "body")
            assert fault(await one.ask(b"{}", INFER, "Content-Encoding: gzip")) == (
                415,
                "Content-Encoding",
            )
            assert fault(await one.ask(b"{}", INFER, "Expect: more")) == (417, "Expect")
            assert fault(await one.ask(b"{}", "/v2/models/other/infer")) == (404, "model")
            assert fault(await one.ask(b"{}", "/v2/models")) == (404, "path")
            assert fault(await read(one, INFER)) == (405, "method")
            posted = await one.ask(b"{}", "/v2/health/live?x=/predictions")
            assert fault(posted) == (405, "method") and posted.headers["allow"] == "get, head"
            # Others' errors stay what they are.
            for path in ("/predictions/other", "/v2x", "/predictions/v2/", "/v1"):
                assert b'"error"' not in (await one.ask(b"{}", path)).body

    asyncio.run(run())


@pytest.mark.parametrize("body", [b"", b"not JSON", b"[1]", b'{"message": "of a handler"}'])
def test_an_error_that_is_not_of_the_contract_is_passed_on(body: bytes) -> None:
    async def fail(asked: Asked) -> Answer:
        return Answer(507, body)

    async def run() -> None:
        async with front(fail) as one:
            answer = await one.ask(BODY, INFER)
            assert (answer.status, answer.body) == (507, body)

    asyncio.run(run())


def test_what_is_read_may_be_asked_for_without_a_body() -> None:
    async def run() -> None:
        async with front(describe) as one:
            for path in ("/v2", "/v2/health/ready", "/v2/models/m", "/v2/models/m/ready"):
                sent = f"HEAD {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                received = await one.raw(sent.encode())
                assert received.startswith(b"HTTP/1.1 200 ") and received.endswith(b"\r\n\r\n")

    asyncio.run(run())
