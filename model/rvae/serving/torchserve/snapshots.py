"""What a TorchServe serves, in the form of its own property `model_snapshot`."""

from collections.abc import Iterable, Mapping
from typing import Any

from rvae.serving.torchserve.registrations import Registration

__all__ = ["from_snapshot", "snapshot"]

DEFAULT_TIMEOUT = 120  # seconds: TorchServe's own
Models = dict[str, dict[str, dict[str, Any]]]


def snapshot(registrations: Iterable[Registration]) -> dict[str, Any]:
    """What a TorchServe begins with if its configuration says so."""
    models: Models = {}
    for one in registrations:
        models.setdefault(one.name, {})[one.version] = {
            "defaultVersion": one.default,
            "marName": one.file,
            "minWorkers": one.min_workers,
            "maxWorkers": one.max_workers,
            "batchSize": one.batch_size,
            "maxBatchDelay": one.batch_delay,
            "responseTimeout": one.response_timeout,
            "startupTimeout": one.startup_timeout,
        }
    count = sum(len(versions) for versions in models.values())
    return {"name": "rvae", "modelCount": count, "models": models}


def from_snapshot(content: Mapping[str, Any]) -> tuple[Registration, ...]:
    """What a snapshot says, also one that TorchServe has written.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: If it is none.
    """
    return tuple(
        Registration(
            name=name,
            version=version,
            file=str(one["marName"]),
            default=bool(one["defaultVersion"]),
            min_workers=int(one["minWorkers"]),
            max_workers=int(one["maxWorkers"]),
            batch_size=int(one["batchSize"]),
            batch_delay=int(one["maxBatchDelay"]),
            response_timeout=int(one.get("responseTimeout", DEFAULT_TIMEOUT)),
            startup_timeout=int(one.get("startupTimeout", DEFAULT_TIMEOUT)),
        )
        for name, versions in content["models"].items()
        for version, one in versions.items()
    )
