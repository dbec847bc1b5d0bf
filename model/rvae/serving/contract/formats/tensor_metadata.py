"""What the Open Inference Protocol calls the metadata of a model: its tensors, in and out.

https://github.com/kserve/open-inference-protocol
"""

from collections.abc import Iterator, Mapping

from rvae.inference.card import Card
from rvae.serving.contract.answer_values import field_axes
from rvae.serving.contract.outputs import OUTPUTS
from rvae.serving.contract.outputs.output import Axis
from rvae.serving.contract.schema.description_schema import TensorSaid, TensorsSaid
from rvae.serving.contract.sizes import Kind

__all__ = ["datatype_of", "tensor_metadata"]

ANY = -1  # size of an axis that requests decide on

# What holds all channels; in a request it may have any name.
SERIES = "series"

DATATYPES: Mapping[Kind, str] = {
    Kind.FLOAT64: "FP64",
    Kind.FLOAT32: "FP32",
    Kind.FLOAT: "FP64",
    Kind.INTEGER: "INT64",
    Kind.FLAG: "BOOL",
    Kind.TEXT: "BYTES",
    Kind.TIME: "BYTES",
}
# Of tensors that belong to no output.
KINDS: Mapping[str, Kind] = {
    "starts": Kind.INTEGER,
    "instances": Kind.FLOAT64,
    "seed": Kind.INTEGER,
}


def datatype_of(name: str) -> str:
    """The datatype of a tensor of answers."""
    for output in OUTPUTS.values():
        for field in output.fields:
            if field.name == name:
                return DATATYPES[field.kind]
    return DATATYPES[KINDS[name]]


def tensor_metadata(card: Card) -> TensorsSaid:
    """The tensors of a request for the scores of one series, and all that may answer it.

    There are other requests: with tensors of other types and shapes, of several series, or for
    other tasks.
    """
    return {"inputs": list(_inputs(card)), "outputs": list(_outputs(card))}


def _inputs(card: Card) -> Iterator[TensorSaid]:
    if card.vocabulary.categories:  # whose words only tensors of their own can hold
        for channel in card.channels:
            kind = Kind.TEXT if channel in card.vocabulary.categories else Kind.FLOAT64
            yield _tensor(channel, DATATYPES[kind])
    else:
        yield _tensor(SERIES, DATATYPES[Kind.FLOAT64], len(card.channels))
    if card.model.time.calendar:
        yield _tensor("timestamps", DATATYPES[Kind.TIME])
    if card.model.conditional:
        yield {"name": "label", "datatype": DATATYPES[Kind.TEXT], "shape": [1]}


def _outputs(card: Card) -> Iterator[TensorSaid]:
    yield _tensor("starts", datatype_of("starts"))
    for output in OUTPUTS.values():
        if output.axis is not Axis.EVENT:
            for field in output.fields:
                yield _tensor(field.name, datatype_of(field.name), *field_axes(field, card))


def _tensor(name: str, datatype: str, *axes: int) -> TensorSaid:
    return {"name": name, "datatype": datatype, "shape": [ANY, *axes]}
