"""Input in scikit-learn's forms → windows."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import validate_data

from rvae.data.series import Series
from rvae.errors import FieldError, require

__all__ = ["window_array"]

# One for validation, one for calibration, and two to learn from.
MIN_WINDOWS = 4


def window_array(estimator: Any, X: Any, fitting: bool) -> NDArray[np.float64]:
    """Windows (n, T) or (n, T, C) of one of the forms that an estimator takes, NaN where missing.

    Args:
        estimator: It gets the attributes `n_features_in_`, the time points, and, for a table whose
            columns have names, `feature_names_in_`; if fitted, its own are compared.
        X: Array (n, T) or (n, T, C); table with one column per time point; or list of series (N,)
            or (N, C), which are padded to the window with missing values at their ends.
        fitting: Whether the estimator is fitted to these windows.

    Raises:
        ValueError: If it cannot be read, or does not fit the estimator.
        TypeError: If it is sparse.
    """
    windows: NDArray[np.float64] = validate_data(
        estimator,
        _padded(X, 0 if fitting else estimator.n_features_in_),
        reset=fitting,
        dtype=np.float64,
        allow_nd=True,
        ensure_all_finite="allow-nan",
        ensure_min_samples=MIN_WINDOWS if fitting else 1,
        ensure_min_features=2 if fitting else 1,
    )
    require(
        windows.ndim <= 3,
        "X",
        f"expected (n_windows, n_timepoints) or (n_windows, n_timepoints, n_channels), "
        f"got {windows.shape}",
    )
    for name, size in zip(("time point", "channel"), windows.shape[1:], strict=False):
        least = 2 if name == "time point" else 1
        require(size >= least, "X", f"needs at least {least} {name}s, got {windows.shape}")
    empty = np.isnan(windows).all(axis=tuple(range(1, windows.ndim)))
    require(not empty.any(), "X", f"window {empty.argmax()} has no value: leave it out")
    return windows


def _padded(X: Any, window: int) -> Any:
    """A list of series of different lengths, padded to the longest, at least to the window.

    Anything else is returned as it is.
    """
    if not isinstance(X, list | tuple) or not all(_is_sequence(one) for one in X):
        return X
    length = max([window, *map(len, X)])
    if all(len(one) == length for one in X):
        return X
    series = [_series(one, f"X[{i}]", window) for i, one in enumerate(X)]
    shapes = {one.values.shape[1:] for one in series}
    require(len(shapes) == 1, "X", f"its series have different channels: {sorted(shapes)}")
    stacked = np.stack([one.padded(length).values for one in series])  # (n, T, C)
    return stacked[..., 0] if all(np.ndim(one) == 1 for one in X) else stacked


def _is_sequence(one: Any) -> bool:
    return hasattr(one, "__len__") and not isinstance(one, str | bytes)


def _series(one: Any, name: str, window: int) -> Series:
    try:
        values = np.asarray(one, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise FieldError(name, f"is not a series of numbers: {error}") from None
    require(values.ndim in (1, 2), name, f"must be (N,) or (N, C), got {values.shape}")
    require(
        not window or len(values) <= window,
        name,
        f"has {len(values)} time points, the windows of this model have {window}",
    )
    return Series(values if values.ndim == 2 else values[:, None], name)
