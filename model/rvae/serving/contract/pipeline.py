"""decode → validate → (the service runs the model) → encode, in every format."""

from collections.abc import Sequence

from rvae.errors import FieldError, MalformedError, require, require_readable
from rvae.inference.card import Card
from rvae.serving.contract.error_replies import UnsupportedError
from rvae.serving.contract.formats.format import Content, Format, ServedModel
from rvae.serving.contract.formats.inference_protocol import INFERENCE_PROTOCOL
from rvae.serving.contract.formats.json import JSON
from rvae.serving.contract.formats.negotiation import answer_format, request_format
from rvae.serving.contract.forms import in_form, request_in_form
from rvae.serving.contract.inputs.annotations import series_classes
from rvae.serving.contract.messages import Request
from rvae.serving.contract.outputs import DEFAULTS, EXPLANATION, OUTPUTS
from rvae.serving.contract.query import Query
from rvae.serving.contract.results import Samples, SeriesResult

__all__ = ["decode", "decode_memory", "encode", "validate"]

# Memory of a form per byte of its part: the form as bytes, and the part.
FORM_BYTES_PER_BYTE = 2


def decode_memory(request: Request) -> int:
    """Bytes of memory that it takes to decode and to validate a request, at the most.

    Whatever a body holds, it is bounded by its length and kind, before anything is decoded.
    """
    body = request.body
    if isinstance(body, str):
        body = body.encode(errors="replace")
    if not isinstance(body, bytes | bytearray):
        return 0  # the server has decoded it
    try:
        form = in_form(request, body)
        if form:
            request, body = request_in_form(request, body)
        needed = request_format(request, body).decode_memory(body)
    except FieldError:
        return 0  # it is refused without a look at the values
    return needed + (FORM_BYTES_PER_BYTE * len(body) if form else 0)


def decode(request: Request) -> Content:
    """Decode the body of a request, without regard to the model.

    Raises:
        UnsupportedError: If its media type is not supported.
        UnacceptableError: If the request accepts no media type that an answer can have.
        MalformedError: If it cannot be decoded.
    """
    body = request.body
    if body is None:
        raise MalformedError(
            "body",
            "no body arrived: send it with the header Content-Type: application/json, or that of "
            "another format",
        )
    if isinstance(body, str):
        body = body.encode(errors="replace")
    received: Format = JSON  # what the server has parsed was JSON
    if isinstance(body, bytes | bytearray):
        require_readable(len(body) > 0, "body", "the body is empty")
        if in_form(request, body):
            request, body = request_in_form(request, body)
        received = request_format(request, body)
    if request.tensors and received is not JSON:
        raise UnsupportedError("Content-Type", f"must be {JSON.media_type} here")
    answer = answer_format(request.accept, received)
    fields, payload = received.decode(body, request)
    dialect = INFERENCE_PROTOCOL if request.tensors else received.dialect(fields)
    return Content(fields, payload, dialect, dialect if answer is received else answer)


def validate(content: Content, card: Card, explain: bool = False) -> Query:
    """Check what was decoded against the model.

    What is returned holds no list of values: those that were decoded can be released.

    Args:
        content: What a body holds.
        card: Card of the model.
        explain: Whether the request came to the explanations endpoint.

    Raises:
        MalformedError: If it is not a request of its format.
        FieldError: If it does not fit the model.
    """
    checked = content.format.validate(content.fields, content.payload, card)
    options = checked.options
    task = options.task or "score"
    require(not explain or task == "score", "task", "must be score at the explanations endpoint")
    answer = content.answer_format
    if options.output:
        outputs = tuple(OUTPUTS[name] for name in options.output)
    else:
        outputs = answer.default_outputs(EXPLANATION if explain else DEFAULTS.get(task, ()))
    answer.require_outputs(outputs, checked.tensors)
    label = None
    if task in ("decode", "sample"):
        (classes,) = series_classes([("label", options.label)], [1], card)
        label = None if classes is None else card.vocabulary.classes[int(classes[0])]
    return Query(
        task,
        checked.inputs,
        options.without_values(),
        outputs,
        options.stride or card.stride,
        label,
        checked.id,
        checked.tensors,
    )


def encode(
    results: Sequence[SeriesResult] | Samples, query: Query, answer: Format, model: ServedModel
) -> bytes:
    """Encode the results of a request in the format of its answer.

    Raises:
        FieldError: If the format cannot hold them.
    """
    if isinstance(results, Samples):
        return answer.encode_samples(results, query, model)
    return answer.encode_results(results, query, model)
