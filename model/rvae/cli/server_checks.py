"""Running servers, checked by what they say and by predictions."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import orjson

from rvae.cli.checks import Check, failed, noted, passed
from rvae.errors import FieldError
from rvae.serving.management_sockets import sockets_at
from rvae.serving.model_store import read_archive
from rvae.serving.torchserve.supervision.health import full_disks
from rvae.serving.versions.management import Management, RefusedError
from rvae.serving.versions.served import ModelState, ServerState

__all__ = ["check_servers", "running_servers"]

PATIENCE_SECONDS = 2.0
SEE_LOGS = "see server.log and model.log in its folder of logs"


def running_servers(path: Path) -> tuple[dict[Path, ServerState], list[Check]]:
    """The servers of a management socket or a folder of sockets, and why others do not run."""
    try:
        sockets = sockets_at(path)
    except FieldError:
        return {}, [noted("server", f"none has {path}", "name the socket of one with --socket")]
    servers, silent = {}, []
    for socket in sockets:
        try:
            servers[socket] = Management(socket, PATIENCE_SECONDS).server()
        except RefusedError as error:  # also of one that starts
            silent.append(failed("server", f"{socket}: {error.message}", SEE_LOGS))
        except FieldError as error:
            silent.append(failed("server", error.message, "start rvae serve again"))
    return servers, silent


def check_servers(servers: Mapping[Path, ServerState]) -> Iterator[Check]:
    """Check the health of servers, and let every version that they serve predict."""
    for socket, server in servers.items():
        for check in _running(socket, server):
            several = len(servers) > 1
            yield replace(check, name=f"{socket.stem}: {check.name}") if several else check


def _running(socket: Path, server: ServerState) -> Iterator[Check]:
    """Check one server."""
    management = Management(socket, PATIENCE_SECONDS)
    yield _health(management, server)
    for name, model in server.models.items():
        for version in model.versions:
            yield _version(management, name, version, model)
        yield from _shares(name, model)
    yield from _unserved(server)
    for words in full_disks((server.store, server.logs)):
        yield failed("disk", words, "make room")


def _health(management: Management, server: ServerState) -> Check:
    where = f"rvae serve at {server.url}, with the store {server.store}"
    try:
        reasons = management.health()
    except FieldError as error:
        return failed("server", f"{where}: {error.message}", SEE_LOGS)
    if reasons:
        return failed("server", f"{where}: {'; '.join(reasons)}", SEE_LOGS)
    return passed("server", f"{where}, is healthy")


def _version(management: Management, name: str, version: str, model: ModelState) -> Check:
    """Whether a version has its workers, and predicts for its own example."""
    title, role = f"{name} {version}", ", the default" if version == model.default else ""
    try:
        one = management.registrations(name)[version]
        workers = f"{len(one.ready)} of {one.min_workers} workers ready{role}"
        if not one.ready:
            return failed(title, workers, SEE_LOGS)  # a prediction would wait for one
        example = orjson.dumps(management.describe(name, version)["example"])
        begin = time.perf_counter()
        headers = {"content-type": "application/json"}
        answer = management.predict(f"/predictions/{name}/{version}", example, headers)
        milliseconds = 1000 * (time.perf_counter() - begin)
    except (FieldError, KeyError, ValueError) as error:
        return failed(title, f"does not predict: {error}", SEE_LOGS)
    if not answer.ok:
        found = f"answers {answer.status_code}, {workers}: {answer.text}"
        return failed(title, found, SEE_LOGS)
    found = f"predicts, in {milliseconds:.0f} ms, {workers}"
    if len(one.ready) < one.min_workers:
        return failed(title, found, SEE_LOGS)
    return passed(title, found)


def _shares(name: str, model: ModelState) -> Iterator[Check]:
    for kind, share in (("canary", model.canary), ("shadow", model.shadow)):
        if share is not None:
            found = f"{share.version} gets {share.share:.0%} of the default's requests"
            yield noted(f"{name} {kind}", found, "a rollout that was killed leaves it: repeat that")


def _unserved(server: ServerState) -> Iterator[Check]:
    """Archives of the store that are not served: retired, damaged, or new."""
    for path in sorted(server.store.glob("*.mar")):
        try:
            archive = read_archive(path)
        except FieldError as error:
            yield failed(f"archive {path.name}", error.message, "make it again with rvae archive")
            continue
        model = server.models.get(archive.name)
        if model is None or archive.version not in model.versions:
            found = f"{archive.name} {archive.version} is not served"
            yield noted(f"archive {path.name}", found, "rvae rollout or rvae rollback brings it")
