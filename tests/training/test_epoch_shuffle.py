"""The order in which training sees windows."""

import numpy as np
import pytest

from rvae.training.epoch_shuffle import EpochShuffle, random_order


@pytest.mark.parametrize("length", [1, 2, 3, 5, 64, 65, 1000, 4096, 4097])
def test_an_order_has_everything_once(length: int) -> None:
    order = random_order(length, 0, 0)
    assert sorted(order.tolist()) == list(range(length))


def test_a_seed_keeps_its_order() -> None:
    """A training that another version began must see the windows as that version showed them."""
    assert random_order(10, 0, 0).tolist() == [4, 6, 2, 7, 3, 5, 9, 0, 8, 1]
    drawn = np.random.default_rng([3, 2]).permutation(np.arange(5000, dtype=np.uint32))
    assert (random_order(5000, 3, 2) == drawn).all()


def test_epochs_and_seeds_have_orders_of_their_own() -> None:
    """Things far apart come one after another, and the same thing never at the same place."""
    length = 100_003
    orders = [random_order(length, seed, epoch) for seed, epoch in ((0, 0), (0, 1), (1, 0))]
    for i, order in enumerate(orders):
        steps = np.abs(np.diff(order.astype(np.int64))) / length
        # The distance of two places in a line is a third of its length, with a spread of 0.236.
        assert steps.mean() == pytest.approx(1 / 3, abs=0.01)
        assert steps.std() == pytest.approx(0.236, abs=0.01)
        assert (order == orders[i - 1]).mean() < 1e-3
        assert abs(np.corrcoef(order, orders[i - 1])[0, 1]) < 0.02


def test_an_order_takes_four_bytes_per_window() -> None:
    assert random_order(1000, 0, 0).nbytes == 4000


def test_processes_share_an_order() -> None:
    whole = list(EpochShuffle(5001, seed=3, rank=0, processes=1))
    shares = [list(EpochShuffle(5001, seed=3, rank=rank, processes=2)) for rank in (0, 1)]
    assert shares[0] == whole[::2]
    assert shares[1] == [*whole[1::2], whole[0]]


def test_an_epoch_that_is_set_changes_the_order() -> None:
    order = EpochShuffle(50, seed=3, rank=0, processes=1)
    first = list(order)
    order.set_epoch(1)
    assert list(order) == random_order(50, 3, 1).tolist() != first
