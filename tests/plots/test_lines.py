"""Lines with gaps where values are missing."""

import numpy as np
from matplotlib.figure import Figure

from rvae.plots.lines import lone_values, plot_line


def test_a_value_between_gaps_is_alone() -> None:
    values = np.zeros(9)
    values[[1, 2, 4, 7]] = np.nan
    assert np.flatnonzero(lone_values(values)).tolist() == [0, 3, 8]
    assert not lone_values(np.zeros(3)).any()
    assert lone_values(np.zeros(1)).all()


def test_only_lone_values_have_dots() -> None:
    axes = Figure().subplots()
    plot_line(axes, np.arange(3), np.array([1, np.nan, 2.0]), color="red")
    plot_line(axes, np.arange(3), np.ones(3))
    dotted, plain = axes.lines
    assert dotted.get_marker() == "o" and dotted.get_markevery().tolist() == [True, False, True]
    assert plain.get_marker() == "None"
    assert dotted.get_color() == "red"
