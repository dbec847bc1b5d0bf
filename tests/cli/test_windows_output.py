"""Windows that a command generated, in files."""

from pathlib import Path

import numpy as np
import pyarrow.csv
import pytest

from rvae.cli.windows_output import require_windows_output, write_windows
from rvae.errors import FieldError
from tests.support.untrained import KINDS

CARD = KINDS["categories"]  # a number and a category
WINDOWS = np.stack([np.linspace(18, 22, 24), np.resize([1.0, 2, 3], 24)], 1).reshape(3, 8, 2)


@pytest.mark.parametrize("name", ["w.npy", "w.csv", "w.svg"])
def test_windows_are_written_as_the_suffix_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    path = tmp_path / "new" / name
    write_windows(CARD, WINDOWS, path, "some windows")
    assert capsys.readouterr().out == f"Wrote 3 windows to {path}\n"
    if name == "w.npy":
        np.testing.assert_array_equal(np.load(path), WINDOWS)
    elif name == "w.csv":
        table = pyarrow.csv.read_csv(path)
        assert table["series"].to_pylist() == [0] * 8 + [1] * 8 + [2] * 8
        assert table["mode"].to_pylist()[:3] == ["off", "on", "3"]
    else:
        assert ">some windows</text>" in path.read_text()


def test_another_suffix_is_said_before_work_begins() -> None:
    for good in ("a.csv", "a.parquet", "a.npy", "a.png"):
        require_windows_output(Path(good))
    with pytest.raises(FieldError, match=r"\.pdf, \.csv, \.parquet or \.npy, got a\.txt"):
        require_windows_output(Path("a.txt"))
