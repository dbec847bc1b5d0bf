"""What a TorchServe serves, as its management says."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import requests

from rvae.errors import FieldError
from rvae.serving.gateway.routes import Served
from rvae.serving.model_store import read_archive

__all__ = [
    "LISTED",
    "Registration",
    "absence",
    "default_archives",
    "read_registrations",
    "registration_of",
    "restart_workers",
    "served",
]

# Every model, with the file of its default version.
LISTED = "/models?limit=1000"


@dataclass(frozen=True)
class Registration:
    """A registered version of a model.

    Attributes:
        name: Of the model.
        version: Of the model.
        file: Name of the archive in the model store.
        default: Whether requests that name no version go to this one.
        min_workers: Processes that TorchServe keeps running.
        max_workers: Processes that it allows.
        batch_size: Requests that one run of the model may answer.
        batch_delay: Milliseconds that a request may wait for others.
        response_timeout: Seconds after which TorchServe ends a worker that does not answer.
        startup_timeout: Seconds after which it ends one that does not load.
        ready: Process ids of the workers that have loaded the model.
    """

    name: str
    version: str
    file: str
    default: bool
    min_workers: int
    max_workers: int
    batch_size: int
    batch_delay: int
    response_timeout: int
    startup_timeout: int
    ready: frozenset[int] = frozenset()

    @property
    def key(self) -> tuple[str, str]:
        """Name and version."""
        return self.name, self.version

    def scaled(self, workers: int) -> Self:
        """The same with another number of processes."""
        return replace(self, min_workers=workers, max_workers=workers)

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def default_archives(session: requests.Session, seconds: float) -> dict[str, str]:
    """The file of the default version of every model, by name.

    Raises:
        requests.RequestException: If TorchServe does not answer in time.
        ValueError, KeyError, TypeError: If it answers something else.
    """
    answer = session.get(f"http://localhost{LISTED}", timeout=seconds)
    return {model["modelName"]: model["modelUrl"] for model in answer.json()["models"]}


def read_registrations(
    session: requests.Session, defaults: Mapping[str, str], seconds: float
) -> tuple[Registration, ...]:
    """Every registered version of the models in `default_archives`.

    Raises:
        requests.RequestException: If TorchServe does not answer in time.
        ValueError, KeyError, TypeError: If it answers something else.
    """
    found = []
    for name, default in defaults.items():
        answer = session.get(f"http://localhost/models/{name}/all", timeout=seconds)
        if answer.status_code != 404:  # it was unregistered in this moment
            found += [registration_of(model, default) for model in answer.json()]
    return tuple(found)


def served(registrations: Iterable[Registration]) -> dict[str, Served]:
    """What requests can be sent to, by the name of the model."""
    versions: dict[str, set[str]] = {}
    defaults = {}
    for one in registrations:
        versions.setdefault(one.name, set()).add(one.version)
        if one.default:
            defaults[one.name] = one.version
    return {name: Served(defaults[name], frozenset(versions[name])) for name in defaults}


def restart_workers(session: requests.Session, one: Registration, seconds: float) -> None:
    """Let TorchServe start the workers of a version anew, also if it has given up on them.

    Requests that wait for it keep their place.

    Raises:
        requests.RequestException: If TorchServe does not answer in time.
    """
    address = f"http://localhost/models/{one.name}/{one.version}"
    for least, most in ((0, 0), (one.min_workers, one.max_workers)):
        workers = {"min_worker": str(least), "max_worker": str(most)}
        session.put(address, params=workers, timeout=seconds)


def absence(store: Path, one: Registration) -> str | None:
    """Why a model store does not hold the archive of a registration, in words; None if it does."""
    try:
        archive = read_archive(store / one.file)
    except FieldError as error:
        return error.message
    # A model can be registered under another name than that in its archive.
    return None if archive.version == one.version else f"now holds version {archive.version}"


def registration_of(model: Mapping[str, Any], default: str) -> Registration:
    """A registered version.

    Args:
        model: What TorchServe says of it.
        default: File of the default version.

    Raises:
        KeyError, TypeError: If that is something else.
    """
    return Registration(
        name=model["modelName"],
        version=model["modelVersion"],
        file=Path(model["modelUrl"]).name,
        default=model["modelUrl"] == default,
        min_workers=model["minWorkers"],
        max_workers=model["maxWorkers"],
        batch_size=model["batchSize"],
        batch_delay=model["maxBatchDelay"],
        response_timeout=model["responseTimeout"],
        startup_timeout=model["startupTimeout"],
        ready=frozenset(
            worker["pid"] for worker in model["workers"] if worker["status"] == "READY"
        ),
    )
