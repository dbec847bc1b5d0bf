"""Losses of a training over its epochs."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from rvae.errors import FieldError
from rvae.plots.losses import EpochLosses, plot_losses

HISTORY = [EpochLosses(epoch, 9.0 - epoch, 8.0 - epoch, 7.0 - epoch, 1.0) for epoch in (1, 2, 3)]


def test_the_kl_divergence_is_below_the_losses() -> None:
    upper, lower = plot_losses(HISTORY)
    drawn = {
        line.get_label(): np.asarray(line.get_ydata()).tolist()
        for line in (*upper.lines, *lower.lines)
    }
    assert drawn == {
        "training": [8, 7, 6],
        "validation": [7, 6, 5],
        "reconstruction": [6, 5, 4],
        "KL": [1, 1, 1],
    }
    assert [line.get_label() for line in lower.lines] == ["KL"]
    assert upper.get_title() == "loss, nats a window"


def test_axes_of_a_user_are_used() -> None:
    given = Figure().subplots(2).tolist()
    assert list(plot_losses(HISTORY, given)) == given
    with pytest.raises(FieldError, match="axes: expected 2, got 1"):
        plot_losses(HISTORY, given[:1])
