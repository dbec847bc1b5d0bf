"""Wrong requests as .npy files, CSV and Arrow streams."""

import gzip
import json
import pickle
import random
import struct
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import ipc

from rvae.inference.card import Card
from tests.support.service_client import arrow, to_npy
from tests.support.valid_requests import ARROW, CSV, NPY, Request, beside, table

__all__ = ["LARGE", "MAKERS"]

LARGEST = 6_400_000


def _post(kind: str, body: bytes, media: str, **options: Any) -> Request:
    said = {"Rvae-Options": json.dumps(options)} if options else {}
    return Request(kind, body, {"Content-Type": media, **said})


def _file(header: str | bytes, values: bytes, version: bytes = b"\x01\x00") -> bytes:
    """A .npy file with any header."""
    text = header.encode() if isinstance(header, str) else header
    layout = "<H" if version[:1] == b"\x01" else "<I"
    return b"\x93NUMPY" + version + struct.pack(layout, len(text)) + text + values


def npy_headers(chance: random.Random, card: Card) -> Request:
    values = np.full((card.window, len(card.channels)), 20.0).tobytes()
    shape = (card.window, len(card.channels))
    said = "{{'descr': {}, 'fortran_order': {}, 'shape': {}, }}\n"
    shapes: tuple[str, ...] = (
        "(2**40,)",
        "(-1,)",
        "(0,)",
        "()",
        "(9223372036854775807, 3)",
        "7",
        "(1.5,)",
        "('a',)",
    )
    shapes += (f"({10**30},)", "(True,)", "((1,),)", f"({shape[0] + 1}, {shape[1]})")
    kinds: tuple[str, ...] = (
        "'|O'",
        "'<U4'",
        "'|V8'",
        "'<c16'",
        "'<M8[s]'",
        "'|b1'",
        "[('a', '<f8')]",
        "'<f3'",
        "None",
    )
    kinds += ("'O,O'", "'<f99999999'", "'|S8'", "('<f8', (9999999, 9999999))", "''", "1")
    whole = said.format("'<f8'", False, shape)
    header = chance.choice(
        (
            said.format("'<f8'", False, chance.choice(shapes)),
            said.format(chance.choice(kinds), False, shape),
            said.format("'<f8'", 7, shape),
            "(" * chance.choice((50, 900, 100_00)),
            "{" * 900,
            "-" * 900 + "1",
            *(" " * 5000, "", "\0" * 64, "__import__('os').abort()", whole + " " * 50_000),
            whole.replace("<f8", "\ud800".encode(errors="replace").decode()),
            whole.replace("shape", "form"),
        )
    )
    version = chance.choice((b"\x01\0", b"\x01\0", b"\x02\0"))
    return _post("npy, headers", _file(header[:60_000], values, version), NPY)


def npy_damaged(chance: random.Random, card: Card) -> Request:
    body = to_npy(np.full((card.window, len(card.channels)), 20.0))
    wrong = chance.choice(
        (
            body[: chance.randrange(len(body))],
            body + b"\0",
            body[:6] + chance.choice((b"\0\0", b"\x04\0", b"\xff\xff", b"\x01\x01")) + body[8:],
            body[:8] + b"\xff\xff" + body[10:],
            gzip.compress(body, mtime=0),
            b"\x93NUMPY",
        )
    )
    return _post("npy, damaged", wrong or b"\x93", NPY)


def npy_values(chance: random.Random, card: Card) -> Request:
    shape = (card.window, len(card.channels))
    array: Any = chance.choice(
        (
            *(np.full(shape, np.inf), np.full(shape, np.nan), np.full(shape, -1e300)),
            *(np.full(shape, 2**63, np.uint64), np.ones(shape, bool), np.ones(shape, complex)),
            *(np.full((*shape, 1, 1), 20.0), np.float64(20), np.zeros((0, shape[1]))),
            *(np.full((1, card.window - 1, shape[1]), 20.0), np.full((*shape, 2), 20.0)),
            *(np.full((shape[0], shape[1] + 1), 20.0), np.array([["20"] * shape[1]] * shape[0])),
            *(np.zeros(shape, "M8[s]"), np.zeros(shape, [("a", "<f8")]), np.full(shape, 1e200)),
        )
    )
    return _post("npy, values", to_npy(array), NPY, **beside(chance, card, card.window))


def pickles(chance: random.Random, card: Card) -> Request:
    objects = np.array([[20.0, {}]] * card.window, dtype=object)
    dumped = pickle.dumps(objects)
    body = chance.choice((to_npy(objects), dumped, _file("{'descr': '|O'}", dumped)))
    return _post("pickles", body, chance.choice((NPY, "application/octet-stream", CSV, ARROW)))


def csv_texts(chance: random.Random, card: Card) -> Request:
    names = ",".join(card.channels)
    row = ",".join("20" for _ in card.channels)
    whole = "\n".join([names, *[row] * card.window])
    wrong = chance.choice(
        (
            *(
                names,
                f"{names}\n",
                names + "\n" * 99,
                "\n" * 99,
                "," * 99,
                '"',
                f'{whole}\n"',
                "\r",
            ),
            *(
                f"{whole}\n{row},1",
                f"{whole}\n1,2,3,4,5",
                f"{names},{whole}",
                f"x{whole}",
                "\ufeff",
            ),
            *(whole.replace("20", "x"), whole.replace("20", "1e999"), whole.replace("20", "inf")),
            *(
                whole.replace("20", "true"),
                whole.replace("20", "2026-01-01"),
                whole.replace("20", ""),
            ),
            *(
                whole.replace("\n", ";"),
                whole.replace(",", "\t") + "\t",
                f"{whole}\n\0",
                f"\0{whole}",
            ),
            *("\n".join([names, *[row] * (card.window - 1)]), whole.replace("20", '"2""0"')),
            *('"' * 999, f"{names}\n" + '"a\n' * 99, f"{'a' * 2000},{whole}", f"{names}\n{{}}"),
        )
    )
    encoding = chance.choice(("utf-8", "utf-8", "utf-16", "utf-32"))
    # Of a single column these may be sound.
    maybe = len(card.channels) == 1 and not card.model.conditional and encoding == "utf-8"
    return _post("csv", wrong.encode(encoding), CSV)._replace(sound=None if maybe else False)


def csv_of_latin(chance: random.Random, card: Card) -> Request:
    return _post("csv", ",".join((*card.channels, "größe")).encode("latin-1") + b"\n1\n", CSV)


def arrow_types(chance: random.Random, card: Card) -> Request:
    """Columns of what is no number."""
    sound_columns = table(chance, card)
    steps = len(sound_columns[card.channels[0]])
    wrong: Any = chance.choice(
        (
            *(pa.array([[1.0]] * steps), pa.array([{"a": 1}] * steps), pa.array([b"x"] * steps)),
            *(pa.array([1] * steps, pa.duration("s")), pa.array([1] * steps, pa.time64("us"))),
            *(pa.array(["20"] * steps), pa.array([1] * steps).dictionary_encode(), [1e300] * steps),
            *(pa.array([b"12345678"] * steps, pa.binary(8)), ["x"] * steps),
            *(pa.array([1] * steps, pa.timestamp("s")), pa.array([2**63] * steps, pa.uint64())),
        )
    )
    return _post("arrow, types", arrow(**sound_columns | {card.channels[0]: wrong}), ARROW)


def arrow_streams(chance: random.Random, card: Card) -> Request:
    sound_table = pa.table(table(chance, card))
    sink = pa.BufferOutputStream()
    options = ipc.IpcWriteOptions()
    match chance.randrange(5):
        case 0:
            options = ipc.IpcWriteOptions(compression=chance.choice(("lz4", "zstd")))
        case 1:
            sound_table = sound_table.slice(0, card.window - 1)
        case 2:
            sound_table = sound_table.drop_columns([card.channels[0]])
        case 3:
            sound_table = sound_table.append_column(card.channels[0], sound_table.column(0))
    with ipc.new_stream(sink, sound_table.schema, options=options) as writer:
        writer.write_table(sound_table)
    body = sink.getvalue().to_pybytes()
    return _post("arrow, streams", body[: chance.randrange(1, len(body) - 16)], ARROW)


def arrow_whole(chance: random.Random, card: Card) -> Request:
    """Streams that are whole, and of no use."""
    sound_columns = table(chance, card)
    body = chance.choice(
        (
            arrow(**{name: values[: card.window - 1] for name, values in sound_columns.items()}),
            arrow(**{f"{name}?": values for name, values in sound_columns.items()}),
            arrow(**{name: [] for name in sound_columns}),
            arrow(),
            b"ARROW1\0\0" + b"\xff" * 64,
            b"\xff\xff\xff\xff\0\0\0\0",
            b"\xff\xff\xff\xff" + chance.randbytes(64),
            b"PAR1" + bytes(64) + b"PAR1",
        )
    )
    return _post("arrow, whole", body, ARROW)


def large_npy(chance: random.Random, card: Card) -> Request:
    channels = len(card.channels)
    dtype = np.dtype(chance.choice(("u1", "<f2", "<f4", "<f8", ">f8")))
    steps = LARGEST // (dtype.itemsize * channels)
    shape = chance.choice(((steps, channels), (steps // card.window, card.window, channels)))
    array = np.full(shape, 20, dtype)
    array.flat[-1] = 0 if chance.random() < 0.5 else 20
    return _post("large npy", to_npy(array), NPY)


def large_csv(chance: random.Random, card: Card) -> Request:
    names = ",".join(card.channels).encode()
    body = chance.choice(
        (
            *(
                b"," * LARGEST,
                b"\n" * LARGEST,
                b'"' * LARGEST,
                b"a" * LARGEST,
                b"1," * (LARGEST // 2),
            ),
            *(names + b"\n" + b"\n" * LARGEST, names + b"\n" + b"1\n" * (LARGEST // 2)),
            *(names + b"\n" + b'"' * LARGEST, names + b"\n" + b'""' + b"," * LARGEST),
            names + b"\n" + b'"a\n"\n' * (LARGEST // 5),
            b"\xff" * LARGEST,
        )
    )
    return _post("large csv", body[:LARGEST], CSV)


def large_words(chance: random.Random, card: Card) -> Request:
    """A column whose words are many and one of them long."""
    sound_columns = table(chance, card)
    steps = 400_000
    columns: dict[str, Any] = {
        name: pa.array([values[0]]).take(pa.array(np.zeros(steps, np.int8)))
        for name, values in sound_columns.items()
        if isinstance(values[0], float)
    }
    words = pa.array(["x" * 1_000_000, *[""] * 99_999])
    columns = {name: column.slice(0, 100_000) for name, column in columns.items()}
    reader = card.reader
    for name in (*card.vocabulary.categories, reader.time, reader.classes, reader.series):
        if name is not None:
            columns[name] = words
    return _post("large arrow", arrow(**columns)[:LARGEST], ARROW)


def large_arrow(chance: random.Random, card: Card) -> Request:
    """Many columns, or many rows of few letters."""
    if chance.random() < 0.5:
        body = arrow(**{f"c{i}": pa.array([1.0]) for i in range(15_000)})
    else:
        body = arrow(**{name: pa.nulls(LARGEST * 9) for name in card.channels})
    return _post("large arrow", body[:LARGEST], ARROW)


MAKERS = (
    *(npy_headers, npy_damaged, npy_values, pickles, csv_texts, csv_of_latin),
    *(arrow_types, arrow_streams, arrow_whole),
)
LARGE = (large_npy, large_csv, large_words, large_arrow)
