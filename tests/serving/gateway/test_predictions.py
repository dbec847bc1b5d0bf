import asyncio

import orjson
import pytest

from rvae.serving.gateway.messages import Answer
from rvae.serving.gateway.routes import Served
from tests.support.gateways import Asked, front, reply

JSON = {"content-type": "application/json"}


async def echo(asked: Asked) -> Answer:
    return Answer(200, asked.body, JSON | {"x-request-id": "7", "pragma": "no-cache"})


def test_a_request_reaches_the_backend_with_what_the_contract_reads_and_nothing_else() -> None:
    async def run() -> None:
        async with front(echo) as one:
            answer = await one.ask(
                b'{"data": [1]}',
                "/predictions/m/2.0?x=1",
                "Content-Type: text/csv; charset=utf-8",
                "Accept: application/json",
                'Rvae-Options: {"stride": 2}',
                "Inference-Header-Content-Length: 5",
                "Describe: True",
                "Rvae-Deferred: 1",
                "Rvae-Ticket: 0-1",
                "Rvae-Content-Type: text/plain",
                "Transfer: odd",
            )
            assert (answer.status, answer.body) == (200, b'{"data": [1]}')
            names = {"content-type", "content-length", "connection", "x-request-id"}
            assert set(answer.headers) == names | {"rvae-version"}
            (asked,) = one.asked
            assert asked.line == "POST /predictions/m/2.0 HTTP/1.1"
            assert {
                name: value
                for name, value in asked.headers.items()
                if name not in ("rvae-ticket", "rvae-arrived")
            } == {
                "host": "localhost",
                "content-length": "13",
                "content-type": "application/octet-stream",
                "rvae-content-type": "text/csv; charset=utf-8",
                "accept": "application/json",
                "rvae-options": '{"stride": 2}',
                "inference-header-content-length": "5",
            }

    asyncio.run(run())


def test_the_version_that_answers_is_chosen_here_and_told() -> None:
    async def fail(asked: Asked) -> Answer:
        return Answer(422, b"{}", {"rvae-version": "of the backend"})

    async def run() -> None:
        async with front(fail) as one:
            for path, version in (
                ("/predictions/m", "1.0"),
                ("/predictions/m/2.0", "2.0"),
                ("/explanations/m", "1.0"),
            ):
                answer = await one.ask(b"{}", path)
                assert (answer.status, answer.headers["rvae-version"]) == (422, version)
                kind = path.split("/")[1]
                assert one.asked[-1].line == f"POST /{kind}/m/{version} HTTP/1.1"

    asyncio.run(run())


@pytest.mark.parametrize(
    ("version", "written"),
    [
        ("1.0+a~b_c-d", "1.0+a~b_c-d"),
        ("a b\r\nx: y", "a%20b%0D%0Ax%3A%20y"),
        ("ü/?", "%C3%BC%2F%3F"),
    ],
)
def test_a_version_that_an_archive_has_made_up_stays_one_part_of_a_path(
    version: str, written: str
) -> None:
    async def run() -> None:
        async with front(echo, served={"m": Served(version, frozenset({version}))}) as one:
            answer = await one.ask(b"{}", "/predictions/m")
            assert (answer.status, answer.headers["rvae-version"]) == (200, written.lower())
            assert one.asked[-1].line == f"POST /predictions/m/{written} HTTP/1.1"

    asyncio.run(run())


def test_models_and_versions_that_are_not_served() -> None:
    async def run() -> None:
        async with front(echo) as one:
            unknown = await one.ask(b"{}", "/predictions/other")
            assert unknown.error == (404, "model") and b"hidden" in unknown.body
            version = await one.ask(b"{}", "/predictions/m/3.0")
            assert version.error == (404, "version") and b"1.0, 2.0" in version.body
            one.gateway.routes.update({"m": Served("2.0", frozenset({"2.0"}))})
            gone = await one.ask(b"{}", "/predictions/m/1.0")
            assert gone.error == (410, "version") and b"the default is 2.0" in gone.body
            assert one.asked == []

    asyncio.run(run())


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/models",
        "/models/m",
        "/predictions",
        "/predictions/",
        "/predictions/m/1.0/encode",
        "/predictions/../models",
        "/predictions/m/..",
        "/predictions/%2e%2e/models",
        "//predictions/m",
        "/predictions//m",
        "http://other/predictions/m",
        "/workflows",
        "/wfpredict/m",
        "/invocations",
        "/v1/models/m:predict",
        "/predictions/" + "m" * 129,
    ],
)
def test_unknown_paths_are_refused(path: str) -> None:
    async def run() -> None:
        async with front(echo) as one:
            assert (await one.ask(b"{}", path)).error == (404, "path")
            assert one.asked == []

    asyncio.run(run())


def test_other_methods_are_refused() -> None:
    async def run() -> None:
        async with front(echo) as one:
            for method, path, allowed in (
                ("PUT", "/predictions/m", "get, head, post"),
                ("DELETE", "/predictions/m/1.0", "get, head, post"),
                ("OPTIONS", "/predictions/m", "get, head, post"),
                ("GET", "/explanations/m", "post"),
                ("HEAD", "/explanations/m/1.0", "post"),
            ):
                sent = f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                received = await one.raw(sent.encode())
                assert received.startswith(b"HTTP/1.1 405 ")
                assert f"allow: {allowed}\r\n".encode() in received.lower()
            refused = await one.ask(b"{}", "/ping")
            assert refused.error == (405, "method") and refused.headers["allow"] == "get, head"
            assert one.asked == []

    asyncio.run(run())


def test_a_model_is_described_to_those_who_get_it() -> None:
    async def run() -> None:
        async with front(echo) as one:
            for method in ("GET", "HEAD"):
                sent = (
                    f"{method} /predictions/m/2.0?x=1 HTTP/1.1\r\nHost: x\r\nDescribe: True\r\n"
                    "Accept: text/csv\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
                )
                received = await one.raw(sent.encode())
                assert received.startswith(b"HTTP/1.1 200 ") and received.endswith(b"\r\n\r\n")
                asked = one.asked.pop()
                assert (asked.line, asked.body) == ("POST /predictions/m/2.0 HTTP/1.1", b"")
                told = {name: one for name, one in asked.headers.items() if "ticket" not in name}
                assert told == {
                    "host": "localhost",
                    "content-length": "0",
                    "content-type": "application/octet-stream",
                    "rvae-describe": "True",
                }
            await one.ask(b"{}", "/predictions/m", "Rvae-Describe: True")
            assert "rvae-describe" not in one.asked[0].headers

    asyncio.run(run())


@pytest.mark.parametrize(
    ("ready", "reasons", "status"),
    [
        (True, (), 200),
        (True, ("/logs: 10 MiB of the disk are free",), 200),
        (False, ("waves 1.0 has no worker",), 503),
    ],
)
def test_health(ready: bool, reasons: tuple[str, ...], status: int) -> None:
    async def run() -> None:
        async with front(echo, reasons=reasons, ready=ready) as one:
            received = await one.raw(b"GET /ping HTTP/1.0\r\n\r\n")
            answer = reply(received)
            expected = "Healthy" if ready else "Unhealthy"
            assert answer.status == status
            assert orjson.loads(answer.body) == {"status": expected, "reasons": list(reasons)}
            head = await one.raw(b"HEAD /ping HTTP/1.0\r\n\r\n")
            assert head.endswith(b"\r\n\r\n") and head.startswith(received[:12])

    asyncio.run(run())
