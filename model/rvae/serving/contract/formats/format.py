"""Interface of formats: how a body is recognized, decoded, checked and encoded."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rvae.inference.card import Card
from rvae.serving.contract.inputs.series_input import SeriesInput
from rvae.serving.contract.messages import Request
from rvae.serving.contract.options import Options
from rvae.serving.contract.outputs.output import Output
from rvae.serving.contract.query import Query
from rvae.serving.contract.results import Samples, SeriesResult
from rvae.serving.contract.sizes import Span

__all__ = ["Checked", "Content", "Format", "ServedModel"]


@dataclass(frozen=True)
class ServedModel:
    """The model that answers.

    Attributes:
        name: Its name on the server.
        version: Its version.
        card: Its card.
        answer_bytes: Maximum size of an answer.
    """

    name: str
    version: str
    card: Card
    answer_bytes: int


@dataclass(frozen=True)
class Content:
    """A body that was decoded, before it is checked against the model.

    Attributes:
        fields: Fields of the request.
        payload: Other content of the body: an array, a table, tensors; None if nothing.
        format: Format of the request.
        answer_format: Format of the answer.
    """

    fields: dict[str, Any]
    payload: Any
    format: "Format"
    answer_format: "Format"


@dataclass(frozen=True)
class Checked:
    """A request that was checked against the model by its format, see `Query`."""

    options: Options
    inputs: SeriesInput
    id: str | None = None
    tensors: tuple[str, ...] | None = None


class Format(ABC):
    """A kind of body: a subclass and a line of `FORMATS` make a new one.

    Attributes:
        media_type: Media type of answers, and of requests where it is not ambiguous.
        aliases: Other media types of requests and in the header Accept.
        magic: First bytes by which a body of an ambiguous media type is recognized.
        error_key: Name under which clients of this format look for the error in an error reply.
        decode_bytes_per_byte: Memory that it takes to decode and to validate a body, at the most,
            per byte of the body.
        schema: OpenAPI schema of a body.
        example: Example of a request in the OpenAPI document, if there is one.
    """

    media_type: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]] = ()
    magic: ClassVar[tuple[bytes, ...]] = ()
    error_key: ClassVar[str | None] = None
    decode_bytes_per_byte: ClassVar[int]
    schema: ClassVar[Mapping[str, Any]] = {}
    example: ClassVar[str | None] = None

    @abstractmethod
    def decode(self, body: Any, request: Request) -> tuple[dict[str, Any], Any]:
        """Decode a body into fields and payload.

        Args:
            body: Bytes; the format JSON may also receive what the server has parsed of them.
            request: The request of that body.

        Raises:
            MalformedError: If the body cannot be decoded.
            FieldError: If the request cannot be in this format.
        """

    def decode_memory(self, body: bytes | bytearray) -> int:
        """Bytes of memory that it takes to decode and to validate a body, at the most."""
        return self.decode_bytes_per_byte * len(body)

    def dialect(self, fields: Mapping[str, Any]) -> "Format":
        """The format of a body with these fields: formats may share a media type."""
        return self

    @abstractmethod
    def validate(self, fields: dict[str, Any], payload: Any, card: Card) -> Checked:
        """Check what was decoded against the model.

        Raises:
            MalformedError: If it is not a request of this format.
            FieldError: If it does not fit the model.
        """

    def default_outputs(self, outputs: tuple[Output, ...]) -> tuple[Output, ...]:
        """The default outputs of a task that an answer in this format can hold."""
        return outputs

    @abstractmethod
    def require_outputs(self, outputs: tuple[Output, ...], tensors: tuple[str, ...] | None) -> None:
        """Raise a `FieldError` where an answer in this format cannot hold the outputs.

        Args:
            outputs: Requested outputs.
            tensors: Names of requested tensors; None if the request names none.
        """

    @abstractmethod
    def answer_size(self, query: Query, card: Card) -> Span:
        """Fewest and most bytes of the answer to a request, before it is computed.

        A request for more than the limit is refused for the fewest. So the memory for an answer is
        bounded where the most are not many times the fewest, or where encoding stops at the limit.
        Events, whose number is not known, count for nothing: `event_size` bounds them.
        """

    def event_size(self, card: Card) -> Span:
        """Fewest and most bytes of an event; nothing in a format that holds none."""
        return Span.exactly(0)

    @abstractmethod
    def encode_results(
        self, results: Sequence[SeriesResult], query: Query, model: ServedModel
    ) -> bytes:
        """The answer to a request about series."""

    @abstractmethod
    def encode_samples(self, samples: Samples, query: Query, model: ServedModel) -> bytes:
        """The answer to a request to decode or sample."""
