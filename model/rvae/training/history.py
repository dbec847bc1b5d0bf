"""Losses of a training, from the logs in its output folder."""

from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from rvae.errors import require
from rvae.plots.losses import EpochLosses
from rvae.training.trainer import LOGS

__all__ = ["read_history"]

VALIDATION = ("validation/loss", "validation/reconstruction", "validation/kl")
# Lightning adds the suffix where the loss is also logged between epochs.
TRAINING = ("train/loss_epoch", "train/loss")


def read_history(output: Path) -> list[EpochLosses]:
    """Losses of every epoch so far, also of a training that goes on.

    Args:
        output: Output folder of the training.

    Raises:
        FieldError: If it holds no logs of a completed epoch.
    """
    logs = output / LOGS
    require(logs.is_dir(), "run", f"{output} is not the output folder of a training: no {logs}")
    events = EventAccumulator(str(logs), size_guidance={"scalars": 0})
    events.Reload()
    tags = events.Tags()["scalars"]
    training = next((tag for tag in TRAINING if tag in tags), TRAINING[0])
    require(
        {training, "epoch", *VALIDATION} <= set(tags), "run", f"{output} has no completed epoch yet"
    )
    # A resumed training logs an interrupted epoch again: what comes last counts.
    epoch_at = {event.step: int(event.value) for event in events.Scalars("epoch")}
    values = {
        tag: {epoch_at[event.step]: event.value for event in events.Scalars(tag)}
        for tag in (training, *VALIDATION)
    }
    return [
        EpochLosses(epoch + 1, *(values[tag][epoch] for tag in (training, *VALIDATION)))
        for epoch in sorted(set.intersection(*map(set, values.values())))
    ]
