import numpy as np
import pytest

from rvae.data import shuffle
from rvae.data.shuffle import random_order
from rvae.data.window_dataset import EpochShuffle


@pytest.mark.parametrize("length", [1, 2, 3, 5, 64, 65, 1000, 4096, 4097])
@pytest.mark.parametrize("drawn", [True, False])
def test_an_order_has_everything_once(
    length: int, drawn: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shuffle, "MOST_DRAWN", length if drawn else 0)
    order = random_order(length, np.random.default_rng(0))
    there = order(np.arange(length))
    assert sorted(there.tolist()) == list(range(length))
    np.testing.assert_array_equal(order(np.arange(length)[::-1]), there[::-1])


def test_a_computed_order_is_as_random_as_a_drawn_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Things far apart come one after another, and the same thing never at the same place."""
    monkeypatch.setattr(shuffle, "MOST_DRAWN", 0)
    length = 100_003
    orders = [
        random_order(length, np.random.default_rng([0, e]))(np.arange(length)) for e in (0, 1)
    ]
    for order in orders:
        steps = np.abs(np.diff(order)) / length
        # The distance of two places in a line is a third of its length, with a spread of 0.236.
        assert steps.mean() == pytest.approx(1 / 3, abs=0.01)
        assert steps.std() == pytest.approx(0.236, abs=0.01)
        for lag in (1, 2, 64, 1024):
            assert abs(np.corrcoef(order[lag:], order[:-lag])[0, 1]) < 0.02
        parts = np.histogram(order[: length // 10], bins=50, range=(0, length))[0]
        assert ((parts - 200) ** 2 / 200).sum() < 100  # chi squared of 49 degrees of freedom
    assert (orders[0] == orders[1]).mean() < 1e-3
    assert abs(np.corrcoef(np.stack(orders))[0, 1]) < 0.02


def test_an_order_of_billions_takes_no_memory() -> None:
    first = iter(EpochShuffle(10**12, seed=0, rank=0, processes=1))
    there = [next(first) for _ in range(10_000)]
    assert len(set(there)) == 10_000
    assert np.mean(there) == pytest.approx(5e11, rel=0.02)


def test_processes_share_an_order() -> None:
    whole = list(EpochShuffle(5001, seed=3, rank=0, processes=1))
    shares = [list(EpochShuffle(5001, seed=3, rank=rank, processes=2)) for rank in (0, 1)]
    assert shares[0] == whole[::2]
    assert shares[1] == [*whole[1::2], whole[0]]
