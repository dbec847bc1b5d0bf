"""What a server says of itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rvae.errors import FieldError

__all__ = ["ModelState", "ServerState", "Share", "other_version", "server_of"]


@dataclass(frozen=True)
class Share:
    """A version that gets a share of the default's requests.

    Attributes:
        version: Of the model.
        share: From 0 to 1.
    """

    version: str
    share: float

    def __str__(self) -> str:
        return f"{self.version} gets {self.share:.0%}"


@dataclass(frozen=True)
class ModelState:
    """What is served of a model.

    Attributes:
        default: Version that answers requests without one.
        previous: Version that was the default before; None if there was none.
        canary: Version that answers a share of the default's requests.
        shadow: Version that gets copies of a share of them.
        versions: All that can be asked.
    """

    default: str
    previous: str | None
    canary: Share | None
    shadow: Share | None
    versions: tuple[str, ...]


@dataclass(frozen=True)
class ServerState:
    """A running `rvae serve`.

    Attributes:
        store: Its folder of archives.
        logs: Its folder of logs.
        url: Address of the predictions.
        metrics: Address of the metrics.
        models: What it serves, by name.
    """

    store: Path
    logs: Path
    url: str
    metrics: str
    models: Mapping[str, ModelState]


def server_of(content: Any) -> ServerState:
    """What the answer to `GET /server` says.

    Raises:
        FieldError: If it is something else.
    """
    try:
        return ServerState(
            Path(content["store"]),
            Path(content["logs"]),
            content["predictions"],
            content["metrics"],
            {name: _model(one) for name, one in content["models"].items()},
        )
    except (KeyError, TypeError, AttributeError):
        raise other_version() from None


def other_version() -> FieldError:
    """The error about a server that does not answer as those of this version do."""
    return FieldError("server", "is not an rvae serve of this version")


def _model(content: Mapping[str, Any]) -> ModelState:
    return ModelState(
        content["default"],
        content.get("previous"),
        _share(content.get("canary")),
        _share(content.get("shadow")),
        tuple(content["versions"]),
    )


def _share(content: Mapping[str, Any] | None) -> Share | None:
    return None if not content else Share(content["version"], content["share"])
