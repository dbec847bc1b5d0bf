"""The command `rvae models`: what a running server serves."""

import json as json_text
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rvae.cli.described import OF_REQUESTS, aligned, described_lines

if TYPE_CHECKING:
    from rvae.serving.versions.management import Management
    from rvae.serving.versions.served import ModelState

__all__ = ["models"]

COLUMNS = ("model", "version", "workers", "archive", "")


def models(
    name: str | None = None,
    version: str | None = None,
    socket: Path = Path("logs/management.sock"),
    json: bool = False,
) -> None:
    """Print what a running server serves, or describe one version of a model.

    Args:
        name: Describe this model.
        version: Describe this version of it; the default if left out.
        socket: Management socket of the server.
        json: Print JSON.
    """
    from rvae.errors import require
    from rvae.serving.versions.management import Management

    require(version is None or name is not None, "version", "needs the --name of a model")
    management = Management(socket)
    if name is None:
        rows = list(_rows(management))
        print(json_text.dumps(rows, indent=1) if json else _table(rows))
        return
    content = _described(management, name, version)
    if json:
        print(json_text.dumps(content, indent=1, ensure_ascii=False))
    else:
        served = ("served as", f"{content['name']} {content['version']}")
        runtime = ", ".join(f"{key} {value}" for key, value in content["runtime"].items())
        print(aligned([served, *described_lines(content), ("runs on", runtime)]))


def _rows(management: "Management") -> Iterator[dict[str, Any]]:
    """What is served, a version each."""
    for name, model in management.server().models.items():
        registered = management.registrations(name)
        for version in model.versions:
            one = registered.get(version)
            if one is None:
                continue  # it was unregistered since the server was asked
            yield {
                "model": name,
                "version": version,
                "workers": one.min_workers,
                "ready": len(one.ready),
                "archive": one.file,
                "roles": list(_roles(model, version)),
            }


def _roles(model: "ModelState", version: str) -> Iterator[str]:
    if version == model.default:
        yield "default"
    if version == model.previous:
        yield "default before"
    for kind, share in (("canary", model.canary), ("shadow", model.shadow)):
        if share is not None and share.version == version:
            yield f"{kind} of {share.share:.0%}"


def _table(rows: list[dict[str, Any]]) -> str:
    lines = [COLUMNS]
    for row in rows:
        workers = f"{row['ready']} of {row['workers']}"
        roles = ", ".join(row["roles"])
        lines.append((row["model"], row["version"], workers, row["archive"], roles))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    texts = [
        "  ".join(f"{cell:{width}}" for cell, width in zip(line, widths, strict=True))
        for line in lines
    ]
    return "\n".join(text.rstrip() for text in texts)


def _described(management: "Management", name: str, version: str | None) -> Mapping[str, Any]:
    """The description of a version, and what runs it."""
    from rvae.errors import FieldError

    model = management.server().models.get(name)
    if model is None:
        raise FieldError("name", f"{name} is not served")
    content = management.describe(name, version or model.default)
    card = {key: value for key, value in content["card"].items() if key not in OF_REQUESTS}
    return {
        "name": content["model"],
        "version": content["version"],
        **card,
        "runtime": content["runtime"],
    }
