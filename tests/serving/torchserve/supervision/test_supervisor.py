"""A server that is kept answering: what is replaced and when, and that real ones are."""

import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from rvae.errors import FieldError
from rvae.serving.model_store import list_archives
from rvae.serving.torchserve import TorchServe, fresh_state
from rvae.serving.torchserve.registrations import Registration
from rvae.serving.torchserve.supervision import supervisor as supervising
from rvae.serving.torchserve.supervision.health import Health
from rvae.serving.torchserve.supervision.supervisor import Calls, Supervisor
from rvae.serving.unix_http import UnixSession
from tests.support.fake_torchserve import FakeTorchServe
from tests.support.toy_archive import toy_archive
from tests.support.waiting import wait_for

OLD = ("toy", "1.0")
NEW = ("toy", "2.0")


class Office:
    """What a supervisor does with fake servers.

    Attributes:
        servers: Every one that was launched.
        said: Which calls there were, in order.
        state: What is to be served.
        unready: Versions that do not become ready.
        refusal: Raised in place of the next launch, as long as it is set.
        refused: How often it was raised.
    """

    def __init__(self, store: Path, logs: Path, **options: Any) -> None:
        self.servers: list[FakeTorchServe] = []
        self.said: list[str] = []
        self.unready: set[str] = set()
        self.refusal: Exception | None = None
        self.refused = 0
        calls = Calls[FakeTorchServe](
            switch=lambda server: self.said.append(f"switch {self.servers.index(server)}"),
            hold=lambda: self.said.append("hold"),
            repeat=lambda: self.said.append("repeat"),
            end=lambda words: self.said.append(f"end {words}"),
        )
        self.state = fresh_state(list_archives(store), 1)
        self.supervisor = Supervisor(self.launch, self.state, logs, calls, seconds=30, **options)

    def launch(
        self, registrations: Sequence[Registration], awaited: Sequence[Registration]
    ) -> FakeTorchServe:
        if self.refusal is not None:
            self.refused += 1
            raise self.refusal
        self.servers.append(FakeTorchServe(registrations, awaited, self.unready))
        return self.servers[-1]

    def is_known(self) -> bool:
        """Whether the supervisor has seen what is served: only that can be restored."""
        return self.supervisor.registrations != ()

    def is_ready(self) -> bool:
        return self.supervisor.health() == Health(True)


Open = Callable[..., Office]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    for _, version in (OLD, NEW):
        toy_archive(tmp_path / "store", version)
    return tmp_path / "store"


@pytest.fixture
def start(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Starts a supervisor of fake servers."""
    monkeypatch.setattr(supervising, "PAUSE_SECONDS", 0.01)
    offices: list[Office] = []

    def begin(**options: Any) -> Office:
        offices.append(Office(store, tmp_path, **options))
        offices[-1].supervisor.start()
        return offices[-1]

    yield begin
    for office in offices:
        office.supervisor.stop()
        assert all(server.stopped for server in office.servers)


def served(server: FakeTorchServe) -> list[tuple[str, str, bool]]:
    return [(one.name, one.version, one.default) for one in server.registrations]


EVERYTHING = [(*NEW, True), (*OLD, False)]


def test_it_is_ready_when_the_first_server_is(start: Open) -> None:
    office = start()
    assert office.said == ["switch 0"]
    assert office.is_ready() and set(office.supervisor.answering) == {NEW, OLD}
    office.supervisor.stop()
    assert set(office.supervisor.answering) == set()
    assert office.supervisor.health() == Health(False, ("nobody looks after TorchServe",))


def test_a_first_server_that_does_not_become_ready_is_an_error(store: Path, tmp_path: Path) -> None:
    office = Office(store, tmp_path)
    office.refusal = FieldError("server", "no Java")
    with pytest.raises(FieldError, match="no Java"):
        office.supervisor.start()
    assert office.said == []


@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGSTOP])
def test_java_that_ends_or_hangs_is_replaced_with_what_it_served(
    start: Open, by: signal.Signals
) -> None:
    office = start()
    wait_for(office.is_known)
    os.kill(office.servers[0].pid, by)
    wait_for(lambda: office.said == ["switch 0", "hold", "switch 1"])
    assert served(office.servers[1]) == EVERYTHING
    assert office.servers[0].stopped
    wait_for(office.is_ready)


def test_a_change_is_in_the_next_server_however_soon_java_ends(start: Open) -> None:
    office = start()
    new, old = office.state.registrations
    office.state.update([replace(old, default=True), replace(new, default=False)])
    os.kill(office.servers[0].pid, signal.SIGKILL)
    wait_for(lambda: office.said[-1] == "switch 1")
    assert served(office.servers[1]) == [(*NEW, False), (*OLD, True)]


def test_a_change_while_another_server_starts_is_not_lost(
    start: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervising, "ATTEMPT_SECONDS", 0.1)
    office = start(two_fit=True)
    new, _ = office.state.registrations
    waited = FakeTorchServe.wait_until_ready

    def change_meanwhile(server: FakeTorchServe, seconds: float) -> None:
        office.state.update([new])
        waited(server, seconds)

    monkeypatch.setattr(FakeTorchServe, "wait_until_ready", change_meanwhile)
    (office.servers[0].scratch / "home" / "worker.py").unlink()
    wait_for(lambda: office.said == ["switch 0", "switch 2"])
    assert served(office.servers[2]) == [(*NEW, True)]
    assert office.servers[1].stopped


def test_what_does_not_become_ready_is_left_out_at_the_start(
    store: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    office = Office(store, tmp_path)
    office.unready = {"2.0"}
    with office.supervisor:
        office.supervisor.start()
        assert served(office.servers[-1]) == [(*OLD, True)]
        assert "toy 2.0 (toy-2.0.mar) does not load" in caplog.text
        assert [str(one) for one in office.state.state.left_out] == ["toy 2.0"]
        assert office.servers[0].stopped


def test_a_start_without_anything_that_becomes_ready_is_an_error(
    store: Path, tmp_path: Path
) -> None:
    office = Office(store, tmp_path)
    office.unready = {"1.0", "2.0"}
    with pytest.raises(FieldError, match=r"toy 1\.0"):
        office.supervisor.start()
    assert len(office.servers) == 1 and office.servers[0].stopped


def test_what_does_not_become_ready_again_keeps_no_other_from_it(start: Open) -> None:
    office = start()
    office.unready = {"2.0"}
    os.kill(office.servers[0].pid, signal.SIGKILL)
    wait_for(lambda: office.said[-1].startswith("switch") and len(office.said) == 3)
    assert served(office.servers[-1]) == [(*OLD, True)]
    assert len(office.servers) == 4  # a single failure may be an accident


def test_a_version_without_workers_is_registered_and_not_awaited(
    store: Path, tmp_path: Path
) -> None:
    office = Office(store, tmp_path)
    new, old = office.state.registrations
    office.state.update([new, old.scaled(0)])
    with office.supervisor:
        office.supervisor.start()
        assert [str(one) for one in office.servers[0].registrations] == ["toy 2.0", "toy 1.0"]
        assert [str(one) for one in office.servers[0].awaited] == ["toy 2.0"]


def test_a_state_that_cannot_be_written_is_said(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = Office(store, tmp_path)
    monkeypatch.setattr(office.state, "retry", lambda: None)
    office.state.trouble = "the disk is full"
    with office.supervisor:
        office.supervisor.start()
        wait_for(lambda: office.supervisor.health() == Health(True, ("the disk is full",)))


def test_a_worker_that_stops_is_replaced_by_its_server(start: Open) -> None:
    office = start()
    server = office.servers[0]
    stopped = server.worker("1.0")
    os.kill(stopped, signal.SIGSTOP)
    wait_for(lambda: not psutil.pid_exists(stopped))
    wait_for(lambda: server.worker("1.0") not in (0, stopped))
    wait_for(office.is_ready)
    assert office.said == ["switch 0", "repeat"]


def test_health_tells_of_a_version_without_a_worker(start: Open) -> None:
    office = start()
    wait_for(office.is_known)
    server = office.servers[0]
    (server.scratch / "models" / "toy-1.0" / "weights").unlink()
    os.kill(server.worker("1.0"), signal.SIGKILL)
    words = "toy 1.0 has no worker that is ready"
    wait_for(lambda: words in office.supervisor.health().reasons)
    assert not office.supervisor.health().ready
    assert set(office.supervisor.answering) == {NEW}
    wait_for(lambda: (server.scratch / "told").exists())  # workers are to be started anew
    assert "/models/toy/1.0?min_worker=0" in (server.scratch / "told").read_text()


@pytest.mark.parametrize("two_fit", [True, False])
def test_a_server_without_its_folder_answers_until_the_next_one_is_ready(
    start: Open, two_fit: bool
) -> None:
    office = start(two_fit=two_fit)
    wait_for(office.is_known)
    shutil.rmtree(office.servers[0].scratch)
    held = [] if two_fit else ["hold"]
    wait_for(lambda: office.said == ["switch 0", *held, "switch 1"])
    assert served(office.servers[1]) == EVERYTHING
    wait_for(lambda: office.servers[0].stopped)
    wait_for(office.is_ready)


def test_a_server_that_cannot_be_replaced_is_the_end(start: Open) -> None:
    office = start()
    wait_for(office.is_known)
    office.refusal = OSError("no memory")
    os.kill(office.servers[0].pid, signal.SIGKILL)
    wait_for(lambda: len(office.said) == 3)
    assert office.said[1:] == ["hold", "end TorchServe cannot be replaced: no memory"]
    wait_for(lambda: not office.supervisor.health().ready)


def test_a_server_that_still_answers_stays_when_it_cannot_be_replaced(
    start: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervising, "ATTEMPT_SECONDS", 0.1)
    office = start()
    wait_for(office.is_known)
    office.refusal = OSError("no memory")
    missing = office.servers[0].scratch / "home" / "worker.py"
    missing.unlink()
    words = f"{missing} was removed"
    wait_for(lambda: office.supervisor.health() == Health(True, (words,)))
    wait_for(lambda: office.refused > supervising.MOST_FAILURES)
    assert office.said == ["switch 0"]
    office.refusal = None
    wait_for(lambda: office.said == ["switch 0", "switch 1"])


def test_an_archive_that_is_gone_is_left_out(
    start: Open, store: Path, caplog: pytest.LogCaptureFixture
) -> None:
    office = start()
    wait_for(office.is_known)
    (store / "toy-1.0.mar").unlink()
    os.kill(office.servers[0].pid, signal.SIGKILL)
    wait_for(lambda: office.said[-1] == "switch 1")
    assert served(office.servers[1]) == [(*NEW, True)]
    assert "No longer served: toy 1.0" in caplog.text


def test_a_full_disk_is_said_and_does_no_harm(start: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervising, "full_disks", lambda folders: ["logs are full"])
    office = start()
    wait_for(lambda: office.supervisor.health() == Health(True, ("logs are full",)))


class Real:
    """A supervised TorchServe."""

    def __init__(self, store: Path, logs: Path) -> None:
        self.servers: list[TorchServe] = []

        def launch(
            registrations: Sequence[Registration], awaited: Sequence[Registration]
        ) -> TorchServe:
            return TorchServe(store, registrations, logs, awaited=awaited)

        calls = Calls[TorchServe](
            switch=self.servers.append,
            hold=lambda: None,
            repeat=lambda: None,
            end=lambda words: None,
        )
        self.state = fresh_state(list_archives(store), 1)
        self.supervisor = Supervisor(launch, self.state, logs, calls)

    def ask(self, path: str = "predictions/toy") -> Any:
        """An answer of the server that is the present one; None if there is none yet."""
        with UnixSession(self.servers[-1].inference) as client:
            try:
                answer = client.post(f"http://localhost/{path}", data=b"{}", timeout=60)
            except requests.ConnectionError:
                return None
        return json.loads(answer.content) if answer.ok else None

    def manage(self, method: str, path: str, **options: str) -> None:
        with UnixSession(self.servers[-1].management) as client:
            answer = client.request(method, f"http://localhost/{path}", params=options, timeout=60)
            assert answer.ok, answer.text


def test_a_real_server_survives_what_happens_to_it(store: Path, tmp_path: Path) -> None:
    """In one test, as every start takes seconds."""
    (tmp_path / "store" / "toy-2.0.mar").rename(tmp_path / "later.mar")
    real = Real(store, tmp_path / "logs")
    with real.supervisor as supervisor:
        supervisor.start()
        (tmp_path / "later.mar").rename(tmp_path / "store" / "toy-2.0.mar")
        real.manage("POST", "models", url="toy-2.0.mar", initial_workers="2")
        wait_for(lambda: real.ask("predictions/toy/2.0") is not None)
        real.manage("PUT", "models/toy/2.0/set-default")
        wait_for(lambda: real.ask()["version"] == "2.0")

        hung = real.ask("predictions/toy/1.0")["pid"]
        os.kill(hung, signal.SIGSTOP)
        wait_for(lambda: (real.ask("predictions/toy/1.0") or {"pid": hung})["pid"] != hung)
        assert len(real.servers) == 1
        known = {(*NEW, True, 2), (*OLD, False, 1)}
        wait_for(lambda: registered(supervisor) == known and supervisor.health().ready)
        real.state.update(supervisor.registrations)

        os.kill(real.servers[0].pid, signal.SIGKILL)
        wait_for(lambda: len(real.servers) == 2)
        assert real.ask()["version"] == "2.0"
        assert real.ask("predictions/toy/1.0")["version"] == "1.0"
        wait_for(lambda: registered(supervisor) == known and supervisor.health().ready)

        shutil.rmtree(real.servers[1].scratch)
        wait_for(lambda: len(real.servers) == 3)
        assert real.ask()["version"] == "2.0"
        wait_for(lambda: registered(supervisor) == known and supervisor.health().ready)
        wait_for(lambda: real.servers[1].has_ended())
    assert all(server.has_ended() for server in real.servers)


def registered(supervisor: Supervisor[TorchServe]) -> set[tuple[str, str, bool, int]]:
    """What is served, with the number of workers that are ready."""
    return {
        (one.name, one.version, one.default, len(one.ready)) for one in supervisor.registrations
    }
