"""Models that were saved in format 5, before evidence was counted in blocks.

Format 5 has the sorted scores of the calibration, without their order in time, and the number of
windows that do not overlap; and bands that count values instead of blocks. Its tail probabilities
were too low where windows overlap: those of the same model are higher now.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from rvae.inference.card import FORMAT, calibration_content
from rvae.scoring.blocks import Blocks
from rvae.scoring.calibration import Calibration

__all__ = ["upgrade"]


def upgrade(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """Convert the data of a card from format 5 to the current one; others are unchanged."""
    if content["format"] != 5:
        return content
    if content.get("calibration") is None or content.get("bands") is None:  # unfinished training
        return {**content, "format": FORMAT}
    old = content["calibration"]
    independent = old["independent"]
    steps = max(content["window"], content["stride"])
    blocks = Blocks.without_order(np.array(old["scores"]), independent, steps)
    calibration = Calibration.fit(blocks, old["quantile"])
    bands = [
        {name: channel[name] for name in ("count", "below", "above")}
        | {"blocks": min(max(1, independent), channel["count"])}
        for channel in content["bands"]["channels"]
    ]
    return {
        **content,
        "format": FORMAT,
        "calibration": calibration_content(calibration) | {"contamination": old["contamination"]},
        "bands": {"channels": bands},
    }
