"""Windows side by side."""

import io

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from rvae.config import DenseConfig, ModelConfig
from rvae.plots.window_grid import holds_images, in_rows, plot_windows
from tests.support.untrained import KINDS, untrained_card

RANDOM = np.random.default_rng(0)


def draw(axes: Axes) -> None:
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.savefig(io.BytesIO(), format="png")


def test_images_are_tiles_whose_rows_are_steps() -> None:
    windows = RANDOM.random((2, 3, 5, 4))
    axes = plot_windows(windows, list("abcd"), True, rows=("x", "y"), columns=("1", "2", "3"))
    (picture,) = axes.images
    pixels = np.asarray(picture.get_array())
    assert pixels.shape == (2 * 7, 3 * 6)
    for row, column in np.ndindex(2, 3):
        tile = pixels[7 * row + 1 : 7 * row + 6, 6 * column + 1 : 6 * column + 5]
        np.testing.assert_array_equal(tile, windows[row, column])
    assert picture.get_extent() == [0, 3, 2, 0]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["x", "y"]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["1", "2", "3"]
    draw(axes)


def test_curves_lie_in_their_tiles_upright_and_on_one_scale_by_channel() -> None:
    windows = RANDOM.normal(size=(2, 3, 5, 2)) * [1, 1000]
    axes = plot_windows(windows, ("heat", "speed"), False)
    channels = [one for one in axes.collections if isinstance(one, LineCollection)][:2]
    for channel, collection in enumerate(channels):
        curves = np.array(collection.get_segments()).reshape(2, 3, 5, 2)
        for row, column in np.ndindex(2, 3):
            x, y = curves[row, column].T
            assert column < x.min() and x.max() < column + 1
            assert row < y.min() and y.max() < row + 1
        # Down on the axis is up in the picture.
        heights = np.arange(2)[:, None, None] + 1 - curves[..., 1]
        values = windows[..., channel]
        slope, offset = np.polyfit(values.ravel(), heights.ravel(), 1)
        np.testing.assert_allclose(heights, slope * values + offset, atol=1e-12)
        assert slope > 0
    legend = axes.get_legend()
    assert legend is not None
    low, high = windows[..., 0].min(), windows[..., 0].max()
    assert legend.get_texts()[0].get_text() == f"heat, {low:.3g} to {high:.3g}"
    assert axes.get_ylim() == (2, 0)
    draw(axes)


def test_constant_and_missing_windows_can_be_drawn() -> None:
    draw(plot_windows(np.ones((1, 2, 4, 1)), ("a$\\b$",), False, title="$\\a$"))
    windows = in_rows(np.ones((11, 4, 1)))
    draw(plot_windows(windows, ("heat",), False))


@pytest.mark.parametrize(
    ("count", "shape"), [(1, (1, 1)), (10, (1, 10)), (11, (3, 5)), (50, (5, 10))]
)
def test_windows_in_rows_keep_their_order(count: int, shape: tuple[int, int]) -> None:
    windows = RANDOM.normal(size=(count, 4, 2))
    found = in_rows(windows)
    assert found.shape == (*shape, 4, 2)
    flat = found.reshape(-1, 4, 2)
    np.testing.assert_array_equal(flat[:count], windows)
    assert np.isnan(flat[count:]).all()


def test_values_from_0_to_1_on_several_channels_are_images() -> None:
    model = ModelConfig("dense", dense=DenseConfig(()), likelihood="bernoulli")
    assert holds_images(untrained_card(model, tuple("abcd")))
    assert not holds_images(untrained_card(model, tuple("abc")))
    assert not holds_images(untrained_card(model, tuple("abcd"), window=3))
    assert not holds_images(KINDS["several"])


def test_axes_of_a_user_are_used() -> None:
    given = Figure().subplots()
    assert plot_windows(np.zeros((1, 1, 4, 1)), ("a",), False, axes=given) is given
