"""Errors as a user of the command line sees them."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rvae.cli import main
from rvae.cli.main import COMMANDS
from tests.support.command_line import rvae, rvae_process


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fit", "--data.path", "none.npy"], "data: no such file: none.npy"),
        (["fit", "--data.path", "short.npy", "--data.window", "50"], "data.window: 50 steps"),
        (
            ["fit", "--data.path", "short.npy", "--data.window", "8", "--training.folds", "5"],
            "training.folds: is 5, but without one of the folds too little of 40 steps is left",
        ),
        (
            ["fit", "--data.path", "short.npy", "--training.alarms", "1 per week"],
            "training.alarms: is '1 per week', but the training data has no times",
        ),
        (["fit", "--data.path", "flat.npy", "--data.window", "4"], "channel_0: is constant"),
        (
            ["fit", "--data.path", "short.npy", "--model.recurrent.hidden", "0"],
            "model.recurrent.hidden",
        ),
        (["fit", "--data.path", "short.npy", "--model.recurrent.hiden", "3"], "hiden"),
        (["fit"], "data"),
        # Refused before the data, which is not there, is read.
        (
            ["fit", "--data.path", "none.npy", "--model.architecture", "transformer"],
            "rvae: model.architecture: must be one of recurrent, convolutional, dense, or a dotted",
        ),
        (
            ["fit", "--data.path", "none.npy", "--model.likelihood", "no_such_package:NOISE"],
            "rvae: model.likelihood: cannot import module 'no_such_package'",
        ),
        (["fit", "--data.path", "none.npy", "--model.posterior", "x"], "rvae: model.posterior: mu"),
        (["fit", "--data.path", "short.npy", "--training.seed", "-1"], "training.seed"),
        (["evaluate", "none.ckpt", "short.npy"], "checkpoint: no such file: none.ckpt"),
        (["evaluate", "short.npy", "short.npy"], "checkpoint: short.npy is not a checkpoint"),
        (["archive", "none.ckpt"], "checkpoint: no such file: none.ckpt"),
        (["sample", "none.ckpt", "x.csv"], "checkpoint: no such file: none.ckpt"),
        (["generate", "x.csv"], "output: must end in .npz"),
        (["generate", "x.npz", "--patterns.sines", "0"], "patterns.sines"),
    ],
)
def test_errors_are_one_line_that_names_the_field(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    np.save(tmp_path / "short.npy", np.sin(np.arange(40.0)))
    np.save(tmp_path / "flat.npy", np.ones(400))
    done = rvae(*arguments, cwd=tmp_path)
    assert done.returncode != 0
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_an_error_ends_a_process_with_one_line(tmp_path: Path) -> None:
    done = rvae_process("evaluate", "none.ckpt", "none.npy", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "rvae: checkpoint: no such file: none.ckpt\n"


def test_a_command_waits_for_no_import_of_another() -> None:
    """Lightning takes seconds, and a machine that serves does not have it."""
    program = (
        "import sys\nsys.argv = ['rvae', '--version']\n"
        "from rvae.cli.main import main\n"
        "try:\n    main()\nfinally:\n    print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    version, modules = done.stdout.splitlines()
    assert version.startswith("rvae ")
    assert {"torch", "lightning", "pytorch_lightning", "sklearn", "ts"}.isdisjoint(modules.split())


@pytest.mark.parametrize(
    ("words", "parsers"),
    [
        (["score", "--help"], ["score"]),
        (["plot-latent", "serve"], ["plot-latent"]),
        (["--help"], list(COMMANDS)),
        (["--version", "score"], list(COMMANDS)),
        (["trian"], list(COMMANDS)),
        ([], list(COMMANDS)),
    ],
)
def test_the_command_that_is_named_has_the_only_parser(
    monkeypatch: pytest.MonkeyPatch, words: list[str], parsers: list[str]
) -> None:
    made: list[str] = []
    monkeypatch.setattr(main, "auto_cli", lambda commands, **_: made.extend(commands))
    monkeypatch.setattr(sys, "argv", ["rvae", *words])
    with pytest.raises(SystemExit):
        main.main()
    assert made == parsers


def test_a_command_alone_has_the_same_help(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["rvae", "serve", "--help"])
    with pytest.raises(SystemExit):
        main.main()
    alone = capsys.readouterr().out
    assert "--workers" in alone
    monkeypatch.setattr(main, "_named", lambda words: COMMANDS)
    with pytest.raises(SystemExit):
        main.main()
    assert capsys.readouterr().out == alone
