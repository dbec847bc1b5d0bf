import threading
from collections.abc import Iterator

import pytest

from rvae.inference.concurrency import in_order


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_results_come_in_the_order_of_the_items(threads: int) -> None:
    assert list(in_order(lambda n: n * n, range(50), threads)) == [n * n for n in range(50)]
    assert list(in_order(lambda n: n, [], threads)) == []


def test_as_many_as_there_are_threads_are_computed_at_a_time() -> None:
    """Each of three waits for the two others."""
    together = threading.Barrier(3, timeout=60)
    assert len(list(in_order(lambda _: together.wait(), range(9), 3))) == 9


def test_one_thread_is_the_caller_itself() -> None:
    found = list(in_order(lambda _: threading.current_thread(), range(3), 1))
    assert set(found) == {threading.current_thread()}


@pytest.mark.parametrize("threads", [1, 2])
def test_no_more_items_are_taken_than_two_for_a_thread(threads: int) -> None:
    taken = []

    def items() -> Iterator[int]:
        for n in range(100):
            taken.append(n)
            yield n

    results = in_order(lambda n: n, items(), threads)
    for n in range(20):
        assert next(results) == n
        assert len(taken) <= n + 2 * threads
    assert list(results) == list(range(20, 100))


@pytest.mark.parametrize("threads", [1, 2])
def test_an_error_comes_at_its_place(threads: int) -> None:
    results = in_order(lambda n: 1 // (3 - n), range(9), threads)
    assert [next(results) for _ in range(3)] == [0, 0, 1]
    with pytest.raises(ZeroDivisionError):
        next(results)
