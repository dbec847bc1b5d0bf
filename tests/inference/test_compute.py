import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from rvae.inference import compute as process


@pytest.fixture
def eight(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine of eight processors whose control groups are files here."""
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: set(range(8)))
    monkeypatch.setattr(process, "CGROUP_2", tmp_path / "cpu.max")
    monkeypatch.setattr(process, "CGROUP_1", (tmp_path / "quota", tmp_path / "period"))
    return tmp_path


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, 8),
        ({"cpu.max": "max 100000\n"}, 8),
        ({"cpu.max": "200000 100000\n"}, 2),
        ({"cpu.max": "50000 100000\n"}, 1),
        ({"cpu.max": "3200000 100000\n"}, 8),
        ({"quota": "-1\n", "period": "100000\n"}, 8),
        ({"quota": "300000\n", "period": "100000\n"}, 3),
    ],
)
def test_a_containers_limit_counts(eight: Path, files: dict[str, str], expected: int) -> None:
    for name, content in files.items():
        (eight / name).write_text(content)
    assert process.available_cpus() == expected


def test_threads_are_shared_among_processes_and_one_processor_is_left(
    eight: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert [process.compute_threads(n) for n in (1, 3, 7, 100)] == [7, 2, 1, 1]
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: set(range(64)))
    assert process.compute_threads() == 8
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert process.compute_threads() is None


def test_a_server_has_a_process_for_every_four_processors_shared_among_its_models(
    eight: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [process.serving_processes(n) for n in (1, 2, 3)] == [2, 1, 1]
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: set(range(256)))
    assert process.serving_processes(1) == 8


def test_threads_are_limited_for_a_while(eight: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    before = torch.get_num_threads()
    with process.limited_threads(3):
        assert (torch.get_num_threads(), os.environ["OMP_NUM_THREADS"]) == (2, "2")
    assert torch.get_num_threads() == before and "OMP_NUM_THREADS" not in os.environ
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    with process.limited_threads(3):
        assert (torch.get_num_threads(), os.environ["OMP_NUM_THREADS"]) == (before, "3")


def test_waiting_threads_sleep_unless_the_environment_says_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OMP_WAIT_POLICY", "")  # so that it is restored
    del os.environ["OMP_WAIT_POLICY"]
    process.wait_asleep()
    assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    process.wait_asleep()
    assert os.environ["OMP_WAIT_POLICY"] == "ACTIVE"


def test_the_command_line_lets_threads_sleep_before_torch_is_loaded() -> None:
    script = (
        "import os, sys; import rvae.cli.main as m; sys.argv = ['rvae', '--version']\n"
        "try: m.main()\n"
        "except SystemExit: print(os.environ['OMP_WAIT_POLICY'], 'torch' in sys.modules)"
    )
    environment = {k: v for k, v in os.environ.items() if k != "OMP_WAIT_POLICY"}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True
    )
    assert done.stdout.splitlines()[-1] == "PASSIVE False", done.stderr


def test_inference_takes_all_processors_for_threads_that_sleep(
    eight: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert [process.inference_threads(n) for n in (1, 3, 8, 100)] == [8, 2, 1, 1]
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: set(range(64)))
    assert process.inference_threads() == 8
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert process.inference_threads(2) == 3
