"""The linear probe."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rvae.config import ReaderConfig
from rvae.data.series import Dataset, Series
from rvae.data.vocabulary import Vocabulary
from rvae.errors import FieldError
from rvae.evaluation.classification import LinearProbe, cross_validate, held_out
from rvae.evaluation.latents import Latents, latents_of
from rvae.inference.engine import Engine
from tests.support.waves import waves


def latents(
    engine: Engine,
    values: NDArray[np.float64],
    codes: NDArray[Any],
    words: tuple[str, ...] = ("a", "b"),
) -> Latents:
    """Latents of series of one class each, where -1 is unknown, cut without overlap."""
    series = [
        Series(one, str(i), classes=np.full(len(one), code))
        for i, (one, code) in enumerate(zip(values, codes, strict=True))
    ]
    vocabulary = Vocabulary(classes=words)
    return latents_of(engine, Dataset(series, ("height",), ReaderConfig(), vocabulary), 32)


def by_level(codes: NDArray[np.int64], seed: int) -> NDArray[np.float64]:
    """Waves that lie the higher, the higher their class is."""
    return waves(len(codes), seed=seed) + 6 * codes[:, None, None]


def accuracies(probes: list[LinearProbe]) -> dict[str, float]:
    return {one.representation: one.report.accuracy for one in probes}


def test_what_is_separable_is_separated(engine: Engine) -> None:
    codes = np.arange(60) % 2
    probes = cross_validate(latents(engine, by_level(codes, seed=3), codes))
    assert [one.representation for one in probes] == [
        "latents",
        "principal components",
        "raw windows",
    ]
    assert min(accuracies(probes).values()) > 0.95
    assert [one.features for one in probes] == [4, 4, 32]
    for one in probes:
        assert one.report.classes == ("a", "b")
        assert [metrics.support for metrics in one.report.metrics] == [30, 30]


def test_windows_of_one_series_are_never_in_two_folds(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both windows of a series are equal, and its class is random: only a copy could tell it."""
    random = np.random.default_rng(0)
    codes = random.permutation(np.arange(30) % 2)
    values = np.tile(20 + 3 * random.normal(size=(30, 32, 1)), (1, 2, 1))
    found = latents(engine, values, codes)
    assert len(found) == 60
    assert accuracies(cross_validate(found))["raw windows"] < 0.7
    each = np.arange(len(found))
    monkeypatch.setattr(Latents, "groups", property(lambda _: each))
    assert accuracies(cross_validate(found))["raw windows"] > 0.9


def test_folds_follow_the_seed(engine: Engine) -> None:
    codes = np.arange(20) % 2
    found = latents(engine, waves(20, seed=3), codes)
    first, again, other = (
        [one.report.confusion for one in cross_validate(found, seed=seed)] for seed in (0, 0, 1)
    )
    assert first == again != other


def test_a_file_is_tested_with_what_another_taught(engine: Engine) -> None:
    codes, unseen = np.arange(30) % 2, np.array([0, 1, 2, -1] * 10)
    training = latents(engine, by_level(codes, seed=3), codes, ("9", "10"))
    testing = latents(engine, by_level(unseen, seed=4), unseen, ("9", "10", "11"))
    for one in held_out(training, testing):
        assert one.report.classes == ("9", "10", "11")
        nine, ten, eleven = one.report.metrics
        assert nine.recall >= 0.8 and ten.recall >= 0.8
        # What was not taught is never predicted; windows of unknown class are left out.
        assert (eleven.recall, eleven.support) == (0, 10)
        assert one.report.windows == 30


def test_classes_are_matched_by_name(engine: Engine) -> None:
    codes = np.arange(30) % 2
    training = latents(engine, by_level(codes, seed=3), codes, ("low", "high"))
    testing = latents(engine, by_level(1 - codes, seed=4), codes, ("high", "low"))
    assert min(accuracies(held_out(training, testing)).values()) > 0.9


def test_missing_values_are_filled_from_the_training_windows(engine: Engine) -> None:
    codes = np.arange(40) % 2
    values = by_level(codes, seed=3)
    values[::3, :10] = np.nan
    values[:, 12] = np.nan  # at this step in every window
    probes = cross_validate(latents(engine, values, codes))
    assert accuracies(probes)["raw windows"] > 0.9


def test_there_are_no_more_components_than_windows(engine: Engine) -> None:
    codes = np.array([0, 1, 0])
    few = latents(engine, by_level(codes, seed=3), codes)
    _, components, _ = held_out(few, few)
    assert components.features == 3


@pytest.mark.parametrize(
    ("codes", "folds", "field"),
    [
        ([0] * 10, 2, "classes"),
        ([-1] * 10, 2, "classes"),
        ([0] * 8 + [1] * 2, 3, "folds"),
        ([0, 1] * 5, 1, "folds"),
    ],
)
def test_what_cannot_be_compared_is_named(
    engine: Engine, codes: list[int], folds: int, field: str
) -> None:
    found = latents(engine, waves(10, seed=3), np.array(codes))
    with pytest.raises(FieldError) as caught:
        cross_validate(found, folds)
    assert caught.value.field == field


def test_a_test_file_without_classes_is_named(engine: Engine) -> None:
    codes = np.arange(10) % 2
    training, bare = (latents(engine, waves(10, seed=3), some) for some in (codes, 0 * codes - 1))
    with pytest.raises(FieldError) as caught:
        held_out(training, bare)
    assert caught.value.field == "test"
