"""Everything that defines a training, except the data."""

from dataclasses import dataclass, field

from rvae.config.data import DataConfig
from rvae.config.model import ModelConfig
from rvae.config.scoring import ScoringConfig
from rvae.config.training import ObjectiveConfig, TrainingConfig

__all__ = ["TrainingPlan"]


@dataclass(frozen=True)
class TrainingPlan:
    """The sections of a configuration of `rvae fit` that define a training.

    Attributes:
        data: Windows and splits of the data.
        model: The network.
        objective: The loss.
        scoring: The score.
        training: Optimization of the parameters.
    """

    data: DataConfig
    model: ModelConfig = field(default_factory=ModelConfig)
    objective: ObjectiveConfig = field(default_factory=ObjectiveConfig)
    scoring: ScoringConfig = field(default_factory=ScoringConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
