"""Configuration of the optimization of a network."""

from dataclasses import dataclass
from typing import Literal

from rvae.config.alarms import require_alarms
from rvae.errors import require

__all__ = ["ObjectiveConfig", "TrainingConfig"]


@dataclass(frozen=True)
class ObjectiveConfig:
    """The loss: reconstruction + beta * KL, both in nats per window.

    Attributes:
        beta: Weight of the KL divergence after the warm-up; 1 is the ELBO.
        annealing: "linear" raises the weight from 0 to beta once; "cyclical" does so several times.
        warmup: Share of the training steps, or of each cycle, over which the weight rises.
        cycles: Number of cycles of the "cyclical" annealing.
        free_bits: Nats of each latent dimension that the KL does not penalize.
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
    """Optimization of the parameters.

    Attributes:
        epochs: Maximum passes over the training windows.
        batch_size: Windows per step.
        optimizer: Name of the optimizer.
        learning_rate: Peak learning rate.
        weight_decay: Decay of the weights, of "adamw".
        schedule: Schedule of the learning rate. "one_cycle": up in a tenth of the steps, then
            down to zero; "constant"; "warm_restarts": down to zero repeatedly, each time in twice
            as many epochs, ten at first; "plateau": halved after every five epochs without a better
            validation loss.
        gradient_clip: Maximum norm of the gradient.
        patience: Epochs without a better validation loss after which training stops, once
            learning rate and KL are warmed up.
        improvement: Minimum decrease of the validation loss that counts as better.
        hide: Share of the windows of which the end, a stretch or a channel is masked for the
            encoder. It learns from them to encode windows with missing values, and encodes complete
            ones a little less precisely. If left out, half of them if the training part has missing
            values, else none.
        seed: Seed of all random numbers.
        quantile: Quantile of held-out normal scores that becomes the threshold. It is lowered,
            with a warning, if there are too few of them for it.
        alarms: Rate of false events that defines the threshold instead of the quantile: "1 per
            week", "2 per day", or "1 per 10000 steps".
        folds: Number of parts F of the normal data, each of which is scored by a further model that
            was trained without it; the final model then needs no calibration part. It is for short
            data, and takes nearly F times longer. 1 keeps a calibration part instead.
        accelerator: Lightning's name of the accelerator.
        devices: Processes on this machine for distributed training, each on a GPU of its own or all
            on the CPU, with a batch each. Each of them reads the data.
        nodes: Machines for distributed training, with the same number of devices each. Start the
            same command on each of them, with torchrun or as a job of the cluster.
        precision: "bf16-mixed" and "16-mixed" compute in half precision where it is safe; the
            latter needs a GPU.
        workers: Processes that load windows; none if 0, which is best for data in memory.
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
    alarms: str | None = None
    folds: int = 1
    accelerator: Literal["auto", "cpu", "gpu"] = "auto"
    devices: int = 1
    nodes: int = 1
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"
    workers: int = 0
    pictures: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "patience", "folds", "devices", "nodes"):
            require(getattr(self, name) >= 1, f"training.{name}", "must be at least 1")
        for name in ("learning_rate", "gradient_clip"):
            require(getattr(self, name) > 0, f"training.{name}", "must be positive")
        for name in ("weight_decay", "improvement", "workers", "pictures"):
            require(getattr(self, name) >= 0, f"training.{name}", "must not be negative")
        require(
            self.weight_decay == 0 or self.optimizer == "adamw",
            "training.weight_decay",
            'is only valid for the optimizer "adamw"',
        )
        require(self.hide is None or 0 <= self.hide <= 1, "training.hide", "must be in [0, 1]")
        require(0 < self.quantile < 1, "training.quantile", "must be in (0, 1)")
        if self.alarms is not None:
            require_alarms(self.alarms, "training.alarms")
        require(0 <= self.seed < 2**32, "training.seed", "must be in [0, 4294967296)")
        require(
            self.folds == 1 or self.processes == 1,
            "training.folds",
            f"must be 1 in distributed training, which has {self.processes} processes here",
        )

    @property
    def processes(self) -> int:
        """Total number of processes on all machines."""
        return self.devices * self.nodes
