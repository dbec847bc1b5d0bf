"""Measures the memory of requests in processes of their own: `python -m tests.support.peak_memory`.

It prints a line of JSON for every body: its name, its length, what it may take, what it took, and
how it was answered.
"""

import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from rvae.errors import FieldError
from rvae.inference.card import Card
from rvae.serving.contract.inputs import columns  # imports pyarrow before anything is measured
from rvae.serving.contract.messages import Request
from rvae.serving.contract.pipeline import decode, decode_memory, validate
from tests.support.hostile_targets import CARDS
from tests.support.service_client import arrow, to_npy
from tests.support.untrained import KINDS, untrained_card

__all__ = ["bodies", "peak"]

SIZE = 2_400_000  # bytes of a body
OCTETS = "application/octet-stream"
assert columns is not None


def peak(work: Callable[[], Any]) -> tuple[int, Any]:
    """Memory that some work takes at its peak, in a fork, and what it returns (as JSON)."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        Path("/proc/self/clear_refs").write_text("5")  # the peak is that from here on
        before = _highest()
        said = work()
        os.write(write, json.dumps([_highest() - before, said]).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        taken, said = json.loads(pipe.read())
    os.waitpid(child, 0)
    return taken, said


def _highest() -> int:
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])


def _filled(unit: bytes, before: bytes = b'{"data":[', after: bytes = b"]}") -> bytes:
    """JSON of one text, number or list again and again."""
    return before + unit * ((SIZE - len(before)) // len(unit)) + unit.rstrip(b",") + after


def _tensors(*tensors: tuple[str, str, list[int], bytes]) -> Request:
    head = [
        {"name": n, "datatype": d, "shape": s, "parameters": {"binary_data_size": len(b)}}
        for n, d, s, b in tensors
    ]
    text = json.dumps({"inputs": head}).encode()
    return Request(text + b"".join(b for *_, b in tensors), json_length=str(len(text)))


def bodies() -> Iterator[tuple[str, Card, Request]]:
    """Bodies of every format that take much memory for their length."""
    one, two, both = KINDS["numbers"], KINDS["several"], KINDS["categories"]
    words, full = KINDS["one categorical channel"], CARDS["full"]
    many = untrained_card(channels=tuple(f"c{i}" for i in range(64)))
    for unit in (
        *(b"1,", b"999,", b"1.5,", b"20.5,", b"null,", b"true,", b"[1],", b"[],", b"[20.5],"),
        *(b"{},", b'{"":1},', b'{"a":{}},', b'"ab",', b'"a",', '"é世",'.encode(), b"[[[[1]]]],"),
    ):
        yield f"data of {unit.decode()}", one, Request(_filled(unit))
        instances = _filled(unit, b'{"instances":[[', b"]]}")
        yield f"an instance of {unit.decode()}", one, Request(instances)
    yield "rows of two", two, Request(_filled(b"[1,2],"))
    yield "words", words, Request(_filled(b'"on",'))
    yield "numbers as words", words, Request(_filled(b"1,"))
    spellings = b",".join(b'"%x"' % i for i in range(400_000))
    yield "different words", words, Request(b'{"data":[' + spellings + b"]}")
    yield "rows with words", both, Request(_filled(b"[9,8],"))
    yield "pairs", one, Request(_filled(b"[[1],[2]],", b'{"instances":['))
    yield "latents", one, Request(_filled(b"[1,2,3],", b'{"task":"decode","latent":['))
    yield "names", one, Request(b"{" + b",".join(b'"%x":1' % i for i in range(300_000)) + b"}")
    yield "depth", one, Request(_filled(b"[" * 1000 + b"]" * 1000 + b","))
    days = b",".join(b'"%s"' % str(day).replace("-", "").encode() for day in _days(200_000))
    dated = b'{"data":[' + b"20," * 199_999 + b'20],"timestamps":[' + days + b"]}"
    yield "times", one, Request(dated)
    tensor = b'{"inputs":[{"name":"x","datatype":"FP64","shape":[%d,1],"data":[%s]}]}'
    yield "a tensor in JSON", one, Request(tensor % (600_000, b"[20]," * 599_999 + b"[20]"))
    yield "many tensors", one, Request(_filled(b'{"name":"a","shape":[1]},', b'{"inputs":['))
    eight = np.full(SIZE, 20, np.int8).tobytes()
    yield "a binary tensor", one, _tensors(("x", "INT8", [SIZE, 1], eight))
    half = [(name, "INT8", [SIZE // 2], eight[::2]) for name in two.channels]
    yield "a binary tensor of each channel", two, _tensors(*half)
    mixed = [
        ("heat", "INT8", [640_000], b"\xec" * 640_000),
        ("mode", "BYTES", [640_000], b"\0" * 4 * 640_000),
    ]
    yield "binary tensors of numbers and words", both, _tensors(*mixed)
    yield "binary words", words, _tensors(("x", "BYTES", [SIZE // 6], b"\2\0\0\0on" * (SIZE // 6)))
    for kind in ("i1", "u1", "f2", "i2", "f4", "i8", ">f8", "f16"):
        array = np.full((SIZE // np.dtype(kind).itemsize, 1), 20, kind)
        yield f"an array of {kind}", one, Request(to_npy(array))
    yield "an array of categories", words, Request(to_npy(np.ones((SIZE, 1), np.int8)))
    yield "an array by columns", many, Request(to_npy(np.full((64, SIZE // 64), 20, "i1").T))
    series = np.full((4000, SIZE // 4000, 1), 20, "i1")
    yield "arrays of many series", one, Request(to_npy(series))
    latents = to_npy(np.ones((SIZE // 3, 3), np.int8))
    yield "an array of latents", one, Request(latents, options='{"task":"decode"}')
    for name, card, text in (
        ("CSV of digits", one, b"heat\n" + b"1\n" * 1_600_000),
        ("CSV of two columns", two, b"heat,speed\n" + b"1,2\n" * 800_000),
        ("CSV of words", words, b"mode\n" + b"on\n" * 600_000),
        ("CSV of different words", words, b"mode\n" + spellings.replace(b",", b"\n")),
        ("CSV of quotes", one, b"heat\n" + b'"20"\n' * 600_000),
        ("CSV of empty lines", one, b"heat\n1\n" + b"\n" * 2_000_000 + b"1\n"),
        ("CSV of many columns", one, b"heat" + b"".join(b",c%d" % i for i in range(4000)) + b"\n"
         + (b"20" + b"," * 4000 + b"\n") * 500),
        ("CSV of a long cell", one, b"heat,x\n" + b"20,\n" * 10 + b'20,"' + b"a" * SIZE + b'"\n'),
        ("CSV of series", full, b"heat,load,mode,kind,unit,when\n" + b"".join(
            b"20,20,on,busy,%d,%d\n" % (i % 4000, 1_600_000_000 + i) for i in range(100_000))),
    ):  # fmt: skip
        yield name, card, Request(text, content_type="text/csv")
    rows = 1_000_000
    few = np.zeros(rows // 2, np.int8)
    streams: dict[str, tuple[Card, dict[str, Any]]] = {
        "doubles": (one, {"heat": np.full(rows // 2, 20.0)}),
        "bytes": (one, {"heat": np.full(2 * rows, 20, "i1")}),
        "bits": (one, {"heat": pa.array(np.ones(2 * rows, bool))}),
        "nothing": (one, {"heat": pa.nulls(2 * rows)}),
        "half nothing": (two, {"heat": np.full(rows, 20, "i1"), "speed": pa.nulls(rows)}),
        "a dictionary": (words, {"mode": pa.DictionaryArray.from_arrays(few, ["on"])}),
        "a long word": (words, {"mode": pa.DictionaryArray.from_arrays(few[:60_000], ["x" * 200])}),
        "words": (words, {"mode": pa.array(["on"] * (rows // 2))}),
        "views": (words, {"mode": pa.array(["on" * 50] * 60_000, pa.string_view())}),
        "decimals": (one, {"heat": pa.array(np.full(200_000, 20)).cast(pa.decimal128(19, 0))}),
    }
    for name, (card, table) in streams.items():
        yield f"Arrow of {name}", card, Request(arrow(**table), content_type=OCTETS)
    content = _filled(b"[1],")
    form = (
        b'--x\r\nContent-Disposition: form-data; name="body"\r\n\r\n' + content + b"\r\n--x--\r\n"
    )
    yield "a form", one, Request(form, content_type="multipart/form-data; boundary=x")


def _days(count: int) -> list[np.datetime64]:
    return list(np.datetime64("0001-01-01") + np.arange(count))


def _answer(request: Request, card: Card) -> str:
    try:
        validate(decode(request), card)
    except FieldError as error:
        return str(error)[:100]
    return "is valid"


def main(file: io.TextIOBase | Any = sys.stdout) -> None:
    """Measure every body."""
    for name, card, request in bodies():
        _answer(Request(request.body[:100], content_type=request.content_type), card)  # imports
        taken, said = peak(lambda request=request, card=card: _answer(request, card))  # type: ignore[misc]
        line = [name, len(request.body), decode_memory(request), taken, said]
        print(json.dumps(line), file=file, flush=True)


if __name__ == "__main__":
    main()
