"""Versions that come and go, and workers that do, while clients ask on and on."""

import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from rvae.serving.unix_http import UnixSession
from tests.support.fault_models import NAME, PATH, WINDOW, build_store
from tests.support.paths import ROOT
from tests.support.served_process import ServedProcess
from tests.support.steady_load import SteadyLoad
from tests.support.waiting import wait_for

pytestmark = pytest.mark.faults

TIMES = 5
ONE, TWO = f"{PATH}/1.0", f"{PATH}/2.0"
# Of those that ask for the default, and for a version.
CLIENTS = (PATH, PATH, PATH, PATH, ONE, ONE, TWO, TWO)
GOOD, TOLD = {200}, {200, 404, 410}


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model store with two versions."""
    return build_store(tmp_path_factory.mktemp("versions"), "1.0", "2.0")


@pytest.fixture
def one(versions: Path, tmp_path: Path) -> Iterator[ServedProcess]:
    """A server of version 1.0 alone, of a store that has both."""
    with ServedProcess(versions, tmp_path, ["--workers", 1]) as running:
        change(running, "PUT", f"/models/{NAME}/1.0/set-default")
        change(running, "DELETE", f"/models/{NAME}/2.0")
        yield running


def change(served: ServedProcess, method: str, path: str, *statuses: int) -> None:
    """Ask the management for a change, which it must make."""
    with UnixSession(served.logs / "management.sock") as manager:
        answer = manager.request(method, f"http://localhost{path}", timeout=120)
    assert answer.status_code in (statuses or (200,)), (method, path, answer.text)


@contextmanager
def loaded(served: ServedProcess, clients: Sequence[str] = CLIENTS) -> Iterator[SteadyLoad]:
    """Clients before, during and after a change; none of them is left without an answer."""
    with SteadyLoad(served.address, clients, WINDOW) as load:
        load.await_answers(PATH)
        yield load
        load.await_answers(PATH)
    print(f"\n{load.summary()}")
    for path, outcomes in load.outcomes.items():
        assert set(outcomes) <= (GOOD if path == PATH else TOLD), (path, outcomes)


def replace(served: ServedProcess, old: str, new: str) -> None:
    """Another version in place of one."""
    change(served, "POST", f"/models?url={NAME}-{new}.mar&initial_workers=1")
    change(served, "PUT", f"/models/{NAME}/{new}/set-default")
    change(served, "DELETE", f"/models/{NAME}/{old}")


def test_rollout_and_rollback(one: ServedProcess) -> None:
    for old, new in (("1.0", "2.0"), ("2.0", "1.0")) * TIMES:
        with loaded(one) as load:
            replace(one, old, new)
        assert load.versions[PATH] == {old, new}
        assert set(load.outcomes[f"{PATH}/{old}"]) == {200, 410}
        assert load.versions[f"{PATH}/{new}"] == {new}


def test_workers_that_are_added_and_taken_away(one: ServedProcess) -> None:
    for _ in range(TIMES):
        with loaded(one, (*CLIENTS[:6], ONE, ONE)) as load:
            scale = f"/models/{NAME}/1.0"
            change(one, "PUT", f"{scale}?min_worker=2&synchronous=true")
            assert len(one.workers()) == 2
            change(one, "PUT", f"{scale}?min_worker=1", 202)
            wait_for(lambda: len(one.workers()) == 1)
        assert set(load.outcomes[ONE]) == GOOD


def test_a_version_that_goes_and_comes_back(one: ServedProcess) -> None:
    change(one, "POST", f"/models?url={NAME}-2.0.mar&initial_workers=1")
    for _ in range(TIMES):
        with loaded(one) as load:
            load.await_answers(TWO, 10)
            change(one, "DELETE", f"/models/{NAME}/2.0")
            change(one, "POST", f"/models?url={NAME}-2.0.mar&initial_workers=1")
        assert set(load.outcomes[ONE]) == GOOD


def test_the_last_version_goes_and_comes_back(one: ServedProcess) -> None:
    for _ in range(TIMES):
        with SteadyLoad(one.address, (PATH, PATH, PATH, ONE), WINDOW) as load:
            load.await_answers(PATH)
            change(one, "DELETE", f"/models/{NAME}/1.0")
            change(one, "POST", f"/models?url={NAME}-1.0.mar&initial_workers=1")
            load.await_answers(PATH)
        print(f"\n{load.summary()}")
        for outcomes in load.outcomes.values():
            assert set(outcomes) <= {200, 410}


def recipes() -> list[str]:
    """What stands in the documentation of versions, in its order."""
    text = (ROOT / "docs" / "versions.md").read_text()
    section = text.partition("\n## With curl\n")[2].partition("\n## ")[0]
    return re.findall(r"```\n(.*?)```", section, re.DOTALL)


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_recipes_for_curl(one: ServedProcess) -> None:
    first, *others = recipes()
    assert len(others) >= 6
    with loaded(one) as load:
        for recipe in others:
            text = f"set -e\n{first}\n{recipe}"
            # Where a server is that a user has started as the documentation says.
            folder = one.logs.parent
            done = subprocess.run(["bash", "-c", text], cwd=folder, capture_output=True, text=True)
            assert done.returncode == 0, (recipe, done.stdout, done.stderr)
    assert load.versions[PATH] == {"1.0", "2.0"}
