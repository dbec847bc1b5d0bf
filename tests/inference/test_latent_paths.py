"""Paths and planes through latent space."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rvae.errors import FieldError
from rvae.inference.latent_paths import interpolate, latent_grid, principal_directions


def pair(seed: int, dimensions: int) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(size=(2, dimensions))


def angles(path: NDArray[np.float64]) -> NDArray[np.float64]:
    """Angles between neighbours of a path (S, D)."""
    unit = path / np.linalg.norm(path, axis=1, keepdims=True)
    apart, together = unit[1:] - unit[:-1], unit[1:] + unit[:-1]
    return 2 * np.arctan2(np.linalg.norm(apart, axis=1), np.linalg.norm(together, axis=1))


def test_a_line_has_equal_steps_from_end_to_end() -> None:
    path = interpolate([0.0, 4.0], [2.0, 0.0], 5)
    np.testing.assert_allclose(path, np.array([[0, 4], [0.5, 3], [1, 2], [1.5, 1], [2, 0]]))


def test_a_quarter_of_a_circle() -> None:
    path = interpolate([2.0, 0.0], [0.0, 2.0], 4, "sphere")
    turn = np.radians([0, 30, 60, 90])
    np.testing.assert_allclose(path, 2 * np.stack([np.cos(turn), np.sin(turn)], 1), atol=1e-12)


@given(st.integers(0, 500), st.integers(2, 20), st.integers(2, 12))
def test_on_the_sphere_the_direction_turns_evenly_in_one_plane_and_the_norm_is_linear(
    seed: int, dimensions: int, steps: int
) -> None:
    a, b = pair(seed, dimensions)
    path = interpolate(a, b, steps, "sphere")
    assert (path[0] == a).all() and (path[-1] == b).all()
    norms = np.linalg.norm(path, axis=1)
    np.testing.assert_allclose(norms, np.linspace(norms[0], norms[-1], steps), rtol=1e-9)
    (whole,) = angles(np.stack([a, b]))
    np.testing.assert_allclose(angles(path), np.full(steps - 1, whole / (steps - 1)), atol=1e-6)
    assert np.linalg.matrix_rank(path, tol=1e-8) <= 2


@given(st.integers(0, 500))
def test_the_way_back_is_the_same_way(seed: int) -> None:
    a, b = pair(seed, 5)
    there, back = (interpolate(*ends, 7, "sphere") for ends in ((a, b), (b, a)))
    np.testing.assert_allclose(there, back[::-1], atol=1e-9)


@pytest.mark.parametrize("factor", [1.0, 3.0, 1 + 1e-9])
def test_parallel_latents_are_joined_by_a_line(factor: float) -> None:
    a = pair(0, 4)[0]
    for b in (factor * a, factor * a + 1e-9, 0 * a):
        path = interpolate(a, b, 5, "sphere")
        np.testing.assert_allclose(path, interpolate(a, b, 5, "line"), atol=1e-7)


def test_between_nearly_parallel_latents_nothing_is_lost_to_rounding() -> None:
    a = np.array([1.0, 0.0])
    b = np.array([np.cos(1e-5), np.sin(1e-5)])
    middle = interpolate(a, b, 3, "sphere")[1]
    np.testing.assert_allclose(middle, [np.cos(5e-6), np.sin(5e-6)], rtol=1e-12)


def test_opposite_latents_have_no_shortest_arc() -> None:
    a = pair(1, 3)[0]
    for b in (-a, -2 * a, -a + 1e-8):
        with pytest.raises(FieldError, match="choose line"):
            interpolate(a, b, 5, "sphere")
    assert np.isfinite(interpolate(a, -a, 5, "line")).all()


def test_a_path_needs_both_ends() -> None:
    with pytest.raises(FieldError, match=r"^steps: must be at least 2, got 1$"):
        interpolate([1.0], [2.0], 1)


def test_an_unknown_path_is_refused() -> None:
    with pytest.raises(FieldError, match=r"^path: must be line or sphere, got 'arc'$"):
        interpolate([1.0], [2.0], 3, "arc")  # type: ignore[arg-type]


def test_a_grid_goes_to_the_right_and_upwards() -> None:
    centre, directions = np.array([10.0, 20, 30]), np.array([[1.0, 0, 0], [0, 0, 2.0]])
    grid = latent_grid(centre, directions, np.array([-1.0, 0, 1]))
    assert grid.shape == (3, 3, 3)
    np.testing.assert_array_equal(grid[1, 1], centre)
    np.testing.assert_array_equal(grid[0, 0], [9, 20, 32])  # top left
    np.testing.assert_array_equal(grid[2, 2], [11, 20, 28])  # bottom right
    row = latent_grid(centre, directions[:1], np.array([-1.0, 0, 1]))
    np.testing.assert_array_equal(row, grid[1:2])


def test_principal_directions_are_those_of_the_variance() -> None:
    random = np.random.default_rng(0)
    turned = np.linalg.qr(random.normal(size=(3, 3)))[0]
    latent = 5 + random.normal(size=(20_000, 3)) * [3, 1, 0.1] @ turned
    directions, variances = principal_directions(latent)
    np.testing.assert_allclose(variances, [9, 1, 0.01], rtol=0.05)
    np.testing.assert_allclose(np.abs((directions * turned).sum(axis=1)), 1, atol=1e-3)
    np.testing.assert_allclose(directions @ directions.T, np.eye(3), atol=1e-12)
