"""How parameters are found."""

from dataclasses import dataclass
from typing import Literal

from rvae.errors import require

__all__ = ["ObjectiveConfig", "TrainingConfig"]


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
            twice as many epochs, ten at first; "plateau": half of it after every five epochs
            without a better validation loss.
        gradient_clip: Largest norm of the gradient.
        patience: Epochs without a better validation loss after which training stops, once
            learning rate and KL are warmed up.
        improvement: By how much a validation loss must be lower to count as better.
        hide: Share of the windows of which the end, a stretch or a channel is masked for the
            encoder. It learns from them to encode windows with missing values, and encodes whole
            ones a little less precisely. If left out, half of them where the training part has
            missing values, else none.
        seed: Seed of everything random.
        quantile: Quantile of held-out normal scores that becomes the threshold.
        accelerator: Lightning's name for where to train.
        devices: Processes of this machine that train together, each on a GPU of its own or all on
            the processor, with a batch each. Each of them reads the data by itself.
        nodes: Machines that train together, with so many devices each. Start the same command on
            each of them, with torchrun or as a job of the cluster.
        precision: "bf16-mixed" and "16-mixed" compute in half precision where it is safe to; the
            latter needs a GPU.
        workers: Processes that load windows; none if 0, which is best for what fits into memory.
        pictures: Epochs between pictures of losses, latent space and reconstructions; none if 0.
    """

    epochs: int = 100
    batch_size: int = 32
    optimizer: Literal["adam", "adamw", "rmsprop", "sgd"] = "adam"
    learning_rate: float = 1e-2
    weight_decay: float = 0.0
    schedule: Literal["one_cycle", "constant", "warm_restarts", "plateau"] = "one_cycle"
    gradient_clip: float = 5.0
    patience: int = 25
    improvement: float = 0.0
    hide: float | None = None
    seed: int = 0
    quantile: float = 0.99
    accelerator: Literal["auto", "cpu", "gpu"] = "auto"
    devices: int = 1
    nodes: int = 1
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"
    workers: int = 0
    pictures: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "patience", "devices", "nodes"):
            require(getattr(self, name) >= 1, f"training.{name}", "must be at least 1")
        for name in ("learning_rate", "gradient_clip"):
            require(getattr(self, name) > 0, f"training.{name}", "must be positive")
        for name in ("weight_decay", "improvement", "workers", "pictures"):
            require(getattr(self, name) >= 0, f"training.{name}", "must not be negative")
        require(
            self.weight_decay == 0 or self.optimizer == "adamw",
            "training.weight_decay",
            'is only for the optimizer "adamw"',
        )
        require(self.hide is None or 0 <= self.hide <= 1, "training.hide", "must be in [0, 1]")
        require(0 < self.quantile < 1, "training.quantile", "must be in (0, 1)")
        require(0 <= self.seed < 2**32, "training.seed", "must be in [0, 4294967296)")

    @property
    def processes(self) -> int:
        """Processes that train together, on all machines."""
        return self.devices * self.nodes
