"""Recurrent variational autoencoders for time series, from training to a production endpoint.

Shapes are written with one alphabet throughout the package:

    B  windows in a batch          N  points of one series
    T  time steps of a window      W  windows of one series
    C  channels                    D  latent dimensions
    H  hidden units of a recurrent layer

Missing values are NaN in arrays and `False` in boolean masks of the same shape.
"""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rvae._version import __version__
from rvae.errors import FieldError

if TYPE_CHECKING:
    from rvae.estimators.fit import fit
    from rvae.estimators.model import Model
    from rvae.estimators.recurrent_vae import RecurrentVAE
    from rvae.inference.artifact import Artifact
    from rvae.inference.engine import Engine

__all__ = [
    "Artifact",
    "Engine",
    "FieldError",
    "Model",
    "RecurrentVAE",
    "__version__",
    "fit",
    "load",
]

_HOMES = {
    "Artifact": "rvae.inference.artifact",
    "Engine": "rvae.inference.engine",
    "Model": "rvae.estimators.model",
    "RecurrentVAE": "rvae.estimators.recurrent_vae",
    "fit": "rvae.estimators.fit",
}


def load(path: str | Path, device: str = "cpu") -> "Model":
    """Load a trained model.

    Args:
        path: Checkpoint that `rvae fit` or `Model.save` wrote.
        device: Torch's name of the device on which the model runs.

    Raises:
        FieldError: If the path holds no model.
    """
    from rvae.estimators.model import Model

    return Model.load(path, device)


def __getattr__(name: str) -> Any:
    # torch takes over a second to import: commands that do not need it should not pay for it.
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
