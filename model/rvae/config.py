"""What a model, its data and its training are."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from rvae.errors import require

__all__ = [
    "ConvolutionalConfig",
    "DataConfig",
    "DenseConfig",
    "ModelConfig",
    "ObjectiveConfig",
    "ReaderConfig",
    "RecurrentConfig",
    "TrainingConfig",
]


@dataclass(frozen=True)
class RecurrentConfig:
    """LSTM or GRU layers that read a window step by step, and write it so.

    Attributes:
        cell: The recurrent cell. Processors run "lstm" four times as fast.
        hidden: Hidden units of each layer.
        depth: Layers, in the encoder and in the decoder.
        dropout: Dropout between layers; needs a depth of at least 2.
        bidirectional: Whether the encoder also reads backwards.
        conditioning: How the latent reaches the decoder: it sets the state at the "start"; it does
            so and is an input at "every_step"; or it does so and each step's output is the next
            step's input ("feedback"), which takes many times as long.
    """

    cell: Literal["lstm", "gru"] = "lstm"
    hidden: int = 64
    depth: int = 1
    dropout: float = 0.0
    bidirectional: bool = False
    conditioning: Literal["start", "every_step", "feedback"] = "start"

    def __post_init__(self) -> None:
        for name in ("hidden", "depth"):
            require(getattr(self, name) >= 1, f"model.recurrent.{name}", "must be at least 1")
        require(0 <= self.dropout < 1, "model.recurrent.dropout", "must be in [0, 1)")
        require(
            self.dropout == 0 or self.depth > 1,
            "model.recurrent.dropout",
            "acts between layers, so it needs model.recurrent.depth of at least 2",
        )


@dataclass(frozen=True)
class ConvolutionalConfig:
    """Strided convolutions and attention; the decoder adds a GRU to their transposes.

    Attributes:
        filters: Channels of every convolution.
        blocks: Convolutions, each of which halves the time steps; fewer where a window cannot be
            halved as often.
        kernel: Time steps that a convolution looks at; odd.
        heads: Heads of the attention; must divide the filters.
        dropout: Dropout after each block.
    """

    filters: int = 32
    blocks: int = 3
    kernel: int = 5
    heads: int = 4
    dropout: float = 0.0

    def __post_init__(self) -> None:
        for name in ("filters", "blocks", "heads"):
            require(getattr(self, name) >= 1, f"model.convolutional.{name}", "must be at least 1")
        require(
            self.kernel >= 3 and self.kernel % 2 == 1,
            "model.convolutional.kernel",
            "must be odd and at least 3",
        )
        require(
            self.filters % self.heads == 0,
            "model.convolutional.heads",
            f"must divide the {self.filters} filters",
        )
        require(0 <= self.dropout < 1, "model.convolutional.dropout", "must be in [0, 1)")


@dataclass(frozen=True)
class DenseConfig:
    """Fully connected layers that see a window as one vector.

    Attributes:
        layers: Widths of the encoder's hidden layers; the decoder mirrors them. Without any, the
            model is linear: probabilistic principal components.
        activation: After every hidden layer.
        batch_norm: Whether hidden layers normalise over the batch.
        dropout: Dropout after every hidden layer.
        initializer: Of the weights of hidden layers.
    """

    layers: tuple[int, ...] = (128, 64)
    activation: Literal["relu", "leaky_relu", "elu", "gelu", "tanh"] = "leaky_relu"
    batch_norm: bool = False
    dropout: float = 0.0
    initializer: Literal["default", "xavier", "kaiming", "orthogonal"] = "default"

    def __post_init__(self) -> None:
        # What comes back from YAML or JSON is a list.
        object.__setattr__(self, "layers", tuple(self.layers))
        require(all(w >= 1 for w in self.layers), "model.dense.layers", "must be at least 1 wide")
        require(0 <= self.dropout < 1, "model.dense.dropout", "must be in [0, 1)")


@dataclass(frozen=True)
class ModelConfig:
    """The network.

    Attributes:
        architecture: Which of the sections below describes encoder and decoder.
        recurrent: Where the architecture is "recurrent".
        convolutional: Where it is "convolutional".
        dense: Where it is "dense".
        latent: Latent dimensions.
        likelihood: Family of the observation noise. "student_t", "laplace" and "huber" forgive
            single far values, in training and in scores.
        noise_scale: Scale of the observation noise, in units of the scaled data; "learned" fits one
            for each channel.
    """

    architecture: Literal["recurrent", "convolutional", "dense"] = "recurrent"
    recurrent: RecurrentConfig = RecurrentConfig()
    convolutional: ConvolutionalConfig = ConvolutionalConfig()
    dense: DenseConfig = DenseConfig()
    latent: int = 16
    likelihood: Literal["normal", "student_t", "laplace", "huber"] = "normal"
    noise_scale: float | Literal["learned"] = "learned"

    def __post_init__(self) -> None:
        require(self.latent >= 1, "model.latent", "must be at least 1")
        require(
            self.noise_scale == "learned" or self.noise_scale > 0,
            "model.noise_scale",
            'must be positive or "learned"',
        )

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "ModelConfig":
        """Undo `dataclasses.asdict`, whether or not JSON came between."""
        sections = {
            "recurrent": RecurrentConfig,
            "convolutional": ConvolutionalConfig,
            "dense": DenseConfig,
        }
        return cls(
            **{
                name: sections[name](**value) if name in sections else value
                for name, value in content.items()
            }
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
            for name in ("label", "series"):
                require(
                    getattr(self, name) not in self.columns,
                    "reader.columns",
                    f"{getattr(self, name)!r} is reader.{name}, and cannot be a channel",
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
        annealing: "linear" raises the weight from 0 to beta once; "cyclical" does so several times.
        warmup: Share of the training steps, or of each cycle, over which the weight rises.
        cycles: How often, where the annealing is cyclical.
        free_bits: Nats of each latent dimension that the KL does not penalise.
        sampling_noise: Factor on the posterior's standard deviation when a latent is drawn; 1 is
            the ELBO.
    """

    beta: float = 1.0
    annealing: Literal["linear", "cyclical"] = "linear"
    warmup: float = 0.3
    cycles: int = 4
    free_bits: float = 0.0
    sampling_noise: float = 1.0

    def __post_init__(self) -> None:
        for name in ("beta", "free_bits", "sampling_noise"):
            require(getattr(self, name) >= 0, f"objective.{name}", "must not be negative")
        require(0 <= self.warmup <= 1, "objective.warmup", "must be in [0, 1]")
        require(self.cycles >= 1, "objective.cycles", "must be at least 1")


@dataclass(frozen=True)
class TrainingConfig:
    """How the parameters are found.

    Attributes:
        epochs: Passes over the training windows at the most.
        batch_size: Windows in a step.
        optimizer: Which one.
        learning_rate: Its highest learning rate.
        weight_decay: Decay of the weights, of "adamw".
        schedule: What becomes of the learning rate. "one_cycle": up in a tenth of the steps, then
            down to zero; "constant"; "warm_restarts": down to zero again and again, every time in
            twice as many epochs, ten at first.
        gradient_clip: Largest norm of the gradient.
        patience: Epochs without a better validation loss after which training stops, once
            learning rate and KL are warmed up.
        improvement: By how much a validation loss must be lower to count as better.
        hide: Share of the windows in which the encoder does not get to see the end, a stretch or a
            channel. It learns from them what to make of windows with missing values, and says a
            little less of whole ones. If left out, half of them where the training part has missing
            values, else none.
        seed: Seed of everything random.
        quantile: Quantile of held-out normal scores that becomes the threshold.
        accelerator: Lightning's name for where to train.
    """

    epochs: int = 100
    batch_size: int = 32
    optimizer: Literal["adam", "adamw", "rmsprop", "sgd"] = "adam"
    learning_rate: float = 1e-2
    weight_decay: float = 0.0
    schedule: Literal["one_cycle", "constant", "warm_restarts"] = "one_cycle"
    gradient_clip: float = 5.0
    patience: int = 25
    improvement: float = 0.0
    hide: float | None = None
    seed: int = 0
    quantile: float = 0.99
    accelerator: Literal["auto", "cpu", "gpu"] = "auto"

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "patience"):
            require(getattr(self, name) >= 1, f"training.{name}", "must be at least 1")
        for name in ("learning_rate", "gradient_clip"):
            require(getattr(self, name) > 0, f"training.{name}", "must be positive")
        for name in ("weight_decay", "improvement"):
            require(getattr(self, name) >= 0, f"training.{name}", "must not be negative")
        require(
            self.weight_decay == 0 or self.optimizer == "adamw",
            "training.weight_decay",
            'is only for the optimizer "adamw"',
        )
        require(self.hide is None or 0 <= self.hide <= 1, "training.hide", "must be in [0, 1]")
        require(0 < self.quantile < 1, "training.quantile", "must be in (0, 1)")
        require(0 <= self.seed < 2**32, "training.seed", "must be in [0, 4294967296)")
