"""Latents of windows, and what they are compared with: classes, and the windows themselves."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rvae.data.patterns import window_labels
from rvae.data.series import Dataset, Series
from rvae.data.windows import window_view
from rvae.errors import require
from rvae.inference.engine import Engine
from rvae.inference.records import Columns, window_records

__all__ = ["Latents", "latents_of"]


@dataclass(frozen=True)
class Latents:
    """Latents of windows in which something was observed.

    Attributes:
        engine: The model.
        stretches: Stretches of the series, and the first steps of their windows.
        places: Series, start and end of each window, as columns (W,).
        latent: Centre of q(z|x) (W, D).
        classes: The most frequent class of each window's steps (W,), None where it is unknown.
        unobserved: Number of windows without any value, which are left out.
    """

    engine: Engine
    stretches: tuple[tuple[Series, NDArray[np.int64]], ...]
    places: Columns
    latent: NDArray[np.float64]
    classes: NDArray[np.object_]
    unobserved: int

    def __len__(self) -> int:
        return len(self.latent)

    @property
    def classified(self) -> NDArray[np.bool_]:
        """Which windows (W,) have a known class."""
        return np.array([word is not None for word in self.classes], dtype=bool)

    @property
    def groups(self) -> NDArray[np.int64]:
        """A number of each window's series (W,): the same for all windows of one.

        The pieces of a series that was cut at holes are one series.
        """
        names = [stretch.whole_name for stretch, starts in self.stretches for _ in starts]
        return np.unique(names, return_inverse=True)[1]

    def windows(self) -> NDArray[np.float32]:
        """The windows themselves, scaled and flat, NaN where missing (W, T * E)."""
        card = self.engine.card
        scaler = card.scaler
        cut = [
            window_view(np.asarray(stretch.values), card.window)[starts]
            for stretch, starts in self.stretches
        ]
        scaled = scaler.one_hot(scaler.transform(np.concatenate(cut)))
        return scaled.reshape(len(scaled), -1)


def latents_of(engine: Engine, dataset: Dataset, stride: int | None = None) -> Latents:
    """Latents and classes of all windows of a data set.

    Args:
        engine: The model.
        dataset: In the data's units, each series with N ≥ T.
        stride: Steps between windows; the model's own if left out.

    Raises:
        FieldError: If a series does not fit the model, or no window has a value.
    """
    window = engine.card.window
    words = np.array([*dataset.vocabulary.classes, None], dtype=object)  # -1 is the last
    stretches, places, latents, classes, unobserved = [], [], [], [], 0
    for first, stretch, analysis in engine.scan(dataset.series, stride):
        observed = ~np.isnan(analysis.score)
        unobserved += int((~observed).sum())
        starts = analysis.starts[observed]
        rows = window_records(stretch, starts, window, {})
        rows["start"] = starts + first
        rows["end"] = starts + first + window
        stretches.append((stretch, starts))
        places.append(rows)
        latents.append(analysis.latent[observed])
        codes = np.maximum(stretch.class_codes, -1)
        classes.append(words[window_labels(codes, starts, window)])
    latent = np.concatenate(latents).astype(np.float64)
    require(len(latent) > 0, "data", "has no window with a value")
    return Latents(
        engine,
        tuple(stretches),
        {name: np.concatenate([rows[name] for rows in places]) for name in places[0]},
        latent,
        np.concatenate(classes),
        unobserved,
    )
