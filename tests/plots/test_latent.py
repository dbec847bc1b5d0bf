"""Latents as points in the plane."""

import io
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rvae.errors import FieldError
from rvae.plots.colours import class_colours
from rvae.plots.latent import MAX_LATENTS, plot_latent

LATENT = np.random.default_rng(0).normal(size=(200, 2))
CLASSES = np.arange(200) % 3


def points(axes: Axes) -> Any:
    return axes.collections[0]


def draw(axes: Axes) -> None:
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.savefig(io.BytesIO(), format="png")


def test_classes_have_colours_and_names_beside() -> None:
    axes = plot_latent(LATENT, CLASSES, ("cat", "dog", "hen"))
    np.testing.assert_allclose(points(axes).get_offsets(), LATENT)
    colours = points(axes).get_facecolors()
    np.testing.assert_allclose(colours[:, :3], class_colours(3)[CLASSES, :3])
    (strip,) = axes.child_axes
    assert [text.get_text() for text in strip.get_yticklabels()] == ["cat", "dog", "hen"]
    assert axes.get_title() == "latent space, 2 dimensions; 200 windows"
    draw(axes)


def test_an_unknown_class_is_grey() -> None:
    axes = plot_latent(LATENT, np.where(CLASSES == 2, -1, CLASSES), ("cat", "dog"))
    colours = points(axes).get_facecolors()[CLASSES == 2]
    assert (colours[:, :3] == 0.6).all()


def test_scores_have_a_bar_and_the_highest_are_on_top() -> None:
    scores = np.random.default_rng(1).exponential(size=200)
    scores[7] = np.nan
    axes = plot_latent(LATENT, scores=scores)
    shown = np.asarray(points(axes).get_array())
    order = np.argsort(np.nan_to_num(scores, nan=-1))
    np.testing.assert_allclose(points(axes).get_offsets(), LATENT[order])
    np.testing.assert_array_equal(
        shown.filled(np.nan) if np.ma.isMA(shown) else shown, scores[order]
    )
    figure = axes.get_figure(root=True)
    assert figure is not None
    assert [other.get_ylabel() for other in figure.axes[1:]] == ["score"]
    assert points(axes).get_clim()[1] < np.nanmax(scores)
    draw(axes)
    assert len(np.unique(points(axes).get_facecolors(), axis=0)) > 20


def test_the_prior_surrounds_latents_but_not_what_keeps_neighbours() -> None:
    direct, tsne = plot_latent(LATENT), plot_latent(LATENT[:20], method="tsne")
    (circle,) = direct.lines
    radius = np.hypot(circle.get_xdata(), circle.get_ydata())
    inside = (np.random.default_rng(2).normal(size=(50_000, 2)) ** 2).sum(axis=1) < radius[0] ** 2
    np.testing.assert_allclose(radius, radius[0])
    assert inside.mean() == pytest.approx(0.95, abs=0.005)
    assert not tsne.lines and tsne.get_xlabel() == "t-SNE 1"


@pytest.mark.parametrize("classes", [None, CLASSES])
def test_one_dimension_is_a_density(classes: Any) -> None:
    axes = plot_latent(LATENT[:, :1], classes, ("a", "b", "c"), scores=LATENT[:, 0])
    assert not axes.collections and axes.get_ylabel() == "density"
    draw(axes)


def test_unknown_classes_count_in_a_density() -> None:
    codes = np.where(CLASSES == 2, -1, CLASSES)
    axes = plot_latent(LATENT[:, :1], codes, ("cat", "dog"))
    colours = [patch.get_facecolor() for patch in axes.patches]
    assert len(colours) == 3 and (0.6, 0.6, 0.6, 1.0) in colours


def test_of_many_some_are_shown_and_it_is_said() -> None:
    many = np.random.default_rng(0).normal(size=(2 * MAX_LATENTS + 1, 3))
    axes = plot_latent(many)
    count = len(points(axes).get_offsets())
    assert MAX_LATENTS / 2 < count <= MAX_LATENTS
    assert f"{count:,} of {len(many):,} windows" in axes.get_title()


def test_what_is_not_finite_is_left_out() -> None:
    latent = LATENT.copy()
    latent[3] = np.inf
    axes = plot_latent(latent, CLASSES, ("a", "b", "c"))
    np.testing.assert_allclose(points(axes).get_offsets(), np.delete(LATENT, 3, axis=0))
    with pytest.raises(FieldError, match="latent"):
        plot_latent(latent * np.nan)


def test_axes_of_a_user_are_used() -> None:
    given = Figure().subplots()
    assert plot_latent(LATENT, axes=given) is given
