"""Paths as users write them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rvae.cli.paths import expand_paths
from rvae.errors import FieldError
from tests.support.command_line import rvae
from tests.support.waves import waves


def test_a_tilde_is_the_home_of_the_user_in_paths_of_every_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    np.save(home / "waves.npy", waves(60, 8))
    monkeypatch.setenv("HOME", str(home))
    small = ["--model.architecture=dense", "--model.latent=2", "--training.epochs=1"]
    small += ["--training.accelerator=cpu", "--training.quantile=0.8", "--data.window=8"]
    done = rvae("fit", "--data.path=~/waves.npy", "--output=~/out", *small, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"Saved {home}/out/model.ckpt" in done.stdout
    assert (home / "out" / "model.ckpt").exists()
    done = rvae("score", "~/out/model.ckpt", "~/waves.npy", "~/scores/all.csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (home / "scores" / "all.csv").exists()
    done = rvae("generate", "~/patterns.npz", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (home / "patterns.npz").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_paths_of_a_command_are_expanded_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    given = {}

    def command(**options: Any) -> None:
        given.update(options)

    expand_paths(command)(store=Path("~/store"), logs=Path("logs/~"), name="~", port=1)
    assert given == {
        "store": Path("/home/someone/store"),
        "logs": Path("logs/~"),
        "name": "~",
        "port": 1,
    }
    with pytest.raises(FieldError, match=r"^store: ~no_such_user/a: "):
        expand_paths(command)(store=Path("~no_such_user/a"))
