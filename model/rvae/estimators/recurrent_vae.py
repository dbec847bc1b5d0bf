"""The face of scikit-learn: an estimator whose samples are windows."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    OutlierMixin,
    TransformerMixin,
)
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted

from rvae.config import ReaderConfig
from rvae.data.series import Dataset, Series
from rvae.errors import require
from rvae.estimators.parameters import model_parameters, training_plan
from rvae.estimators.train import train
from rvae.estimators.window_array import window_array
from rvae.inference import latent_paths
from rvae.inference.analysis import Analysis
from rvae.inference.artifact import Artifact
from rvae.inference.card import Card
from rvae.inference.engine import Engine
from rvae.inference.lower_bounds import lower_bounds

__all__ = ["RecurrentVAE"]

MAX_SEED = 2**32 - 1


class RecurrentVAE(ClassNamePrefixFeaturesOutMixin, TransformerMixin, OutlierMixin, BaseEstimator):
    """A variational autoencoder of windows, with the conventions of scikit-learn.

    A sample is a window: `X` is an array (n_windows, n_timepoints) or (n_windows, n_timepoints,
    n_channels), a table with a column per time point, or a list of series (N,) or (N, C), of which
    shorter ones are padded with missing values at their ends. NaN is a missing value.

    `score_samples` has scikit-learn's sign: higher is more normal. The scores in files and over
    HTTP have the other sign: higher is more anomalous.

    A share of the windows selects the best epoch, and another one calibrates the threshold; each
    has at least one window. The network runs in single precision.

    Args:
        architecture: "recurrent", "convolutional", "dense", or a dotted name.
        latent: Latent dimensions D.
        hidden: Width of the layers: hidden units, filters, or width of every dense layer; by
            default that of the architecture.
        depth: Number of layers: recurrent ones, blocks of convolutions, or dense ones; by default
            that of the architecture.
        likelihood: Family of the observation noise.
        beta: Weight of the KL divergence.
        epochs: Maximum passes over the training windows.
        batch_size: Windows per step.
        learning_rate: Peak learning rate.
        quantile: Quantile of the scores of held-out windows that becomes the threshold: a new
            normal window is predicted as an outlier with a probability of at most 1 - quantile. If
            there are too few held-out windows to keep that, it is lowered to the highest quantile
            that they support: `quantile_`. "auto" is 0.99, or that.
        validation: Share of the windows that selects the epoch.
        calibration: Share of the windows that calibrates the threshold.
        random_state: Seed of splits, weights and latents, or a generator that draws it.
        accelerator: "auto", "cpu" or "gpu", for training.
        progress: Whether to show a progress bar.
        model: Further options of the network by name, as in the section `model` of a configuration
            file: `{"linear": True, "recurrent": {"cell": "gru"}}`.
        objective: Further options of the section `objective`.
        scoring: Options of the section `scoring`: `{"score": "excess"}`.
        training: Further options of the section `training`.

    Attributes:
        artifact_: The trained model as data.
        engine_: The trained model at work, on the processor.
        offset_: Threshold: windows with lower `score_samples` are outliers.
        quantile_: Quantile of normal windows that the threshold keeps.
        window_shape_: Shape of a window: (T,), or (T, C).
        n_features_in_: Time points T of a window.
        feature_names_in_: Names of the columns, if X was a table whose columns have names.

    Examples:
        >>> from sklearn.pipeline import make_pipeline
        >>> from sklearn.linear_model import LogisticRegression
        >>> classifier = make_pipeline(RecurrentVAE(latent=8), LogisticRegression())
    """

    def __init__(
        self,
        *,
        architecture: str = "recurrent",
        latent: int = 16,
        hidden: int | None = None,
        depth: int | None = None,
        likelihood: str = "normal",
        beta: float = 1.0,
        epochs: int = 100,
        batch_size: int = 32,
        learning_rate: float = 1e-2,
        quantile: Any = "auto",
        validation: float = 0.15,
        calibration: float = 0.15,
        random_state: Any = None,
        accelerator: str = "auto",
        progress: bool = False,
        model: Mapping[str, Any] | None = None,
        objective: Mapping[str, Any] | None = None,
        scoring: Mapping[str, Any] | None = None,
        training: Mapping[str, Any] | None = None,
    ) -> None:
        self.architecture = architecture
        self.latent = latent
        self.hidden = hidden
        self.depth = depth
        self.likelihood = likelihood
        self.beta = beta
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.quantile = quantile
        self.validation = validation
        self.calibration = calibration
        self.random_state = random_state
        self.accelerator = accelerator
        self.progress = progress
        self.model = model
        self.objective = objective
        self.scoring = scoring
        self.training = training

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Load a checkpoint of `save` or `rvae fit`; its options become the parameters.

        Raises:
            FieldError: If the path holds no model, or one that needs more than numbers.
        """
        artifact = Artifact.load(path)
        card = artifact.card
        for name, needed in (
            ("the class of each window", card.model.conditional),
            ("the time of each step", bool(card.model.time.calendar)),
            ("categories", bool(card.vocabulary.categories)),
        ):
            require(not needed, "checkpoint", f"{path} needs {name}: load it with rvae.load")
        loaded = cls(**model_parameters(card))
        loaded.n_features_in_ = card.window
        channels = len(card.channels)
        loaded.window_shape_ = (card.window,) if channels == 1 else (card.window, channels)
        return loaded._with_artifact(artifact)

    def save(self, path: str | Path) -> None:
        """Write the checkpoint, for `load`, `rvae archive` and the other commands."""
        check_is_fitted(self)
        self.artifact_.save_checkpoint(Path(path).expanduser())

    def fit(self, X: Any, y: Any = None) -> Self:
        """Train on windows, most of which are normal.

        Args:
            X: At least four windows, see the class.
            y: Ignored.

        Raises:
            ValueError: If the windows or a parameter are not valid.
            KeyboardInterrupt: If training is interrupted.
        """
        windows = window_array(self, X, fitting=True)
        dataset = _dataset(windows)
        plan = training_plan(
            self.get_params(deep=False), dataset, windows.shape[1], _seed(self.random_state)
        )
        trained = train(dataset, plan, progress=self.progress)
        if trained.interrupted:  # a search over parameters must not go on with the next ones
            raise KeyboardInterrupt
        self.window_shape_ = windows.shape[1:]
        return self._with_artifact(trained.artifact)

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Latents (n_windows, D) of windows: the centres of q(z|x)."""
        series = _series(self._windows(X))
        engine: Engine = self.engine_
        return np.concatenate([encoded.latent for encoded in engine.encode(series)])

    def inverse_transform(self, X: ArrayLike) -> NDArray[np.float64]:
        """Windows of latents (n_windows, D): the means of p(x|z), in the data's units.

        Raises:
            ValueError: If X is not finite, or has another number of latent dimensions.
        """
        check_is_fitted(self)
        latents: NDArray[np.float32] = check_array(X, dtype=np.float32)
        require(
            latents.shape[1] == self._n_features_out,
            "X",
            f"expected latents (n, {self._n_features_out}), got {latents.shape}",
        )
        return self._shaped(self.engine_.decode(latents))

    def reconstruct(self, X: Any) -> NDArray[np.float64]:
        """Windows as the model reproduces them from their latents, in the data's units."""
        means = np.concatenate([analysis.mean for analysis in self._analyses(X)])  # (n, T, C)
        return self._shaped(self._card.scaler.inverse(means))

    def score_samples(self, X: Any) -> NDArray[np.float64]:
        """Normality of each window (n_windows,): minus its score in files and over HTTP."""
        return -np.concatenate([analysis.score for analysis in self._analyses(X)])

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """`score_samples` above the threshold (n_windows,): negative for outliers."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: Any) -> NDArray[np.int64]:
        """1 for a normal window, -1 for an outlier (n_windows,)."""
        return np.where(self.decision_function(X) < 0, -1, 1)

    def score(self, X: Any, y: Any = None) -> float:
        """Mean evidence lower bound of a value of the windows, in nats, for searches.

        It is the likelihood of reproducing a window from its latent, minus the price of what the
        latent says about it. Latents that only copy windows do not make it higher. It does not
        depend on `beta` or on the score of anomalies.

        Args:
            X: Windows that the model was not fitted to.
            y: Ignored.
        """
        windows = self._windows(X)
        bounds = lower_bounds(self.artifact_, self.engine_.windows(_series(windows), 1))
        return float(bounds.sum() / (~np.isnan(windows)).sum())

    def sample(self, n_samples: int = 1, random_state: Any = None) -> NDArray[np.float64]:
        """Draw windows from the model: latents from the prior, decoded.

        Args:
            n_samples: Number of windows.
            random_state: Seed of the latents, or a generator that draws it; that of the
                estimator if left out.
        """
        check_is_fitted(self)
        seed = _seed(self.random_state if random_state is None else random_state)
        return self._shaped(self.engine_.sample(n_samples, seed=seed))

    def interpolate(
        self, a: ArrayLike, b: ArrayLike, steps: int = 9, path: latent_paths.Path = "line"
    ) -> NDArray[np.float64]:
        """Windows on the way from one window or latent to another: latents between, decoded.

        Args:
            a: The first one: a window of the shape `window_shape_`, or a latent (D,).
            b: The last one. An array that could be both is a window.
            steps: Number of windows, at least 2.
            path: "line" or "sphere", see `rvae.inference.latent_paths.interpolate`.

        Raises:
            ValueError: If an end has another shape, or an option is not valid.
        """
        check_is_fitted(self)
        first, last = self._latent(a, "a"), self._latent(b, "b")
        return self.inverse_transform(latent_paths.interpolate(first, last, steps, path))

    def _latent(self, end: ArrayLike, name: str) -> NDArray[np.floating]:
        """The latent (D,) of a window, or a latent itself."""
        array = np.asarray(end, dtype=np.float64)
        if array.shape == self.window_shape_:
            engine: Engine = self.engine_
            (analysis,) = engine.analyse([array.reshape(len(array), -1)])
            return analysis.latent[0]
        require(
            array.shape == (self._n_features_out,),
            name,
            f"expected a window {self.window_shape_} or a latent ({self._n_features_out},), "
            f"got {array.shape}",
        )
        return array

    @property
    def _n_features_out(self) -> int:
        """Latent dimensions, for `get_feature_names_out`."""
        return self._card.model.latent

    @property
    def _card(self) -> Card:
        artifact: Artifact = self.artifact_
        return artifact.card

    def _with_artifact(self, artifact: Artifact) -> Self:
        self.artifact_ = artifact
        self.engine_ = Engine(artifact)
        self.offset_ = -self._card.calibration.threshold()
        self.quantile_ = self._card.calibration.quantile
        return self

    def _windows(self, X: Any) -> NDArray[np.float64]:
        """Windows (n, T, C) that fit the model."""
        check_is_fitted(self)
        windows = window_array(self, X, fitting=False)
        channels = len(self._card.channels)
        found = windows.shape[2] if windows.ndim == 3 else 1
        require(found == channels, "X", f"has {found} channels, this model has {channels}")
        return windows.reshape(len(windows), -1, channels)

    def _analyses(self, X: Any) -> list[Analysis]:
        series = _series(self._windows(X))
        engine: Engine = self.engine_
        return engine.analyse(series)

    def _shaped(self, windows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Windows (n, T, C) in the form of those that the estimator was fitted to."""
        return windows.reshape(len(windows), *self.window_shape_)

    def __sklearn_is_fitted__(self) -> bool:
        # A training that failed leaves other attributes behind.
        return hasattr(self, "artifact_")

    def __getstate__(self) -> dict[str, Any]:
        # The engine is made again from the artifact.
        state: dict[str, Any] = super().__getstate__()
        return {name: value for name, value in state.items() if name != "engine_"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "artifact_" in state:
            self._with_artifact(self.artifact_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = []  # latents are float32
        return tags


def _series(windows: NDArray[np.float64]) -> list[Series]:
    """One series per window (n, T, C)."""
    return [Series(window, str(i)) for i, window in enumerate(windows)]


def _dataset(windows: NDArray[np.float64]) -> Dataset:
    """Windows (n, T) or (n, T, C) as data for training, read as a file of them would be."""
    if windows.ndim == 2:
        return Dataset(_series(windows[..., None]), ("value",), ReaderConfig(layout="rows"))
    channels = tuple(f"channel_{i}" for i in range(windows.shape[2]))
    return Dataset(_series(windows), channels, ReaderConfig(columns=channels))


def _seed(random_state: Any) -> int:
    """A seed as it is, or one that is drawn from a generator of scikit-learn's kinds."""
    if isinstance(random_state, int | np.integer):
        return int(random_state)
    return int(check_random_state(random_state).randint(MAX_SEED, dtype=np.int64))
