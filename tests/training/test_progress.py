"""Progress bars in a terminal and in a notebook."""

import numpy as np
import pytest
from rich import get_console

import rvae
from rvae.training.progress import OneLineProgress, TerminalProgress, progress_bar


@pytest.mark.parametrize(
    ("is_notebook", "bar"), [(False, TerminalProgress), (True, OneLineProgress)]
)
def test_the_bar_fits_where_the_program_runs(
    monkeypatch: pytest.MonkeyPatch, is_notebook: bool, bar: type
) -> None:
    monkeypatch.setattr(get_console(), "is_jupyter", is_notebook)
    assert isinstance(progress_bar(), bar)


def test_in_a_notebook_epochs_are_counted_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(get_console(), "is_jupyter", True)
    rvae.fit(
        np.sin(np.arange(600) / 5),
        window=16,
        model={"architecture": "dense", "dense": {"layers": []}, "latent": 2},
        training={"epochs": 2, "quantile": 0.8, "accelerator": "cpu"},
        progress=True,
    )
    captured = capsys.readouterr()
    assert captured.err == "" and captured.out.count("\n") == 1
    last = captured.out.splitlines()[-1].split("\r")[-1]
    assert "2/2" in last and "validation loss=" in last
