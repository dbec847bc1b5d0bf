import pytest

from rvae.config import (
    ConvolutionalConfig,
    DataConfig,
    DenseConfig,
    ModelConfig,
    ObjectiveConfig,
    ReaderConfig,
    RecurrentConfig,
    TrainingConfig,
)
from rvae.errors import FieldError


@pytest.mark.parametrize(
    ("field", "make"),
    [
        ("model.latent", lambda: ModelConfig(latent=-1)),
        ("model.recurrent.hidden", lambda: RecurrentConfig(hidden=0)),
        ("model.recurrent.depth", lambda: RecurrentConfig(depth=0)),
        ("model.recurrent.dropout", lambda: RecurrentConfig(depth=2, dropout=1.0)),
        ("model.recurrent.dropout", lambda: RecurrentConfig(depth=1, dropout=0.1)),
        ("model.convolutional.filters", lambda: ConvolutionalConfig(filters=0)),
        ("model.convolutional.blocks", lambda: ConvolutionalConfig(blocks=0)),
        ("model.convolutional.kernel", lambda: ConvolutionalConfig(kernel=4)),
        ("model.convolutional.heads", lambda: ConvolutionalConfig(filters=32, heads=5)),
        ("model.convolutional.dropout", lambda: ConvolutionalConfig(dropout=-0.1)),
        ("model.dense.layers", lambda: DenseConfig(layers=(3, 0))),
        ("model.dense.dropout", lambda: DenseConfig(dropout=1.0)),
        ("model.noise_scale", lambda: ModelConfig(noise_scale=0.0)),
        ("data.window", lambda: DataConfig("x.csv", window=1)),
        ("data.stride", lambda: DataConfig("x.csv", stride=0)),
        ("data.validation", lambda: DataConfig("x.csv", validation=0.0)),
        ("data.validation", lambda: DataConfig("x.csv", validation=0.6, calibration=0.4)),
        ("data.calibration", lambda: DataConfig("x.csv", calibration=1.0)),
        ("reader.columns", lambda: ReaderConfig(columns=())),
        ("reader.columns", lambda: ReaderConfig(columns=("a", "a"))),
        ("reader.columns", lambda: ReaderConfig(columns=("a", "b"), label="b")),
        ("reader.columns", lambda: ReaderConfig(columns=("a", "b"), series="a")),
        ("objective.beta", lambda: ObjectiveConfig(beta=-1.0)),
        ("objective.warmup", lambda: ObjectiveConfig(warmup=1.1)),
        ("objective.free_bits", lambda: ObjectiveConfig(free_bits=-0.1)),
        ("objective.cycles", lambda: ObjectiveConfig(cycles=0)),
        ("objective.sampling_noise", lambda: ObjectiveConfig(sampling_noise=-1.0)),
        ("training.weight_decay", lambda: TrainingConfig(weight_decay=0.1)),
        ("training.weight_decay", lambda: TrainingConfig(optimizer="adamw", weight_decay=-1.0)),
        ("training.improvement", lambda: TrainingConfig(improvement=-1.0)),
        ("training.epochs", lambda: TrainingConfig(epochs=0)),
        ("training.batch_size", lambda: TrainingConfig(batch_size=0)),
        ("training.patience", lambda: TrainingConfig(patience=0)),
        ("training.learning_rate", lambda: TrainingConfig(learning_rate=0.0)),
        ("training.gradient_clip", lambda: TrainingConfig(gradient_clip=0.0)),
        ("training.seed", lambda: TrainingConfig(seed=-1)),
        ("training.seed", lambda: TrainingConfig(seed=2**32)),
        ("training.quantile", lambda: TrainingConfig(quantile=1.0)),
    ],
)
def test_nonsense_names_its_field(field, make):
    with pytest.raises(FieldError) as caught:
        make()
    assert caught.value.field == field
