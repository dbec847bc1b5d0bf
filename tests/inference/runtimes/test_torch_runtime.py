import numpy as np
import pytest
import torch

from rvae.inference.runtimes.loading import torch_runtime
from rvae.inference.runtimes.torch_runtime import TorchRuntime
from rvae.networks.tensor_batch import TensorBatch
from tests.support.networks import network_card, random_windows, scored


@pytest.mark.parametrize("kind", ["lstm", "times", "classes", "instance normalization"])
def test_it_runs_the_network_and_the_scorer(kind: str) -> None:
    """Step by step, as the network is trained."""
    artifact = scored(network_card(kind), "likelihood")
    batch = random_windows(artifact.card, 5)
    found = torch_runtime(artifact)[0].run(batch)
    network = artifact.build()
    x, context = TensorBatch.of(batch)
    posterior, context = network.encode(x, ~x.isnan(), context)
    p = network.decode(posterior.centre, context)
    np.testing.assert_allclose(found.latent, posterior.centre, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found.mean, p.mean, rtol=1e-5, atol=1e-6)
    nll = torch.where(x.isnan(), torch.nan, -p.log_prob(torch.where(x.isnan(), 0.0, x)))
    np.testing.assert_allclose(found.evidence["nll"], nll, rtol=1e-4, atol=1e-5)


def test_settings_name_the_device_and_the_runs() -> None:
    runtime, _ = torch_runtime(scored(network_card("lstm"), "likelihood"))
    assert isinstance(runtime, TorchRuntime)
    settings = {"windows_per_run": runtime.windows_per_run, "concurrency": runtime.concurrency}
    assert runtime.settings() == {"device": "cpu", **settings}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_a_gpu_says_what_the_cpu_says() -> None:
    artifact = scored(network_card("classes"), "likelihood")
    batch = random_windows(artifact.card, 9)
    found, expected = (torch_runtime(artifact, device)[0].run(batch) for device in ("cuda", "cpu"))
    np.testing.assert_allclose(found.latent, expected.latent, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(found.mean, expected.mean, rtol=1e-3, atol=1e-4)
