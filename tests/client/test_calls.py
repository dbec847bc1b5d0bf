from collections.abc import Generator, Iterator
from contextlib import closing
from threading import Event, Lock
from typing import cast

import pytest

from rvae.client.calls import in_order
from rvae.client.transport import Call


def test_answers_come_in_the_order_of_requests() -> None:
    last = Event()

    def ask(number: int) -> int:
        if number == 3:
            last.set()
        elif number == 0:
            assert last.wait(10)  # the first one is answered after the fourth
        return number

    assert list(in_order(ask, range(20), 4, Call())) == list(range(20))


def test_there_are_no_more_at_once_than_connections_nor_many_ahead() -> None:
    now, most, lock = 0, 0, Lock()
    made: list[int] = []

    def every() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            yield number

    def ask(number: int) -> int:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        with lock:
            now -= 1
        return number

    answers = in_order(ask, every(), 3, Call())
    assert next(answers) == 0
    assert len(made) <= 7
    assert list(answers) == list(range(1, 100)) and most <= 3


def test_an_error_ends_all_requests() -> None:
    call, asked = Call(), []

    def ask(number: int) -> int:
        asked.append(number)
        if number == 2:
            raise ValueError("two")
        if number > 2:
            assert call.ended.wait(10)
        return number

    answers = in_order(ask, range(1000), 2, call)
    with pytest.raises(ValueError, match="two"):
        list(answers)
    assert call.ended.is_set() and len(asked) < 10


def test_who_stops_early_waits_for_nothing() -> None:
    call = Call()
    with closing(cast("Generator[int]", in_order(abs, range(1000), 2, call))) as answers:
        assert next(answers) == 0 and not call.ended.is_set()
    assert call.ended.is_set()


def test_a_call_goes_on_after_its_requests() -> None:
    call = Call()
    assert list(in_order(str, [1], 2, call)) == ["1"] and not call.ended.is_set()
