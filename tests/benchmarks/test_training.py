"""The benchmark of training against a plain loop."""

import pytest

from benchmarks import training
from benchmarks.training import Job, PlainVAE, Seconds


def test_the_plain_network_has_the_parameters_of_rvae() -> None:
    for cell in ("lstm", "gru"):
        job = Job(cell, windows=40, hidden=5, depth=2, latent=3)
        plain, other = (
            sorted(tuple(one.shape) for one in network.parameters())
            for network in (PlainVAE(job), training.NetworkOfRvae(job))
        )
        assert plain == other


def test_every_way_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "WINDOW", 12)
    monkeypatch.setattr(training, "EPOCHS", 2)
    job = Job("gru", windows=40, hidden=3, latent=2, batch=8)
    measured = {way: [train(job)] for way, train in training.WAYS.items()}
    assert all(seconds.clock > 0 for (seconds,) in measured.values())
    assert training.report({"gru": measured}).row_count == 3


def test_the_first_epoch_does_not_count() -> None:
    moments = [Seconds(0, 0), Seconds(100, 50), Seconds(102, 51), Seconds(106, 52)]
    assert training.of_an_epoch(moments) == Seconds(3, 1)


def test_ratios_are_those_of_one_round() -> None:
    assert training.ratio([2, 30, 3], of=[1, 10, 2]) == (2, 1.5, 3)
