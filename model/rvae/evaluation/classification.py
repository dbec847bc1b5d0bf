"""Linear probe: how well logistic regression tells classes apart by latents.

The same regression on the windows themselves, and on as many of their principal components as there
are latent dimensions, is measured with the same windows: it shows what the latents are worth.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from rvae.data.vocabulary import sorted_vocabulary
from rvae.errors import require
from rvae.evaluation.class_report import ClassReport, class_report
from rvae.evaluation.latents import Latents

__all__ = ["FOLDS", "LinearProbe", "cross_validate", "held_out"]

FOLDS = 5

# Far more iterations than logistic regression of standardized features needs.
ITERATIONS = 2000


@dataclass(frozen=True)
class LinearProbe:
    """Logistic regression on one representation of windows.

    Attributes:
        representation: "latents", "principal components" or "raw windows".
        features: Numbers per window.
        report: Predictions for windows that were not part of its training.
    """

    representation: str
    features: int
    report: ClassReport


def cross_validate(latents: Latents, folds: int = FOLDS, seed: int = 0) -> list[LinearProbe]:
    """Predict the class of every window from those of other series.

    All windows of one series are in the same fold: otherwise a window would be predicted from
    windows that overlap it. Windows of unknown class are left out.

    Args:
        latents: Windows with their latents and classes.
        folds: Number of parts, of which each is predicted from the others.
        seed: Seed of the folds.

    Raises:
        FieldError: If there are fewer than two classes, or a class occurs in fewer series than
            there are folds.
    """
    require(folds >= 2, "folds", f"must be at least 2, got {folds}")
    known = latents.classified
    classes = _classes(latents)
    truth, groups = _numbers(latents, classes), latents.groups[known]
    for number, word in enumerate(classes):
        series = len(np.unique(groups[truth == number]))
        require(
            series >= folds,
            "folds",
            f"class {word} occurs in {series} series, too few for {folds} folds without windows "
            "of one series in two of them: ask for fewer folds, or name a file to test with",
        )
    divided = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    splits = list(divided.split(truth, truth, groups))
    smallest = min(len(training) for training, _ in splits)
    return [
        LinearProbe(
            name,
            count,
            class_report(truth, cross_val_predict(model, features, truth, cv=splits), classes),
        )
        for name, features, count, model in _models(latents, smallest)
    ]


def held_out(training: Latents, testing: Latents) -> list[LinearProbe]:
    """Predict the class of every window of one data set from those of another.

    A class that only the testing windows have is never predicted: its recall is 0. Windows of
    unknown class are left out.

    Raises:
        FieldError: If there are fewer than two classes to learn, or none to test with.
    """
    _classes(training)
    require(bool(testing.classified.any()), "test", "has no window of a known class")
    known = (latents.classes[latents.classified] for latents in (training, testing))
    classes = sorted_vocabulary(np.concatenate(list(known)).tolist(), "classes")
    truth = _numbers(testing, classes)
    probes = []
    for one, other in zip(
        _models(training, int(training.classified.sum())), _features(testing), strict=True
    ):
        name, features, count, model = one
        model.fit(features, _numbers(training, classes))
        probes.append(
            LinearProbe(name, count, class_report(truth, model.predict(other[1]), classes))
        )
    return probes


def _classes(latents: Latents) -> tuple[str, ...]:
    """Names of the known classes."""
    classes = sorted_vocabulary(latents.classes[latents.classified].tolist(), "classes")
    require(
        len(classes) >= 2,
        "classes",
        f"at least two are needed, got {', '.join(classes) or 'none'}: name the column or array "
        "that holds them",
    )
    return classes


def _numbers(latents: Latents, classes: tuple[str, ...]) -> NDArray[np.int64]:
    """Number of the class of each window with a known one."""
    return np.array([classes.index(word) for word in latents.classes[latents.classified]])


def _features(latents: Latents) -> Iterator[tuple[str, NDArray[np.floating]]]:
    """Representations of the windows with a known class (W, F), by name."""
    known = latents.classified
    windows = latents.windows()[known]
    yield "latents", latents.latent[known]
    yield "principal components", windows
    yield "raw windows", windows


def _models(latents: Latents, windows: int) -> Iterator[tuple[str, NDArray[np.floating], int, Any]]:
    """Each representation, the numbers that regression gets of it, and the untrained model.

    Args:
        latents: Windows with their latents and classes.
        windows: Number of windows that a model is trained on.
    """
    for name, features in _features(latents):
        # Missing values become the mean of the training windows at that step.
        steps: list[Any] = [SimpleImputer(keep_empty_features=True)]
        count = features.shape[1]
        if name == "principal components":
            count = min(latents.latent.shape[1], count, windows)
            steps.append(PCA(count, random_state=0))
        regression = LogisticRegression(max_iter=ITERATIONS)
        yield name, features, count, make_pipeline(*steps, StandardScaler(), regression)
