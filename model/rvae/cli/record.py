"""The command `rvae record`: live requests kept in a file, for `rvae rollout --replay`."""

from pathlib import Path

__all__ = ["record"]


def record(
    name: str,
    output: Path,
    requests: int = 200,
    seconds: float = 60.0,
    socket: Path = Path("logs/management.sock"),
) -> None:
    """Keep the next live requests of a model of a running server in a .jsonl file.

    The file holds clients' data as they sent it. Only this account may read it.

    Args:
        name: Name of the model.
        output: File to write.
        requests: How many requests, at the most.
        seconds: How long to wait for them, at the most.
        socket: Management socket of the server.
    """
    from rvae.errors import require
    from rvae.serving.versions.management import Management
    from rvae.serving.versions.traffic import SUFFIX, write_traffic

    require(output.suffix == SUFFIX, "output", f"must end in {SUFFIX}, got {output}")
    found = Management(socket).traffic(name, requests, seconds)
    require(bool(found), "requests", f"none of {name} came within {seconds:g} s")
    write_traffic(output, found)
    print(f"Wrote {len(found)} requests to {output}")
