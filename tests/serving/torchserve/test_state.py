"""What is kept of what a server serves."""

import json
from dataclasses import replace

from rvae.serving.torchserve.snapshots import snapshot
from rvae.serving.torchserve.state import State, defaults
from tests.support.registrations import registration

ONE, TWO = registration("1.0"), registration("2.0", default=True)
CHOSEN_ONE, OTHER_TWO = replace(ONE, default=True), replace(TWO, default=False)
STATE = State((TWO, ONE), known={"toy-1.0.mar": "1.0", "toy-2.0.mar": "2.0"}, workers=1)


def test_a_default_leaves_the_one_before_it() -> None:
    state = STATE.updated([CHOSEN_ONE, OTHER_TWO])
    assert defaults(state.registrations) == {"toy": "1.0"}
    assert state.previous == {"toy": "2.0"}


def test_who_goes_back_forgets_what_was_in_between() -> None:
    three = registration("3.0")
    first = STATE.updated([CHOSEN_ONE, OTHER_TWO])  # 2.0, then 1.0
    failed = first.updated([ONE, OTHER_TWO, replace(three, default=True)])
    assert failed.previous == {"toy": "1.0"}
    back = failed.updated([CHOSEN_ONE, OTHER_TWO, three]).updated([CHOSEN_ONE, OTHER_TWO])
    assert back.previous == {"toy": "2.0"}
    assert back.updated([ONE, TWO]).previous == {}


def test_of_many_defaults_the_latest_are_remembered() -> None:
    versions = [registration(f"{number}.0") for number in range(100)]
    state = STATE
    for chosen in versions:
        state = state.updated([replace(one, default=one is chosen) for one in versions])
    assert state.earlier["toy"] == tuple(f"{number}.0" for number in range(79, 99))


def test_the_order_and_the_workers_processes_are_no_change() -> None:
    assert STATE.updated([replace(ONE, ready=frozenset({7})), TWO]) is STATE


def test_what_is_unregistered_is_known_to_be() -> None:
    assert STATE.unregistered == {}
    assert STATE.updated([TWO]).unregistered == {"toy-1.0.mar": "1.0"}
    assert STATE.updated([TWO]).updated([TWO, ONE]).unregistered == {}


def test_what_is_registered_becomes_known() -> None:
    three = registration("3.0")
    assert STATE.updated([TWO, ONE, three]).updated([TWO, ONE]).unregistered == {
        "toy-3.0.mar": "3.0"
    }


def test_another_version_stands_in_for_a_default_that_is_left_out() -> None:
    zero = registration("1.5", workers=0)
    state = STATE.updated([TWO, zero, ONE]).without({TWO.key})
    assert defaults(state.registrations) == {"toy": "1.0"}  # 1.5 has no worker
    assert state.left_out == (TWO,) and state.unregistered == {}
    scaled = state.updated([CHOSEN_ONE.scaled(3), zero])
    assert scaled.left_out == (TWO,)  # it is still the chosen one
    chosen = state.updated([ONE, replace(zero, default=True)])
    assert chosen.left_out == (OTHER_TWO,) and chosen.previous == {"toy": "1.0"}
    assert state.updated([CHOSEN_ONE, zero, OTHER_TWO]).left_out == ()


def test_models_do_not_touch_each_other() -> None:
    other = registration("9", name="other", default=True)
    state = STATE.updated([TWO, ONE, other]).without({TWO.key})
    assert defaults(state.registrations) == {"toy": "1.0", "other": "9"}


def test_it_is_read_as_it_was_written() -> None:
    state = STATE.updated([CHOSEN_ONE, OTHER_TWO]).without({OTHER_TWO.key})
    served, own = json.loads(json.dumps([snapshot(state.registrations), state.own()]))
    assert State.read(served, own) == state
