"""Configuration of the score."""

from dataclasses import dataclass

from rvae.errors import require

__all__ = ["ScoringConfig"]

WITHOUT_LEVEL = ("likelihood", "distance")


@dataclass(frozen=True)
class ScoringConfig:
    """The score of a window, one number.

    Attributes:
        score: "likelihood" is the mean negative log-likelihood of a window's values. "excess"
            compares the error of each channel, and the distance from the nearest windows in the
            memory, with their levels in the training data, and takes the largest excess: one
            anomalous channel of many is enough. "distance" is the excess of the distance alone, for
            windows that are whole series and not cut from a longer one. Another score is chosen by
            the dotted name of its class, "package.module:Class".
        memory: Maximum number of training windows in the memory, as latents, for all scores but
            "likelihood"; 0 for no memory. Fewer if windows are large.
        level: For the "excess": how far from the mean of the data a window may lie, by channel, in
            multiples of the farthest training window. Beyond that it is anomalous even if its shape
            is usual; a model with normalization "instance" sees only the shape. If left out, only
            the beginning of a new level is detected.
        contamination: Share of the windows that may be anomalous. Twice as many of the training
            windows, the farthest from the others, are left out of training and memory; as many of
            the held-out windows, those with the highest scores, are not counted as normal.
    """

    score: str = "likelihood"
    memory: int = 2000
    level: float | None = None
    contamination: float = 0.0

    def __post_init__(self) -> None:
        require(self.memory >= 0, "scoring.memory", "must not be negative")
        require(
            self.memory > 0 or self.score != "distance",
            "scoring.memory",
            'must be at least 1 with the score "distance"',
        )
        require(
            self.level is None or (self.level >= 1 and self.score not in WITHOUT_LEVEL),
            "scoring.level",
            'must be at least 1, and is only valid for the score "excess"',
        )
        require(0 <= self.contamination <= 0.2, "scoring.contamination", "must be in [0, 0.2]")
