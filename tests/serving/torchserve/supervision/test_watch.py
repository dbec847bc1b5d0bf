"""What is wrong with a server, poll by poll."""

import os
import shutil
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from rvae.serving.model_store import list_archives
from rvae.serving.torchserve import fresh_state
from rvae.serving.torchserve.supervision import recovery
from rvae.serving.torchserve.supervision import watch as watching
from rvae.serving.torchserve.supervision.watch import Trouble, Watch
from rvae.serving.torchserve.supervision.workers import POLL_SECONDS, Patience
from tests.support.fake_torchserve import FakeTorchServe
from tests.support.toy_archive import toy_archive
from tests.support.waiting import wait_for


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch[FakeTorchServe]]:
    for version in ("1.0", "2.0"):
        toy_archive(tmp_path, version)
    every = fresh_state(list_archives(tmp_path), 1).registrations
    server = FakeTorchServe(every, every)
    server.wait_until_ready(30)
    watched = Watch(server, Patience())
    wait_for(lambda: watched.poll(punctual=True) is None and len(watched.registrations) == 2)
    yield watched
    watched.end(at_once=True)


def trouble(watch: Watch[FakeTorchServe]) -> Trouble:
    """What polls find sooner or later."""
    found: list[Trouble] = []

    def is_found() -> bool:
        one = watch.poll(punctual=True)
        found.extend([one] if one else [])
        return bool(found)

    wait_for(is_found)
    return found[0]


def test_a_server_that_is_well_stays_so(watch: Watch[FakeTorchServe]) -> None:
    found: list[Trouble | None] = []

    def is_polled() -> bool:
        found.append(watch.poll(punctual=True))
        return len(found) == 30

    wait_for(is_polled)  # with pauses, in which hearts beat
    assert set(found) == {None}
    assert watch.unready() == [] and watch.idle
    assert watch.proven == {("toy", "1.0"), ("toy", "2.0")} == watch.answering()


def test_java_that_ended(watch: Watch[FakeTorchServe]) -> None:
    os.kill(watch.server.pid, signal.SIGKILL)
    assert trouble(watch) == Trouble("TorchServe has ended")


def test_java_that_hangs_counts_only_while_the_polls_are_punctual(
    watch: Watch[FakeTorchServe],
) -> None:
    os.kill(watch.server.pid, signal.SIGSTOP)
    wait_for(lambda: psutil.Process(watch.server.pid).status() == psutil.STATUS_STOPPED)
    assert [watch.poll(punctual=False) for _ in range(500)] == [None] * 500
    assert watch.unready() == []
    assert trouble(watch) == Trouble("TorchServe hangs")
    assert watch.unready() == ["TorchServe has not answered for 3 s"]
    assert watch.answering() == frozenset()


def test_a_management_that_is_slow_has_longer_than_a_stopped_one(
    watch: Watch[FakeTorchServe], monkeypatch: pytest.MonkeyPatch
) -> None:
    os.kill(watch.server.pid, signal.SIGSTOP)  # so that it does not answer
    wait_for(lambda: psutil.Process(watch.server.pid).status() == psutil.STATUS_STOPPED)
    monkeypatch.setattr(Watch, "_is_stopped", lambda self: False)
    answered = round((watching.HUNG_SECONDS - 1) / POLL_SECONDS)
    assert [watch.poll(punctual=True) for _ in range(answered)] == [None] * answered
    assert trouble(watch) == Trouble("TorchServe hangs")


def test_files_that_were_removed(watch: Watch[FakeTorchServe]) -> None:
    scratch = watch.server.scratch
    removed = scratch / "models" / "toy-1.0" / "weights"
    removed.rename(scratch / "kept")
    found = trouble(watch)
    assert found == Trouble(f"{removed} was removed", alive=True, reachable=True)
    shutil.rmtree(scratch)
    found = trouble(watch)
    assert found.alive and not found.reachable


def test_a_model_without_a_worker_is_restarted_while_another_one_answers(
    watch: Watch[FakeTorchServe], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a server without any is replaced."""
    monkeypatch.setattr(recovery, "ABSENT_SECONDS", 0.5)
    server = watch.server
    told = server.scratch / "told"

    def end(version: str) -> None:
        (server.scratch / "models" / f"toy-{version}" / "weights").unlink()
        os.kill(server.worker(version), signal.SIGKILL)

    end("1.0")
    wait_for(lambda: watch.poll(punctual=True) is None and told.exists())
    restarts = (
        "/models/toy/1.0?min_worker=0&max_worker=0\n/models/toy/1.0?min_worker=1&max_worker=1"
    )
    assert told.read_text().startswith(restarts)
    assert watch.unready() == ["toy 1.0 has no worker that is ready"]
    wait_for(lambda: watch.poll(punctual=True) is None and told.read_text().count("\n") >= 8)
    end("2.0")
    assert trouble(watch) == Trouble("no model gets a worker any more")


def test_a_version_that_is_added_does_not_make_a_server_unready(
    watch: Watch[FakeTorchServe],
) -> None:
    """Nor one that is registered again; one that was ready, and is not any more, does."""
    wait_for(lambda: watch.poll(punctual=True) is None and bool(watch._answers))
    watch._observer.close()  # from here on the test says what is registered
    added = watch.registrations[0]
    watch._observer.registrations = tuple(watch.registrations[1:])
    watch._look()
    assert added.key not in watch.proven
    loading = replace(added, ready=frozenset())
    watch._observer.registrations = (loading, *watch.registrations)
    assert watch.unready() == []
    assert watch.answering() == {one.key for one in watch.registrations[1:]}
    watch.proven.add(added.key)
    assert watch.unready() == [f"{added} has no worker that is ready"]


def test_a_version_that_loads_in_another_folder_is_left_alone(
    watch: Watch[FakeTorchServe], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was unregistered, and registered again."""
    monkeypatch.setattr(recovery, "ABSENT_SECONDS", 0.2)
    scratch = watch.server.scratch
    (scratch / "1.0.pid").unlink()  # its worker lives, and is not ready
    wait_for(lambda: watch.poll(punctual=True) is None and bool(watch.unready()))
    watch._folders["toy", "1.0"] = scratch / "models" / "as-it-was"
    polls: list[Trouble | None] = []

    def is_polled() -> bool:
        polls.append(watch.poll(punctual=True))
        return len(polls) == 40

    wait_for(is_polled)
    assert set(polls) == {None} and not (scratch / "told").exists()
