"""What is known of a runtime of a model: its graphs, and how exact it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Parity", "RuntimeReport"]


@dataclass(frozen=True)
class Parity:
    """Largest differences of a runtime's results from those of torch, over the same windows.

    Attributes:
        windows: Number of windows.
        latent: Of a coordinate of the latent, in standard deviations of the prior.
        reconstruction: Of a scaled value, or of the probability of a category.
        score: Of a score, as a share of the threshold's distance from a usual score, or of its own
            distance if that is larger.
        tail_probability: Of a tail probability, by the calibrations that belong to the results.
        flags: Number of windows that only one of them flags.
        tolerance: Bound on `latent`, `reconstruction` and `score`.
        recalibrated: Whether the calibration was moved to the runtime's own scores.
        data: Name of the data with the windows, besides those that the model drew; None if it drew
            all of them.
    """

    windows: int
    latent: float
    reconstruction: float
    score: float
    tail_probability: float
    flags: int
    tolerance: float
    recalibrated: bool
    data: str | None = None


@dataclass(frozen=True)
class RuntimeReport:
    """The runtime of a model's graphs.

    Attributes:
        name: Name of the runtime.
        checksums: Checksum of each graph, by file.
        parity: How exact it is.
        versions: Versions of the software that made and checked the graphs.
    """

    name: str
    checksums: Mapping[str, str]
    parity: Parity
    versions: Mapping[str, str]

    @property
    def sentence(self) -> str:
        """How exact it is, for people."""
        parity = self.parity
        windows = "that the model drew"
        if parity.data is not None:
            windows = f"of {parity.data}" + f" and {windows}" * (not parity.recalibrated)
        moved = "; the thresholds are those of its own scores" if parity.recalibrated else ""
        return (
            f"{self.name}, which differs from torch by at most {parity.latent:.0e} in latents, "
            f"{parity.reconstruction:.0e} in reconstructions and {parity.score:.0e} in scores, "
            f"in {parity.windows} windows {windows} (bound {parity.tolerance:g}){moved}"
        )

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "RuntimeReport":
        """Undo `dataclasses.asdict`, also after a round trip through JSON."""
        return cls(**{**content, "parity": Parity(**content["parity"])})
