"""The clock of the machine is set, forwards and backwards."""

import os
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from tests.support.exchanges import ask
from tests.support.fault_models import MODERATE, PATH
from tests.support.outages import honest
from tests.support.paths import ROOT
from tests.support.served_process import ServedProcess

pytestmark = pytest.mark.faults

COMPILER = shutil.which("cc")
DAY = 24 * 60 * 60
STEPS = (30 * DAY, -30 * DAY, 3650 * DAY, 0, -7200, 0)  # seconds from the right time


@pytest.fixture
def shim(tmp_path: Path) -> Path:
    """A library that sets the clock of the processes that load it."""
    if COMPILER is None:
        pytest.skip("there is no C compiler")
    library = tmp_path / "clock_shim.so"
    source = ROOT / "tests" / "support" / "clock_shim.c"
    subprocess.run([COMPILER, "-O", "-shared", "-fPIC", "-o", library, source], check=True)
    return library


def test_steps_of_the_clock(busy_store: Path, tmp_path: Path, shim: Path) -> None:
    offset = tmp_path / "offset"
    offset.write_bytes(struct.pack("=q", 0))
    environment = {"LD_PRELOAD": str(shim), "CLOCK_OFFSET": str(offset)}
    with ServedProcess(busy_store, tmp_path, environment=environment) as served:
        processes = served.javas() | served.workers()
        for pid in (served.process.pid, *processes):
            assert str(shim) in Path(f"/proc/{pid}/maps").read_text()
        with honest(served) as client, offset.open("r+b") as file:
            for step in STEPS:
                os.pwrite(file.fileno(), struct.pack("=q", step), 0)
                client.await_answers(30)
                assert ask(served.address, PATH, MODERATE).status == 200
        assert client.failed == 0
        assert served.javas() | served.workers() == processes
