"""What a score is."""

from dataclasses import dataclass

from rvae.errors import require

__all__ = ["ScoringConfig"]

WITHOUT_LEVEL = ("likelihood", "distance")


@dataclass(frozen=True)
class ScoringConfig:
    """What a model makes of windows, as one number each.

    Attributes:
        score: "likelihood" is the mean negative log-likelihood of a window's values. "excess"
            compares the error of each channel, and the distance from the nearest remembered
            windows, with what they are in the training data, and takes the one that exceeds it
            most: one odd channel of many is enough. "distance" is that of the distance alone, for
            windows that are not cut from a longer series but are each a whole. Another score is
            chosen by the dotted name of its class, "package.module:Class".
        memory: Training windows that are remembered at the most, as latents, for all but the
            "likelihood"; none if 0. Fewer where windows are large.
        level: How many times as far from the mean of the data a window may lie, by channel, as the
            farthest training window, for the "excess". Beyond that it is anomalous however usual
            its shape is, which is all that a model with normalization "instance" looks at. If left
            out, a new level is told where it begins.
        contamination: Share of the windows that may be anomalous. Twice as many of the training
            windows, those that are farthest from the others, are not trained on, nor remembered; so
            many of the held-out windows, those with the highest scores, are not taken for normal.
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
