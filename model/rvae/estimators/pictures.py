"""Pictures of a model and of data, as axes that a notebook shows."""

from collections.abc import Sequence
from typing import Any, Literal

from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rvae.data.series import Dataset
from rvae.errors import require
from rvae.inference.engine import Engine
from rvae.plots import generation, latent
from rvae.plots.encoded_windows import encode_windows
from rvae.plots.scored_series import ScoredSeries, score_series
from rvae.plots.series import plot_scored_series

__all__ = ["draw_grid", "draw_latent", "draw_series", "find_series"]


def find_series(dataset: Dataset, name: str | None) -> int:
    """Number of the series with a name; the first one without a name.

    Raises:
        FieldError: If there is no such series.
    """
    if name is None:
        return 0
    names = [one.name for one in dataset.series]
    require(name in names, "series", f"{name!r} is none of {', '.join(names)}")
    return names.index(name)
