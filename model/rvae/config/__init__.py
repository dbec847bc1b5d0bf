"""Configuration of a model, its data and its training."""

from rvae.config.data import DataConfig, ReaderConfig
from rvae.config.file_format import FileFormat
from rvae.config.model import (
    ConvolutionalConfig,
    DenseConfig,
    FlowConfig,
    ModelConfig,
    RecurrentConfig,
    TimeConfig,
)
from rvae.config.plan import TrainingPlan
from rvae.config.scoring import ScoringConfig
from rvae.config.training import ObjectiveConfig, TrainingConfig

__all__ = [
    "ConvolutionalConfig",
    "DataConfig",
    "DenseConfig",
    "FileFormat",
    "FlowConfig",
    "ModelConfig",
    "ObjectiveConfig",
    "ReaderConfig",
    "RecurrentConfig",
    "ScoringConfig",
    "TimeConfig",
    "TrainingConfig",
    "TrainingPlan",
]
