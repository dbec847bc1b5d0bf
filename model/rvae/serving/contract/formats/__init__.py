"""Kinds of bodies: a file and a line of `FORMATS` for each format."""

from rvae.serving.contract.formats.arrow import ARROW
from rvae.serving.contract.formats.csv import CSV
from rvae.serving.contract.formats.format import Format
from rvae.serving.contract.formats.inference_protocol import INFERENCE_PROTOCOL
from rvae.serving.contract.formats.json import JSON
from rvae.serving.contract.formats.npy import NPY

__all__ = ["FORMATS", "media_types"]

# The first format of a media type decodes it, and `dialect` picks another one if the body is in
# that. Among answers that are accepted equally, the first format is sent.
FORMATS: list[Format] = [
    JSON,
    INFERENCE_PROTOCOL,
    CSV,
    NPY,
    ARROW,
]


def media_types() -> list[str]:
    """The media types of answers."""
    return list(dict.fromkeys(one.media_type for one in FORMATS))
