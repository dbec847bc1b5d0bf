"""What is served, in TorchServe's own form."""

import json

import pytest

from rvae.serving.torchserve.snapshots import from_snapshot, snapshot
from tests.support.registrations import registration


def test_it_has_the_names_that_torchserve_gives() -> None:
    content = snapshot([registration("1.0", default=True, workers=2), registration("2.0")])
    assert content["modelCount"] == 2
    assert content["models"]["toy"]["1.0"] == {
        "defaultVersion": True,
        "marName": "toy-1.0.mar",
        "minWorkers": 2,
        "maxWorkers": 2,
        "batchSize": 32,
        "maxBatchDelay": 1,
        "responseTimeout": 60,
        "startupTimeout": 90,
    }


def test_what_is_written_is_read_again() -> None:
    given = (registration("1.0", default=True, workers=0), registration("2.0"))
    assert from_snapshot(json.loads(json.dumps(snapshot(given)))) == given
    assert from_snapshot(snapshot([])) == ()


def test_timeouts_may_be_missing_as_older_servers_write_none() -> None:
    content = snapshot([registration("1.0")])
    del content["models"]["toy"]["1.0"]["startupTimeout"]
    (read,) = from_snapshot(content)
    assert read.startup_timeout == 120


@pytest.mark.parametrize("content", [{}, {"models": []}, {"models": {"a": {"1": {}}}}])
def test_anything_else_is_an_error(content: dict[str, object]) -> None:
    with pytest.raises((ValueError, KeyError, TypeError, AttributeError)):
        from_snapshot(content)
