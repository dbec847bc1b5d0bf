import pytest
import torch

from rvae.config import ModelConfig, RecurrentConfig
from rvae.networks.lstm import Lstm
from rvae.networks.objective import negative_elbo
from rvae.networks.vae import VAE


def test_it_is_pytorchs() -> None:
    torch.manual_seed(0)
    ours, theirs = Lstm(3, 5, 2, batch_first=True), torch.nn.LSTM(3, 5, 2, batch_first=True)
    theirs.load_state_dict(ours.state_dict())
    x, state = torch.randn(4, 7, 3), (torch.randn(2, 4, 5), torch.randn(2, 4, 5))
    for start in (None, state):
        torch.testing.assert_close(ours(x, start), theirs(x, start))


def test_without_bfloat16_it_stays_in_single_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rvae.networks.lstm._has_bfloat16", lambda: False)
    torch.manual_seed(0)
    layers = Lstm(3, 5, batch_first=True)
    x, state = torch.randn(4, 7, 3), (torch.randn(1, 4, 5), torch.randn(1, 4, 5))
    for start in (None, state):
        whole, _ = layers(x, start)
        with torch.autocast("cpu", torch.bfloat16):
            mixed, _ = layers(x, start)
        assert mixed.dtype == torch.float32
        assert torch.equal(mixed, whole)


@pytest.mark.parametrize("has", [True, False])
def test_an_lstm_runs_on_processors_with_bfloat16_and_without(
    monkeypatch: pytest.MonkeyPatch, has: bool
) -> None:
    if has and not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        pytest.skip("this processor has no bfloat16")
    monkeypatch.setattr("rvae.networks.lstm._has_bfloat16", lambda: has)
    for bidirectional in (False, True):
        config = RecurrentConfig(hidden=6, bidirectional=bidirectional)
        torch.manual_seed(0)
        vae = VAE(ModelConfig(latent=3, recurrent=config), 12, (0,))
        x = torch.randn(8, 12, 1)
        with torch.autocast("cpu", torch.bfloat16):
            loss = negative_elbo(vae, x, ~x.isnan(), None, torch.randn(8, 3)).reconstruction.sum()
        loss.backward()
        assert all(one.grad.isfinite().all() for one in vae.parameters() if one.grad is not None)
