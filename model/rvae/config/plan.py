"""All that decides about a training, but the data itself."""

from dataclasses import dataclass, field

from rvae.config.data import DataConfig
from rvae.config.model import ModelConfig
from rvae.config.scoring import ScoringConfig
from rvae.config.training import ObjectiveConfig, TrainingConfig

__all__ = ["TrainingPlan"]


@dataclass(frozen=True)
class TrainingPlan:
    """The sections of a configuration of `rvae fit` that decide about a training.

    Attributes:
        data: How the data is cut.
        model: The network.
        objective: The loss.
        scoring: What a score is.
        training: How the parameters are found.
    """

    data: DataConfig
    model: ModelConfig = field(default_factory=ModelConfig)
    objective: ObjectiveConfig = field(default_factory=ObjectiveConfig)
    scoring: ScoringConfig = field(default_factory=ScoringConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
