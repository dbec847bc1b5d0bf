"""What other users of the machine, and pages in a browser, can reach."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.support.exchanges import ask
from tests.support.fault_models import NAME
from tests.support.served_process import ServedProcess

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl"),
]

NOBODY = 65534  # a user that owns nothing


@pytest.fixture(scope="module")
def open_to_all(busy_store: Path) -> Iterator[ServedProcess]:
    """A server in a folder that every user may enter, as temporary folders are."""
    with tempfile.TemporaryDirectory(prefix="rvae-faults-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with ServedProcess(busy_store, folder) as running:
            running.scratch_root.chmod(0o755)
            yield running


def processes(served: ServedProcess) -> list[psutil.Process]:
    return [psutil.Process(served.process.pid), *served.below()]


def unix_sockets(served: ServedProcess) -> set[str]:
    """Addresses of Unix sockets that some process of the server has."""
    found = set()
    for process in processes(served):
        with suppress(psutil.Error):
            found |= {one.laddr for one in process.net_connections("unix") if one.laddr}
    return found


def curl(*arguments: str, user: int | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["curl", "--silent", "--show-error", "--max-time", "10", *arguments],
        cwd="/",
        user=user,
        group=user,
        extra_groups=None if user is None else [],
        capture_output=True,
        text=True,
    )


def test_nothing_listens_but_predictions_and_metrics(served: ServedProcess) -> None:
    listening = {
        one.laddr.port
        for process in processes(served)
        for one in process.net_connections("tcp")
        if one.status == psutil.CONN_LISTEN
    }
    assert listening <= {served.port, served.port + 1}


def test_the_owner_manages_models_through_a_socket(open_to_all: ServedProcess) -> None:
    socket = str(open_to_all.logs / "management.sock")
    done = curl("--unix-socket", socket, "http://localhost/models")
    assert f'"{NAME}"' in done.stdout, done


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")
def test_another_user_reaches_no_socket(open_to_all: ServedProcess) -> None:
    sockets = unix_sockets(open_to_all)
    assert any(Path(socket).name == "management.sock" for socket in sockets)
    for socket in sockets:
        # One without a path is open to every user.
        assert Path(socket).is_absolute(), socket
        reached = curl("--unix-socket", socket, "http://localhost/models", user=NOBODY)
        assert reached.returncode == 7, (socket, reached)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")
def test_another_user_reads_no_scratch_file(open_to_all: ServedProcess) -> None:
    (scratch,) = open_to_all.scratch_root.iterdir()
    listed = subprocess.run(["ls", scratch], user=NOBODY, group=NOBODY, capture_output=True)
    assert listed.returncode != 0 and not listed.stdout


@pytest.mark.parametrize("offset", [0, 1, 2])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/models"),
        ("GET", f"/models/{NAME}"),
        ("POST", "/models?url=/tmp&initial_workers=1"),
        ("PUT", f"/models/{NAME}?min_worker=0"),
        ("DELETE", f"/models/{NAME}"),
        ("POST", "/workflows?url=/tmp"),
        ("GET", "/api-description"),
        ("OPTIONS", "/"),
    ],
)
def test_no_port_offers_management(
    open_to_all: ServedProcess, offset: int, method: str, path: str
) -> None:
    address = ("127.0.0.1", open_to_all.port + offset)
    answer = ask(address, path, headers={}, method=method)
    assert answer.status in (0, 404, 405)


@pytest.mark.parametrize("origin", ["http://evil.example", "http://localhost", "null"])
def test_a_page_in_a_browser_manages_nothing(open_to_all: ServedProcess, origin: str) -> None:
    socket = str(open_to_all.logs / "management.sock")
    url = "http://localhost/models"
    status = ("--write-out", "%{http_code}")
    done = curl(*status, "--unix-socket", socket, "-H", f"Origin: {origin}", url)
    assert done.stdout.endswith("403"), done
    assert NAME not in done.stdout
