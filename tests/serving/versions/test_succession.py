"""Versions that take the place of others on several servers, against fakes of them."""

import os
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from rvae.errors import FieldError
from rvae.inference.engine import Engine
from rvae.serving.golden import Golden
from rvae.serving.versions import management
from rvae.serving.versions.candidate import Candidate
from rvae.serving.versions.rollback import RollbackOptions, rollback
from rvae.serving.versions.rollout import RolloutOptions, rollout
from rvae.serving.versions.servers import Servers
from rvae.serving.versions.steps import Steps, interruptible
from tests.support.fake_archives import fake_archive
from tests.support.fake_management import FakeManagement, FakeVersion, fake_management

OPTIONS = RolloutOptions(timeout=5, seconds=0, watch=0.01)
BACK = RollbackOptions(timeout=5)
GOLDEN = Golden({"data": [1.0]}, {"latent": [[1.0]], "severity": [0.5]}, 0.01)
ANSWER = {"latent": [[1.0]], "severity": [0.5], "tail_probability": [0.4], "score": [2.0]}
State = tuple[list[str], str, dict[str, Any]]  # versions, the default, shares
BEFORE: State = (["1.0"], "1.0", {})
AFTER: State = (["2.0"], "2.0", {})


def sound(body: bytes) -> tuple[int, Any]:
    return 200, ANSWER


class Service:
    """Servers of 1.0, to which 2.0 may come, with one store and one folder of sockets."""

    def __init__(self, folder: Path, card: Any, stack: ExitStack) -> None:
        self._folder = folder
        self._stack = stack
        self.text = ""
        self.fakes: dict[str, FakeManagement] = {}
        for name in "abc":
            self.start(name)
        self._archive = fake_archive(folder / "built", "2.0")
        self._candidate = Candidate(self._archive, card, GOLDEN, "it is sound")

    @property
    def sockets(self) -> Path:
        return self._folder / "sockets"

    @property
    def store(self) -> Path:
        return self._folder / "store"

    def start(self, name: str, *versions: str) -> FakeManagement:
        """Start a server of versions, of which the last one is the default."""
        self.sockets.mkdir(exist_ok=True)
        served = versions or ("1.0",)
        fake = fake_management(
            self._folder / name,
            at=self.sockets / f"{name}.sock",
            shared_store=self.store,
            versions={one: FakeVersion(f"waves-{one}.mar", 2, answers=sound) for one in served},
            default=served[-1],
            coming={one: FakeVersion("", polls=2, answers=sound) for one in ("1.0", "2.0")},
        )
        self.fakes[name] = self._stack.enter_context(fake)
        return self.fakes[name]

    def roll_out(self, options: RolloutOptions = OPTIONS) -> None:
        servers = Servers(self.sockets, patience=5)
        rollout(servers, lambda: self._candidate, options, Steps(self._write))

    def roll_back(self, options: RollbackOptions = BACK) -> None:
        rollback(Servers(self.sockets, patience=5), "waves", options, Steps(self._write))

    def _write(self, text: str) -> None:
        self.text += text

    @property
    def lines(self) -> list[str]:
        """Lines without their times."""
        return re.sub(r" \(\d+\.\d s\)$", "", self.text, flags=re.M).splitlines()

    @property
    def steps(self) -> list[str]:
        return [line.split()[0] for line in self.lines]

    def state(self, name: str) -> State:
        fake = self.fakes[name]
        return list(fake.versions), fake.default, fake.shares

    @property
    def states(self) -> list[State]:
        return [self.state(name) for name in self.fakes]


@pytest.fixture
def service(short_folder: Path, engine: Engine) -> Iterator[Service]:
    with ExitStack() as stack:
        yield Service(short_folder, engine.card, stack)


def when(fake: FakeManagement, asked: str, act: Callable[[], object]) -> None:
    """Act once, when a server is asked for something."""

    def look(method: str, path: str) -> None:
        if f"{method} {path}" == asked:
            fake.on = lambda method, path: None
            act()

    fake.on = look


REGISTER, SWITCH = "POST /models", "PUT /models/waves/2.0/set-default"
CANARY, ASK = "PUT /models/waves/2.0/canary", "POST /predictions/waves/2.0"
SWITCH_BACK = "PUT /models/waves/1.0/set-default"
RETIRE = "DELETE /models/waves/1.0"


def test_every_server_takes_every_step(service: Service) -> None:
    service.roll_out(replace(OPTIONS, canary=0.1))
    assert service.states == [AFTER] * 3
    assert service.lines[:6] == [
        "verify    it is sound",
        "servers   a, b, c: waves is served by 1.0",
        f"copy      waves-2.0.mar → {service.store}",
        "register  3 servers: waves-2.0.mar with 2 workers",
        "ready     3 servers: 2 workers loaded it",
        "golden    3 servers: the server answers as the archive, within 0.01",
    ]
    assert service.steps[6:] == ["canary", "default", "watch", "retire"]
    assert "late" not in service.text


def test_no_server_switches_before_all_are_ready(service: Service) -> None:
    order: list[str] = []
    for fake in service.fakes.values():
        fake.on = lambda method, path: order.append(f"{method} {path}")
    service.roll_out()
    changes = [one for one in order if one in (REGISTER, ASK, SWITCH, RETIRE)]
    # The last answers of the golden request are those at the end of the watch.
    assert changes == [one for one in (REGISTER, ASK, SWITCH, ASK, RETIRE) for _ in range(3)]


@pytest.mark.parametrize("asked", [REGISTER, ASK, CANARY, SWITCH])
def test_a_server_that_dies_takes_everything_back_on_the_others(
    service: Service, asked: str
) -> None:
    when(service.fakes["b"], asked, service.fakes["b"].end)
    with pytest.raises(FieldError, match=r"nobody answers at .*/b\.sock"):
        service.roll_out(replace(OPTIONS, canary=0.1, seconds=2, watch=2))
    assert (service.state("a"), service.state("c")) == (BEFORE, BEFORE)
    undone = [line for line in service.lines if line.startswith("undo")]
    assert [line.count("not undone: server: b: nobody") for line in undone].count(1) == 1
    assert undone[-1].startswith("undo      a, c: waves is served by 1.0; b: nobody answers")
    assert not list(service.store.iterdir())


@pytest.mark.parametrize("step", ["canary", "watch"])
def test_a_server_that_hangs_keeps_the_others_from_nothing(
    service: Service, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """It is asked once whether it answers, and by nothing that may take minutes."""
    monkeypatch.setattr(management, "OWN_SECONDS", 0.5)
    awake, asked = Event(), []

    def hang(method: str, path: str) -> None:
        if step in service.text.split():
            asked.append(f"{method} {path}")
            awake.wait(60)

    service.fakes["b"].on = hang
    with pytest.raises(FieldError, match=r"b\.sock did not answer within 0\.5 s"):
        service.roll_out(replace(OPTIONS, canary=0.1))
    awake.set()
    assert [service.state(name) for name in "ac"] == [BEFORE, BEFORE]
    assert asked == ["GET /metrics", *["GET /server"] * 4]
    assert service.text.count("not undone: ") == 1
    assert "undo      a, c: waves is served by 1.0; b: " in service.text
    assert (service.store / "waves-2.0.mar").exists()  # it may have the version


@pytest.mark.parametrize("asked", [REGISTER, ASK, CANARY, SWITCH])
def test_an_interruption_takes_everything_back_on_all(service: Service, asked: str) -> None:
    when(service.fakes["b"], asked, lambda: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(KeyboardInterrupt), interruptible():
        service.roll_out(replace(OPTIONS, canary=0.1))
    assert service.states == [BEFORE] * 3
    assert service.lines[-1] == "undo      3 servers: waves is served by 1.0"


def test_the_last_step_is_undone_first_on_the_last_server_first(service: Service) -> None:
    when(service.fakes["c"], SWITCH, lambda: setattr(service.fakes["c"], "unwilling", True))
    with pytest.raises(FieldError, match=r"c: 2\.0 has no worker that is ready"):
        service.roll_out()
    undone = [line for line in service.lines if line.startswith("undo")]
    assert [line.removeprefix("undo      ") for line in undone if "not undone" not in line] == [
        "b: 1.0 is the default",
        "a: 1.0 is the default",
        "b: 2.0 is not served",
        "a: 2.0 is not served",
        "3 servers: waves is served by 1.0",
    ]


def test_errors_are_judged_of_all_servers_together(service: Service) -> None:
    def fail() -> None:
        for fake in service.fakes.values():
            fake.metrics = {("2.0", 200): 99, ("2.0", 500): 1}

    when(service.fakes["c"], SWITCH, fail)
    with pytest.raises(FieldError, match="3 of 300 answers are errors"):
        service.roll_out(replace(OPTIONS, watch=60))
    assert service.states == [BEFORE] * 3


def test_a_server_that_is_gone_is_refused_before_anything_is_changed(service: Service) -> None:
    service.fakes["b"].end()
    with pytest.raises(FieldError, match=r"b\.sock: start that server again, or remove the file"):
        service.roll_out()
    service.fakes["b"].socket.unlink()
    assert service.text == "" and not any(fake.changes for fake in service.fakes.values())
    service.roll_out()
    assert (service.state("a"), service.state("c")) == (AFTER, AFTER)


def test_servers_that_disagree_are_brought_to_the_same_end(service: Service) -> None:
    service.fakes["a"].versions["0.9"] = FakeVersion("waves-0.9.mar", answers=sound)
    service.fakes["b"].versions["0.9"] = FakeVersion("waves-0.9.mar", answers=sound)
    service.fakes["b"].default = "0.9"
    service.fakes["c"].versions, service.fakes["c"].default = {}, ""
    service.roll_out()
    said = "a: waves is served by 1.0; b: waves is served by 0.9; c: waves is not served"
    assert f"servers   {said}" in service.lines
    assert service.states == [AFTER] * 3
    assert "default   a: 2.0 in place of 1.0; b: 2.0 in place of 0.9" in service.lines


@pytest.mark.parametrize("done", [(), ("a",), ("a", "b", "c")])
def test_a_rollout_that_was_cut_off_between_servers_is_taken_up(
    service: Service, done: tuple[str, ...]
) -> None:
    for name, fake in service.fakes.items():
        fake.versions["2.0"] = FakeVersion("waves-2.0.mar", 2, answers=sound)
        if name in done:
            fake.default, fake.earlier = "2.0", ["1.0"]
    service.roll_out()
    assert service.states == [AFTER] * 3


@pytest.mark.parametrize(
    "versions", [("1.0",), ("2.0", "1.0"), ("1.0", "2.0"), ("2.0",)], ids=" ".join
)
def test_a_server_that_starts_meanwhile_is_brought_along(
    service: Service, versions: tuple[str, ...]
) -> None:
    when(service.fakes["a"], RETIRE, lambda: service.start("late", *versions))
    service.roll_out()
    assert service.states == [AFTER] * 4
    brought = [] if versions == ("2.0",) else [f"late: waves is served by {versions[-1]}"]
    assert [line[10:] for line in service.lines if line.startswith("late")] == brought


@pytest.mark.parametrize(("name", "at"), [("d", SWITCH), ("c", SWITCH_BACK)])
def test_a_server_that_starts_before_all_is_undone_ends_like_the_others(
    service: Service, name: str, at: str
) -> None:
    """It has read what they served then: another one, or that whose end is the failure."""

    def start() -> None:
        (service.sockets / f"{name}.sock").unlink(missing_ok=True)
        service.start(name, "1.0", "2.0")

    when(service.fakes["a"], at, start)
    when(service.fakes["c"], SWITCH, service.fakes["c"].end)
    with pytest.raises(FieldError, match=r"c\.sock"):
        service.roll_out()
    assert [service.state(one) for one in ("a", "b", name)] == [BEFORE] * 3
    assert f"undo      {name}: 1.0 is the default, and 2.0 is not served" in service.lines


def test_a_server_that_cannot_be_brought_along_is_named(service: Service) -> None:
    def start() -> None:
        service.start("late").coming["2.0"] = FakeVersion("", answers=lambda body: (500, "no"))

    when(service.fakes["a"], RETIRE, start)
    with pytest.raises(FieldError, match=r"late: 2\.0 is the default .* maybe not on every server"):
        service.roll_out()
    assert service.states == [AFTER, AFTER, AFTER, BEFORE]


def test_what_cannot_be_retired_on_one_is_retired_on_the_others(service: Service) -> None:
    when(service.fakes["a"], RETIRE, lambda: setattr(service.fakes["a"], "unwilling", True))
    said = r"retire: 2\.0 is the default of waves; 1\.0 may be served beside it: server: a: 1\.0 "
    with pytest.raises(FieldError, match=said):
        service.roll_out()
    assert (service.state("b"), service.state("c")) == (AFTER, AFTER)


def test_a_server_that_dies_at_the_end_is_named(service: Service) -> None:
    when(service.fakes["a"], RETIRE, service.fakes["a"].end)
    with pytest.raises(FieldError, match=r"late: .*maybe not on every server: .*/a\.sock"):
        service.roll_out()
    assert service.states == [AFTER] * 3


def test_a_rollback_is_one_of_all(service: Service) -> None:
    service.roll_out()
    fake_archive(service.store, "1.0")
    service.roll_back()
    assert service.states == [BEFORE] * 3
    assert "default   3 servers: 1.0 in place of 2.0" in service.lines


def test_a_rollback_of_servers_with_another_past_needs_a_version(service: Service) -> None:
    service.roll_out()
    fake_archive(service.store, "1.0")
    service.fakes["b"].earlier = []
    with pytest.raises(FieldError, match=r"a, c: 1\.0 was the default.*; b: no default.*name one"):
        service.roll_back()
    service.roll_back(replace(BACK, version="1.0"))
    assert service.states == [BEFORE] * 3
