"""Two servers of one service, changed by one command while clients ask either of them."""

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from shutil import copy

import pytest

from rvae.serving.packaging import build_archive
from rvae.serving.torchserve.state_file import read_state
from rvae.serving.versions.management import Management
from tests.support.background_command import BackgroundCommand
from tests.support.served_process import ServedProcess
from tests.support.steady_load import SteadyLoad
from tests.support.waiting import wait_for

pytestmark = pytest.mark.faults

PATH = "/predictions/waves"
CLIENTS = (PATH, PATH, PATH, PATH)
BEFORE, AFTER = ("1.0", ("1.0",)), ("2.0", ("2.0",))


@pytest.fixture(scope="module")
def built(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Archives of two versions."""
    folder = tmp_path_factory.mktemp("built")
    for version in ("1.0", "2.0"):
        build_archive(checkpoint, "waves", version, folder)
    return folder


class Service:
    """Servers with one store, one state and one folder of sockets."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self._stack = stack
        self._runs = count()
        self.sockets.mkdir()
        self.servers: dict[str, ServedProcess] = {}

    @property
    def sockets(self) -> Path:
        return self.folder / "sockets"

    @property
    def store(self) -> Path:
        return self.folder / "store"

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def begin(self, name: str) -> ServedProcess:
        """Start a server, as an orchestrator does that started it before."""
        run = self.folder / f"{name}-{next(self._runs)}"
        run.mkdir()
        socket = self.sockets / f"{name}.sock"
        options = ("--workers", 1, "--state", self.state, "--socket", socket)
        before = self.servers.get(name)
        port = before.port if before is not None else None
        made = ServedProcess(self.store, run, options, port=port)
        self._stack.callback(made.kill)
        self.servers[name] = made
        return made

    def start(self, name: str) -> ServedProcess:
        """Start a server, and wait until it is ready."""
        return self._stack.enter_context(self.begin(name))

    def await_start(self, name: str) -> None:
        """Wait until a server that was begun is ready."""
        self._stack.enter_context(self.servers[name])

    def serves(self, name: str) -> tuple[str, tuple[str, ...]]:
        """Default and versions."""
        model = Management(self.sockets / f"{name}.sock").server().models["waves"]
        return model.default, model.versions

    def on_disk(self) -> tuple[str, tuple[str, ...]]:
        """What a server that starts now would serve."""
        state, notes = read_state(self.state, self.store)
        assert notes == []
        (default,) = (one.version for one in state.registrations if one.default)
        return default, tuple(sorted(one.version for one in state.registrations))

    def require_all(self, expected: tuple[str, tuple[str, ...]]) -> None:
        """Fail unless every server, and the state, are as expected."""
        found = {name: self.serves(name) for name in self.servers}
        assert set(found.values()) == {expected}, found
        assert self.on_disk() == expected


@pytest.fixture
def service(built: Path, short_folder: Path) -> Iterator[Service]:
    """Two servers of version 1.0."""
    with ExitStack() as stack:
        made = Service(short_folder, stack)
        made.store.mkdir()
        copy(built / "waves-1.0.mar", made.store)
        for name in "ab":
            made.start(name)
        yield made


@contextmanager
def loaded(service: Service) -> Iterator[SteadyLoad]:
    """Clients that ask one server, and the next one if that does not answer."""
    body = (service.servers["a"].logs / "waves-example.json").read_bytes()
    addresses = [one.address for one in service.servers.values()]
    with SteadyLoad(addresses[0], CLIENTS, body, others=addresses[1:]) as load:
        load.await_answers(PATH)
        yield load
        load.await_answers(PATH)
    print(f"\n{load.summary()}")
    assert set(load.outcomes[PATH]) == {200}


class Command(BackgroundCommand):
    """A command beside the servers."""

    def __init__(self, service: Service, *words: object) -> None:
        super().__init__(service.folder / "command.txt", service.sockets, *words)


def test_a_rollout_and_a_rollback(service: Service, built: Path) -> None:
    with loaded(service) as load:
        rolled = Command(
            service,
            *("rollout", "waves", built / "waves-2.0.mar"),
            *("--shadow", 0.5, "--canary", 0.5, "--seconds", 2),
        )
        assert rolled.end("servers   a, b: waves is served by 1.0", "retire    2 servers:") == 0
        service.require_all(AFTER)
        back = Command(service, "rollback", "waves")
        assert back.end("default   2 servers: 1.0 in place of 2.0") == 0
        service.require_all(BEFORE)
    assert load.versions[PATH] == {"1.0", "2.0"}


@pytest.mark.parametrize("step", ["register", "ready", "canary", "watch"])
def test_an_interruption_takes_everything_back(service: Service, built: Path, step: str) -> None:
    with loaded(service):
        words = ("rollout", "waves", built / "waves-2.0.mar")
        rolled = Command(service, *words, "--canary", 0.5, "--seconds", 3, "--watch", 60)
        rolled.await_step(step)
        rolled.process.send_signal(signal.SIGINT)
        assert rolled.end("interrupted", "2 servers: waves is served by 1.0") == 130
        service.require_all(BEFORE)


@pytest.mark.parametrize("name", ["a", "b"])
@pytest.mark.parametrize("step", ["register", "ready", "canary", "watch"])
def test_a_server_that_is_killed_comes_back_like_the_other(
    service: Service, built: Path, step: str, name: str
) -> None:
    with loaded(service):
        words = ("rollout", "waves", built / "waves-2.0.mar")
        rolled = Command(service, *words, "--canary", 0.5, "--seconds", 3, "--watch", 60)
        rolled.await_step(step)
        service.servers[name].kill()
        assert rolled.end(f"{name}.sock") == 1
        (other,) = {"a", "b"} - {name}
        assert service.serves(other) == service.on_disk() == BEFORE
        service.start(name)
        service.require_all(BEFORE)
        assert Command(service, *words).end("retire") == 0
        service.require_all(AFTER)


def test_a_server_that_hangs_keeps_the_other_from_nothing(service: Service, built: Path) -> None:
    words = ("rollout", "waves", built / "waves-2.0.mar")
    rolled = Command(service, *words, "--watch", 60)
    rolled.await_step("watch")
    service.servers["b"].process.send_signal(signal.SIGSTOP)
    try:
        said = "a: waves is served by 1.0; b: ", "b.sock did not answer within 15 s"
        assert rolled.end(*said) == 1
        assert service.serves("a") == service.on_disk() == BEFORE
        assert (service.store / "waves-2.0.mar").exists()  # the other one has it
    finally:
        service.servers["b"].process.send_signal(signal.SIGCONT)
    assert service.serves("b") == ("2.0", ("1.0", "2.0"))
    assert Command(service, *words).end("b: waves is served by 2.0", "retire") == 0
    service.require_all(AFTER)


def test_a_server_that_starts_meanwhile_ends_like_the_others(service: Service, built: Path) -> None:
    with loaded(service):
        rolled = Command(service, "rollout", "waves", built / "waves-2.0.mar", "--watch", 4)
        rolled.await_step("watch")
        service.begin("c")  # it reads that both versions are served, and the one that is retired
        assert rolled.end("retire") == 0
        service.await_start("c")
        service.require_all(AFTER)
        service.servers["c"].kill()
        service.start("c")
        service.require_all(AFTER)


def test_a_socket_that_nobody_answers_is_refused(service: Service, built: Path) -> None:
    service.servers["b"].kill()
    rolled = Command(service, "rollout", "waves", built / "waves-2.0.mar")
    assert rolled.end("b.sock: start that server again, or remove the file if it is gone") == 1
    assert service.serves("a") == BEFORE
    service.start("b")  # and takes the place of its socket
    service.require_all(BEFORE)


def test_a_worker_count_is_that_of_the_service(service: Service) -> None:
    for name in "ab":
        Management(service.sockets / f"{name}.sock").scale("waves", "1.0", 2)
    for name in "ab":
        service.servers[name].kill()
    for name in "ab":
        service.start(name)
        wait_for(lambda name=name: len(service.servers[name].workers()) == 2)  # type: ignore[misc]
