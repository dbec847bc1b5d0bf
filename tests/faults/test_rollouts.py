"""Rollouts and rollbacks by command while clients ask, that succeed, fail, and are cut off."""

import os
import shutil
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rvae.errors import FieldError
from rvae.inference.artifact import Artifact
from rvae.serving.packaging import build_archive
from rvae.serving.versions.candidate import candidate
from rvae.serving.versions.management import Management
from rvae.serving.versions.rollout import RolloutOptions, rollout
from rvae.serving.versions.served import ServerState, server_of
from rvae.serving.versions.servers import Servers
from rvae.serving.versions.steps import Steps
from tests.support.background_command import BackgroundCommand
from tests.support.handlers import UNLOADABLE, with_handler
from tests.support.served_process import ServedProcess
from tests.support.steady_load import SteadyLoad
from tests.support.waiting import wait_for
from tests.support.waves import waves

pytestmark = pytest.mark.faults

PATH = "/predictions/waves"
CLIENTS = (PATH, PATH, PATH, f"{PATH}/1.0")
ERRING = '''\
"""A handler that fails on clients' requests, and not while it is loaded."""

from rvae.inference.engine import Engine
from sound_handler import RvaeHandler


def fail(*arguments):
    raise RuntimeError("as it is made to")


class ErringHandler(RvaeHandler):
    def initialize(self, context):
        super().initialize(context)
        Engine.analyse = fail
'''


@pytest.fixture(scope="module")
def built(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Archives: two sound ones, and such as are not.

    The scores of 2.1 have moved, 2.2 fails when it is asked, and 2.3 when it is loaded.
    """
    folder = tmp_path_factory.mktemp("built")
    for version in ("1.0", "2.0"):
        build_archive(checkpoint, "waves", version, folder)
    artifact = Artifact.load(checkpoint)
    moved = {
        name: values + 0.3 if name == "decoder.output.bias" else values
        for name, values in artifact.weights.items()
    }
    build_archive(replace(artifact, weights=moved), "waves", "2.1", folder)
    for version, handler in (("2.2", ERRING), ("2.3", UNLOADABLE)):
        with_handler(folder / "waves-2.0.mar", version, handler)
    np.save(folder / "waves.npy", waves(60, seed=7))
    return folder


@pytest.fixture
def served(built: Path, tmp_path: Path) -> Iterator[ServedProcess]:
    """A server of version 1.0."""
    store = tmp_path / "store"
    store.mkdir()
    shutil.copy(built / "waves-1.0.mar", store)
    with ServedProcess(store, tmp_path, ["--workers", 1]) as running:
        yield running


@contextmanager
def loaded(served: ServedProcess) -> Iterator[SteadyLoad]:
    """Clients before, during and after a change; none of them is left without an answer."""
    body = (served.logs / "waves-example.json").read_bytes()
    with SteadyLoad(served.address, CLIENTS, body) as load:
        load.await_answers(PATH)
        yield load
        load.await_answers(PATH)
    print(f"\n{load.summary()}")
    assert set(load.outcomes[PATH]) == {200}
    assert set(load.outcomes[f"{PATH}/1.0"]) <= {200, 410}


class Command(BackgroundCommand):
    """A command beside the server."""

    def __init__(self, served: ServedProcess, *words: object) -> None:
        super().__init__(served.logs / "command.txt", served.logs / "management.sock", *words)


def state(served: ServedProcess) -> tuple[str, Sequence[str]]:
    model = Management(served.logs / "management.sock").server().models["waves"]
    return model.default, model.versions


AS_BEFORE = ("1.0", ("1.0",))


def test_a_rollout_and_a_rollback(served: ServedProcess, built: Path) -> None:
    with loaded(served) as load:
        rolled = Command(
            served,
            *("rollout", "waves", built / "waves-2.0.mar", "--replay", built / "waves.npy"),
            *("--shadow", 0.5, "--canary", 0.5, "--seconds", 2, "--bounds.latency", 20),
        )
        assert rolled.end("retire    1.0 answered what it had") == 0
        assert state(served) == ("2.0", ("2.0",))
        back = Command(served, "rollback", "waves", "--version", "1.0")
        assert back.end("default   1.0 in place of 2.0") == 0
        assert state(served) == AS_BEFORE
    assert load.versions[PATH] == {"1.0", "2.0"}


@pytest.mark.parametrize(
    ("version", "said"), [("2.1", "the scores shift by 1.00"), ("2.2", "the server answers 500")]
)
def test_a_version_that_is_not_good_reaches_no_client(
    served: ServedProcess, built: Path, version: str, said: str
) -> None:
    with loaded(served) as load:
        archive = built / f"waves-{version}.mar"
        rolled = Command(served, "rollout", "waves", archive, "--replay", built / "waves.npy")
        assert rolled.end(said, f"{version} is not served") == 1
    assert state(served) == AS_BEFORE and load.versions[PATH] == {"1.0"}
    assert [path.name for path in (served.scratch_root.parent / "store").iterdir()] == [
        "waves-1.0.mar"
    ]


@pytest.mark.parametrize("is_registered", [False, True])
def test_a_version_that_does_not_load_is_taken_back_at_once(
    served: ServedProcess,
    built: Path,
    monkeypatch: pytest.MonkeyPatch,
    is_registered: bool,
) -> None:
    store = served.scratch_root.parent / "store"
    archive = built / "waves-2.3.mar"
    socket = served.logs / "management.sock"
    if is_registered:  # without workers, which is undone by taking them away again
        shutil.copy(archive, store)
        Management(socket).register(archive.name, 0)
    before = state(served)

    def elsewhere(content: Any) -> ServerState:
        return replace(server_of(content), logs=Path("/of/another/machine"))

    # What a command in another container sees of them.
    monkeypatch.setattr("rvae.serving.versions.management.server_of", elsewhere)
    said: list[str] = []
    with loaded(served) as load, pytest.raises(FieldError) as caught:
        rollout(
            Servers(socket),
            partial(candidate, archive, "waves"),
            RolloutOptions(timeout=600),
            Steps(said.append),
        )
    print("".join(said))
    assert str(caught.value) == "ready: it does not load: RuntimeError: as it is made to"
    assert ("2.3 has no worker again" if is_registered else "2.3 is not served") in "".join(said)
    assert state(served) == before and load.versions[PATH] == {"1.0"}
    assert (store / archive.name).exists() == is_registered


@pytest.mark.parametrize("step", ["register", "ready", "watch"])
def test_an_interruption_takes_everything_back(
    served: ServedProcess, built: Path, step: str
) -> None:
    with loaded(served):
        rolled = Command(served, "rollout", "waves", built / "waves-2.0.mar", "--watch", 60)
        rolled.await_step(step)
        rolled.process.send_signal(signal.SIGINT)
        assert rolled.end("interrupted", "2.0 is not served", "waves is served by 1.0") == 130
    assert state(served) == AS_BEFORE


@pytest.mark.parametrize("step", ["ready", "watch"])
def test_a_command_that_was_killed_is_taken_up(
    served: ServedProcess, built: Path, step: str
) -> None:
    with loaded(served):
        words = ("rollout", "waves", built / "waves-2.0.mar")
        killed = Command(served, *words, "--watch", 60)
        killed.await_step(step)
        killed.process.kill()
        killed.process.wait()
        assert Command(served, *words).end("2.0 is registered already") == 0
    assert state(served)[0] == "2.0"


@pytest.mark.parametrize("step", ["ready", "watch"])
def test_a_worker_that_is_killed_meanwhile_does_no_harm(
    served: ServedProcess, built: Path, step: str
) -> None:
    with loaded(served):
        old = served.worker
        rolled = Command(served, "rollout", "waves", built / "waves-2.0.mar", "--watch", 10)
        rolled.await_step(step)
        wait_for(lambda: bool(served.workers() - {old}))
        (new,) = served.workers() - {old}
        os.kill(new, signal.SIGKILL)
        status = rolled.end()
    # A worker that dies while it loads may be the version's own fault.
    assert state(served) == (("2.0", ("2.0",)) if status == 0 else AS_BEFORE)
    assert status == 0 or step == "ready"
