"""The command `rvae rollback`: an earlier version in place of the present one."""

from pathlib import Path

__all__ = ["rollback"]


def rollback(
    name: str,
    version: str | None = None,
    socket: Path | None = None,
    workers: int | None = None,
    timeout: float = 120.0,
    keep: bool = False,
) -> None:
    """Make an earlier version the default of a model of a running server, and lose no request.

    If it was retired, it is registered again from the server's store.

    Args:
        name: Name of the model.
        version: Version to come back to; the default before the present one if left out.
        socket: Management socket of the server, or a folder with those of several; RVAE_SOCKET of
            the environment, or logs/management.sock, if left out.
        workers: Processes of a version that has to be registered; as many as the present default
            has if left out.
        timeout: Seconds in which they must be ready.
        keep: Keep the present version beside it.
    """
    from rvae.cli.changing import changing
    from rvae.serving.versions.rollback import RollbackOptions
    from rvae.serving.versions.rollback import rollback as roll_back

    with changing(socket) as (servers, steps):
        roll_back(servers, name, RollbackOptions(version, workers, timeout, keep), steps)
