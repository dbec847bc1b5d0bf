"""Colours that all pictures share."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from rvae.plots.colours import ANOMALY, RECONSTRUCTION, SERIES, TEXT, class_colours

# Linear RGB as seen without one kind of cones (Machado et al. 2009, severity 1).
BLINDNESS = {
    "normal": np.eye(3),
    "protanopia": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "deuteranopia": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "tritanopia": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}
TO_XYZ = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]


def lab(colour: str, seen: NDArray[np.float64]) -> NDArray[np.float64]:
    """CIELAB of a colour, under D65."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = np.array(TO_XYZ) @ (seen @ linear).clip(0, 1) / [0.9505, 1, 1.089]
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("vision", BLINDNESS)
def test_the_parts_of_a_picture_can_be_told_apart(vision: str) -> None:
    seen = np.array(BLINDNESS[vision])
    for one, other in combinations((TEXT, SERIES, RECONSTRUCTION, ANOMALY), 2):
        distance = np.linalg.norm(lab(one, seen) - lab(other, seen))
        assert distance > 15, (one, other)


@pytest.mark.parametrize("classes", [1, 2, 10, 11, 100])
def test_classes_have_different_colours(classes: int) -> None:
    colours = class_colours(classes)
    assert colours.shape == (classes, 4)
    assert len(np.unique(colours, axis=0)) == classes
    assert class_colours(0).shape == (1, 4)
