"""The formula of the memory of a server, and what is started for how much of it."""

from dataclasses import replace
from typing import Any

import pytest

from rvae.errors import FieldError
from rvae.serving.contract.formats import FORMATS
from rvae.serving.gateway.limits import GatewayLimits
from rvae.serving.jobs import DECODED_BYTES
from rvae.serving.service import Limits
from rvae.serving.torchserve.capacity.footprint import Footprint
from rvae.serving.torchserve.capacity.plan import Plan, plan

GB = 10**9
MODEL = Footprint("onnx", 1_000_000, 100_000, 32, Limits())
PLAN = Plan([MODEL], [1], 2, GatewayLimits(), 2 * GB)
MANY = 20_000  # files


def planned(memory: float, models: int = 1, workers: int | None = None, **options: int) -> Plan:
    chosen = {"descriptors": MANY, "most_workers": 1, "threads": 2, **options}
    return plan([MODEL] * models, int(memory * GB), workers=[workers] * models, **chosen)


@pytest.mark.parametrize(
    "change",
    [
        {"workers": [2]},
        {"threads": 3},
        {"models": [MODEL, MODEL], "workers": [1, 1]},
        {"models": [replace(MODEL, bytes=9_000_000)]},
        {"models": [replace(MODEL, width=200_000)]},
        {"models": [replace(MODEL, runtime="torch")]},
        {"models": [replace(MODEL, limits=Limits(values=2_000_000))]},
        {"models": [replace(MODEL, limits=Limits(response_bytes=9_000_000))]},
        {"limits": GatewayLimits(connections=2000)},
        {"limits": GatewayLimits(buffered_bytes=80_000_000)},
        {"limits": GatewayLimits(body_bytes=8_000_000)},
        {"limits": GatewayLimits(forwarded=512)},
    ],
    ids=str,
)
def test_more_of_anything_takes_more(change: dict[str, Any]) -> None:
    larger = replace(PLAN, **change)
    assert larger.total > PLAN.total
    assert PLAN.total == PLAN.gateway + PLAN.java + PLAN.processes
    assert PLAN.java > PLAN.heap + PLAN.direct


def test_a_body_of_any_format_can_be_decoded() -> None:
    body = PLAN.limits.body_bytes
    beside = replace(PLAN, limits=replace(PLAN.limits, body_bytes=0))
    for one in FORMATS:
        most = max(one.decode_memory(b",\n" * (body // 2)), one.decode_memory(b"1," * (body // 2)))
        assert PLAN.worker(MODEL) - beside.worker(MODEL) + DECODED_BYTES >= most, one.media_type


def test_a_single_answer_a_batch_takes_less_than_many() -> None:
    single = replace(PLAN, models=[replace(MODEL, batch=1)])
    assert single.answers == MODEL.limits.response_bytes < PLAN.answers


def test_what_is_planned_fits_and_is_no_smaller_than_needed() -> None:
    limits = [planned(memory).limits for memory in (1, 1.25, 1.5, 2, 4)]
    for memory in (1, 1.25, 1.5, 2, 4):
        assert planned(memory).total <= memory * GB
    buffered = [one.buffered_bytes for one in limits]
    assert buffered == sorted(buffered) and limits[-1] == GatewayLimits()
    assert limits[0].body_bytes < limits[-1].body_bytes
    assert [one.connections for one in limits] == sorted(one.connections for one in limits)


def test_workers_are_as_many_as_fit() -> None:
    assert planned(2, most_workers=4).workers == [1]
    assert planned(8, most_workers=4, threads=16).workers == [4]
    assert planned(8, most_workers=4, workers=2).workers == [2]


def test_what_does_not_fit_is_refused_with_what_to_change() -> None:
    with pytest.raises(FieldError, match=r"^memory: 300 MB are too few .* larger limit$"):
        planned(0.3)
    with pytest.raises(FieldError, match=r"^memory: .*fewer --workers or a larger limit"):
        planned(2, workers=8)
    with pytest.raises(FieldError, match="fewer archives in the store"):
        planned(1, models=9)


def test_connections_are_no_more_than_files_may_be_opened() -> None:
    assert planned(4).limits.connections == GatewayLimits().connections
    assert planned(4, descriptors=1024).limits.connections == 1024 - 160 - 256
    few = planned(4, descriptors=300).limits
    assert (few.connections, few.forwarded) == (94, 46)
    with pytest.raises(FieldError, match=r"nofile: .*ulimit -n"):
        planned(4, descriptors=162)


def test_two_servers_fit_where_there_is_memory_for_them() -> None:
    assert planned(8).two_fit
    assert not planned(2).two_fit


def test_the_parts_are_said_in_one_line() -> None:
    said = str(PLAN)
    assert "\n" not in said
    for size in (PLAN.total, PLAN.memory, PLAN.gateway, PLAN.java, PLAN.heap, PLAN.processes):
        assert f"{size / 1e6:.0f}" in said
