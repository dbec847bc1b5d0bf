"""Training in the middle of a program."""

import tempfile
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from rvae.config import TrainingPlan
from rvae.data.series import Dataset
from rvae.errors import require
from rvae.inference.artifact import Artifact
from rvae.training.distributed import with_launched_processes
from rvae.training.fit import fit

__all__ = ["Trained", "train"]


@dataclass(frozen=True)
class Trained:
    """Result of a training.

    Attributes:
        artifact: The model.
        interrupted: Whether the user ended training early.
    """

    artifact: Artifact
    interrupted: bool


def train(
    dataset: Dataset, plan: TrainingPlan, output: Path | None = None, progress: bool = False
) -> Trained:
    """Train and calibrate a model, see `rvae.training.fit.fit`.

    Args:
        dataset: Training data.
        plan: Configuration of the training.
        output: Folder for the checkpoint, the logs and the state of training; none are kept if left
            out.
        progress: Whether to show progress bars.

    Raises:
        FieldError: If the data or the options are not valid.
    """
    require(
        output is not None or with_launched_processes(plan.training).processes == 1,
        "training.devices",
        "every process runs the program anew, and all need the same folder: give an output with "
        "rvae.fit, or train with rvae fit",
    )
    with nullcontext(output) if output else tempfile.TemporaryDirectory() as folder:
        result = fit(dataset, plan, Path(folder), progress)
        return Trained(Artifact.load(result.checkpoint), result.interrupted)
