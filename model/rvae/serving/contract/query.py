"""A request → what the model is asked, checked."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from numpy.typing import NDArray

from rvae.errors import MalformedError, require, require_readable
from rvae.inference.card import Card
from rvae.serving.contract.arrays import given_in_array, read_array
from rvae.serving.contract.beside import classes_of
from rvae.serving.contract.form import Form
from rvae.serving.contract.given import Given
from rvae.serving.contract.lists import given_in_lists, kind_of
from rvae.serving.contract.media import Media, sent, wanted
from rvae.serving.contract.messages import Call
from rvae.serving.contract.options import Options, Task
from rvae.serving.contract.outputs import Output
from rvae.serving.contract.tensors import given_in_tensors, read_inference

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Content", "Query", "query_of", "read"]

# What a request for a score is answered with, unless it says.
PREDICTION: tuple[Output, ...] = ("latent", "score")
EXPLANATION: tuple[Output, ...] = ("score", "contributions")


@dataclass(frozen=True)
class Content:
    """What a body holds, before the model is asked whether it fits.

    Attributes:
        fields: Of the request.
        values: What the request is about, where it is none of these fields.
        media: Which kind of body the answer is to be.
        tensors: What came behind the JSON, if this is a request of the Open Inference Protocol.
    """

    fields: dict[str, Any]
    values: "NDArray[np.generic] | pa.Table | None"
    media: Media
    tensors: memoryview | None = None


@dataclass(frozen=True)
class Query:
    """A request that fits the model.

    Attributes:
        task: What to do.
        given: What with.
        options: How.
        output: What to answer with.
        form: In which form.
        label: Class of windows to draw or decode, where the model is conditional.
    """

    task: Task
    given: Given
    options: Options
    output: tuple[Output, ...]
    form: Form
    label: str | None

    @property
    def draws(self) -> bool:
        """Whether windows are to come, and not what is said of windows."""
        return self.task in ("decode", "sample")

    @property
    def count(self) -> int:
        """How many windows are to come."""
        return self.options.count or 1 if self.given.latent is None else len(self.given.latent)


def read(call: Call) -> Content:
    """Read a body, whatever it is.

    Raises:
        UnsupportedError: If its kind is none that is read.
        UnacceptableError: If no kind of answer is accepted.
        MalformedError: If it cannot be read.
    """
    body = call.body
    if body is None:
        raise MalformedError(
            "body",
            "no body arrived: send it with the header Content-Type: application/json, or that of "
            "another kind",
        )
    if isinstance(body, str):
        body = body.encode(errors="replace")
    if not isinstance(body, bytes | bytearray):  # the server has parsed it
        return _of_json(body, memoryview(b""), wanted(call.accept, Media.JSON), call)
    require_readable(len(body) > 0, "body", "the body is empty")
    media, length = sent(call.content_type, body), len(body)
    if call.json_length is not None:  # the type is that of JSON and tensors together
        media, length = Media.JSON, _json_length(call.json_length, length)
    answer = wanted(call.accept, media)
    if media is Media.JSON:
        whole = memoryview(body)
        return _of_json(_loads(whole[:length], "body"), whole[length:], answer, call)
    options = "{}" if call.options is None else call.options
    fields = _loads(options.encode(errors="replace"), "Rvae-Options")
    require_readable(
        isinstance(fields, dict), "Rvae-Options", f"expected an object, got {kind_of(fields)}"
    )
    if media is Media.NPY:
        return Content(fields, read_array(body), answer)
    # PyArrow costs a server that nobody sends tables a tenth of a second and 40 MB.
    from rvae.serving.contract.tables import read_arrow, read_csv

    return Content(fields, (read_csv if media is Media.CSV else read_arrow)(bytes(body)), answer)


def query_of(content: Content, card: Card, explain: bool) -> Query:
    """Check what a body holds against the model.

    Raises:
        FieldError: If it does not fit.
    """
    values, inference = content.values, None
    if content.tensors is not None:
        inference = read_inference(content.fields, content.tensors)
        options, given = given_in_tensors(inference, card)
    elif values is None:
        options = Options.of(content.fields)
        given = given_in_lists(options, card)
    else:
        options = Options.beside(content.fields)
        if isinstance(values, np.ndarray):
            given = given_in_array(values, options, card)
        else:
            from rvae.serving.contract.columns import given_in_table

            given = given_in_table(values, options, card)
    task = options.task or "score"
    require(not explain or task == "score", "task", "must be score where explanations are asked")
    usual: dict[Task, tuple[Output, ...]] = {
        "score": EXPLANATION if explain else PREDICTION,
        "encode": ("latent",),
        "reconstruct": ("reconstruction",),
    }
    form = Form(content.media, inference)
    output = tuple(options.output or form.usual(usual.get(task, ())))
    form.require(output)
    label = None
    if task in ("decode", "sample"):
        (classes,) = classes_of([("label", options.label)], [1], card)
        label = None if classes is None else card.vocabulary.classes[int(classes[0])]
    return Query(task, given, options, output, form, label)


def _of_json(body: Any, binary: memoryview, answer: Media, call: Call) -> Content:
    require_readable(
        isinstance(body, dict),
        "body",
        f"expected a JSON object with data, columns or instances, got {kind_of(body)}",
    )
    require(call.options is None, "Rvae-Options", "belongs into the body, which has a place for it")
    return Content(body, None, answer, binary if "inputs" in body else None)


def _json_length(text: str, most: int) -> int:
    """How much of a body is JSON."""
    require_readable(
        re.fullmatch(r"\d{1,9}", text, re.ASCII) is not None and 0 < int(text) <= most,
        "Inference-Header-Content-Length",
        "is no part of the body's length",
    )
    return int(text)


def _loads(text: bytes | memoryview, field: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        hint = ""
        if bytes(text[:2]) in (b"\x1f\x8b", b"PK"):
            hint = "; it looks compressed: send JSON, or a .npy and no .npz, as it is"
        elif bytes(text[:1]) not in b" \t\r\n[{":
            hint = f"; bodies of another kind need their Content-Type: {', '.join(Media)}"
        elif b"NaN" in bytes(text):
            hint = "; JSON has no NaN, write null for a missing value"
        raise MalformedError(field, f"is not valid JSON: {error}{hint}") from None
