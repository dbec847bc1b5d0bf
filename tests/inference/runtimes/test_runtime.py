"""What every runtime promises."""

import json

import numpy as np
import pytest

from rvae.data.window_dataset import Batch
from rvae.inference.runtimes.loading import load_runtime, torch_runtime
from rvae.inference.runtimes.runtime import Runtime
from tests.support.networks import network_card, random_windows, scored, with_graphs

CARD = network_card("categories")
BATCH = random_windows(CARD, 9)


@pytest.fixture(scope="module", params=["torch", "onnx"])
def runtime(request: pytest.FixtureRequest) -> Runtime:
    artifact = scored(CARD, "distance")
    if request.param == "torch":
        return torch_runtime(artifact)[0]
    return load_runtime(with_graphs(artifact), "cpu")[0]


def test_results_have_the_shapes_that_are_promised(runtime: Runtime) -> None:
    found = runtime.run(BATCH)
    assert found.latent.shape == (9, 3) and found.latent.dtype == np.float32
    # A numeric channel, and the three categories of the other.
    assert found.mean.shape == (9, CARD.window, 4) and found.mean.dtype == np.float32
    np.testing.assert_allclose(found.mean[..., 1:].sum(2), 1, atol=1e-3)  # or unknown
    assert found.evidence["parts"].shape == (9, 1)
    assert found.evidence["errors"].shape == (9, CARD.window, 2)


def test_a_window_does_not_depend_on_others_of_its_batch(runtime: Runtime) -> None:
    whole = runtime.run(BATCH)
    for row in (0, 2, 8):
        one = slice(row, row + 1)
        alone = runtime.run(Batch(BATCH.x[one], BATCH.time[one], BATCH.label[one]))
        np.testing.assert_allclose(alone.latent[0], whole.latent[row], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(alone.mean[0], whole.mean[row], rtol=1e-5, atol=1e-6)
        for name, values in whole.evidence.items():
            found = alone.evidence[name][0]
            np.testing.assert_allclose(found, values[row], rtol=1e-4, atol=1e-5)


def test_latents_alone_are_those_of_a_run_and_decode_to_its_means(runtime: Runtime) -> None:
    found = runtime.run(BATCH)
    latent = runtime.encode(BATCH)
    np.testing.assert_allclose(latent, found.latent, rtol=1e-5, atol=1e-6)
    decoded = runtime.decode(latent, BATCH.time, BATCH.label)
    np.testing.assert_allclose(decoded, found.mean, rtol=1e-5, atol=1e-6)


def test_inputs_are_left_as_they_are(runtime: Runtime) -> None:
    given = random_windows(CARD, 9)
    runtime.run(given)
    runtime.encode(given)
    for part, before in zip(given, BATCH, strict=True):
        np.testing.assert_array_equal(part, before)


def test_it_says_what_it_is_and_what_was_chosen(runtime: Runtime) -> None:
    assert runtime.name in ("torch", "onnx") and runtime.windows_per_run >= 1
    settings = runtime.settings()
    assert json.loads(json.dumps(settings)) == settings and settings["concurrency"] >= 1
