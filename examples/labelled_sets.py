"""Labelled sets of short series: from scikit-learn, from a package, and from files of the archive.

- `digits`: the images of examples/digits.py, a series of eight rows with eight pixels each.
- `JapaneseVowels` (Kudo, Toyama and Shimbo 1999, "Multidimensional curve classification using
  passing-through regions"): 640 utterances of two vowels by nine speakers, 7 to 29 steps of 12
  coefficients; the class is the speaker.
- `ItalyPowerDemand` (Keogh et al. 2006, "Intelligent icons"): 1,096 days of electrical power, by
  the hour; the class is winter or summer.

The last two are in the wheel of aeon 1.6.0. Training and test parts of the archive are put
together, so that they can be split anew, many times.
"""

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from packages import AEON
from sklearn.datasets import load_digits

from rvae.data.ucr import read_ucr

__all__ = ["LabelledSet", "digits", "from_archive", "from_package"]

BRIGHTEST = 16
PARTS = ("TRAIN", "TEST")


@dataclass(frozen=True)
class LabelledSet:
    """Series with a class each.

    Attributes:
        name: Its name in the archive.
        values: Series (S, T, C), NaN after the end of shorter ones.
        classes: Index of each series' class (S,).
    """

    name: str
    values: NDArray[np.float64]
    classes: NDArray[np.int64]

    @classmethod
    def read(cls, name: str, paths: Sequence[Path]) -> Self:
        """Read all series of some files of the archive."""
        parts = [read_ucr(path) for path in paths]
        cases = [case for part in parts for case in part.values]
        values = np.full((len(cases), max(map(len, cases)), cases[0].shape[1]), np.nan)
        for row, case in zip(values, cases, strict=True):
            row[: len(case)] = case
        labels = [label for part in parts for label in part.classes or ()]
        return cls(name, values, np.unique(labels, return_inverse=True)[1])


def digits() -> LabelledSet:
    """The digits of scikit-learn."""
    source: Any = load_digits()
    return LabelledSet("digits", source.images / BRIGHTEST, source.target)


def from_package(folder: Path, name: str) -> LabelledSet:
    """A set of the wheel of aeon, which is fetched into a folder."""
    with zipfile.ZipFile(AEON.fetch(folder)) as package:
        members = [f"aeon/datasets/data/{name}/{name}_{part}.ts" for part in PARTS]
        return LabelledSet.read(name, [Path(package.extract(m, folder)) for m in members])


def from_archive(folder: Path, name: str) -> LabelledSet:
    """The set of NAME_TRAIN and NAME_TEST in a folder, with any suffix of the archive."""
    paths = [path for part in PARTS for path in sorted(folder.glob(f"{name}_{part}.*"))]
    if len(paths) != len(PARTS):
        raise SystemExit(f"{folder} should hold {name}_TRAIN and {name}_TEST, once each")
    return LabelledSet.read(name, paths)
