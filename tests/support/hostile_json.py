"""Wrong requests in JSON."""

import gzip
import io
import json
import random
import zipfile
import zlib
from typing import Any

import numpy as np

from rvae.inference.card import Card
from rvae.serving.contract.options import TASK_FIELDS, Options
from tests.support.valid_requests import JSON, Request, beside, rows

__all__ = ["LARGE", "LARGEST", "MAKERS"]

LARGEST = 6_500_000  # bytes, less than what TorchServe lets through

HOLE = "the token goes here"

# What is wrong for every field of a request but a threshold, and the part that is for that, too.
WRONG: tuple[Any, ...] = (
    True,
    False,
    {},
    {"a": 1},
    [],
    [[]],
    [{}],
    "",
    "x",
    "1",
    "\x00",
    {"": {"": []}},
)
WRONG_NUMBERS = (-1, 1.5, 2**63, 2**64, -(2**63), 1e308)


def _fields(chance: random.Random, card: Card) -> dict[str, Any]:
    """A sound request with a channel axis, of twice the window."""
    steps = 2 * card.window
    return {"data": rows(chance, card, steps)} | beside(chance, card, steps)


def _post(kind: str, body: Any, **headers: str) -> Request:
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    return Request(kind, body, {"Content-Type": JSON, **headers})


def _filled(chance: random.Random, card: Card, token: bytes) -> bytes:
    """A request in which this stands for a value."""
    fields = _fields(chance, card)
    chance.choice(fields["data"])[0] = HOLE
    return json.dumps(fields).encode().replace(f'"{HOLE}"'.encode(), token)


def nesting(chance: random.Random, card: Card) -> Request:
    depth = chance.choice((10, 1000, 1023, 1100, 100_000))
    opening, closing = chance.choice(((b"[", b"]"), (b'{"a":', b"}"), (b'{"data":[', b"]}")))
    deep = opening * depth
    if chance.random() < 0.7:
        deep += b"1" + closing * depth
    where = chance.randrange(3)
    if where == 0:
        return _post("nesting", deep)
    if where == 1:
        return _post("nesting", _filled(chance, card, deep))
    name = chance.choice(list(Options.model_fields)).encode()
    return _post("nesting", b'{"%b": %b}' % (name, deep))


def numbers(chance: random.Random, card: Card) -> Request:
    token = chance.choice(
        (
            *(b"1e400", b"-1e400", b"9" * 400, b"9" * 5000, b"1e308", b"-1e99", b"2e19", b"1e30"),
            *(b"18446744073709551616", b"-9223372036854775809", b"0x10", b"01", b"+1", b".5"),
            *(b"1.", b"1e", b"--1", b"1_000", b"1" + b"0" * 40_000, b"1e999999999999"),
        )
    )
    return _post("numbers", _filled(chance, card, token))


def literals(chance: random.Random, card: Card) -> Request:
    token = chance.choice(
        (b"NaN", b"-NaN", b"Infinity", b"-Infinity", b"nan", b"inf", b"undefined", b"None", b"True")
    )
    return _post("literals", _filled(chance, card, token))


def other_types(chance: random.Random, card: Card) -> Request:
    """In place of a number."""
    token = chance.choice(
        (b"true", b"false", b'"21.5"', b'"1e1"', b'""', b"[21.5]", b"{}", b"[[]]")
    )
    return _post("truth values and texts", _filled(chance, card, token))


def surrogates(chance: random.Random, card: Card) -> Request:
    half = chance.choice(
        (rb"\ud800", rb"\udfff", rb"\udc00\ud800", b"\xed\xa0\x80", b"\xed\xbf\xbf")
    )
    if chance.random() < 0.5:
        return _post("surrogates", _filled(chance, card, b'"%b"' % half))
    return _post("surrogates", b'{"%b": "%b"}' % (chance.choice((b"label", half)), half))


def encodings(chance: random.Random, card: Card) -> Request:
    text = json.dumps(_fields(chance, card) | {"label": "größe"}, ensure_ascii=False)
    name = chance.choice(
        ("latin-1", "cp500", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig", "zeros")
    )
    if name == "zeros":
        body = bytearray(text.encode())
        at = chance.randint(0, len(body))
        body[at:at] = b"\0" * chance.randint(1, 9)
        return _post("encodings", bytes(body))
    return _post("encodings", text.encode(name), **{"Content-Type": f"{JSON}; charset={name}"})


def truncated(chance: random.Random, card: Card) -> Request:
    body = json.dumps(_fields(chance, card)).encode()
    return _post("truncated", body[: chance.randrange(len(body))])


def ragged(chance: random.Random, card: Card) -> Request:
    fields = _fields(chance, card)
    step = chance.choice(fields["data"])
    chance.choice((step.clear, lambda: step.append(1), lambda: step.append([])))()
    if chance.random() < 0.5:
        fields = {"instances": [fields.pop("data")]} | {name: [v] for name, v in fields.items()}
    return _post("ragged", fields)


def empty(chance: random.Random, card: Card) -> Request:
    nothing: list[Any] = [
        *({"data": []}, {"data": [[]]}, {"data": [[]] * card.window}, {"data": None}, {}),
        *({"instances": []}, {"instances": [[]]}, {"instances": [[[]]]}, {"columns": {}}),
        {"columns": {name: [] for name in card.channels}},
        {"data": [[None] * len(card.channels)] * card.window},
        *({"task": "decode", "latent": []}, {"task": "decode", "latent": [[]]}, [], None, "", 0),
        *({"task": "decode"}, {"task": "encode"}, {"task": None}, {"": None}),
    ]
    return _post("empty", chance.choice(nothing))


def too_short(chance: random.Random, card: Card) -> Request:
    steps = card.window - 1
    series = rows(chance, card, steps)
    columns = dict(zip(card.channels, zip(*series, strict=True), strict=True))
    form = chance.choice(({"data": series}, {"instances": [series]}, {"columns": columns}))
    return _post("one step too short", form | beside(chance, card, steps))


def unknown(chance: random.Random, card: Card) -> Request:
    name = chance.choice(
        ("dta", "", "Data", "data ", "\x00", "ü" * 200, "__class__", "model_config")
    )
    return _post("unknown fields", _fields(chance, card) | {name: 1})


def wrong_types(chance: random.Random, card: Card) -> Request:
    name = chance.choice(list(Options.model_fields))
    wrong = WRONG if name == "threshold" else WRONG + WRONG_NUMBERS
    return _post("wrong types", _fields(chance, card) | {name: chance.choice(wrong)})


def other_tasks(chance: random.Random, card: Card) -> Request:
    task = chance.choice(list(TASK_FIELDS))
    right = {
        "timestamps": ["2026-01-01"], "label": "idle", "output": ["score"], "stride": 1,
        "quantile": 0.5, "alarms": "1 per week", "threshold": 1, "adapt": 0.01, "gap": 1,
        "count": 1, "seed": 1,
        "latent": [[0] * card.model.latent], "data": [1], "columns": {}, "instances": [[1]],
    }  # fmt: skip
    name = chance.choice([name for name in right if name not in TASK_FIELDS[task]])
    return _post("fields of other tasks", {"task": task, name: right[name]})


def together(chance: random.Random, card: Card) -> Request:
    """Fields that do not go with each other, or with the series."""
    fields = _fields(chance, card)
    extra: list[dict[str, Any]] = [
        *({"threshold": 1, "quantile": 0.5}, {"threshold": 1, "adapt": 0.01}, {"gap": 1}),
        *({"output": ["score", "score"]}, {"instances": [fields["data"]]}, {"columns": {}}),
        *({"output": ["score"] * 9}, {"quantile": 1 - 1e-16}, {"stride": 0}, {"adapt": 1}),
        *({"alarms": "1 per week", "quantile": 0.5}, {"alarms": "1 per " + "9" * 10**5 + " steps"}),
        *(
            {"alarms": "١ per week"},
            {"alarms": "1 per 999999999999 steps"},
            {"alarms": "0 per day"},
        ),
        *({"label": ["idle"]}, {"label": "0" * 99 + "x"}, {"timestamps": ["2026-01-01"]}),
        {"timestamps": [chance.choice(("2026", "0001-01-01T00+23:59", "x" * 999, None, {}))] * 16},
    ]
    return _post("fields together", fields | chance.choice(extra))


def compressed(chance: random.Random, card: Card) -> Request:
    body = json.dumps(_fields(chance, card)).encode()
    if chance.random() < 0.2:
        body = b"[" + b"0" * 10_000_000
    archive = io.BytesIO()
    how = chance.choice(("gzip", "deflate", "zip", "npz"))
    match how:
        case "gzip":
            return _post("compressed", gzip.compress(body, mtime=0), **{"Content-Encoding": how})
        case "deflate":
            return _post("compressed", zlib.compress(body), **{"Content-Encoding": how})
        case "zip":
            with zipfile.ZipFile(archive, "w") as packed:
                packed.writestr(zipfile.ZipInfo("body.json"), body, zipfile.ZIP_DEFLATED)
        case "npz":
            np.savez_compressed(archive, data=np.zeros(1 << 20))
    media = chance.choice(
        (JSON, "application/octet-stream", "application/zip", "application/x-npy")
    )
    return _post("compressed", archive.getvalue(), **{"Content-Type": media})


def large_text(chance: random.Random, card: Card) -> Request:
    """A field that is one long text."""
    name = chance.choice(list(Options.model_fields))
    text = chance.choice(("0" * (LARGEST - 100) + "x", "x" * LARGEST, "-" * LARGEST, "{" * LARGEST))
    return _post("large text", _fields(chance, card) | {name: text[: LARGEST - 5000]})


def large_label(chance: random.Random, card: Card) -> Request:
    """A word that a pattern might go over again and again."""
    fields = _fields(chance, card)
    long = chance.choice(("0", "1", "-0", "1.0", "9.")) + "0" * (LARGEST - 5000) + "x"
    word = next((i for i, n in enumerate(card.channels) if n in card.vocabulary.categories), None)
    if word is None or chance.random() < 0.5:
        return _post("large text", fields | {"label": long})
    fields["data"][0][word] = long
    return _post("large text", fields)._replace(sound=None)  # an unknown category is no error


def large_list(chance: random.Random, card: Card) -> Request:
    """A list of as much as there is room for."""
    name = chance.choice(list(Options.model_fields)).encode()
    one = chance.choice((b"1", b"[]", b"{}", b"null", b'"x"', b"[1]", b"20.123456789", b"[[]]"))
    return _post("large list", b'{"%b":[%b]}' % (name, _many(one)))


def large_instances(chance: random.Random, card: Card) -> Request:
    """As many short series as there is room for, the last of them wrong."""
    one = json.dumps(rows(chance, card, card.window), separators=(",", ":")).encode()
    return _post("large instances", b'{"instances":[%b,[]]}' % _many(one))


def large_object(chance: random.Random, card: Card) -> Request:
    """Many names."""
    pairs = b",".join(b'"%x":%b' % (i, chance.choice((b"1", b"[]"))) for i in range(400_000))
    return _post(
        "large object", chance.choice((b"{%b}", b'{"columns":{%b}}', b'{"label":{%b}}')) % pairs
    )


def large_nothing(chance: random.Random, card: Card) -> Request:
    return _post("large nothing", chance.choice((b" ", b"\0", b"[", b"-", b"9", b'"')) * LARGEST)


def too_large(chance: random.Random, card: Card) -> Request:
    """More than the server lets through."""
    return _post("too large", b" " * (LARGEST + 500_000))


def _many(one: bytes) -> bytes:
    return b",".join([one] * ((LARGEST - 5000) // (len(one) + 1)))


MAKERS = (
    *(nesting, numbers, literals, other_types, surrogates, encodings, truncated, ragged, empty),
    *(too_short, unknown, wrong_types, other_tasks, together, compressed),
)
LARGE = (
    large_text,
    large_label,
    large_list,
    large_instances,
    large_object,
    large_nothing,
    too_large,
)
