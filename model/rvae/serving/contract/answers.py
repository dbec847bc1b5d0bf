"""What a model says → the body of an answer, in the form that was asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from rvae.data.series import Series
from rvae.errors import require
from rvae.inference import records
from rvae.inference.card import Card
from rvae.scoring.events import Event
from rvae.serving.contract.arrays import write_array
from rvae.serving.contract.media import Media
from rvae.serving.contract.outputs import OF_WINDOWS
from rvae.serving.contract.query import Query
from rvae.serving.contract.said import Said
from rvae.serving.contract.tensors import Inference

__all__ = ["Drawn", "answer", "answer_of_drawn", "in_steps"]

# Names of what has a value for each channel, in the data's units.
IN_UNITS = ("reconstruction", "expected", "lower", "upper")

KINDS = {"f": "FP", "i": "INT"}


@dataclass(frozen=True)
class Drawn:
    """Windows that a model has drawn or decoded.

    Attributes:
        windows: In the data's units (S, T, C).
        latent: What they were decoded from (S, D).
        seed: Of the latents, if they were drawn.
    """

    windows: NDArray[np.float64]
    latent: NDArray[np.float32]
    seed: int | None


def answer(
    query: Query, said: Sequence[Said], stride: int, about: Mapping[str, str], card: Card
) -> bytes:
    """The answer to a request about series.

    Args:
        query: What was asked.
        said: Of each series.
        stride: Steps between windows.
        about: Name and version of the model.
        card: Of the model.
    """
    match query.form.media:
        case Media.NPY:
            (name,) = query.output
            array = _together([one.values[name] for one in said], query)
            return write_array(_narrow(array, query))
        case Media.CSV | Media.ARROW:
            return _table([_rows(query, one, card) for one in said], query.form.media)
    if query.form.inference is not None:
        named: list[dict[str, NDArray[Any]]] = [{"starts": s.starts, **s.values} for s in said]
        tensors = {name: _together([one[name] for one in named], query) for name in named[0]}
        return _inference(tensors, query.form.inference, about)
    predictions = [
        ({"series": one.series.name} if query.given.named else {})
        | _prediction(one, flat, stride, card)
        for one, flat in zip(said, query.given.flat, strict=True)
    ]
    return _json(about, {"predictions": predictions} if query.given.many else predictions[0])


def answer_of_drawn(query: Query, drawn: Drawn, about: Mapping[str, str], card: Card) -> bytes:
    """The answer to a request for windows, as `answer` gives it."""
    match query.form.media:
        case Media.NPY:
            return write_array(_narrow(drawn.windows, query))
        case Media.CSV | Media.ARROW:
            return _table([records.sample_records(card, drawn.windows)], query.form.media)
    seed = {} if drawn.seed is None else {"seed": drawn.seed}
    if query.form.inference is not None:
        tensors: dict[str, NDArray[Any]] = {"instances": drawn.windows, "latent": drawn.latent}
        tensors |= {name: np.array([value]) for name, value in seed.items()}
        return _inference(tensors, query.form.inference, about)
    flat = len(card.channels) == 1
    instances = [in_steps(window, flat, card) for window in drawn.windows]
    return _json(about, {"instances": instances, "latent": drawn.latent} | seed)


def _json(about: Mapping[str, str], content: Mapping[str, Any]) -> bytes:
    # NaN marks what nothing was observed of, and becomes null.
    return orjson.dumps({**about, **content}, option=orjson.OPT_SERIALIZE_NUMPY)


def _prediction(said: Said, flat: bool, stride: int, card: Card) -> dict[str, Any]:
    """What JSON says of one series, values without a channel axis where the request had none."""
    window = {"length": card.window, "stride": stride, "starts": said.starts}
    prediction: dict[str, Any] = {"window": window}
    for name, values in said.values.items():
        if name in IN_UNITS:
            prediction[name] = in_steps(values, flat, card)
        elif name == "contributions" and flat:
            prediction[name] = np.ascontiguousarray(values[..., 0])
        else:
            prediction[name] = values if values.ndim else values.item()
    if said.events is not None:
        prediction["events"] = [_event(one, said.series) for one in said.events]
    return prediction


def in_steps(values: NDArray[Any], flat: bool, card: Card) -> Any:
    """Values (N, C) in the data's units step by step, categories as words."""
    if flat:
        (values,) = records.category_words(card, values)
        return values.tolist() if values.dtype == object else np.ascontiguousarray(values)
    if not card.vocabulary.categories:
        return values
    columns = [column.tolist() for column in records.category_words(card, values)]
    return [list(step) for step in zip(*columns, strict=True)]


def _event(alarm: Event, series: Series) -> dict[str, Any]:
    event: dict[str, Any] = {
        "start": alarm.start,
        "end": alarm.end,
        "peak": alarm.peak,
        "score": alarm.score,
        "severity": alarm.severity,
        "channels": [{"name": name, "score": score} for name, score in alarm.channels],
    }
    if series.times is None:
        return event
    times = series.clock()
    return event | {
        "start_time": times[alarm.start],
        "last_time": times[alarm.end - 1],
        "peak_time": times[alarm.peak],
    }


def _rows(query: Query, said: Said, card: Card) -> records.Columns:
    if said.events is not None:
        return records.event_records(said.series, said.events)
    if set(query.output) <= set(OF_WINDOWS):
        return records.window_records(said.series, said.starts, card.window, said.values)
    columns: records.Columns = {}
    for name, values in said.values.items():
        if name in IN_UNITS:
            columns |= records.channel_columns(card, values, f"_{name}")
        else:
            columns["score"] = values
    return records.point_records(said.series, columns)


def _table(pieces: Sequence[records.Columns], media: Media) -> bytes:
    from rvae.serving.contract.tables import write_arrow, write_csv

    columns = {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
    return write_csv(columns) if media is Media.CSV else write_arrow(columns)


def _together(arrays: Sequence[NDArray[Any]], query: Query) -> NDArray[Any]:
    """Of several series with an axis for them (S, ...)."""
    if not query.given.many:
        return arrays[0]
    require(
        len({array.shape for array in arrays}) == 1,
        "instances",
        "are not of one length: accept application/json, where they can be answered one by one",
    )
    return np.stack(arrays)


def _narrow(array: NDArray[Any], query: Query) -> NDArray[Any]:
    """In 32 bits, unless numbers came with more."""
    return array if query.given.wide else array.astype(np.float32)


def _inference(
    tensors: Mapping[str, NDArray[Any]], asked: Inference, about: Mapping[str, str]
) -> bytes:
    """The answer of the Open Inference Protocol."""
    content: dict[str, Any] = {"model_name": about["model"], "model_version": about["version"]}
    if asked.id is not None:
        content["id"] = asked.id
    outputs = []
    for name, tensor in tensors.items():
        if asked.wanted is not None and name not in asked.wanted:
            continue
        tensor = np.atleast_1d(tensor)
        kind, bits = tensor.dtype.kind, 8 * tensor.dtype.itemsize
        datatype = "BOOL" if kind == "b" else f"{KINDS[kind]}{bits}"
        data = np.ascontiguousarray(tensor).ravel()
        outputs.append({"name": name, "shape": tensor.shape, "datatype": datatype, "data": data})
    content["outputs"] = outputs
    return orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY)
