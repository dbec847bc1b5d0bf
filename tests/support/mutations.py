"""Sound bodies, damaged at random."""

import random

from tests.support.valid_requests import Request

__all__ = ["mutated"]

TELLING = (
    b"\0",
    b"\xff",
    b"[",
    b"]",
    b"{",
    b"}",
    b'"',
    b",",
    b":",
    b"-",
    b"9",
    b"e",
    b"\n",
    b"\x80",
)


def mutated(chance: random.Random, request: Request) -> Request:
    """One to four damages to a body, after which it may still be sound."""
    name, damage = chance.choice(list(DAMAGES.items()))
    body = bytearray(request.body)
    for _ in range(chance.randint(1, 4)):
        damage(chance, body)
    return request._replace(kind=f"{request.kind}, {name}", body=bytes(body), sound=None)


def _flip(chance: random.Random, body: bytearray) -> None:
    if body:
        body[chance.randrange(len(body))] ^= 1 << chance.randrange(8)


def _insert(chance: random.Random, body: bytearray) -> None:
    at = chance.randint(0, len(body))
    body[at:at] = chance.choice((*TELLING, chance.randbytes(chance.randint(1, 9))))


def _delete(chance: random.Random, body: bytearray) -> None:
    at = chance.randint(0, len(body))
    del body[at : at + chance.randint(1, 9)]


def _splice(chance: random.Random, body: bytearray) -> None:
    """Part of it again, elsewhere."""
    at, begin = chance.randint(0, len(body)), chance.randint(0, len(body))
    part = body[begin : begin + chance.randint(1, 64)]
    body[at : at + chance.choice((0, len(part)))] = part


def _extreme(chance: random.Random, body: bytearray) -> None:
    """An integer in the middle of binary data becomes one that is hard to believe."""
    at = chance.randint(0, len(body)) // 4 * 4
    number = chance.choice((0, 1, 2**31 - 1, 2**31, 2**32 - 1, chance.getrandbits(32), len(body)))
    body[at : at + 4] = number.to_bytes(4, "little")


DAMAGES = {
    "flipped": _flip,
    "inserted": _insert,
    "deleted": _delete,
    "spliced": _splice,
    "extreme": _extreme,
}
