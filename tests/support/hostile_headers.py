"""Requests whose headers, parts or address are odd, and whose body may be sound."""

import random

from rvae.inference.card import Card
from tests.support.valid_requests import ARROW, CSV, JSON, LENGTH, NPY, Request, sound

__all__ = ["MAKERS"]

# What the handler looks for among headers, where the server keeps names of parts too.
NAMES = (
    *("body", "data", "describe", "explain", "accept", "content-type", "rvae-options", LENGTH),
    *("Body", "Accept", "", "ü", "a" * 999, "host"),
)

# What curl says of any data.
FORM = "application/x-www-form-urlencoded"

MEDIA = (
    *("image/png", "application/xml", "text/html", FORM),
    *("x", "/", "application/json/csv", "\xff\xfe", "application/json,text/csv", "a" * 999),
)


def options(chance: random.Random, card: Card) -> Request:
    """What is said in a header is no JSON, or no options."""
    request = _of(chance, card, CSV, NPY, ARROW)
    said = chance.choice(
        (
            *(
                "{",
                "[]",
                "null",
                "1",
                "x",
                '"',
                "{}{}",
                '{"a":' * 900,
                "[" * 3000,
                '{"stride": NaN}',
            ),
            *('{"stride": 0}', '{"data": [1]}', '{"dta": 1}', '{"task": "sample"}', "\xff", "\xed"),
            *('{"latent": [[1]]}', '{"count": 1}', '{"label": {}}', '{"timestamps": 1}'),
            *('{"\\ud800": 1}', '{"stride": 1e400}', '{"output": ["events", "latent"]}'),
            '{"label": "%sx"}' % ("0" * 7000),
        )
    )
    return request._replace(
        kind="options", headers={**request.headers, "Rvae-Options": said}, sound=False
    )


def misplaced_options(chance: random.Random, card: Card) -> Request:
    request = _of(chance, card, JSON)
    said = chance.choice(("{}", "{", "x"))
    return request._replace(
        kind="options", headers={**request.headers, "Rvae-Options": said}, sound=False
    )


def accepts(chance: random.Random, card: Card) -> Request:
    request = sound(chance, card)
    said = chance.choice(
        (
            *("text/html", "*/*;q=0", ",;,", "application/json;q=x", "x" * 4000, "\xff", "image/*"),
            *("application/json;q=-1", f"{JSON};q=1e-999", ";q=1", "q=1", "a/b," * 900 + "a/b"),
        )
    )
    return request._replace(kind="accept", headers={**request.headers, "Accept": said}, sound=False)


def odd_accepts(chance: random.Random, card: Card) -> Request:
    """That are of some use, or might be."""
    request = sound(chance, card)
    said = chance.choice(
        (
            *("*/*;q=nan", "*/*;q=inf", f"text/html, {CSV}", f"{ARROW}, */*;q=0.1", NPY, "text/*"),
            *(f"{JSON};q=1;q=0", "application/*", " ", f"*/*,{'x/y,' * 500}"),
        )
    )
    return request._replace(
        kind="accept, odd", headers={**request.headers, "Accept": said}, sound=None
    )


def media(chance: random.Random, card: Card) -> Request:
    """A type of no format, or one that leaves it to the first bytes, which those of CSV do not."""
    request, said = sound(chance, card), chance.choice(MEDIA)
    known = said == FORM and request.headers["Content-Type"] != CSV
    headers = {**request.headers, "Content-Type": said}
    return request._replace(kind="media", headers=headers, sound=known)


def other_media(chance: random.Random, card: Card) -> Request:
    """A body is said to be what it is not."""
    request = _of(chance, card, CSV, NPY, ARROW, JSON)
    others = [one for one in (CSV, NPY, ARROW, JSON) if one != request.headers["Content-Type"]]
    headers = {**request.headers, "Content-Type": chance.choice(others)}
    return request._replace(kind="other media", headers=headers, sound=False)


def parts(chance: random.Random, card: Card) -> Request:
    """A form whose parts have odd names and types, the body perhaps among them."""
    request = sound(chance, card)
    bound = b"----x"
    pieces = []
    for _ in range(chance.randint(1, 4)):
        content = request.body if chance.random() < 0.6 else chance.randbytes(chance.randrange(40))
        name = chance.choice(NAMES)
        kind = chance.choice((request.headers["Content-Type"], *MEDIA[:-1], "\r\n", ""))
        lines = [f'Content-Disposition: form-data; name="{name}"; filename="f"']
        if kind:
            lines.append(f"Content-Type: {kind}")
        head = "\r\n".join(lines).encode("utf-8")
        pieces.append(b"--" + bound + b"\r\n" + head + b"\r\n\r\n" + content + b"\r\n")
    body = b"".join(pieces) + b"--" + bound + b"--\r\n"
    if chance.random() < 0.2:
        body = body[: chance.randrange(len(body))]
    said = chance.choice(("multipart/form-data; boundary=----x",) * 9 + ("multipart/form-data",))
    headers = {**request.headers, "Content-Type": said}
    return Request("parts", body, headers, sound=None)


def addresses(chance: random.Random, card: Card) -> Request:
    """What stands in the address comes to the handler like parts do."""
    request = sound(chance, card)
    name = chance.choice(
        ("body", "data", "accept", "rvae-options", "explain", "describe", "%00", "a")
    )
    value = chance.choice(("True", "", "%7B%7D", "%FF", "x" * 999, "[1]", "%ZZ"))
    return request._replace(kind="addresses", query=f"{name}={value}", sound=None)


def names(chance: random.Random, card: Card) -> Request:
    """Headers that are called like what the handler looks for elsewhere, of a sound request."""
    request = sound(chance, card)
    extra = {
        name: chance.choice(("x", "{}", "True"[:3], "\xff"))
        for name in ("body", "data", "Describe", "EXPLAIN", "content-length-x")
    }
    return request._replace(kind="names", headers={**request.headers, **extra}, sound=True)


def lengths(chance: random.Random, card: Card) -> Request:
    """A length of JSON, of what is none."""
    request = _of(chance, card, CSV, NPY, ARROW)
    length = chance.choice(("0", "1", str(len(request.body)), str(len(request.body) + 1), "x"))
    headers = {**request.headers, LENGTH: length}
    return request._replace(kind="lengths", headers=headers, sound=False)


def _of(chance: random.Random, card: Card, *media_types: str) -> Request:
    while True:
        request = sound(chance, card)
        if request.headers["Content-Type"] in media_types:
            return request


MAKERS = (
    *(options, misplaced_options, accepts, odd_accepts, media, other_media, parts, addresses),
    *(names, lengths),
)
