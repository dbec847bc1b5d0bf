"""Configuration of the network."""

from collections.abc import Mapping
from dataclasses import InitVar, dataclass, fields, is_dataclass
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

LayerNormalization = Literal["none", "batch", "layer"]
Initializer = Literal["default", "xavier", "kaiming", "orthogonal"]


@dataclass(frozen=True)
class RecurrentConfig:
    """LSTM or GRU layers that read and write a window step by step.

    Attributes:
        cell: The recurrent cell. On a CPU "lstm" is faster than "gru".
        hidden: Hidden units of each layer.
        depth: Layers, in the encoder and in the decoder.
        dropout: Dropout after each layer.
        normalization: Normalization after each layer, on the way to the next one: "layer" over its
            units at each step, "batch" over windows and steps.
        initializer: Initialization of the weights. By default that of input weights is "xavier",
            and that of recurrent ones "orthogonal". Biases always start with time scales up to the
            window.
        bidirectional: Whether the encoder also reads backwards.
        conditioning: How the latent reaches the decoder. "start": it sets the initial state.
            "every_step": it is also an input at every step. "feedback": it sets the initial state,
            and each step's output is the next step's input, which takes many times as long.
        patch: Time steps that are read, and written, in one step of the layers. It makes long
            windows faster by this factor, and shortens the paths that gradients take.
    """

    cell: Literal["lstm", "gru"] = "lstm"
    hidden: int = 64
    depth: int = 1
    dropout: float = 0.0
    bidirectional: bool = False
    conditioning: Literal["start", "every_step", "feedback"] = "start"
    patch: int = 1
    normalization: LayerNormalization = "none"
    initializer: Initializer = "default"

    def __post_init__(self) -> None:
        for name in ("hidden", "depth", "patch"):
            require(getattr(self, name) >= 1, f"model.recurrent.{name}", "must be at least 1")
        require(0 <= self.dropout < 1, "model.recurrent.dropout", "must be in [0, 1)")
        require(
            self.normalization != "batch" or self.conditioning != "feedback",
            "model.recurrent.normalization",
            '"batch" needs all steps at once, and model.recurrent.conditioning "feedback" makes '
            'one after another: choose "layer"',
        )


@dataclass(frozen=True)
class ConvolutionalConfig:
    """Strided convolutions and attention; the decoder adds a GRU to their transposes.

    Attributes:
        filters: Channels of every convolution.
        blocks: Convolutions, each of which halves the time steps; fewer if a window cannot be
            halved as often.
        kernel: Time steps that a convolution covers; odd.
        heads: Heads of the attention; must divide the filters.
        dropout: Dropout after each block.
        normalization: Normalization of each convolution: "layer" over its filters and steps,
            "batch" over windows and steps.
        initializer: Initialization of the weights of convolutions; by default that of PyTorch.
    """

    filters: int = 32
    blocks: int = 3
    kernel: int = 5
    heads: int = 4
    dropout: float = 0.0
    normalization: LayerNormalization = "none"
    initializer: Initializer = "default"

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
        activation: Activation after every hidden layer.
        dropout: Dropout after every hidden layer.
        normalization: Normalization of every hidden layer: "layer" over its units, "batch" over
            windows.
        initializer: Initialization of the weights of hidden layers; by default that of PyTorch.
        batch_norm: Former name of the normalization "batch".
    """

    layers: tuple[int, ...] = (128, 64)
    activation: Literal["relu", "leaky_relu", "elu", "gelu", "tanh"] = "leaky_relu"
    dropout: float = 0.0
    normalization: LayerNormalization = "none"
    initializer: Initializer = "default"
    batch_norm: InitVar[bool | None] = None

    def __post_init__(self, batch_norm: bool | None) -> None:
        # Configurations and checkpoints of earlier versions have it.
        if batch_norm:
            require(
                self.normalization != "layer",
                "model.dense.batch_norm",
                'is the former name of the normalization "batch", but "layer" is chosen',
            )
            object.__setattr__(self, "normalization", "batch")
        # YAML and JSON have lists, no tuples.
        object.__setattr__(self, "layers", tuple(self.layers))
        require(all(w >= 1 for w in self.layers), "model.dense.layers", "must be at least 1 wide")
        require(0 <= self.dropout < 1, "model.dense.dropout", "must be in [0, 1)")


@dataclass(frozen=True)
class FlowConfig:
    """An inverse autoregressive flow of the posterior.

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
        encoding: Pairs of sine and cosine of a step's position in the window, as encoder inputs.
        calendar: Cycles of the timestamps, each encoded as sine and cosine; needs reader.time.
        bypass: Whether these are inputs of the decoder, too, so that the latent need not carry
            them.
    """

    encoding: int = 0
    calendar: tuple[Literal["hour", "day", "week", "year"], ...] = ()
    bypass: bool = False

    def __post_init__(self) -> None:
        # YAML and JSON have lists, no tuples.
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
        linear: Whether to add a linear path parallel to encoder and decoder. It starts from the
            principal components of the training windows; the networks learn the nonlinear part.
        normalization: "instance" removes each window's own level and spread, and restores them in
            its reconstruction: the latent describes the shape.
        latent: Latent dimensions.
        posterior: "normal" is a diagonal normal distribution per window; "iaf" transforms it by
            an inverse autoregressive flow. Or a dotted name.
        flow: Options of the posterior "iaf".
        time: Time as an input of the network.
        conditional: Whether the class of a window is an input of encoder and decoder; needs
            reader.classes.
        embedding: Dimensions of the embedding of a category.
        likelihood: Family of the observation noise of numeric channels: "normal", "student_t",
            "laplace", "huber" or "bernoulli", or a dotted name. "student_t", "laplace" and "huber"
            are robust against single outliers, in training and in scores; "bernoulli" is for values
            in [0, 1], which are not scaled.
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
        """Undo `dataclasses.asdict`, also after a round trip through JSON."""
        values: dict[str, Any] = dict(content)
        for field in fields(cls):
            if field.name in values and isinstance(field.type, type) and is_dataclass(field.type):
                values[field.name] = field.type(**values[field.name])
        return cls(**values)
