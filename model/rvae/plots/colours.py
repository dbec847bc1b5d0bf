"""Colours that all pictures share."""

import numpy as np
from matplotlib import color_sequences, colormaps
from matplotlib.colors import to_rgba_array
from numpy.typing import NDArray

__all__ = ["ANOMALY", "RECONSTRUCTION", "SERIES", "TEXT", "class_colours"]

# They can be told apart with any colour vision, and be read on white and on black, since the
# background of some pictures is transparent.
TEXT, SERIES, RECONSTRUCTION, ANOMALY = "#7d8590", "#4184c4", "#e8912d", "#e5484d"


def class_colours(classes: int) -> NDArray[np.float64]:
    """A colour for each class (classes, 4), or a single one without classes.

    Up to ten are those of Petroff 2021, "Accessible color sequences for data visualization"; more
    cannot be told apart with every colour vision.
    """
    if classes <= 10:
        return np.asarray(to_rgba_array(color_sequences["petroff10"][: max(1, classes)]))
    return np.array(colormaps["turbo"](np.linspace(0.03, 0.97, classes)))
