"""What a network is."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Literal, Self

from rvae.errors import require

__all__ = [
    "ConvolutionalConfig",
    "DenseConfig",
    "FlowConfig",
    "ModelConfig",
    "RecurrentConfig",
    "TimeConfig",
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
        patch: Time steps that are read, and written, in one step of the layers. A long window takes
            that much less time, and its ends are nearer to each other.
    """

    cell: Literal["lstm", "gru"] = "lstm"
    hidden: int = 64
    depth: int = 1
    dropout: float = 0.0
    bidirectional: bool = False
    conditioning: Literal["start", "every_step", "feedback"] = "start"
    patch: int = 1

    def __post_init__(self) -> None:
        for name in ("hidden", "depth", "patch"):
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
class FlowConfig:
    """An inverse autoregressive flow, which bends the posterior.

    Attributes:
        transforms: Autoregressive steps, each in the opposite order of dimensions.
        hidden: Hidden units of each step's network.
    """

    transforms: int = 2
    hidden: int = 64

    def __post_init__(self) -> None:
        for name in ("transforms", "hidden"):
            require(getattr(self, name) >= 1, f"model.flow.{name}", "must be at least 1")


@dataclass(frozen=True)
class TimeConfig:
    """Time as an input of the network.

    Attributes:
        encoding: Pairs of sine and cosine of a step's place in the window, an input of the encoder.
        calendar: Cycles that timestamps are placed in, each as sine and cosine; needs reader.time.
        bypass: Whether the decoder is told the same, so that the latent need not carry it.
    """

    encoding: int = 0
    calendar: tuple[Literal["hour", "day", "week", "year"], ...] = ()
    bypass: bool = False

    def __post_init__(self) -> None:
        # What comes back from YAML or JSON is a list.
        object.__setattr__(self, "calendar", tuple(self.calendar))
        require(self.encoding >= 0, "model.time.encoding", "must not be negative")
        require(
            len(set(self.calendar)) == len(self.calendar),
            "model.time.calendar",
            "names a cycle twice",
        )
        require(
            not self.bypass or self.encoding > 0 or bool(self.calendar),
            "model.time.bypass",
            "has nothing to pass on without model.time.encoding or model.time.calendar",
        )


@dataclass(frozen=True)
class ModelConfig:
    """The network.

    Attributes:
        architecture: Encoder and decoder: "recurrent", "convolutional" or "dense", each with its
            section below. Or one from outside the package, by its dotted name
            "package.module:OBJECT".
        recurrent: Options of the architecture "recurrent".
        convolutional: Options of the architecture "convolutional".
        dense: Options of the architecture "dense".
        options: Options of an architecture that has no section.
        linear: Whether a linear way leads past encoder and decoder. It starts from the principal
            components of the training windows, and the networks learn what is not linear.
        normalization: "instance" takes its own level and spread off each window, and puts them back
            into its reconstruction: the latent tells shapes.
        latent: Latent dimensions.
        posterior: "normal" is one diagonal normal distribution a window; "iaf" bends it by an
            inverse autoregressive flow. Or a dotted name.
        flow: Options of the posterior "iaf".
        time: Time as an input of the network.
        conditional: Whether the class of a window is an input of encoder and decoder; needs
            reader.classes.
        embedding: Numbers that stand for a category of a categorical channel.
        likelihood: Family of the observation noise of numeric channels: "normal", "student_t",
            "laplace", "huber" or "bernoulli", or a dotted name. "student_t", "laplace" and "huber"
            forgive single far values, in training and in scores; "bernoulli" is for values in
            [0, 1], which it does not scale.
        noise_scale: Scale of the observation noise, in units of the scaled data; "learned" fits one
            for each channel.
    """

    architecture: str = "recurrent"
    recurrent: RecurrentConfig = RecurrentConfig()
    convolutional: ConvolutionalConfig = ConvolutionalConfig()
    dense: DenseConfig = DenseConfig()
    linear: bool = False
    normalization: Literal["none", "instance"] = "none"
    latent: int = 16
    posterior: str = "normal"
    flow: FlowConfig = FlowConfig()
    time: TimeConfig = TimeConfig()
    conditional: bool = False
    embedding: int = 8
    likelihood: str = "normal"
    noise_scale: float | Literal["learned"] = "learned"
    options: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        for name in ("latent", "embedding"):
            require(getattr(self, name) >= 1, f"model.{name}", "must be at least 1")
        require(
            self.noise_scale == "learned" or self.noise_scale > 0,
            "model.noise_scale",
            'must be positive or "learned"',
        )

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """Undo `dataclasses.asdict`, whether or not JSON came between."""
        values: dict[str, Any] = dict(content)
        for field in fields(cls):
            if field.name in values and isinstance(field.type, type) and is_dataclass(field.type):
                values[field.name] = field.type(**values[field.name])
        return cls(**values)
