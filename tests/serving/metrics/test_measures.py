import numpy as np
import pytest

from rvae.serving.metrics.measures import COUNTERS, HISTOGRAMS, NUMBERS, PLACES, Histogram


def test_a_bucket_holds_its_upper_bound() -> None:
    """As `le` says, which is less or equal."""
    known = Histogram((1.0, 2.0, 5.0))
    values = np.array([0.0, 1.0, 1.5, 2.0, 7.0, 9.0])
    assert known.of(values).tolist() == [2, 2, 0, 2, 20.5]
    assert known.numbers == 5
    assert (
        known.of(values).tolist()
        == sum((known.of(values[i : i + 1]) for i in range(6)), 0.0).tolist()
    )


def test_every_number_has_one_place() -> None:
    taken = np.concatenate([np.arange(NUMBERS)[place] for place in PLACES.values()])
    assert sorted(taken) == list(range(NUMBERS))
    assert list(PLACES) == [*COUNTERS, *HISTOGRAMS]


@pytest.mark.parametrize("name", HISTOGRAMS)
def test_buckets_ascend(name: str) -> None:
    bounds = HISTOGRAMS[name].bounds
    assert sorted(set(bounds)) == list(bounds)
    place = PLACES[name]
    assert place.stop - place.start == HISTOGRAMS[name].numbers
