"""The command `rvae record`: live requests kept in a file, for `rvae rollout --replay`."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any

from rvae.errors import FieldError, require

if TYPE_CHECKING:
    from rvae.serving.versions.servers import Server

__all__ = ["record"]


def record(
    name: str,
    output: Path,
    requests: int = 200,
    seconds: float = 60.0,
    socket: Path | None = None,
) -> None:
    """Keep the next live requests of a model of running servers in a .jsonl file.

    The file holds clients' data as they sent it. Only this account may read it.

    Args:
        name: Name of the model.
        output: File to write.
        requests: How many requests, at the most; of several servers each gives its part.
        seconds: How long to wait for them, at the most.
        socket: Management socket of the server, or a folder with those of several; RVAE_SOCKET of
            the environment, or logs/management.sock, if left out.
    """
    from rvae.serving.management_sockets import asked_socket
    from rvae.serving.versions.servers import Servers
    from rvae.serving.versions.traffic import SUFFIX, write_traffic

    require(output.suffix == SUFFIX, "output", f"must end in {SUFFIX}, got {output}")
    servers = Servers(asked_socket(socket)).found()
    found = _heard(servers, name, math.ceil(requests / len(servers)), seconds)[:requests]
    require(bool(found), "requests", f"none of {name} came within {seconds:g} s")
    write_traffic(output, found)
    print(f"Wrote {len(found)} requests to {output}")


def _heard(
    servers: Sequence["Server"], name: str, requests: int, seconds: float
) -> list[Mapping[str, Any]]:
    """Requests of each server, all of which listen at the same time."""
    answers: SimpleQueue[list[Mapping[str, Any]] | Exception] = SimpleQueue()

    def ask(server: "Server") -> None:
        try:
            answers.put(server.management.traffic(name, requests, seconds))
        except FieldError as error:
            answers.put(error)

    for server in servers:  # Ctrl-C does not wait for them
        Thread(target=ask, args=(server,), daemon=True).start()
    found = []
    for _ in servers:
        answer = answers.get()
        if isinstance(answer, Exception):
            raise answer
        found += answer
    return found
