"""An example of a request, made by the model itself."""

import math
from typing import Any

import numpy as np

from rvae.errors import require
from rvae.inference.engine import Engine
from rvae.serving.contract.formats.json import step_values

__all__ = ["NOT_FINITE", "example_body"]

NOT_FINITE = "its weights may not be finite numbers"


def example_body(engine: Engine) -> dict[str, Any]:
    """A body that can be posted: the decoded centre of the prior.

    Raises:
        FieldError: If that is not finite.
    """
    card = engine.card
    label = card.vocabulary.classes[0] if card.model.conditional else None
    (values,) = engine.decode(np.zeros((1, card.model.latent)), label)
    require(bool(np.isfinite(values).all()), "model", f"it decodes no numbers: {NOT_FINITE}")
    low, high = card.scaler.bounds
    # Rounded to a thousandth of a channel's spread, to be readable.
    digits = [3 - math.floor(math.log10(scale)) for scale in card.scaler.scale]
    window = [
        [round(value, places) for value, places in zip(step, digits, strict=True)]
        for step in np.clip(values, low, high).tolist()
    ]
    steps = step_values(np.array(window), len(digits) == 1, card)
    data = steps.tolist() if isinstance(steps, np.ndarray) else steps
    body: dict[str, Any] = {"data": data}
    if card.model.time.calendar:
        body["timestamps"] = [str(time) for time in engine.placeholder_times()]
    return body if label is None else body | {"label": label}
