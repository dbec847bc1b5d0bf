"""Files and models that tests of several commands need."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pytest
from pyarrow import parquet

from rvae.config import (
    DataConfig,
    DenseConfig,
    ModelConfig,
    ReaderConfig,
    TrainingConfig,
    TrainingPlan,
)
from rvae.data.readers import read
from rvae.training.fit import fit
from tests.support.machines import machines
from tests.support.waves import anomalous_waves, waves


@pytest.fixture(scope="session")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of normal and anomalous windows with labels."""
    path = tmp_path_factory.mktemp("data") / "labelled.npz"
    series = np.concatenate([waves(50, seed=3), anomalous_waves(50, seed=4)])
    np.savez(path, signals=series, labels=np.repeat([0, 1], 50))
    return path


@pytest.fixture(scope="session")
def told_by_classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that learnt what is normal from classes, which it is not told when it works."""
    folder = tmp_path_factory.mktemp("classes")
    table = machines(80, steps=8)
    parquet.write_table(table, folder / "all.parquet")
    parquet.write_table(table.drop_columns(["size"]), folder / "bare.parquet")
    parquet.write_table(table.filter(pc.equal(table["size"], "large")), folder / "odd.parquet")
    flags = pa.array(np.arange(len(table)) // 8 % 4 == 0)
    parquet.write_table(table.append_column("fault", flags), folder / "flags.parquet")
    reader = ReaderConfig(columns=("load",), series="machine", classes="size", normal=("small",))
    fit(
        read(folder / "all.parquet", reader),
        TrainingPlan(
            DataConfig(str(folder / "all.parquet"), window=8),
            ModelConfig("dense", dense=DenseConfig(()), latent=2),
            training=TrainingConfig(epochs=2, quantile=0.8, accelerator="cpu"),
        ),
        folder,
        progress=False,
    )
    return folder
