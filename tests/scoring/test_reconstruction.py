import numpy as np
import torch

from rvae.data.series import Series
from rvae.networks.context import Context
from rvae.networks.tensor_batch import TensorBatch
from rvae.scoring.reconstruction import measure_windows, reconstruct
from tests.support.untrained import KINDS, untrained_artifact, untrained_engine


@torch.inference_mode()
def test_what_is_decoded_is_the_centre_of_the_posterior() -> None:
    network = untrained_artifact(KINDS["several"]).build()
    x = torch.randn(3, 8, 2)
    x[0, 2, 1] = torch.nan
    context = Context.empty(3, 8)
    found = reconstruct(network, x, context)
    assert torch.equal(found.mask, ~x.isnan())
    q = network.encode(x, found.mask, context).posterior
    torch.testing.assert_close(found.latent, q.centre)
    torch.testing.assert_close(found.p.mean, network.decode(q.centre, found.context).mean)


@torch.inference_mode()
def test_measurements_are_of_evenly_spaced_windows() -> None:
    artifact = untrained_artifact(KINDS["several"])
    network = artifact.build()
    values = np.random.default_rng(0).normal(20, 2, (600, 2))
    windows = untrained_engine(artifact.card).windows([Series(values)], 1)
    found = measure_windows(network, windows, 300, lambda r: r.p.mean)
    for row in (0, 255, 256, 299):
        number = int(np.linspace(0, len(windows) - 1, 300)[row])
        alone = reconstruct(network, *TensorBatch.of(windows.__getitems__([number])))
        np.testing.assert_allclose(found[row], alone.p.mean[0], rtol=1e-4, atol=1e-6)
