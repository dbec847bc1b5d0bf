"""The command `rvae interpolate`."""

from pathlib import Path

import numpy as np
import pytest

from rvae.inference.engine import Engine
from tests.support.command_line import rvae


def test_between_two_latents_of_the_prior(checkpoint: Path, engine: Engine, tmp_path: Path) -> None:
    options = ["--steps", 4, "--path", "sphere", "--seed", 3]
    done = rvae("interpolate", checkpoint, "i.npy", *options, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "Wrote 4 windows to i.npy\n"), done.stderr
    a, b = engine.prior(2, 3)
    expected = engine.interpolate(a, b, 4, "sphere")
    np.testing.assert_allclose(np.load(tmp_path / "i.npy"), expected, rtol=1e-5)


def test_between_two_windows_of_a_file(
    checkpoint: Path, engine: Engine, fresh: list[np.ndarray], tmp_path: Path
) -> None:
    np.save(tmp_path / "data.npy", np.stack(fresh))
    options = ["--data", "data.npy", "--windows=[7, 2]", "--steps", 5]
    done = rvae("interpolate", checkpoint, "i.npy", *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    a, b = (engine.analyse([fresh[i]])[0].latent[0] for i in (7, 2))
    expected = engine.interpolate(a, b, 5)
    np.testing.assert_allclose(np.load(tmp_path / "i.npy"), expected, rtol=1e-4, atol=1e-4)
    done = rvae("interpolate", checkpoint, "i.svg", *options, cwd=tmp_path)
    assert "between windows 7 and 2 of data.npy" in (tmp_path / "i.svg").read_text()


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (["i.txt"], "output: must end in"),
        (["i.npy", "--steps=1"], "steps: must be at least 2"),
        (["i.npy", "--data=data.npy", "--windows=3"], "windows: must be two numbers as 0,7"),
        (["i.npy", "--data=data.npy", "--windows=0,60"], "windows: 60 is none of the 60"),
    ],
)
def test_options_that_make_no_sense_are_said(
    checkpoint: Path, fresh: list[np.ndarray], tmp_path: Path, options: list[str], error: str
) -> None:
    np.save(tmp_path / "data.npy", np.stack(fresh))
    done = rvae("interpolate", checkpoint, *options, cwd=tmp_path)
    assert done.returncode == 1 and error in done.stderr
