"""The architectures that `model.architecture` names.

A new one is a file with an encoder, a decoder and an `Architecture` of both, and a line here.
"""

from dataclasses import MISSING, fields
from typing import Any

from rvae.config import ModelConfig
from rvae.config.registry import Registry
from rvae.errors import require
from rvae.networks.architecture import Architecture
from rvae.networks.convolutional import CONVOLUTIONAL
from rvae.networks.dense import DENSE
from rvae.networks.recurrent import RECURRENT

__all__ = ["ARCHITECTURES", "architecture_options"]

ARCHITECTURES: Registry[Architecture] = Registry(
    "model.architecture",
    Architecture,
    {
        "recurrent": RECURRENT,
        "convolutional": CONVOLUTIONAL,
        "dense": DENSE,
    },
)


def architecture_options(model: ModelConfig) -> Any:
    """The options of the architecture that the configuration names.

    Raises:
        FieldError: If there is no such architecture, or `model.options` does not fit it.
    """
    options = ARCHITECTURES.lookup(model.architecture).options
    for section in fields(model):
        if section.type is options:
            require(
                not model.options,
                "model.options",
                f"is only valid for an architecture without a section of its own: set the options "
                f"of {model.architecture!r} in model.{section.name}",
            )
            return getattr(model, section.name)
    values = dict(model.options or {})
    choices = {field.name: field for field in fields(options) if field.init}
    for name in values:
        require(
            name in choices,
            "model.options",
            f"{model.architecture!r} has no option {name!r}, only {', '.join(choices) or 'none'}",
        )
    for name, field in choices.items():
        optional = field.default is not MISSING or field.default_factory is not MISSING
        require(
            optional or name in values, "model.options", f"{model.architecture!r} needs {name!r}"
        )
    return options(**values)
