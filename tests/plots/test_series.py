import numpy as np

from rvae.plots.series import plot_scored_series


def test_each_channel_is_drawn_with_its_reconstruction_above_the_scores() -> None:
    random = np.random.default_rng(0)
    values, reconstruction = random.normal(size=(30, 2)), random.normal(size=(30, 2))
    values[4, 1] = np.nan
    scores = random.exponential(size=30)
    figure = plot_scored_series(values, reconstruction, scores, ("heat", "speed"), "machine 7")
    *above, below = figure.axes
    assert [axes.get_ylabel() for axes in figure.axes] == ["heat", "speed", "score"]
    assert above[0].get_title() == "machine 7"
    for channel, axes in enumerate(above):
        drawn = {str(line.get_label()): np.asarray(line.get_ydata()) for line in axes.lines}
        np.testing.assert_array_equal(drawn["series"], values[:, channel])
        np.testing.assert_array_equal(drawn["reconstruction"], reconstruction[:, channel])
    (area,) = below.collections
    heights = np.asarray(area.get_paths()[0].vertices)[:, 1]
    np.testing.assert_allclose(np.unique(heights), np.unique([0, *scores]))
