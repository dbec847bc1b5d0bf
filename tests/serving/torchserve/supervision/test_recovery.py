"""Models without a worker, second by second."""

from dataclasses import replace
from itertools import pairwise

from rvae.serving.torchserve.registrations import Registration
from rvae.serving.torchserve.supervision.recovery import ABSENT_SECONDS, MOST_SECONDS, Recovery

TOY = Registration("toy", "1.0", "toy.mar", True, 1, 1, 32, 1, 60, 60, frozenset({7}))


def told(recovery: Recovery, one: Registration, living: set[int], seconds: range) -> list[int]:
    """When a registration is told to have no process."""
    return [now for now in seconds if recovery.given_up([one], living, now)]


def test_one_without_a_process_is_told_ever_more_seldom() -> None:
    recovery = Recovery(lambda one: False)
    assert told(recovery, TOY, {7}, range(100)) == []
    times = told(recovery, TOY, set(), range(100, 2000))
    assert times[0] == 100 + ABSENT_SECONDS
    pauses = [after - before for before, after in pairwise(times)]
    assert pauses[:3] == [8, 16, 32] and max(pauses) == MOST_SECONDS
    assert recovery.given_up([TOY], set(), 9000.0) == [(TOY, len(times))]


def test_one_that_is_ready_again_begins_anew() -> None:
    recovery = Recovery(lambda one: False)
    assert told(recovery, TOY, set(), range(100))
    assert told(recovery, TOY, {7}, range(100, 101)) == []
    assert told(recovery, TOY, {8}, range(101, 110))[0] == 101 + ABSENT_SECONDS
    assert recovery.given_up([TOY], set(), 9000.0)[0][1] == 1


def test_one_that_loads_or_wants_no_worker_is_left_alone() -> None:
    loads = Recovery(lambda one: True)
    assert told(loads, TOY, set(), range(1000)) == []
    absent = Recovery(lambda one: False)
    assert told(absent, replace(TOY, min_workers=0), set(), range(1000)) == []


def test_one_that_was_unregistered_is_another_one_when_it_comes_back() -> None:
    recovery = Recovery(lambda one: False)
    assert told(recovery, TOY, set(), range(100))
    assert recovery.given_up([], set(), 100.0) == []
    assert told(recovery, TOY, set(), range(101, 110))[0] == 101 + ABSENT_SECONDS
