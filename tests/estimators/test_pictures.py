"""Pictures of data that a notebook shows."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from matplotlib.figure import Figure

import rvae
from rvae import FieldError


@pytest.fixture(autouse=True)
def _closed_figures() -> Iterator[None]:
    pyplot.switch_backend("agg")
    yield
    pyplot.close("all")


def test_a_series_is_drawn_where_pyplot_finds_it(model: rvae.Model, machine: pd.DataFrame) -> None:
    axes = model.plot(machine.iloc[:200], start=50, end="2026-01-01T02:00")
    assert len(axes) == 3  # two channels and the score
    assert pyplot.gcf() is axes[0].figure
    left, right = axes[0].get_xlim()
    assert right - left == pytest.approx(69 / (24 * 60), rel=0.1)  # days from minute 50 to 119
    mine = Figure().subplots(2).tolist()
    assert model.plot(machine.iloc[:200], channels=["heat"], axes=mine) == mine
    assert len(pyplot.get_fignums()) == 1


def test_a_series_with_holes_is_drawn_as_a_whole(model: rvae.Model, machine: pd.DataFrame) -> None:
    broken = pd.concat([machine.iloc[:100], machine.iloc[300:400]])
    lines = [np.asarray(line.get_ydata(), np.float64) for line in model.plot(broken)[0].lines]
    drawn = next(line for line in lines if len(line) == 201)
    np.testing.assert_allclose(drawn[:100], machine["heat"].iloc[:100])
    assert np.isnan(drawn[100])
    np.testing.assert_allclose(drawn[101:], machine["heat"].iloc[300:400])


def test_latents_and_what_they_decode_to_are_drawn(
    model: rvae.Model, machine: pd.DataFrame
) -> None:
    axes = model.plot_latent(machine, stride=16)
    assert pyplot.gcf() is axes.figure
    grid = model.plot_grid(size=3)
    assert pyplot.gcf() is grid.figure is not axes.figure
    mine = Figure().subplots()
    assert model.plot_latent(machine, colour="label", axes=mine) is mine
    with pytest.raises(FieldError, match="colour: class"):
        model.plot_latent(machine, colour="class")


def test_interpolation_ends_where_it_should(model: rvae.Model) -> None:
    ends = np.array([[0.0, 1.0, 0.5], [1.0, -1.0, 0.0]])
    way = model.interpolate(ends[0], ends[1], steps=5, path="sphere")
    np.testing.assert_allclose(way[[0, -1]], model.decode(ends), rtol=1e-5, atol=1e-5)
