"""What a model, its data and its training are."""

from dataclasses import dataclass
from typing import Literal

from rvae.errors import require

__all__ = ["DataConfig", "ModelConfig", "ObjectiveConfig", "ReaderConfig", "TrainingConfig"]


@dataclass(frozen=True)
class ModelConfig:
    """The network.

    Attributes:
        hidden: Hidden units of each recurrent layer.
        depth: Recurrent layers, in the encoder and in the decoder.
        latent: Latent dimensions.
        dropout: Dropout between recurrent layers; needs a depth of at least 2.
        noise_scale: Standard deviation of the observation noise, in units of the scaled data;
            "learned" fits one for each channel.
    """

    hidden: int = 64
    depth: int = 1
    latent: int = 16
    dropout: float = 0.0
    noise_scale: float | Literal["learned"] = "learned"

    def __post_init__(self) -> None:
        for name in ("hidden", "depth", "latent"):
            require(getattr(self, name) >= 1, f"model.{name}", "must be at least 1")
        require(0 <= self.dropout < 1, "model.dropout", "must be in [0, 1)")
        require(
            self.dropout == 0 or self.depth > 1,
            "model.dropout",
            "acts between recurrent layers, so it needs model.depth of at least 2",
        )
        require(
            self.noise_scale == "learned" or self.noise_scale > 0,
            "model.noise_scale",
            'must be positive or "learned"',
        )


@dataclass(frozen=True)
class ReaderConfig:
    """How a file becomes series.

    Attributes:
        layout: "series": a row is a time step and a column a channel. "rows": a row is a whole
            series of one channel, missing at its end where it is shorter.
        columns: Names of the channels in a table; all numeric columns but label and series if
            left out.
        array: Name of the data in an .npz file; may be left out where only one array fits.
        label: Column (in an .npz: array) whose non-zero entries mark anomalies.
        series: Column that tells the series of a table apart.
    """

    layout: Literal["series", "rows"] = "series"
    columns: tuple[str, ...] | None = None
    array: str | None = None
    label: str | None = None
    series: str | None = None

    def __post_init__(self) -> None:
        if self.columns is not None:
            # What comes back from YAML or JSON is a list.
            object.__setattr__(self, "columns", tuple(self.columns))
            require(bool(self.columns), "reader.columns", "must name at least one column")
            require(
                len(set(self.columns)) == len(self.columns),
                "reader.columns",
                "names a column twice",
            )


@dataclass(frozen=True)
class DataConfig:
    """The training data, and how it is cut.

    Attributes:
        path: File with the data: .csv, .parquet, .npy or .npz.
        window: Time steps of a window; the whole series where the layout is "rows" and it is
            left out.
        stride: Steps between the starts of neighbouring windows, here and when serving.
        split: "time" cuts every series in time. "random" and "order" deal out whole series, at
            random or the first to training and the last to calibration. "auto" is "random" where
            there are at least 20 series, else "time".
        validation: Share of the data that chooses the checkpoint.
        calibration: Share of the data that turns scores into probabilities.
    """

    path: str
    window: int | None = None
    stride: int = 1
    split: Literal["auto", "time", "random", "order"] = "auto"
    validation: float = 0.15
    calibration: float = 0.15

    def __post_init__(self) -> None:
        if self.window is not None:
            require(self.window >= 2, "data.window", "must be at least 2")
        require(self.stride >= 1, "data.stride", "must be at least 1")
        for name in ("validation", "calibration"):
            require(0 < getattr(self, name) < 1, f"data.{name}", "must be in (0, 1)")
        require(
            self.validation + self.calibration < 1,
            "data.validation",
            "leaves nothing to train on together with data.calibration",
        )


@dataclass(frozen=True)
class ObjectiveConfig:
    """The loss: reconstruction + beta * KL, both in nats a window.

    Attributes:
        beta: Weight of the KL divergence once it is fully weighed in; 1 is the ELBO.
        warmup: Share of the training steps over which the weight rises from 0 to beta.
        free_bits: Nats of each latent dimension that the KL does not penalise.
    """

    beta: float = 1.0
    warmup: float = 0.3
    free_bits: float = 0.0

    def __post_init__(self) -> None:
        require(self.beta >= 0, "objective.beta", "must not be negative")
        require(0 <= self.warmup <= 1, "objective.warmup", "must be in [0, 1]")
        require(self.free_bits >= 0, "objective.free_bits", "must not be negative")


@dataclass(frozen=True)
class TrainingConfig:
    """How the parameters are found.

    Attributes:
        epochs: Passes over the training windows at the most.
        batch_size: Windows in a step.
        learning_rate: Peak of Adam's learning rate, reached after a tenth of the steps.
        gradient_clip: Largest norm of the gradient.
        patience: Epochs without a better validation loss after which training stops, once
            learning rate and KL are warmed up.
        seed: Seed of everything random.
        quantile: Quantile of held-out normal scores that becomes the threshold.
        accelerator: Lightning's name for where to train.
    """

    epochs: int = 100
    batch_size: int = 32
    learning_rate: float = 1e-2
    gradient_clip: float = 5.0
    patience: int = 25
    seed: int = 0
    quantile: float = 0.99
    accelerator: Literal["auto", "cpu", "gpu"] = "auto"

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "patience"):
            require(getattr(self, name) >= 1, f"training.{name}", "must be at least 1")
        for name in ("learning_rate", "gradient_clip"):
            require(getattr(self, name) > 0, f"training.{name}", "must be positive")
        require(0 < self.quantile < 1, "training.quantile", "must be in (0, 1)")
        require(0 <= self.seed < 2**32, "training.seed", "must be in [0, 4294967296)")
