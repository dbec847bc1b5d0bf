"""Models that were saved in format 4, before scorers had a state of their own.

Format 4 has the levels of the scores "excess" and "distance" in the card, the latents of their
memory in a tensor of their own, and nothing about the unit interval in the scaler.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["MEMORY_KEY", "scorer_state", "upgrade"]

MEMORY_KEY = "rvae_memory"


def upgrade(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """Convert the data of a card from format 4 to format 5; others are unchanged."""
    if content["format"] != 4:
        return content
    card = {name: value for name, value in content.items() if name != "levels"}
    unit_interval = content["model"]["likelihood"] == "bernoulli"
    scaler = content["scaler"] | {"unit_interval": unit_interval}
    return card | {"format": 5, "scaler": scaler}


def scorer_state(
    content: Mapping[str, Any], memory: NDArray[Any] | None
) -> dict[str, NDArray[Any]]:
    """State of the scorer of a model in format 4.

    Args:
        content: The card as data.
        memory: Latents of training windows (M, D), if there are any.
    """
    state = {} if memory is None else {"memory": memory}
    if content["levels"] is not None:
        state["levels"] = np.array(content["levels"], np.float64)
    return state
