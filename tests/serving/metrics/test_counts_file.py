import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rvae.serving.metrics.counts_file import HALF_LIFE, Head, create, read, weight
from rvae.serving.metrics.measures import NUMBERS

HEAD = Head("wäves", "1.0", ("heat", "mode"), ((0.5, 0.5), (0.1, 0.2, 0.7)), 0.01, 12.5)
WORKER = """
import signal, sys
from pathlib import Path
from rvae.serving.metrics.counts_file import Head, create
counts = create(Path(sys.argv[1]), Head("m", "2", ("a",), (), 0.01, 0.0))
counts.common[3] += 7
print("ready", flush=True)
signal.pause()
"""


def test_what_is_counted_is_read_while_it_is_counted(tmp_path: Path) -> None:
    counts = create(tmp_path, HEAD)
    (path,) = tmp_path.iterdir()
    counts.common[-1] += 2.5
    counts.missing[1] += 3
    counts.bins[:] += [1, 2, 3, 4, 5]
    for more in (0.0, 1.0):
        counts.missing[0] += more
        found, is_final = read(path)
        assert not is_final and found.head == HEAD
        assert found.common.tolist() == [0.0] * (NUMBERS - 1) + [2.5]
        assert found.missing.tolist() == [more, 3] and found.bins.tolist() == [1, 2, 3, 4, 5]


def test_a_model_without_a_sketch_has_no_bins(tmp_path: Path) -> None:
    counts = create(tmp_path, Head("m", "1", ("a", "b"), (), 0.01, 0.0))
    assert counts.bins.shape == (0,) and counts.missing.shape == (2,)


def test_what_a_killed_process_has_counted_is_final(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WORKER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        (path,) = tmp_path.iterdir()
        assert path.stat().st_mode & 0o777 == 0o600
        for number in (signal.SIGSTOP, signal.SIGCONT):
            os.kill(process.pid, number)
            assert not read(path)[1]
        process.kill()
    found, is_final = read(path)
    assert is_final and found.common[3] == 7 and found.head.version == "2"


def test_a_folder_that_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        create(tmp_path / "missing", HEAD)


def test_a_disk_that_is_almost_full_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "write", lambda descriptor, content: len(content) // 2)
    with pytest.raises(OSError, match="No space left"):
        create(tmp_path, HEAD)


def test_a_value_has_half_the_weight_after_a_half_life() -> None:
    assert weight(100.0, 100.0) == 1
    assert weight(100.0 + HALF_LIFE, 100.0) == 2 * weight(100.0, 100.0)
    assert np.isfinite(weight(1000 * HALF_LIFE, 0.0))
