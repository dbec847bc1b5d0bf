import pickle
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from rvae.errors import FieldError
from rvae.estimators.recurrent_vae import RecurrentVAE
from rvae.inference.artifact import Artifact
from rvae.inference.engine import Engine
from rvae.inference.latent_paths import interpolate
from tests.support.short_training import interrupt_at
from tests.support.untrained import KINDS, untrained_artifact
from tests.support.waves import waves

X = waves(60, steps=12)[..., 0]


def quick(**parameters: Any) -> RecurrentVAE:
    """An estimator that trains in a fraction of a second."""
    fast: dict[str, Any] = {
        "latent": 2,
        "hidden": 4,
        "epochs": 1,
        "batch_size": 256,
        "accelerator": "cpu",
    }
    return RecurrentVAE(**(fast | {"random_state": 0} | parameters))


@pytest.fixture(scope="module")
def fitted() -> RecurrentVAE:
    return quick().fit(X)


@pytest.fixture(scope="module")
def loaded(checkpoint: Path) -> RecurrentVAE:
    """An estimator with the committed model."""
    return RecurrentVAE.load(checkpoint)


@parametrize_with_checks([quick(quantile=0.5)])  # type: ignore[untyped-decorator]
def test_it_keeps_the_conventions(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)


def test_results_are_those_of_the_engine(
    loaded: RecurrentVAE, engine: Engine, fresh: list[NDArray[Any]], anomalous: list[NDArray[Any]]
) -> None:
    windows = np.stack([*fresh, *anomalous])
    analyses = engine.analyse(list(windows))
    scores = np.concatenate([one.score for one in analyses])
    flat = windows[..., 0]
    np.testing.assert_array_equal(loaded.score_samples(flat), -scores)
    calibration = engine.card.calibration
    assert loaded.quantile_ == calibration.quantile
    outlier = scores > calibration.threshold()
    assert 40 < outlier.sum() < 80
    np.testing.assert_array_equal(loaded.predict(flat) == -1, outlier)
    np.testing.assert_array_equal(loaded.decision_function(flat) < 0, outlier)
    np.testing.assert_array_equal(loaded.transform(flat), [one.latent[0] for one in analyses])
    reconstruction = loaded.reconstruct(flat)
    np.testing.assert_allclose(reconstruction, [one.reconstruction[:, 0] for one in analyses])
    np.testing.assert_allclose(
        loaded.inverse_transform(loaded.transform(flat)), reconstruction, rtol=1e-5
    )
    drawn = loaded.sample(3, random_state=4)
    np.testing.assert_array_equal(drawn, engine.sample(3, seed=4)[..., 0])


def test_windows_keep_their_form() -> None:
    cube = waves(30, steps=12, channels=2)
    for windows in (X[:30], cube[..., :1], cube):
        estimator = quick().fit(windows)
        assert estimator.reconstruct(windows[:5]).shape == windows[:5].shape
        assert estimator.sample(2).shape == (2, *windows.shape[1:])
        latents = estimator.transform(windows)
        assert latents.shape == (30, 2)
        assert estimator.inverse_transform(latents).shape == windows.shape
        with pytest.raises(FieldError, match="has 3 channels, this model has"):
            estimator.transform(np.zeros((2, 12, 3)))


def test_a_missing_value_is_no_value(loaded: RecurrentVAE, fresh: list[NDArray[Any]]) -> None:
    short = [window[: 32 - i, 0] for i, window in enumerate(fresh[:4])]
    padded = np.stack([np.pad(one, (0, 32 - len(one)), constant_values=np.nan) for one in short])
    np.testing.assert_array_equal(loaded.transform(short), loaded.transform(padded))
    assert np.isfinite(loaded.score_samples(short)).all()
    assert np.isfinite(loaded.reconstruct(short)).all()


def test_tables_have_a_column_per_time_point(fitted: RecurrentVAE) -> None:
    names = [f"t{i}" for i in range(X.shape[1])]
    for table in (pd.DataFrame(X, columns=names), pl.DataFrame(X, schema=names)):
        estimator = quick().fit(table)
        np.testing.assert_array_equal(estimator.feature_names_in_, names)
        np.testing.assert_array_equal(estimator.transform(table), fitted.transform(X))
        with pytest.raises(ValueError, match="feature names should match"):
            estimator.transform(table[names[::-1]])


def test_latents_may_be_a_table(fitted: RecurrentVAE) -> None:
    frame = clone(fitted).set_output(transform="pandas").fit_transform(X)
    assert list(frame.columns) == ["recurrentvae0", "recurrentvae1"]
    np.testing.assert_array_equal(frame, fitted.transform(X))


def test_the_score_is_that_of_densities_in_the_units_of_the_data(fitted: RecurrentVAE) -> None:
    fresh = waves(20, steps=12, seed=3)[..., 0]
    scaled = quick().fit(10 * X)
    assert scaled.score(10 * fresh) == pytest.approx(fitted.score(fresh) - np.log(10), abs=1e-3)
    # A bound of the mean over the values that are there, whatever their number.
    gaps = np.where(np.arange(12) < 6, fresh, np.nan)
    values = fitted.score(gaps)
    assert values == pytest.approx(fitted.score(fresh), abs=1.0)


def test_searches_and_pipelines_take_it() -> None:
    search = GridSearchCV(quick(), {"latent": [1, 2]}, cv=2).fit(X)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_estimator_.transform(X).shape == (60, search.best_params_["latent"])
    pipeline = make_pipeline(quick(), LogisticRegression()).fit(X, X[:, 0] > 20)
    assert pipeline.set_params(recurrentvae__latent=1).fit(X, X[:, 0] > 20).predict(X).shape == (
        60,
    )


def test_a_checkpoint_keeps_the_estimator(fitted: RecurrentVAE, tmp_path: Path) -> None:
    path = tmp_path / "model.ckpt"
    fitted.save(path)
    again = RecurrentVAE.load(path)
    np.testing.assert_array_equal(again.score_samples(X), fitted.score_samples(X))
    np.testing.assert_array_equal(again.sample(2), fitted.sample(2))
    assert (again.offset_, again.n_features_in_) == (fitted.offset_, fitted.n_features_in_)
    refitted = clone(again).fit(X)
    np.testing.assert_array_equal(refitted.transform(X), fitted.transform(X))


def test_a_copy_holds_the_model(fitted: RecurrentVAE) -> None:
    for copy in (pickle.loads(pickle.dumps(fitted)), deepcopy(fitted)):
        np.testing.assert_array_equal(copy.transform(X), fitted.transform(X))
        np.testing.assert_array_equal(copy.predict(X), fitted.predict(X))
        assert copy.artifact_.checksum == fitted.artifact_.checksum
    assert not hasattr(pickle.loads(pickle.dumps(quick())), "artifact_")


def test_random_numbers_depend_on_the_seed_alone(fitted: RecurrentVAE) -> None:
    other = quick(random_state=1).fit(X)
    assert not np.array_equal(other.transform(X), fitted.transform(X))
    np.testing.assert_array_equal(fitted.sample(3), fitted.sample(3))
    np.testing.assert_array_equal(
        fitted.sample(3, np.random.RandomState(5)), fitted.sample(3, np.random.RandomState(5))
    )
    assert not np.array_equal(fitted.sample(3), fitted.sample(3, random_state=1))


@pytest.mark.parametrize("path", ["line", "sphere"])
def test_the_way_between_windows_goes_through_their_latents(
    loaded: RecurrentVAE, fresh: list[NDArray[Any]], path: Literal["line", "sphere"]
) -> None:
    ends = np.stack(fresh[:2])[..., 0]
    first, last = loaded.transform(ends)
    way = loaded.interpolate(ends[0], ends[1], 5, path)
    expected = loaded.inverse_transform(interpolate(first, last, 5, path))
    np.testing.assert_allclose(way, expected, rtol=1e-5)
    np.testing.assert_allclose(loaded.interpolate(first, last, 5, path), expected, rtol=1e-5)
    np.testing.assert_allclose(way[[0, -1]], loaded.reconstruct(ends), rtol=1e-5)


def test_it_says_what_it_is() -> None:
    assert repr(RecurrentVAE(latent=3)) == "RecurrentVAE(latent=3)"
    assert "RecurrentVAE" in RecurrentVAE()._repr_html_()


@pytest.mark.parametrize("kind", ["conditional", "calendar", "categories"])
def test_models_of_more_than_numbers_are_refused(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    artifact = untrained_artifact(KINDS[kind])
    monkeypatch.setattr(Artifact, "load", lambda path: artifact)
    with pytest.raises(FieldError, match=r"needs .*: load it with rvae\.load"):
        RecurrentVAE.load(tmp_path / "model.ckpt")


def test_a_quantile_that_few_windows_do_not_support_is_lowered() -> None:
    found = quick(quantile=0.99).fit(X)
    blocks = found.artifact_.card.calibration.blocks.count
    assert found.quantile_ == blocks / (blocks + 1) < 0.99


def test_what_is_wrong_is_named(fitted: RecurrentVAE, tmp_path: Path) -> None:
    with pytest.raises(FieldError, match=r"X: expected latents \(n, 2\), got \(1, 3\)"):
        fitted.inverse_transform([[1, 2, 3]])
    with pytest.raises(FieldError, match=r"b: expected a window \(12,\) or a latent \(2,\), got"):
        fitted.interpolate(X[0], X[0, :5])
    with pytest.raises(FieldError, match="path: must be line or sphere, got 'circle'"):
        fitted.interpolate(X[0], X[1], path="circle")  # type: ignore[arg-type]
    with pytest.raises(FieldError, match="checkpoint: no such file"):
        RecurrentVAE.load(tmp_path / "none.ckpt")
    new = quick()
    for call in (
        lambda: new.save(tmp_path / "model.ckpt"),
        lambda: new.inverse_transform([[1, 2]]),
        lambda: new.sample(),
        lambda: new.score(X),
        lambda: new.reconstruct(X),
        lambda: new.interpolate(X[0], X[1]),
    ):
        with pytest.raises(NotFittedError):
            call()


def test_a_training_that_failed_leaves_no_model() -> None:
    new = quick(quantile=0.99)
    with pytest.raises(FieldError):
        new.fit(X)
    with pytest.raises(NotFittedError):
        new.predict(X)


def test_an_interrupt_ends_a_search(monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt_at(monkeypatch, 0)
    with pytest.raises(KeyboardInterrupt):
        quick().fit(X)


def test_with_folds_every_window_calibrates() -> None:
    estimator = quick(training={"folds": 3}).fit(X)
    assert estimator.quantile_ == pytest.approx(len(X) / (len(X) + 1))
    assert estimator.predict(X).shape == (len(X),)
