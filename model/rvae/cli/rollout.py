"""The command `rvae rollout`: a new version in place of the old one."""

from pathlib import Path

from rvae.serving.versions.bounds import Bounds

__all__ = ["rollout"]


def rollout(
    name: str,
    archive: Path,
    socket: Path | None = None,
    workers: int | None = None,
    timeout: float = 120.0,
    replay: Path | None = None,
    requests: int = 200,
    shadow: float = 0.0,
    canary: float = 0.0,
    seconds: float = 30.0,
    watch: float = 5.0,
    keep: bool = False,
    bounds: Bounds = Bounds(),
) -> None:
    """Make an archive the default version of a model of a running server, and lose no request.

    The archive is verified, loaded beside the old version and compared with it before a client gets
    an answer of it. If a step fails, or Ctrl-C ends the command, everything is as before.

    Args:
        name: Name of the model.
        archive: Archive with the new version.
        socket: Management socket of the server, or a folder with those of several; RVAE_SOCKET of
            the environment, or logs/management.sock, if left out.
        workers: Processes of the new version; as many as the old one has if left out.
        timeout: Seconds in which they must be ready.
        replay: Requests that both versions answer and are compared by: traffic of rvae record, or a
            file of data, read like the training file.
        requests: How many of them, at the most.
        shadow: Share from 0 to 1 of the live requests that the new version gets copies of first;
            nobody gets its answers.
        canary: Share of the live requests that it answers next.
        seconds: How long each of these two lasts.
        watch: Seconds in which errors of the new version as the default bring the old one back.
        keep: Keep the old version beside the new one.
        bounds: How far the new version may be from the old one.
    """
    from functools import partial

    from rvae.cli.changing import changing
    from rvae.serving.versions.candidate import candidate
    from rvae.serving.versions.rollout import RolloutOptions
    from rvae.serving.versions.rollout import rollout as roll_out

    options = RolloutOptions(
        workers, timeout, replay, requests, shadow, canary, seconds, watch, keep, bounds
    )
    with changing(socket) as (servers, steps):
        roll_out(servers, partial(candidate, archive, name), options, steps)
