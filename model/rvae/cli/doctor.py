"""The command `rvae doctor`: whether this machine can train and serve."""

import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rvae.cli.checks import Check

__all__ = ["doctor"]

SIGNS = {"ok": "✓", "note": "–", "problem": "✗"}


def doctor(
    store: Path = Path("model_store"),
    host: str = "127.0.0.1",
    port: int = 8080,
    serve: bool = False,
    socket: Path | None = None,
    json: bool = False,
) -> int:
    """Check software, Java, ports, disk and memory, and let every archive of a store predict.

    If servers run, check those: their health, and a prediction by each version that they serve.
    ✗ marks what must be corrected, and makes the exit status 1; – is not there, and may not be
    needed.

    Args:
        store: Folder with archives.
        host: Address of the predictions.
        port: Port of predictions; metrics take the next one.
        serve: Also start TorchServe, and let every archive answer over HTTP.
        socket: Management socket of a running server, or a folder with those of several;
            RVAE_SOCKET of the environment, or logs/management.sock, if left out.
        json: Print a JSON list of all checks at the end, instead of a line for each.
    """
    checks = []
    for check in _checks(store, host, port, serve, socket):
        checks.append(check)
        if not json:
            advice = f": {check.advice}" if check.advice else ""
            print(f"{SIGNS[check.state]} {check.name}: {check.found}{advice}", flush=True)
    if json:
        _write_json(checks)
    return int(any(check.state == "problem" for check in checks))


def _checks(
    store: Path, host: str, port: int, serve: bool, socket: Path | None
) -> Iterator["Check"]:
    from rvae.cli.checks import check_machine, noted
    from rvae.cli.store_checks import check_server, check_store

    yield from check_machine()
    try:
        from rvae.cli.server_checks import check_servers, running_servers
        from rvae.cli.serving_checks import check_ports, check_serving
        from rvae.cli.start_checks import check_start
        from rvae.serving.management_sockets import asked_socket
    except ModuleNotFoundError as error:
        yield noted("serving", f"{error.name} is missing", "pip install 'rvae[serve]'")
        yield from check_store(store)
        return
    yield from check_serving()
    path = asked_socket(socket)
    servers, silent = running_servers(path)
    if servers:
        yield from silent
        yield from check_servers(servers)
    else:
        yield from check_ports(host, port)
        yield from silent
        yield from check_store(store)
        yield from check_start(store, (path if path.is_dir() else path.parent) / "config")
    if serve:
        yield check_server(store)


def _write_json(checks: list["Check"]) -> None:
    import json

    json.dump([asdict(check) for check in checks], sys.stdout, indent=1, ensure_ascii=False)
    print()
