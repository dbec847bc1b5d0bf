"""The benchmark of what serving costs beside the network."""

import numpy as np
import pytest

from benchmarks import phases
from rvae.config import ModelConfig, RecurrentConfig
from rvae.serving.contract.pipeline import decode, validate

WINDOWS = 3


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    model = ModelConfig(recurrent=RecurrentConfig(hidden=4), latent=2)
    monkeypatch.setattr(phases, "MODEL", model)


def test_every_request_holds_the_same_windows(small: None) -> None:
    card = phases.untrained().card
    values = phases.waves(WINDOWS, seed=2)
    for name, request in phases.requests(WINDOWS).items():
        inputs = validate(decode(request), card).inputs
        windows = np.concatenate(
            [
                np.lib.stride_tricks.sliding_window_view(one.values[:, 0], phases.WINDOW)
                for one in inputs.series
            ]
        )
        assert len(windows) == WINDOWS, name
        shown = values if inputs.many else values[:1]
        np.testing.assert_allclose(windows[: len(shown)], shown, rtol=1e-6, err_msg=name)


def test_every_phase_of_every_request_is_measured(small: None) -> None:
    measured = phases.measure(phases.every(WINDOWS), rounds=1)
    by_hand = measured.pop("JSON instances, by hand")
    assert set(by_hand) == set(phases.OURS)
    assert set(measured) == set(phases.requests(WINDOWS))
    for name, row in measured.items():
        assert set(row) == {*phases.OURS, *phases.RUN, "rest", "network"}, name
        idle = {phase for phase, seconds in row.items() if seconds <= 0}
        assert idle == ({"scoring"} if name == "JSON instances: latent" else set()), name
    table = phases.report(measured | {"by hand": by_hand})
    assert table.row_count == len(measured) + 1
