"""Sound requests in every form, for any model."""

import json
import random
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from pyarrow import csv

from rvae.inference.card import Card
from tests.support.service_client import arrow, to_npy

__all__ = [
    *("ARROW", "CSV", "JSON", "LENGTH", "NPY", "Request"),
    *("beside", "forms", "inference", "rows", "sound", "table"),
]

JSON = "application/json"
CSV = "text/csv"
NPY = "application/x-npy"
ARROW = "application/vnd.apache.arrow.stream"

LENGTH = "Inference-Header-Content-Length"


class Request(NamedTuple):
    """What is posted.

    Attributes:
        kind: What it is an example of.
        body: Of the request.
        headers: Of the request.
        query: What follows the question mark of the address.
        sound: Whether it must be answered as it is alone; None, where either would be right.
    """

    kind: str
    body: bytes
    headers: dict[str, str]
    query: str = ""
    sound: bool | None = False


def rows(chance: random.Random, card: Card, steps: int) -> list[list[Any]]:
    """Values of a series, step by step, some of them missing."""
    known = card.vocabulary.categories

    def value(name: str) -> float | str | None:
        if chance.random() < 0.05:
            return None
        if name in known:
            return chance.choice(known[name])
        return round(chance.uniform(15, 25), chance.randrange(5))

    return [
        [21.5 if i == step == 0 else value(name) for i, name in enumerate(card.channels)]
        for step in range(steps)
    ]


def times(steps: int) -> list[str]:
    """Moments that are an hour apart."""
    return [f"2026-01-{1 + i // 24:02}T{i % 24:02}:00:00" for i in range(steps)]


def beside(chance: random.Random, card: Card, steps: int) -> dict[str, Any]:
    """What the model wants to know beside a series."""
    said: dict[str, Any] = {}
    if card.model.time.calendar:
        said["timestamps"] = times(steps)
    if card.model.conditional:
        said["label"] = chance.choice(card.vocabulary.classes)
    return said


def sound(chance: random.Random, card: Card) -> Request:
    """A request of any form that the model can answer."""
    return chance.choice(FORMS)(chance, card)._replace(sound=True)


def forms(chance: random.Random, card: Card) -> Iterator[Request]:
    """One request of each form."""
    for form in FORMS:
        yield form(chance, card)._replace(sound=True)


def _data(chance: random.Random, card: Card) -> Request:
    steps = _steps(chance, card)
    series = rows(chance, card, steps)
    data = [one for (one,) in series] if len(card.channels) == 1 else series
    return _json("data", {"data": data} | beside(chance, card, steps) | _how(chance, card))


def _columns(chance: random.Random, card: Card) -> Request:
    steps = _steps(chance, card)
    by_channel = zip(*rows(chance, card, steps), strict=True)
    columns = {name: list(values) for name, values in zip(card.channels, by_channel, strict=True)}
    return _json("columns", {"columns": columns} | beside(chance, card, steps) | _how(chance, card))


def _instances(chance: random.Random, card: Card) -> Request:
    lengths = [_steps(chance, card) for _ in range(chance.randint(1, 4))]
    extra = [beside(chance, card, steps) for steps in lengths]
    fields = {name: [one[name] for one in extra] for name in extra[0]}
    instances = [rows(chance, card, steps) for steps in lengths]
    return _json("instances", {"instances": instances} | fields | _how(chance, card))


def _decode(chance: random.Random, card: Card) -> Request:
    latent = [[round(chance.gauss(0, 1), 3) for _ in range(card.model.latent)] for _ in range(3)]
    return _json("decode", {"task": "decode", "latent": latent} | _class(chance, card))


def _sample(chance: random.Random, card: Card) -> Request:
    drawn = {"task": "sample", "count": chance.randint(1, 5), "seed": chance.getrandbits(53)}
    return _json("sample", drawn | _class(chance, card))


def _csv(chance: random.Random, card: Card) -> Request:
    sink = pa.BufferOutputStream()
    csv.write_csv(pa.table(table(chance, card)), sink)
    return Request("csv", sink.getvalue().to_pybytes(), _typed(CSV, _how(chance, card, "score")))


def _arrow(chance: random.Random, card: Card) -> Request:
    return Request(
        "arrow", arrow(**table(chance, card)), _typed(ARROW, _how(chance, card, "score"))
    )


def _npy(chance: random.Random, card: Card) -> Request:
    array = _numbers(chance, card, _steps(chance, card))
    options = beside(chance, card, len(array)) | {"output": ["score"]}
    return Request("npy", to_npy(array), _typed(NPY, options) | {"Accept": NPY})


def _tensors(chance: random.Random, card: Card) -> Request:
    content, _ = inference(chance, card)
    return _json("tensors", content)


def _binary(chance: random.Random, card: Card) -> Request:
    content, array = inference(chance, card)
    del content["inputs"][0]["data"]
    behind = array.astype("<f8").tobytes()
    content["inputs"][0]["parameters"] = {"binary_data_size": len(behind)}
    head = json.dumps(content).encode()
    headers = {"Content-Type": "application/octet-stream", LENGTH: str(len(head))}
    return Request("binary tensors", head + behind, headers)


def inference(chance: random.Random, card: Card) -> tuple[dict[str, Any], np.ndarray]:
    """A request of the Open Inference Protocol with one tensor first, and what that holds."""
    array = _numbers(chance, card, _steps(chance, card))
    shape = list(array.shape)
    data = [None if np.isnan(value) else value for value in array.ravel().tolist()]
    tensor = {"name": "x", "shape": shape, "datatype": "FP64", "data": data}
    inputs: list[dict[str, Any]] = [tensor]
    for name, value in beside(chance, card, len(array)).items():
        texts = value if isinstance(value, list) else [value]
        inputs.append({"name": name, "shape": [len(texts)], "datatype": "BYTES", "data": texts})
    return {"id": "7", "inputs": inputs, "outputs": [{"name": "score"}]}, array


FORMS = (
    *(_data, _columns, _instances, _decode, _sample),
    *(_csv, _arrow, _npy, _tensors, _binary),
)


def _numbers(chance: random.Random, card: Card, steps: int) -> np.ndarray:
    """A series (N, C) with the numbers of categories, NaN where missing."""
    known = card.vocabulary.categories

    def number(name: str, value: Any) -> float:
        if value is None:
            return np.nan
        return 1.0 + known[name].index(value) if name in known else value

    return np.array(
        [
            [number(name, value) for name, value in zip(card.channels, step, strict=True)]
            for step in rows(chance, card, steps)
        ]
    )


def table(chance: random.Random, card: Card) -> dict[str, list[Any]]:
    """Columns such as the model was trained on."""
    steps = _steps(chance, card)
    series = rows(chance, card, steps)
    if len(card.channels) == 1:  # of which a gap would be an empty line
        series = [[21.5 if value is None else value] for (value,) in series]
    by_channel = zip(*series, strict=True)
    table = {name: list(values) for name, values in zip(card.channels, by_channel, strict=True)}
    reader = card.reader
    if reader.time is not None:
        table[reader.time] = times(steps)
    if reader.classes is not None:
        table[reader.classes] = [chance.choice(card.vocabulary.classes)] * steps
    if reader.series is not None:
        table[reader.series] = ["first"] * steps
    return table


def _steps(chance: random.Random, card: Card) -> int:
    return card.window + chance.randrange(2 * card.window)


def _how(chance: random.Random, card: Card, *output: str) -> dict[str, Any]:
    """What may be said of the task to score, of one kind of output if that is named."""
    often = list(output) or chance.sample(("score", "latent", "point_scores", "band"), 2)
    said: dict[str, Any] = {"output": often, "stride": chance.randint(1, 3)}
    if chance.random() < 0.3:
        said["threshold"] = 1.5
    elif chance.random() < 0.5:
        said |= chance.choice(({"quantile": 0.5}, {"alarms": f"1 per {2 * card.window} steps"}))
    return said


def _class(chance: random.Random, card: Card) -> dict[str, str]:
    return {"label": chance.choice(card.vocabulary.classes)} if card.model.conditional else {}


def _json(kind: str, fields: dict[str, Any]) -> Request:
    return Request(kind, json.dumps(fields).encode(), {"Content-Type": JSON})


def _typed(media: str, options: dict[str, Any]) -> dict[str, str]:
    return {"Content-Type": media, "Rvae-Options": json.dumps(options)}
