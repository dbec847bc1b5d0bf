"""Wrong requests of the Open Inference Protocol."""

import json
import random
from typing import Any

from rvae.inference.card import Card
from tests.support.valid_requests import JSON, LENGTH, Request, inference

__all__ = ["LARGE", "MAKERS"]

LARGEST = 6_400_000  # bytes of what is said beside it

NUMBERS = ("UINT8", "INT8", "INT64", "UINT64", "FP16", "FP32", "FP64")


def _post(kind: str, content: Any) -> Request:
    return Request(kind, json.dumps(content).encode(), {"Content-Type": JSON})


def _binary(kind: str, content: Any, behind: bytes, length: str | None = None) -> Request:
    head = json.dumps(content).encode()
    headers = {"Content-Type": "application/octet-stream", LENGTH: length or str(len(head))}
    return Request(kind, head + behind, headers)


def shapes(chance: random.Random, card: Card) -> Request:
    content, array = inference(chance, card)
    steps, channels = array.shape
    content["inputs"][0]["shape"] = chance.choice(
        (
            *([], [0], [-1, channels], [steps + 1, channels], [steps, channels + 1], [1] * 4),
            *([2**31, 2**31, 2**31], [2**31 + 1, 1], [2**63], [2**64], [1.5], ["1"], [True], 7),
            *(None, {}, [steps, channels, 0], [[steps, channels]], [steps * channels * 2], "1"),
        )
    )
    return _post("tensors, shapes", content)


def datatypes(chance: random.Random, card: Card) -> Request:
    content, _ = inference(chance, card)
    content["inputs"][0]["datatype"] = chance.choice(
        ("", "FP128", "fp64", "BOOL", "BYTES", "UINT8", "INT64", "float", None, 64, [], "OBJECT")
    )
    # Whole numbers would be right for integers.
    content["inputs"][0]["data"] = [20.5] * len(content["inputs"][0]["data"])
    return _post("tensors, datatypes", content)


def data(chance: random.Random, card: Card) -> Request:
    content, array = inference(chance, card)
    values = content["inputs"][0]["data"]
    content["inputs"][0]["data"] = chance.choice(
        (
            *(None, [], {}, "data", 1, values[1:], [*values, 1], [True, *values[1:]]),
            *(["21.5", *values[1:]], [[values]], [[1], *values[1:]], [1e308, *values[1:]]),
            *([None] * len(values), [[]] * len(values), [values[: array.shape[1]]]),
        )
    )
    return _post("tensors, data", content)


def fields(chance: random.Random, card: Card) -> Request:
    content, _ = inference(chance, card)
    wrong: list[Any] = [[], 1, "x", {"stride": 0}, {"dta": 1}, {"data": [1]}, {"": {}}]
    wrong += [{"output": ["score"]}, {"task": "x"}]
    first = content["inputs"][0]
    beyond: list[Any] = [
        *({"inputs": []}, {"inputs": None}, {"inputs": {}}, {"inputs": [None]}, {"inputs": [{}]}),
        *({"inputs": [first, first]}, {"inputs": [first, first | {"name": "y"}]}, {"id": 7}),
        *({"inputs": [first | {"name": None}]}, {"outputs": {}}, {"outputs": [{}]}),
        *({"outputs": [{"name": name}]} for name in ("", "events", "Score", "\x00", 7, None)),
        *({"parameters": one} for one in wrong),
        {"parameters": {"task": "decode"}, "outputs": None},
        {"inputs": [first | {"name": "label", "datatype": "BYTES"}]},
    ]
    return _post("tensors, fields", content | chance.choice(beyond))


def sizes(chance: random.Random, card: Card) -> Request:
    """Of binary data, and of what is before it."""
    content, array = inference(chance, card)
    first = content["inputs"][0]
    del first["data"]
    behind = array.astype("<f8").tobytes()
    size: Any = len(behind)
    length = None
    match chance.randrange(4):
        case 0:
            size += chance.choice((-size, -1, 1, 8, -8, 2**31, 2**63, -size - 1))
        case 1:
            size = chance.choice((True, "8", 1.5, [], {}, -1, str(size)))
        case 2:
            length = chance.choice(
                ("0", "-1", "1", "7", "99999", "9" * 40, " ", "x", "1.5", "0x10", "１", "+5", "1e2")
            )
        case 3:
            behind += bytes(chance.randint(1, 99))
    first["parameters"] = {"binary_data_size": size}
    request = _binary("tensors, sizes", content, behind, length)
    # A header without a value is none, and headers are Latin-1.
    headers = {name: v if v.isascii() else "\xb2" for name, v in request.headers.items()}
    return request._replace(headers=headers)


def texts(chance: random.Random, card: Card) -> Request:
    """Binary texts whose lengths lie, or which are no text."""
    content, _ = inference(chance, card)
    behind = chance.choice(
        (
            *(b"\xff\xff\xff\xff", b"\x05\0\0\0abc", b"\x02\0\0\0\xff\xfe", b"\0" * 40, b"\0\0"),
            *(b"\x03\0\0\0abc" * 9, b"\xff\xff\xff\x7f" * 9, chance.randbytes(64)),
        )
    )
    first = content["inputs"][0]
    del first["data"]
    first |= {"datatype": "BYTES", "parameters": {"binary_data_size": len(behind)}}
    return _binary("tensors, texts", content, behind)


def too_short(chance: random.Random, card: Card) -> Request:
    content, array = inference(chance, card)
    steps, channels = card.window - 1, array.shape[1]
    values = array[:steps].ravel()
    first = content["inputs"][0]
    first |= {"shape": [steps, channels], "data": [20.0] * len(values)}
    return _post("one step too short", content)


def nonsense(chance: random.Random, card: Card) -> Request:
    """Numbers of all sizes out of nowhere."""
    content, _ = inference(chance, card)
    first = content["inputs"][0]
    datatype = chance.choice(NUMBERS)
    bits = int("".join(filter(str.isdigit, datatype)))
    count = card.window * len(card.channels)
    behind = chance.randbytes(count * bits // 8)
    first |= {
        "datatype": datatype,
        "shape": [card.window, len(card.channels)],
        "parameters": {"binary_data_size": len(behind)},
    }
    del first["data"]
    content["inputs"] = [first]
    # Some of these may happen to be in the range of the model.
    return _binary("tensors, nonsense", content, behind)._replace(sound=None)


def large_texts(chance: random.Random, card: Card) -> Request:
    content, _ = inference(chance, card)
    first = content["inputs"][0]
    behind = bytes(LARGEST)
    first |= {"datatype": "BYTES", "shape": [LARGEST // 4]}
    first["parameters"] = {"binary_data_size": len(behind)}
    first["name"] = chance.choice(("x", "timestamps", "label", *card.channels))
    del first["data"]
    return _binary("large tensors", content, behind)


def large_inputs(chance: random.Random, card: Card) -> Request:
    """Many small tensors, or what is none."""
    name = chance.choice((b"inputs", b"outputs"))
    one = chance.choice((b"1", b"{}", b"[]", b'{"name":1}', b'{"name":"score"}'))
    many = b",".join([one] * (LARGEST // (len(one) + 1)))
    body = b'{"inputs":[],"%b":[%b]}' % (name, many)
    return Request("large tensors", body, {"Content-Type": JSON})


def large_data(chance: random.Random, card: Card) -> Request:
    content, _ = inference(chance, card)
    size = LARGEST // 8
    content["inputs"][0] |= {"shape": [size, 1, 1], "datatype": "INT64", "data": [[[1]]] * size}
    return _post("large tensors", content)


MAKERS = (shapes, datatypes, data, fields, sizes, texts, too_short, nonsense)
LARGE = (large_texts, large_inputs, large_data)
