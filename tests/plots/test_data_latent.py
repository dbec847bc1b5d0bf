"""Latents of data, coloured by what is known of it."""

from pathlib import Path

import numpy as np
import pytest

from rvae.errors import FieldError
from rvae.inference.engine import Engine
from rvae.plots.data_latent import Colour, default_colour, plot_data_latent, read_for_colour


def test_every_window_is_a_point(engine: Engine, fresh: list[np.ndarray]) -> None:
    colour = default_colour(engine.card)
    assert colour == "score"
    dataset = read_for_colour(engine.card, np.stack(fresh), colour)
    axes, count = plot_data_latent(engine, dataset, colour)
    assert count == len(fresh)
    assert np.asarray(axes.collections[0].get_offsets()).shape == (len(fresh), 2)


def test_the_title_counts_all_windows(
    engine: Engine, fresh: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rvae.plots.encoded_windows.MAX_LATENTS", 3)
    dataset = read_for_colour(engine.card, np.stack(fresh[:5]), "score")
    axes, _ = plot_data_latent(engine, dataset, "score")
    assert "3 of 5 windows" in axes.get_title()


def test_an_unknown_colour_is_refused(engine: Engine, fresh: list[np.ndarray]) -> None:
    with pytest.raises(FieldError, match="colour: must be one of class, label, score, got 'red'"):
        read_for_colour(engine.card, np.stack(fresh), "red")  # type: ignore[arg-type]


@pytest.mark.parametrize("colour", ["class", "label"])
def test_data_must_have_what_colours_it(engine: Engine, tmp_path: Path, colour: Colour) -> None:
    np.save(tmp_path / "plain.npy", np.zeros((2, 40, 1)))
    with pytest.raises(FieldError, match=f"^colour: {colour}: the data has no"):
        read_for_colour(engine.card, tmp_path / "plain.npy", colour)
