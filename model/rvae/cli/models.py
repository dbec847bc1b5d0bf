"""The command `rvae models`: what running servers serve."""

import json as json_text
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rvae.cli.described import OF_REQUESTS, aligned, described_lines

if TYPE_CHECKING:
    from rvae.serving.versions.served import ModelState
    from rvae.serving.versions.servers import Server

__all__ = ["models"]

COLUMNS = ("model", "version", "workers", "archive", "")
SERVERS = "servers"  # the last column, where there are several


def models(
    name: str | None = None,
    version: str | None = None,
    socket: Path | None = None,
    json: bool = False,
) -> int:
    """Print what running servers serve, or describe one version of a model.

    The exit status is 1 if one of them does not answer.

    Args:
        name: Describe this model.
        version: Describe this version of it; the default if left out.
        socket: Management socket of a server, or a folder with those of several; RVAE_SOCKET of the
            environment, or logs/management.sock, if left out.
        json: Print JSON.
    """
    from rvae.errors import require
    from rvae.serving.management_sockets import asked_socket
    from rvae.serving.versions.servers import Servers

    require(version is None or name is not None, "version", "needs the --name of a model")
    servers, silent = Servers(asked_socket(socket)).asked()
    count = len(servers) + len(silent)
    if name is None:
        rows = _rows(servers, count > 1)
        print(json_text.dumps(rows, indent=1) if json else _table(rows, count))
    else:
        content = _described(servers, name, version)
        if json:
            print(json_text.dumps(content, indent=1, ensure_ascii=False))
        else:
            served = ("served as", f"{content['name']} {content['version']}")
            runtime = ", ".join(f"{key} {value}" for key, value in content["runtime"].items())
            print(aligned([served, *described_lines(content), ("runs on", runtime)]))
    for words in silent.values():
        print(words, file=sys.stderr)
    return int(bool(silent))


def _rows(servers: Sequence["Server"], several: bool) -> list[dict[str, Any]]:
    """What is served, a version each, and if there are several servers by which of them."""
    from rvae.serving.version_order import version_key

    found: list[dict[str, Any]] = []
    on: list[list[str]] = []
    for server in servers:
        for row in _rows_of(server):
            if row not in found:
                found.append(row)
                on.append([])
            on[found.index(row)].append(server.name)
    if not several:
        return found
    rows = [{**row, SERVERS: names} for row, names in zip(found, on, strict=True)]
    return sorted(rows, key=lambda row: (row["model"], version_key(row["version"])))


def _rows_of(server: "Server") -> Iterator[dict[str, Any]]:
    """What a server serves, a version each."""
    for name, model in server.state.models.items():
        registered = server.management.registrations(name)
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


def _table(rows: Sequence[Mapping[str, Any]], count: int) -> str:
    lines = [COLUMNS if count == 1 else (*COLUMNS, SERVERS)]
    for row in rows:
        workers = f"{row['ready']} of {row['workers']}"
        line = (row["model"], row["version"], workers, row["archive"], ", ".join(row["roles"]))
        lines.append(line if count == 1 else (*line, _names(row[SERVERS], count)))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    texts = [
        "  ".join(f"{cell:{width}}" for cell, width in zip(line, widths, strict=True))
        for line in lines
    ]
    return "\n".join(text.rstrip() for text in texts)


def _names(names: Sequence[str], count: int) -> str:
    return f"all {count}" if len(names) == count else ", ".join(names)


def _described(servers: Sequence["Server"], name: str, version: str | None) -> Mapping[str, Any]:
    """The description of a version, and what runs it, by the first server that has it."""
    from rvae.errors import FieldError

    for server in servers:
        model = server.state.models.get(name)
        if model is not None and (version is None or version in model.versions):
            break
    else:
        raise FieldError("name", f"{name} {version or ''}".strip() + " is not served")
    content = server.management.describe(name, version or model.default)
    card = {key: value for key, value in content["card"].items() if key not in OF_REQUESTS}
    return {
        "name": content["model"],
        "version": content["version"],
        **card,
        "runtime": content["runtime"],
    }
