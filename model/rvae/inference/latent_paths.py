"""Paths and planes through latent space, to be decoded."""

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rvae.errors import FieldError, require

__all__ = ["Path", "interpolate", "latent_grid", "principal_directions"]

Path = Literal["line", "sphere"]

# Radians. Below it, line and arc agree to rounding, and so do opposite directions.
SMALL_ANGLE = 1e-6


def interpolate(a: ArrayLike, b: ArrayLike, steps: int, path: Path = "line") -> NDArray[np.float64]:
    """Latents (S, D) at equal distances from one latent (D,) to another, both included.

    On the line some latents may lie where the prior has hardly any: in many dimensions its draws
    are near a sphere. On the sphere the direction turns at a constant rate along the great circle
    (Shoemake 1985, "Animating rotation with quaternion curves"; White 2016, "Sampling generative
    networks"), and the norm goes linearly from one to the other.

    Args:
        a: The first latent.
        b: The last latent.
        steps: Number of latents S, at least 2.
        path: Straight, or on the sphere.

    Raises:
        FieldError: If there are too few steps, the path is unknown, or the latents are opposite, so
            that no great circle is the shortest.
    """
    require(path in get_args(Path), "path", f"must be line or sphere, got {path!r}")
    require(steps >= 2, "steps", f"must be at least 2, got {steps}")
    first, last = np.asarray(a, np.float64), np.asarray(b, np.float64)
    share = np.linspace(0, 1, steps)[:, None]
    line = (1 - share) * first + share * last
    norms = np.linalg.norm(first), np.linalg.norm(last)
    if path == "line" or min(norms) == 0:
        return line
    start, end = first / norms[0], last / norms[1]
    # From the chord: the arc cosine loses half of its digits near parallel directions.
    angle = 2 * np.arctan2(np.linalg.norm(end - start), np.linalg.norm(end + start))
    if angle < SMALL_ANGLE:
        return line
    if np.pi - angle < SMALL_ANGLE:
        raise FieldError(
            "path", "sphere is not unique between latents in opposite directions: choose line"
        )
    across = end - (end @ start) * start  # perpendicular to the start, towards the end
    across /= np.linalg.norm(across)
    turned = np.cos(share * angle) * start + np.sin(share * angle) * across
    found = ((1 - share) * norms[0] + share * norms[1]) * turned
    found[[0, -1]] = first, last
    return found


def latent_grid(
    centre: NDArray[np.float64], directions: NDArray[np.float64], coordinates: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Latents on a plane, as rows from its top to its bottom.

    Args:
        centre: Latent at coordinate 0 (D,).
        directions: One or two directions (2, D): to the right, and upwards.
        coordinates: Coordinates along each direction (K,), ascending.

    Returns:
        Latents (K, K, D); a single row (1, K, D) along one direction.
    """
    right = coordinates[:, None] * directions[0]  # (K, D)
    if len(directions) == 1:
        return (centre + right)[None]
    upwards = coordinates[::-1, None] * directions[1]
    return centre + upwards[:, None] + right


def principal_directions(
    latent: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Orthonormal directions (D, D), a row each, and the variances (D,) along them, descending."""
    centred = latent - latent.mean(axis=0)
    directions, variances, _ = np.linalg.svd(centred.T @ centred / len(latent), hermitian=True)
    # The sign is arbitrary; fixed by the largest loading, a direction seldom flips between epochs.
    largest = np.abs(directions).argmax(axis=0, keepdims=True)
    directions *= np.sign(np.take_along_axis(directions, largest, axis=0))
    return directions.T, variances
