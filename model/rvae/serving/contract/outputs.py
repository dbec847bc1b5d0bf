"""What a series can be answered with."""

from collections.abc import Mapping
from typing import Literal

__all__ = ["NAMES", "OF_POINTS", "OF_WINDOWS", "Output"]

Output = Literal[
    "score", "latent", "reconstruction", "band", "point_scores", "contributions", "events"
]

OF_WINDOWS: tuple[Output, ...] = ("score", "latent", "contributions")
OF_POINTS: tuple[Output, ...] = ("reconstruction", "band", "point_scores")

# What stands in an answer for each.
NAMES: Mapping[Output, tuple[str, ...]] = {
    "score": ("score", "tail_probability", "severity", "threshold", "is_anomaly"),
    "latent": ("latent",),
    "contributions": ("contributions",),
    "reconstruction": ("reconstruction",),
    "band": ("expected", "lower", "upper"),
    "point_scores": ("point_scores",),
    "events": ("events",),
}
