import multiprocessing
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rvae.data.stored import Spool, StoredArray, blocks
from rvae.errors import FieldError

DESCRIPTORS = Path("/proc/self/fd")

# Reads an array step by step, and then as a whole to see that this would have been noticed.
FRUGAL = """
import sys
from pathlib import Path

import numpy as np

from rvae.data.stored import StoredArray, blocks

def most():
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024

stored = StoredArray.of_npy(Path(sys.argv[1]))
np.asarray(stored[:4096]).sum()
before = most()
total = sum(float(block.sum()) for block in blocks(stored, 4096 * 8))
frugal = most() - before
np.asarray(stored)
print(len(stored), total, frugal, most() - before)
"""


def _saved(folder: Path, values: NDArray[Any]) -> Path:
    np.save(folder / "a.npy", values)
    return folder / "a.npy"


def _numbers(rows: int = 7, channels: int = 3) -> NDArray[np.float64]:
    return np.random.default_rng(0).normal(size=(rows, channels)) * 50


def _descriptors(path: Path) -> list[int]:
    """Those of this process that lead to a file, or to any in a folder."""
    path = path.resolve()
    return [int(d.name) for d in DESCRIPTORS.iterdir() if d.resolve().is_relative_to(path)]


@pytest.mark.parametrize("kind", ["f2", "<f4", ">f4", "<f8", ">f8", "i1", ">i2", "<u4", ">i8", "?"])
def test_rows_are_the_numbers_of_the_file(tmp_path: Path, kind: str) -> None:
    values = _numbers().astype(kind)
    stored = StoredArray.of_npy(_saved(tmp_path, values))
    assert stored.shape == values.shape
    assert len(stored) == 7
    read = np.asarray(stored)
    assert read.dtype == np.float64
    assert read.dtype.isnative
    np.testing.assert_array_equal(read, values.astype(np.float64))
    np.testing.assert_array_equal(np.asarray(stored[2:5], dtype=kind), values[2:5], strict=True)


def test_whole_numbers_keep_their_digits_if_asked_for_as_such(tmp_path: Path) -> None:
    values = np.array([[2**62 + 1]])
    stored = StoredArray.of_npy(_saved(tmp_path, values))
    np.testing.assert_array_equal(np.asarray(stored, dtype=np.int64), values)


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_every_version_of_the_format_is_read(tmp_path: Path, version: tuple[int, int]) -> None:
    values = _numbers()
    with (tmp_path / "a.npy").open("wb") as file:
        np.lib.format.write_array(file, values, version=version)
    np.testing.assert_array_equal(np.asarray(StoredArray.of_npy(tmp_path / "a.npy")), values)


def test_a_vector_is_one_channel(tmp_path: Path) -> None:
    stored = StoredArray.of_npy(_saved(tmp_path, np.arange(5)))
    np.testing.assert_array_equal(np.asarray(stored[1:3]), [[1], [2]])


@pytest.mark.parametrize("columns_first", [np.zeros((0, 3)), np.arange(4.0)[:, None]])
def test_order_does_not_matter_where_both_are_the_same(
    tmp_path: Path, columns_first: NDArray[np.float64]
) -> None:
    with (tmp_path / "a.npy").open("wb") as file:
        header = {"descr": "<f8", "fortran_order": True, "shape": columns_first.shape}
        np.lib.format.write_array_header_1_0(file, header)
        file.write(columns_first.tobytes())
    stored = StoredArray.of_npy(tmp_path / "a.npy")
    np.testing.assert_array_equal(np.asarray(stored), columns_first, strict=True)


@pytest.mark.parametrize(
    "slices",
    [
        [slice(None)],
        [slice(2, 6), slice(1, 3)],
        [slice(3, None), slice(None, 2), slice(1, None)],
        [slice(2, 99), slice(0, 99, 1)],
        [slice(4, 4)],
        [slice(5, 2)],
        [slice(99, None)],
        [slice(np.int64(2), np.int64(5))],
        [slice(0, 0), slice(0, 5)],
    ],
)
def test_slices_of_slices_are_those_of_an_array(tmp_path: Path, slices: list[slice]) -> None:
    values = _numbers()
    stored = StoredArray.of_npy(_saved(tmp_path, values))
    for rows in slices:
        stored, values = stored[rows], values[rows]
        assert stored.shape == values.shape
    np.testing.assert_array_equal(np.asarray(stored), values, strict=True)


@pytest.mark.parametrize(
    ("rows", "error"),
    [
        (slice(-3, None), IndexError),
        (slice(None, -1), IndexError),
        (slice(None, None, 2), IndexError),
        (slice(None, None, -1), IndexError),
        (slice(0.0, 2.0), TypeError),
        (3, TypeError),
        ((slice(0, 2), 0), TypeError),
        ([0, 1], TypeError),
    ],
)
def test_anything_but_rows_in_order_is_refused(tmp_path: Path, rows: Any, error: type[Any]) -> None:
    with pytest.raises(error):
        StoredArray.of_npy(_saved(tmp_path, _numbers()))[rows]


def test_nothing_but_the_rows_of_a_view_is_read(tmp_path: Path) -> None:
    path = _saved(tmp_path, _numbers(rows=100))
    stored = StoredArray.of_npy(path)
    first = np.asarray(stored[:10])
    os.truncate(path, path.stat().st_size - 90 * 3 * 8)
    np.testing.assert_array_equal(np.asarray(stored[:10]), first)
    with pytest.raises(FieldError, match="cut short"):
        np.asarray(stored[:11])


def test_a_view_cannot_be_had_without_a_copy(tmp_path: Path) -> None:
    stored = StoredArray.of_npy(_saved(tmp_path, _numbers()))
    with pytest.raises(ValueError, match="copy"):
        np.asarray(stored, copy=False)
    read = np.array(stored)
    read[:] = 0
    assert np.asarray(stored).any()


def test_the_descriptor_is_closed_with_the_last_view(tmp_path: Path) -> None:
    path = _saved(tmp_path, _numbers())
    stored = StoredArray.of_npy(path)
    part = stored[1:3][:1]
    assert len(_descriptors(path)) == 1
    del stored
    assert len(_descriptors(path)) == 1
    np.testing.assert_array_equal(np.asarray(part), _numbers()[1:2])
    del part
    assert _descriptors(path) == []


def _sum_parts(stored: Any, parts: Any, sums: Any) -> None:
    sums.put([float(np.asarray(stored[start : start + 50]).sum()) for start in parts])


def test_processes_read_side_by_side(tmp_path: Path) -> None:
    values = _numbers(rows=5000)
    path = _saved(tmp_path, values)
    stored = StoredArray.of_npy(path)
    (descriptor,) = _descriptors(path)
    position = os.lseek(descriptor, 0, os.SEEK_CUR)
    fork = multiprocessing.get_context("fork")
    sums = fork.SimpleQueue()
    parts = range(0, 5000, 50)
    children = [fork.Process(target=_sum_parts, args=(stored, parts, sums)) for _ in range(2)]
    for child in children:
        child.start()
    expected = [values[start : start + 50].sum() for start in parts]
    np.testing.assert_allclose([np.asarray(stored[i : i + 50]).sum() for i in parts], expected)
    for child in children:
        child.join(60)
        assert child.exitcode == 0
        np.testing.assert_allclose(sums.get(), expected)
    # They share it: whoever moved it would disturb the others.
    assert os.lseek(descriptor, 0, os.SEEK_CUR) == position


def test_reading_through_an_array_does_not_take_its_memory(tmp_path: Path) -> None:
    path, rows = tmp_path / "large.npy", 3_000_000  # 192 MB, of which the file has holes
    with path.open("wb") as file:
        header = {"descr": "<f8", "fortran_order": False, "shape": (rows, 8)}
        np.lib.format.write_array_header_1_0(file, header)
        start = file.tell()
        for row in (0, 1_234_567, rows - 1):
            file.seek(start + row * 64)
            file.write(np.full(8, row + 1.0).tobytes())
    done = subprocess.run(
        [sys.executable, "-c", FRUGAL, path], capture_output=True, text=True, check=True
    )
    length, total, frugal, whole = map(float, done.stdout.split())
    assert length == rows
    assert total == 8 * (1 + 1_234_568 + rows)
    assert frugal < 4
    assert whole > 150


def _broken(folder: Path) -> None:
    np.save(folder / "columns.npy", np.asfortranarray(_numbers()))
    np.save(folder / "deep.npy", np.zeros((2, 2, 2)))
    np.save(folder / "point.npy", np.array(1.0))
    np.save(folder / "words.npy", np.array(["a"]))
    np.save(folder / "complex.npy", np.zeros(3, complex))
    np.save(folder / "times.npy", np.zeros(3, "M8[s]"))
    np.save(folder / "fields.npy", np.zeros(3, [("a", float)]))
    np.save(folder / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    whole = _saved(folder, _numbers()).read_bytes()
    (folder / "cut.npy").write_bytes(whole[:-1])
    (folder / "header.npy").write_bytes(whole[:50])
    (folder / "empty.npy").write_bytes(b"")
    (folder / "rubbish.npy").write_bytes(b"PK\x03\x04 and so on")
    (folder / "unread.npy").write_bytes(whole.replace(b"'descr'", b"'d\nscr'"))
    long = b"{" + b" " * 20_000
    (folder / "long.npy").write_bytes(whole[:8] + len(long).to_bytes(2, "little") + long)


@pytest.mark.parametrize(
    "name",
    [
        "columns",
        "deep",
        "point",
        "words",
        "complex",
        "times",
        "fields",
        "objects",
        "cut",
        "header",
        "empty",
        "rubbish",
        "unread",
        "long",
    ],
)
def test_what_cannot_be_viewed_is_refused_in_a_line(tmp_path: Path, name: str) -> None:
    _broken(tmp_path)
    with pytest.raises(FieldError) as caught:
        StoredArray.of_npy(tmp_path / f"{name}.npy")
    assert caught.value.field == "data"
    assert f"{name}.npy" in caught.value.message
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.uint8])
def test_a_spool_gives_back_what_was_put_in(kind: type[Any]) -> None:
    values = np.random.default_rng(0).integers(0, 100, size=(10, 4))
    spool = Spool(4, kind)
    assert spool.stored().shape == (0, 4)
    spool.append(values[:3])
    early = spool.stored()
    spool.append(values[3:3])
    spool.append(np.asfortranarray(values[3:]))
    np.testing.assert_array_equal(np.asarray(early), values[:3])
    np.testing.assert_array_equal(np.asarray(spool.stored()), values)
    view = spool.stored()[2:8]
    del spool, early
    np.testing.assert_array_equal(np.asarray(view[1:3]), values[3:5])


def test_a_spool_has_no_name_and_goes_with_its_last_view(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    spool = Spool(2)
    spool.append(np.ones((3, 2)))
    assert list(tmp_path.iterdir()) == []
    view = spool.stored()
    del spool
    assert len(_descriptors(tmp_path)) == 1
    del view
    assert _descriptors(tmp_path) == []


@pytest.mark.parametrize("shape", [(3,), (3, 1), (1, 3, 2)])
def test_a_spool_takes_rows_of_its_channels_alone(shape: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match="2 channels"):
        Spool(2).append(np.zeros(shape))


def test_a_full_disk_is_reported_as_such_and_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(2)
    spool.append(np.ones((3, 2)))

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space left"):
        patch.setattr(os, "pwrite", full)
        spool.append(np.zeros((3, 2)))
    spool.append(np.full((1, 2), 2.0))
    np.testing.assert_array_equal(np.asarray(spool.stored())[:, 0], [1, 1, 1, 2])


def test_what_the_system_does_in_parts_is_completed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    preadv, pwrite = os.preadv, os.pwrite
    monkeypatch.setattr(os, "preadv", lambda n, to, offset: preadv(n, [to[0][:5]], offset))
    monkeypatch.setattr(os, "pwrite", lambda n, data, offset: pwrite(n, data[:5], offset))
    values = _numbers()
    spool = Spool(3)
    spool.append(values)
    np.testing.assert_array_equal(np.asarray(spool.stored()), values)
    np.testing.assert_array_equal(np.asarray(StoredArray.of_npy(_saved(tmp_path, values))), values)


def test_blocks_follow_one_another_whatever_they_come_from(tmp_path: Path) -> None:
    values = _numbers(rows=10)
    for source in (values, StoredArray.of_npy(_saved(tmp_path, values))):
        parts = list(blocks(source, numbers=14))
        assert [len(part) for part in parts] == [4, 4, 2]
        np.testing.assert_array_equal(np.concatenate(parts), values)
    assert list(blocks(values[:0])) == []
