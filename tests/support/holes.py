"""Data with holes in its times, and a model that reads times."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from rvae.inference.artifact import Artifact
from tests.support.waves import waves

__all__ = ["write_with_holes"]


def write_with_holes(checkpoint: Path, folder: Path) -> tuple[Path, Path]:
    """A checkpoint that reads times, and a table of two classes in four series.

    The first series has a hole after its window of 32 steps, and then 10 steps.
    """
    artifact = Artifact.load(checkpoint)
    reader = replace(artifact.card.reader, time="time", series="unit", holes="split", ignore=())
    model, table = folder / "timed.ckpt", folder / "holes.csv"
    replace(artifact, card=replace(artifact.card, reader=reader)).save_checkpoint(model)
    values = waves(5, seed=3)[..., 0].ravel()[: 4 * 32 + 10]
    steps = np.r_[0:32, 50:60, np.tile(np.arange(32), 3)]
    units = np.r_[np.zeros(42, int), np.repeat([1, 2, 3], 32)]
    times = pd.Timestamp("2026-01-01") + pd.to_timedelta(steps, "min")
    frame = {"time": times, "unit": units, "height": values, "kind": units % 2}
    pd.DataFrame(frame).to_csv(table, index=False)
    return model, table
