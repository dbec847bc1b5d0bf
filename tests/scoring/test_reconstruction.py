import numpy as np
import pytest
import torch

from rvae.data.series import Series
from rvae.scoring.reconstruction import WINDOWS_PER_BATCH, evenly_chosen_batches, reconstruct
from tests.support.untrained import KINDS, untrained_artifact, untrained_engine


@pytest.mark.parametrize("count", [1, 7, WINDOWS_PER_BATCH + 1, 10_000])
def test_windows_are_evenly_chosen_in_their_order(count: int) -> None:
    engine = untrained_engine(KINDS["numbers"])
    steps = np.arange(600.0)[:, None] / 100 + 20
    windows = engine.windows([Series(steps)], 1)
    batches = [batch.x for batch in evenly_chosen_batches(windows, count)]
    assert all(0 < len(x) <= WINDOWS_PER_BATCH for x in batches)
    firsts = torch.cat(batches)[:, 0, 0].numpy()
    expected = np.linspace(0, len(windows) - 1, min(count, len(windows)), dtype=int)
    scale = engine.card.scaler.scale[0]
    np.testing.assert_allclose(firsts * scale * 100, expected, atol=1e-2)


@torch.inference_mode()
def test_what_is_decoded_is_the_centre_of_the_posterior() -> None:
    artifact = untrained_artifact(KINDS["several"])
    network = artifact.build()
    x = torch.randn(3, 8, 2)
    x[0, 2, 1] = torch.nan
    batch = untrained_engine(artifact.card).windows([Series(np.full((8, 2), 20.0))], 1)
    (empty,) = evenly_chosen_batches(batch, 1)
    context = empty.context.empty(3, 8)
    found = reconstruct(network, x, context)
    assert torch.equal(found.mask, ~x.isnan())
    q = network.encode(x, found.mask, context).posterior
    torch.testing.assert_close(found.latent, q.centre)
    torch.testing.assert_close(found.p.mean, network.decode(q.centre, found.context).mean)
