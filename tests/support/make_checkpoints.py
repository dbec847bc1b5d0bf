"""Train the committed checkpoints again: python -m tests.support.make_checkpoints"""

import shutil
import tempfile
from pathlib import Path

import numpy as np

from tests.support.command_line import rvae_process
from tests.support.paths import ROOT
from tests.support.waves import waves

__all__ = ["CHECKPOINTS", "OPTIONS", "STEPS", "train"]

CHECKPOINTS = ROOT / "tests" / "checkpoints"
STEPS = 32
# By name of the checkpoint, what `rvae fit` is told besides the file of waves.
OPTIONS = {
    "waves": (
        "--reader.columns=[height]",
        f"--data.window={STEPS}",
        "--model.recurrent.hidden=24",
        "--model.latent=4",
        "--training.epochs=40",
        "--training.batch_size=25",
        "--training.quantile=0.98",
        "--training.accelerator=cpu",
    ),
}


def train(name: str, folder: Path) -> Path:
    """Train a model in a folder, and return its checkpoint."""
    np.save(folder / "waves.npy", waves(600, STEPS))
    done = rvae_process("fit", "--data.path=waves.npy", *OPTIONS[name], cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "runs" / "latest" / "model.ckpt"


def main() -> None:
    CHECKPOINTS.mkdir(exist_ok=True)
    for name in OPTIONS:
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(train(name, Path(folder)), CHECKPOINTS / f"{name}.ckpt")


if __name__ == "__main__":
    main()
