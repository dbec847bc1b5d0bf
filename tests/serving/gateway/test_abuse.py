"""Clients and backends that do anything, at once and in any order: nothing of them is left."""

import asyncio
import random
import socket
import struct
from contextlib import suppress

from rvae.serving.gateway.limits import GatewayLimits
from rvae.serving.gateway.messages import Answer
from tests.support.gateways import (
    Asked,
    Front,
    Handler,
    Run,
    both_loops,
    front,
    post,
    reply,
    statuses,
)

LIMITS = GatewayLimits(
    body_bytes=300_000,
    answer_bytes=600_000,
    buffered_bytes=700_000,
    small_bytes=10_000,
    connections=30,
    forwarded=6,
    waiting=20,
    seconds=1.5,
    idle_seconds=0.5,
    head_seconds=0.5,
    pause_seconds=0.5,
    unavailable_seconds=0.3,
    drain_seconds=0.0,
)
CLIENTS = 400
OK = b"HTTP/1.1 200 x\r\ncontent-length: 2\r\n\r\nok"


def backend(rng: random.Random) -> Handler:
    async def answer(asked: Asked) -> Answer | bytes | None:
        await asyncio.sleep(rng.choice([0, 0, 0, 0.01, 0.1]))
        what = rng.random()
        if what < 0.6:
            return Answer(200, asked.body)
        if what < 0.65:
            return Answer(200, bytes(500_000))
        if what < 0.7:
            deferred = Answer(503, b"", {"rvae-deferred": "0.2"})
            return Answer(200, asked.body) if "rvae-deferred" in asked.headers else deferred
        if what < 0.71:
            await asyncio.sleep(60)
        odd = [None, Answer(500, b""), Answer(503, b""), b"\0", b"HTTP/1.1 200 x\r\ncontent-le"]
        odd += [OK + OK, OK + b"x", OK[:-1], b"HTTP/1.1 200 x\r\n\r\n" + bytes(700_000), b"\r\n"]
        return rng.choice(odd)

    return answer


def message(rng: random.Random) -> bytes:
    body = rng.randbytes(rng.choice([0, 10, 9_000, 50_000, 250_000, 300_001]))
    what = rng.random()
    if what < 0.6:
        return post(body, "/predictions/" + rng.choice("abc"))
    if what < 0.8:
        step = rng.choice([7, 1000, 70_000])
        chunks = [body[start : start + step] for start in range(0, len(body), step)]
        framed = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
        head = b"POST /predictions/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        return head + framed + b"0\r\n\r\n"
    if what < 0.9:
        whole = bytearray(post(body[:100]))
        for _ in range(rng.randrange(1, 4)):
            whole[rng.randrange(len(whole))] = rng.randrange(256)
        return bytes(whole)
    return rng.choice([b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n", rng.randbytes(200), b"\r\n"])


async def client(one: Front, rng: random.Random) -> None:
    """Sends something somehow, reads some of the answer, and leaves in some way."""
    loop = asyncio.get_running_loop()
    with socket.socket() as link, suppress(OSError, TimeoutError):
        link.setblocking(False)
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        await loop.sock_connect(link, ("127.0.0.1", one.port))
        for _ in range(rng.choice([1, 1, 3])):
            sent = message(rng) * rng.choice([1, 1, 1, 2])
            if rng.random() < 0.3:
                sent = sent[: rng.randrange(len(sent) + 1)]
            step = rng.choice([len(sent) or 1, len(sent) // 3 + 1, len(sent) // 20 + 1])
            async with asyncio.timeout(3):
                for start in range(0, len(sent), step):
                    await loop.sock_sendall(link, sent[start : start + step])
                    await asyncio.sleep(rng.choice([0, 0, 0.001]))
            if rng.random() < 0.1:
                link.shutdown(socket.SHUT_WR)
            async with asyncio.timeout(rng.choice([0.001, 0.05, 1])):
                while await loop.sock_recv(link, rng.choice([100, 65_536])):
                    pass
        if rng.random() < 0.3:  # the end is a reset
            link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def replace(one: Front, rng: random.Random) -> None:
    """The backend goes and comes."""
    while True:
        await asyncio.sleep(rng.uniform(0.1, 0.4))
        one.gateway.use(None)
        await asyncio.sleep(rng.uniform(0, 0.2))
        one.gateway.use(one.backend)


@both_loops
def test_whatever_clients_and_backends_do_nothing_of_them_is_left(run: Run) -> None:
    async def attack(rng: random.Random) -> None:
        async with front(backend(rng), LIMITS) as one:
            replacing = asyncio.create_task(replace(one, rng))
            places = asyncio.Semaphore(60)

            async def limited() -> None:
                async with places:
                    await client(one, rng)

            await asyncio.gather(*(limited() for _ in range(CLIENTS)))
            replacing.cancel()
            one.gateway.use(one.backend)
            assert reply(await one.raw(b"GET /ping HTTP/1.0\r\n\r\n")).status == 200
            assert statuses(await one.raw(post(b"x", "/predictions/z", "Connection: close")))
        # `front` has looked at what is left.

    for seed in range(2):
        run(attack(random.Random(seed)))
