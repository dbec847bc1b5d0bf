"""The composition of docker/ as it runs for all tests here, one after another."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml

from rvae.serving.packaging import build_archive
from tests.support import base_images
from tests.support.builds import build_images
from tests.support.composition import BARE, Composition
from tests.support.engine import Engine, NoEngineError, container_engine
from tests.support.fault_models import NAME
from tests.support.proxied import Proxied
from tests.support.served_process import free_ports
from tests.support.waiting import wait_for

START_SECONDS = 180
SHOWN = 40  # last lines of a log
READ_CERTIFICATE = "cat /certificates/server.crt"
COLUMNS = (
    *("what happened", "asked, with retries", "lost", "asked, without", "not 200"),
    *("p99 (s)", "longest (s)", "outage (s)"),
)
HEAD = f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}"
ENGINE = pytest.StashKey[str]()
ROWS = pytest.StashKey[list[str]]()
LOGS = pytest.StashKey[Path]()


@pytest.fixture(scope="session")
def container_runtime(pytestconfig: pytest.Config) -> Iterator[Engine]:
    """An engine with the images that Dockerfiles begin with."""
    try:
        with container_engine() as engine:
            base_images.provide(engine, "python:3.11-slim-bookworm", BARE)
            pytestconfig.stash[ENGINE] = f"run on {engine}"
            yield engine
    except NoEngineError as error:
        pytestconfig.stash[ENGINE] = f"NOT RUN: {error}"
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def shop(acquainted: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Archives of two versions, of which an operator has put the first into the store."""
    folder = tmp_path_factory.mktemp("shop")
    for version in ("1.0", "2.0"):
        build_archive(acquainted, NAME, version, folder)
    return folder


@pytest.fixture(scope="session")
def composition(
    container_runtime: Engine,
    shop: Path,
    tmp_path_factory: pytest.TempPathFactory,
    pytestconfig: pytest.Config,
) -> Iterator[Composition]:
    """Server and proxy, up and ready, with a store in which version 1.0 is."""
    folder = tmp_path_factory.mktemp("composition")
    store = folder / "store"
    store.mkdir()
    shutil.copy(shop / f"{NAME}-1.0.mar", store)
    images = folder / "images.yaml"
    own = {"server": "serve", "manage": "serve", "proxy": "proxy"}
    services = {name: {"image": f"rvae-test-{image}"} for name, image in own.items()}
    images.write_text(yaml.safe_dump({"services": services}))
    keys = folder / "keys"
    keys.touch()
    running = Composition(
        container_runtime,
        f"rvae-test-{os.getpid()}",
        {
            "RVAE_STORE": str(store),
            "RVAE_KEYS": str(keys),
            "RVAE_ADDRESS": "127.0.0.1",
            "RVAE_MEMORY": "4g",  # for the workers of two versions
            "RVAE_PORT": str(free_ports()),
        },
        [images],
    )
    try:
        build_images(running)
        yield running
    finally:
        pytestconfig.stash[LOGS] = folder
        running.keep_logs(folder)
        running.take_down()


@pytest.fixture(scope="session")
def service(composition: Composition, tmp_path_factory: pytest.TempPathFactory) -> Proxied:
    """The way of a client with a key to the running composition."""
    folder = tmp_path_factory.mktemp("client")
    key = composition.script("keys.sh", "add", "tests").split()[-1]
    composition.run("up", "--detach")
    certificate = folder / "server.crt"
    wait_for(lambda: "BEGIN" in composition.shell("proxy", READ_CERTIFICATE, check=False))
    certificate.write_text(composition.shell("proxy", READ_CERTIFICATE))
    port = int(composition.environment["RVAE_PORT"])
    return Proxied(("127.0.0.1", port), certificate, key)


@pytest.fixture(autouse=True)
def all_is_well(composition: Composition, service: Proxied) -> None:
    """Each test begins when one server is up, and the service ready."""
    wait_for(service.is_ready, START_SECONDS)


@pytest.fixture
def put_into_store(composition: Composition) -> Iterator[Callable[[Path], str]]:
    """Puts an archive into the store during a test; its path in containers."""
    with ExitStack() as stack:

        def put(archive: Path) -> str:
            stored = Path(composition.environment["RVAE_STORE"]) / archive.name
            shutil.copy(archive, stored)
            stack.callback(stored.unlink, missing_ok=True)
            return f"/models/{archive.name}"

        yield put


@pytest.fixture
def second(put_into_store: Callable[[Path], str], shop: Path) -> str:
    """The path in containers of version 2.0."""
    return put_into_store(shop / f"{NAME}-2.0.mar")


@pytest.fixture
def row(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Adds a row to the table at the end."""
    return pytestconfig.stash.setdefault(ROWS, []).append


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say whether the tests ran and what was lost, and show logs where one failed."""
    write = terminalreporter.write_line
    if ENGINE in config.stash:
        write(f"docker tests: {config.stash[ENGINE]}")
    if rows := config.stash.get(ROWS, []):
        write("\n".join((HEAD, *rows)))
    if LOGS in config.stash and (terminalreporter.stats.keys() & {"failed", "error"}):
        for log in sorted(config.stash[LOGS].glob("*.log")):
            terminalreporter.section(f"end of {log}")
            write("\n".join(log.read_text(errors="replace").splitlines()[-SHOWN:]))
