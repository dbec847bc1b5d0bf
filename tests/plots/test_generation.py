"""Windows that a model generates, as pictures."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from numpy.typing import NDArray

from rvae.config import DenseConfig, ModelConfig
from rvae.errors import FieldError
from rvae.inference.engine import Engine
from rvae.plots.generation import (
    plot_classes,
    plot_interpolation,
    plot_latent_grid,
    plot_samples,
)
from tests.support.untrained import untrained_card, untrained_engine


def shares(axes: Axes, rows: int) -> NDArray[np.float64]:
    """Heights of the curves of one channel within their tiles (R, K, T)."""
    lines = next(one for one in axes.collections if isinstance(one, LineCollection))
    y = np.array(lines.get_segments())[..., 1]
    y = y.reshape(rows, -1, y.shape[-1])
    return np.arange(rows)[:, None, None] + 1 - y


def same_picture(axes: Axes, windows: NDArray[np.float64]) -> bool:
    """Whether the curves are those of windows (R, K, T, C), up to their common scale."""
    drawn, values = shares(axes, len(windows)), windows[..., 0]
    return np.corrcoef(drawn.ravel(), values.ravel())[0, 1] > 0.999999


def ticks(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.get_xticklabels()]


def test_a_grid_shows_what_is_decoded_on_its_plane(engine: Engine) -> None:
    axes = plot_latent_grid(engine, (2, 0), size=3, extent=1.5)
    latent = np.zeros((3, 3, 4))
    latent[..., 2] = [-1.5, 0, 1.5]
    latent[..., 0] = np.array([1.5, 0, -1.5])[:, None]
    windows = engine.decode(latent.reshape(9, 4)).reshape(3, 3, 32, 1)
    assert same_picture(axes, windows)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("dimension 2", "dimension 0")
    assert ticks(axes) == ["-1.5", "0", "1.5"]


def test_without_a_choice_the_most_informative_dimensions_are_the_plane(engine: Engine) -> None:
    axes = plot_latent_grid(engine, size=2)
    kl = engine.card.training["kl"]
    chosen = sorted(sorted(range(4), key=lambda i: kl[i])[2:])
    assert [axes.get_xlabel(), axes.get_ylabel()] == [f"dimension {i}" for i in chosen]


def test_one_dimension_is_a_row(engine: Engine) -> None:
    axes = plot_latent_grid(engine, [1], size=5)
    assert shares(axes, 1).shape == (1, 5, 32)
    assert axes.get_ylabel() == ""


def test_the_plane_may_be_that_of_data(engine: Engine) -> None:
    random = np.random.default_rng(0)
    latent = np.array([1.0, 0, 0, 0]) + random.normal(size=(4000, 4)) * [0.01, 2, 0.02, 1]
    axes = plot_latent_grid(engine, latent=latent, size=3, extent=1)
    expected = np.zeros((3, 3, 4)) + np.eye(4)[0]
    right, up = np.array([-2, 0, 2]), np.array([1, 0, -1])[:, None]
    expected[..., 1] += right
    expected[..., 3] += up
    windows = engine.decode(expected.reshape(9, 4)).reshape(3, 3, 32, 1)
    drawn = shares(axes, 3)
    assert np.corrcoef(drawn.ravel(), windows.ravel())[0, 1] > 0.995
    assert axes.get_xlabel() == "first component"


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"dimensions": [4]}, "dimensions"),
        ({"dimensions": [1, 1]}, "dimensions"),
        ({"dimensions": [0, 1, 2]}, "dimensions"),
        ({"dimensions": [-1]}, "dimensions"),
        ({"dimensions": [0], "latent": np.zeros((5, 4))}, "dimensions"),
        ({"size": 1}, "size"),
        ({"extent": 0.0}, "extent"),
        ({"label": "0"}, "label"),
    ],
)
def test_options_that_make_no_sense_are_said(
    engine: Engine, options: dict[str, Any], field: str
) -> None:
    with pytest.raises(FieldError) as caught:
        plot_latent_grid(engine, **options)
    assert caught.value.field == field


def digits() -> Engine:
    """A conditional model of images with two classes."""
    model = ModelConfig(
        "dense", dense=DenseConfig(()), latent=2, conditional=True, likelihood="bernoulli"
    )
    card = untrained_card(model, tuple("abcdefgh"), classes=("0", "1"))
    return untrained_engine(replace(card, training={"kl": [1.0, 2.0]}))


def test_classes_are_rows_and_latents_columns() -> None:
    engine = digits()
    axes = plot_classes(engine, 3, seed=5)
    pixels = np.asarray(axes.images[0].get_array())
    tile = pixels[11:19, 21:29]
    np.testing.assert_allclose(tile, engine.sample(3, "1", 5)[2], rtol=1e-5)
    assert [text.get_text() for text in axes.get_yticklabels()] == ["0", "1"]


def test_images_may_be_drawn_as_curves_and_need_their_class() -> None:
    engine = digits()
    assert plot_latent_grid(engine, size=2, label="1").images
    assert not plot_latent_grid(engine, size=2, label="1", images=False).images
    with pytest.raises(FieldError, match="label"):
        plot_latent_grid(engine, size=2)


def test_interpolations_and_samples_are_rows_of_windows(engine: Engine) -> None:
    a, b = engine.prior(2, 0)
    axes = plot_interpolation(engine, a, b, 6, "sphere")
    assert same_picture(axes, engine.interpolate(a, b, 6, "sphere")[None])
    assert "sphere" in axes.get_title(loc="left")
    windows = engine.sample(4)
    drawn = plot_samples(engine.card, windows, "drawn")
    assert same_picture(drawn, windows[None])
    assert drawn.get_title(loc="left") == "drawn"
