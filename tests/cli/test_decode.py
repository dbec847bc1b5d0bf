"""The command `rvae decode`."""

from pathlib import Path

import numpy as np
import pytest

from rvae.inference.engine import Engine
from tests.support.command_line import rvae


def test_latents_become_windows(checkpoint: Path, engine: Engine, tmp_path: Path) -> None:
    latents = np.random.default_rng(0).normal(size=(3, 4))
    np.save(tmp_path / "z.npy", latents)
    done = rvae("decode", checkpoint, "z.npy", "x.npy", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "Wrote 3 windows to x.npy\n"), done.stderr
    expected = engine.decode(latents)
    np.testing.assert_allclose(np.load(tmp_path / "x.npy"), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (np.zeros((3, 5)), "latent: has the shape [3, 5], expected [S, 4]"),
        (np.array([["a"]]), "latents: z.npy is not a .npy file with an array of numbers"),
        (None, "latents: z.npy is not a .npy file with an array of numbers"),
    ],
)
def test_what_holds_no_latents_is_said(
    checkpoint: Path, tmp_path: Path, content: np.ndarray | None, error: str
) -> None:
    if content is None:
        (tmp_path / "z.npy").write_text("no array")
    else:
        np.save(tmp_path / "z.npy", content)
    done = rvae("decode", checkpoint, "z.npy", "x.csv", cwd=tmp_path)
    assert done.returncode == 1 and error in done.stderr


def test_a_file_that_is_not_there_is_said(checkpoint: Path, tmp_path: Path) -> None:
    done = rvae("decode", checkpoint, "z.npy", "x.csv", cwd=tmp_path)
    assert done.returncode == 1 and "z.npy" in done.stderr and "Traceback" not in done.stderr
