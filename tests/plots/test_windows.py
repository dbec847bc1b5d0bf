"""Windows in a row, with what is anomalous marked."""

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from rvae.plots.windows import plot_scored_windows

THRESHOLD = 2.0


@pytest.fixture
def panels() -> list[Axes]:
    windows = np.random.default_rng(0).normal(size=(4, 10, 2))
    windows[1, 3, 0] = np.nan
    scores = np.array([0.5, 3.0, THRESHOLD, np.nan])
    return plot_scored_windows(windows, 0.5 * windows, scores, THRESHOLD, ("a", "b"), "window")


def test_every_channel_has_its_axes_and_the_scores_one_more(panels: list[Axes]) -> None:
    assert [axes.get_ylabel() for axes in panels] == ["a", "b", "score"]
    for axes in panels[:2]:
        series, reconstruction = (np.asarray(line.get_ydata(), float) for line in axes.lines)
        # One point more per window lifts the pen.
        assert series.shape == reconstruction.shape == (4 * 11,)
        assert np.isnan(series[10::11]).all()
        np.testing.assert_allclose(reconstruction, 0.5 * series)


def test_only_what_exceeds_the_threshold_is_marked(panels: list[Axes]) -> None:
    notes = [text.get_text() for text in panels[0].texts]
    assert notes == ["anomaly, score 3"]
    for axes in panels:
        (span,) = axes.patches
        assert isinstance(span, Rectangle)
        assert (span.get_x(), span.get_width()) == (1, 1)


def test_the_background_is_transparent(panels: list[Axes]) -> None:
    figure = panels[0].get_figure(root=True)
    assert figure is not None and figure.patch.get_alpha() == 0
    assert [axes.patch.get_alpha() for axes in panels] == [0, 0, 0]


def test_axes_of_a_user_are_used_and_their_figure_is_left_as_it_is() -> None:
    figure = Figure()
    given = figure.subplots(2).tolist()
    windows = np.zeros((2, 3, 1))
    scores = np.ones(2)
    assert plot_scored_windows(windows, windows, scores, 2.0, ("a",), "window", given) == given
    assert figure.patch.get_alpha() is None
