import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rvae.plots.latent import MAX_LATENTS, NAMED_CLASSES
from rvae.plots.learning import LearningSnapshot, plot_learning
from rvae.plots.losses import EpochLosses


def history(epochs: int) -> list[EpochLosses]:
    """A first epoch that is far off, a spike in the middle, and negative losses."""
    reconstruction = 100 * np.exp(-np.arange(epochs) / 5) - 150
    reconstruction[0] = 1e6
    if epochs > 30:
        reconstruction[25] = 1e5
    return [
        EpochLosses(epoch, value + 7, value + 5, value, 5.0)
        for epoch, value in enumerate(reconstruction.tolist(), 1)
    ]


def look(
    latents: int = 2, classes: int = 0, channels: int = 1, windows: int = 3, count: int = 200
) -> LearningSnapshot:
    random = np.random.default_rng(0)
    values = random.normal(size=(windows, 20, channels))
    return LearningSnapshot(
        random.normal(size=(count, latents)).astype(np.float32),
        np.arange(count) % classes if classes else None,
        tuple(f"class {index}" for index in range(classes)),
        values,
        values / 2,
        tuple(f"channel {index}" for index in range(channels)),
    )


def panels(figure: Any) -> tuple[Any, Any, Any, list[Any]]:
    """Axes of the losses, of the KL and of the latent space, and what follows them."""
    losses, kl, latent, *others = figure.axes
    return losses, kl, latent, others


def shown_points(figure: Any) -> NDArray[np.float64]:
    (points,) = panels(figure)[2].collections
    return np.asarray(points.get_offsets())


def draw(figure: Any) -> None:
    figure.savefig(io.BytesIO(), format="png")


@pytest.mark.parametrize("epochs", [1, 2, 5, 60])
def test_curves_are_the_history_and_show_where_it_is_now(epochs: int) -> None:
    given = history(epochs)
    losses, kl, *_ = panels(plot_learning(given, look()))
    curves = {line.get_label(): line for line in (*losses.lines, *kl.lines)}
    assert set(curves) == {"training", "validation", "reconstruction", "KL"}
    for name, line in curves.items():
        values = [getattr(losses_, name.lower()) for losses_ in given]
        assert list(line.get_xdata()) == list(range(1, epochs + 1))
        assert list(line.get_ydata()) == values
        bottom, top = line.axes.get_ylim()
        assert bottom < values[-1] < top
        left, right = line.axes.get_xlim()
        assert left < 1 and right > epochs
        assert epochs > 1 or line.get_marker() == "."  # or nothing was to be seen
    if epochs > 2:
        assert losses.get_ylim()[1] < 1000


def test_losses_that_are_no_numbers_can_be_drawn() -> None:
    nothing = [EpochLosses(epoch, *[float("nan")] * 4) for epoch in (1, 2)]
    network = look(latents=4)
    for bad in (np.nan, np.float32(3e38)):
        draw(
            plot_learning(
                nothing,
                replace(
                    network,
                    latent=network.latent * 0 + bad,
                    reconstructions=network.windows * 0 + bad,
                ),
            )
        )


def test_two_latents_are_shown_as_they_are() -> None:
    network = look(latents=2)
    figure = plot_learning(history(3), network)
    np.testing.assert_allclose(shown_points(figure), network.latent)
    assert panels(figure)[2].get_xlabel() == "first dimension"


def test_more_latents_are_shown_by_their_principal_components() -> None:
    along = np.linspace(-2, 4, 50)[:, None]
    across = np.resize([0.5, -0.5], 50)[:, None]
    latent = along * [[0.6, 0.0, 0.8]] + across * [[0.0, -1.0, 0.0]]
    figure = plot_learning(history(3), replace(look(), latent=latent))
    np.testing.assert_allclose(shown_points(figure), np.hstack([along, -across]), atol=0.05)
    share = along.var() / (along.var() + across.var())
    assert f"{share:.0%}" in panels(figure)[2].get_xlabel()
    assert f"{1 - share:.0%}" in panels(figure)[2].get_ylabel()


def test_principal_components_do_not_flip_between_epochs() -> None:
    random = np.random.default_rng(1)
    network = look(latents=6)
    latent = network.latent * [3, 2, 1, 1, 1, 1] @ np.linalg.qr(random.normal(size=(6, 6)))[0]
    first = shown_points(plot_learning(history(3), replace(network, latent=latent)))
    for _ in range(5):
        latent = latent + random.normal(0, 0.02, latent.shape)
        points = shown_points(plot_learning(history(3), replace(network, latent=latent)))
        assert np.abs(points - first).max() < 1


@pytest.mark.parametrize("classes", [2, 10, 31, 100])
@pytest.mark.parametrize("latents", [1, 2, 3])
def test_each_class_has_its_colour_and_a_name_beside(latents: int, classes: int) -> None:
    figure = plot_learning(history(3), look(latents, classes))
    _, _, latent, (strip, *_) = panels(figure)
    if latents == 1:
        colours = [patch.get_facecolor() for patch in latent.patches]
    else:
        colours = latent.collections[0].get_facecolors()
    assert len(np.unique(colours, axis=0)) == classes
    labels = [label.get_text() for label in strip.get_yticklabels()]
    assert labels[0] == "class 0" and len(labels) <= NAMED_CLASSES
    if classes <= NAMED_CLASSES:
        assert labels == [f"class {index}" for index in range(classes)]


def test_without_classes_there_is_one_colour_and_no_strip() -> None:
    with_classes = plot_learning(history(3), look(classes=2))
    without = plot_learning(history(3), look())
    assert len(without.axes) == len(with_classes.axes) - 1
    (points,) = panels(without)[2].collections
    assert len(np.unique(points.get_facecolors(), axis=0)) == 1


def test_of_many_latents_some_are_shown() -> None:
    points = shown_points(plot_learning(history(3), look(count=2 * MAX_LATENTS + 1)))
    assert MAX_LATENTS / 2 < len(points) <= MAX_LATENTS


def test_windows_are_shown_with_their_reconstructions() -> None:
    network = look(channels=2, windows=3)
    *_, others = panels(plot_learning(history(3), network))
    assert len(others) == 6
    for axes, place in zip(others, np.ndindex(3, 2), strict=True):
        window, channel = place
        observed, said = axes.lines
        np.testing.assert_array_equal(observed.get_ydata(), network.windows[window, :, channel])
        np.testing.assert_array_equal(said.get_ydata(), network.reconstructions[window, :, channel])


def test_of_many_windows_and_channels_four_are_shown() -> None:
    figure = plot_learning(history(3), look(channels=7, windows=6))
    *_, others = panels(figure)
    assert len(others) == 16
    assert any("4 of 7 channels" in text.get_text() for text in figure.texts)


def test_a_value_between_gaps_is_a_dot() -> None:
    network = look(windows=1)
    network.windows[0, [1, 2, 5, 7, 18], 0] = np.nan
    *_, (axes,) = panels(plot_learning(history(3), network))
    assert np.flatnonzero(axes.lines[0].get_markevery()).tolist() == [0, 6, 19]
    network.windows[:] = np.nan
    draw(plot_learning(history(3), network))


def test_pictures_of_a_training_have_one_layout() -> None:
    def layout(figure: Any) -> tuple[list[tuple[float, ...]], NDArray[np.float64]]:
        draw(figure)
        return [axes.get_position().bounds for axes in figure.axes], figure.get_size_inches()

    early, late = (
        layout(plot_learning(history(epochs), replace(look(3, 5, 2), latent=latent)))
        for epochs, latent in ((1, np.zeros((200, 3))), (60, look(3).latent * 1e4))
    )
    assert early[0] == late[0]
    assert (early[1] == late[1]).all()


def test_names_are_no_formulas() -> None:
    draw(
        plot_learning(
            history(3), replace(look(classes=1), class_names=("$\\a$",), channels=("a$\\b$",))
        )
    )
