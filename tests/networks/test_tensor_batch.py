import numpy as np
import torch

from rvae.data.window_dataset import Batch
from rvae.networks.tensor_batch import TensorBatch


def a_batch() -> Batch:
    random = np.random.default_rng(0)
    x = random.normal(size=(3, 4, 2)).astype(np.float32)
    time = random.normal(size=(3, 4, 6)).astype(np.float32)
    return Batch(x, time, np.array([0, -1, 2]))


def test_it_is_the_same_batch_in_the_same_memory() -> None:
    batch = a_batch()
    found = TensorBatch.of(batch)
    np.testing.assert_array_equal(found.x, batch.x, strict=True)
    np.testing.assert_array_equal(found.context.time, batch.time, strict=True)
    np.testing.assert_array_equal(found.context.label, batch.label, strict=True)
    assert found.context.level is None and found.context.spread is None
    batch.x[1, 2, 0] = np.nan
    assert found.x[1, 2, 0].isnan()


def test_everything_moves_to_a_device() -> None:
    device = torch.device("meta")
    moved = TensorBatch.of(a_batch()).to(device)
    assert moved.x.device == moved.context.time.device == moved.context.label.device == device
