"""Files in the format of the benchmark TSB-AD: values, labels, and the length of the training part.

Liu and Paparrizos 2024, "The elephant in the room: towards a reliable time-series anomaly detection
benchmark", NeurIPS.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rvae.errors import FieldError, require

__all__ = ["LabelledSeries", "dataset_of", "files_of", "read_file"]

# NUMBER_DATASET_id_K_DOMAIN_tr_TRAIN_1st_FIRST.csv
NAME = re.compile(r"\d+_(?P<dataset>.+)_id_\d+_.+_tr_(?P<train>\d+)_1st_\d+\.csv")


@dataclass(frozen=True, eq=False)
class LabelledSeries:
    """Content of a file.

    Attributes:
        values: (N, C).
        labels: (N,), true where anomalous.
        train: Number of points at the beginning for training.
    """

    values: NDArray[np.float64]
    labels: NDArray[np.bool_]
    train: int


def files_of(data: Path, set_name: str) -> list[Path]:
    """The files of a set, in the order of their names.

    Raises:
        FieldError: If there are none, or a name is not valid.
    """
    paths = sorted((data / set_name).glob("*.csv"))
    require(bool(paths), "--data", f"has no file {set_name}/*.csv")
    for path in paths:
        _match(path.name)
    return paths


def dataset_of(name: str) -> str:
    """The dataset in a file's name.

    Raises:
        FieldError: If the name is not valid.
    """
    return _match(name)["dataset"]


def read_file(path: Path) -> LabelledSeries:
    """Read a table whose last column is Label and whose others are channels.

    Raises:
        FieldError: If its name or content is not of this form.
    """
    train = int(_match(path.name)["train"])
    with path.open() as file:
        header = file.readline().strip().split(",")
        require(
            len(header) > 1 and header[-1] == "Label",
            path.name,
            "must have at least one channel and, as its last column, Label",
        )
        try:
            table = np.loadtxt(file, delimiter=",", ndmin=2)
        except ValueError as error:
            raise FieldError(path.name, f"is no table of numbers: {error}") from None
    require(
        0 < train < len(table),
        path.name,
        f"says that {train} points are to train on, but has {len(table)}",
    )
    return LabelledSeries(table[:, :-1], table[:, -1] > 0, train)


def _match(name: str) -> re.Match[str]:
    match = NAME.fullmatch(name)
    if match is None:
        raise FieldError(
            name, "must be called NUMBER_DATASET_id_K_DOMAIN_tr_TRAIN_1st_FIRST.csv, as TSB-AD's"
        )
    return match
