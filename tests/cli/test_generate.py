"""The command `rvae generate`."""

from pathlib import Path

import numpy as np

from tests.support.command_line import rvae


def test_generate_writes_patterns(tmp_path: Path) -> None:
    for seed in (1, 2):
        order = ["--patterns.repeats=20", f"--patterns.order_seed={seed}"]
        done = rvae("generate", f"{seed}.npz", *order, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (0, f"Wrote 20 series to {seed}.npz\n")
    one, two = (np.load(tmp_path / f"{seed}.npz") for seed in (1, 2))
    assert one["values"].shape == (20, 128, 7) and one["pattern"].shape == (20, 128)
    assert not np.array_equal(one["pattern"], two["pattern"])
