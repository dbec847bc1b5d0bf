"""Windows in a row, with what is anomalous marked."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from rvae.plots.windows import plot_scored_windows

THRESHOLD = 2.0


@pytest.fixture
def figure() -> Figure:
    windows = np.random.default_rng(0).normal(size=(4, 10, 2))
    windows[1, 3, 0] = np.nan
    scores = np.array([0.5, 3.0, THRESHOLD, np.nan])
    return plot_scored_windows(windows, 0.5 * windows, scores, THRESHOLD, ("a", "b"), "window")


def test_every_channel_has_its_axes_and_the_scores_one_more(figure: Figure) -> None:
    assert [axes.get_ylabel() for axes in figure.axes] == ["a", "b", "score"]
    for axes in figure.axes[:2]:
        series, reconstruction = (np.asarray(line.get_ydata(), float) for line in axes.lines)
        # One point more per window lifts the pen.
        assert series.shape == reconstruction.shape == (4 * 11,)
        assert np.isnan(series[10::11]).all()
        np.testing.assert_allclose(reconstruction, 0.5 * series)


def test_only_what_exceeds_the_threshold_is_marked(figure: Figure) -> None:
    notes = [text.get_text() for text in figure.axes[0].texts]
    assert notes == ["anomaly, score 3"]
    for axes in figure.axes:
        (span,) = axes.patches
        assert isinstance(span, Rectangle)
        assert (span.get_x(), span.get_width()) == (1, 1)


def test_the_background_is_transparent(figure: Figure) -> None:
    assert figure.patch.get_alpha() == 0
    assert [axes.patch.get_alpha() for axes in figure.axes] == [0, 0, 0]
