"""The archives of a model store, checked by predictions."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from rvae.cli.checks import Check, failed, noted, passed
from rvae.errors import FieldError
from rvae.inference.artifact import Artifact
from rvae.inference.engine import Engine
from rvae.inference.software import software_versions
from rvae.serving.contract.messages import Request
from rvae.serving.model_store import list_archives, read_archive
from rvae.serving.service import Limits, Service

__all__ = ["check_server", "check_store"]

READY_SECONDS = 120.0
REBUILD = "make it again with rvae archive"


def check_store(store: Path) -> Iterator[Check]:
    """Check that every archive can be read and answers its own example."""
    paths = sorted(store.glob("*.mar"))
    if not paths:
        found = f"no archive in {store}" if store.is_dir() else f"no folder {store}"
        yield noted("model store", found, "make one with rvae archive")
        return
    for path in paths:
        yield _answers(path)
    try:
        list_archives(store)
    except FieldError as error:
        yield failed("model store", error.message, "keep one file of each name and version")
    else:
        yield passed(
            "model store", f"{len(paths)} {'archive' if len(paths) == 1 else 'archives'} in {store}"
        )


def _answers(path: Path) -> Check:
    """Whether a model loads, and predicts for its own example."""
    name = f"archive {path.name}"
    try:
        archive = read_archive(path)
        artifact = Artifact.load(path)
        service = Service(Engine(artifact), archive.name, archive.version, Limits())
    except FieldError as error:
        return failed(name, error.message, REBUILD)
    begin = time.perf_counter()
    (reply,) = service.answer([Request(service.example())])
    milliseconds = 1000 * (time.perf_counter() - begin)
    if reply.status != 200:
        return failed(name, f"does not answer: {reply.body.decode()}", REBUILD)
    trained, here = artifact.card.versions, software_versions()
    versions = ", ".join(
        f"trained with {package} {trained[package]}, here {here[package]}"
        for package in ("rvae", "torch")
        if trained.get(package, here[package]) != here[package]
    )
    found = f"{archive.name} {archive.version} predicts, in {milliseconds:.0f} ms"
    return passed(name, f"{found} ({versions})" if versions else found)


def check_server(store: Path) -> Check:
    """Check that TorchServe itself answers with every archive."""
    from rvae.serving.torchserve import TorchServe, fresh_state

    begin = time.perf_counter()
    try:
        served = fresh_state(list_archives(store), workers=1)
        with (
            tempfile.TemporaryDirectory(prefix="rvae-doctor-") as logs,
            TorchServe(store, served.registrations, Path(logs)) as server,
        ):
            server.wait_until_ready(READY_SECONDS)
    except FieldError as error:
        return failed("TorchServe", error.message, "see the other checks")
    seconds = time.perf_counter() - begin
    return passed("TorchServe", f"all archives answer over HTTP, {seconds:.0f} s after its start")
