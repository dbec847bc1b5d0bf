"""Data that stays on disk, as against the same data in memory."""

import json
import os
import resource
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray
from pyarrow import parquet

from rvae.config import (
    DataConfig,
    ModelConfig,
    ReaderConfig,
    RecurrentConfig,
    TimeConfig,
    TrainingConfig,
    TrainingPlan,
)
from rvae.data.readers import read
from rvae.data.series import STEPS_PER_CHUNK
from rvae.data.tables import ROWS_PER_CHUNK
from rvae.errors import FieldError
from rvae.inference.artifact import Artifact
from rvae.inference.engine import Engine
from rvae.training.fit import fit
from tests.support.waves import waves

TRAINING = TrainingConfig(epochs=2, batch_size=20, quantile=0.8, accelerator="cpu", hide=0.2)
FULL = ReaderConfig(
    columns=("heat", "speed"), categorical=("mode",), time="when", label="fault", classes="state"
)
SMALL = ModelConfig(recurrent=RecurrentConfig(hidden=6), latent=2)


# Trains on a small folder and on a large one, and says by how much the peak of memory has grown.
FRUGAL = """
import sys
from pathlib import Path

from rvae.config import ReaderConfig
from tests.training.test_on_disk import FULL, trained

def most():
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024

reader = FULL if sys.argv[1] == "parquet" else ReaderConfig()
peaks = []
for name in ("small", "large"):
    stride = int(Path(name, "stride").read_text())
    trained(Path(name), Path("run", name), reader, stride=stride)
    peaks.append(most())
print(peaks[1] - peaks[0])
"""


def trained(
    path: Path,
    output: Path,
    reader: ReaderConfig = ReaderConfig(),
    model: ModelConfig = SMALL,
    training: TrainingConfig = TRAINING,
    **data: Any,
) -> Artifact:
    config = DataConfig(str(path), **({"window": 16, "stride": 5} | data))
    outcome = fit(
        read(path, reader),
        TrainingPlan(config, model, training=training),
        output,
        progress=False,
    )
    return Artifact.load(outcome.checkpoint)


def require_equal(one: Artifact, other: Artifact) -> None:
    """To the bit, but for where the data was."""
    assert one.weights.keys() == other.weights.keys()
    for name, array in one.weights.items():
        np.testing.assert_array_equal(array, other.weights[name], name, strict=True)
    assert _comparable(one) == _comparable(other)


def _comparable(artifact: Artifact) -> dict[str, Any]:
    card = json.loads(json.dumps(artifact.card.to_dict()))
    del card["reader"], card["training"]["finished"], card["training"]["options"]["workers"]
    return card


def long_waves(count: int, steps: int) -> NDArray[np.float32]:
    """Series (count, steps, 2) with gaps, a whole number of waves in each."""
    values = waves(count, steps, channels=2).astype(np.float32)
    values[::3, 40:50, 1] = np.nan
    return values


@pytest.fixture(scope="module")
def arrays(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Series as one file and as a folder, few of them as `few`."""
    home = tmp_path_factory.mktemp("arrays")
    for name, values in (("many", long_waves(24, 100)), ("few", long_waves(3, 1000))):
        np.save(home / f"{name}.npy", values)
        (home / name).mkdir()
        for i, one in enumerate(values):
            np.save(home / name / f"{i:02}.npy", one)
    return home


@pytest.fixture(scope="module")
def in_memory(arrays: Path) -> Artifact:
    return trained(arrays / "many.npy", arrays / "in memory")


def test_a_folder_of_npy_trains_the_same_model_as_an_array(
    arrays: Path, in_memory: Artifact
) -> None:
    require_equal(in_memory, trained(arrays / "many", arrays / "folder"))


def test_so_it_does_cut_in_time(arrays: Path) -> None:
    reader = ReaderConfig(columns=("height", "depth"))
    require_equal(
        trained(arrays / "few.npy", arrays / "few in memory", reader),
        trained(arrays / "few", arrays / "few in a folder", reader),
    )


@pytest.mark.parametrize("path", ["many.npy", "many"])
def test_processes_that_load_windows_change_nothing(
    arrays: Path, in_memory: Artifact, path: str, tmp_path: Path
) -> None:
    require_equal(
        in_memory, trained(arrays / path, tmp_path, training=replace(TRAINING, workers=2))
    )


def table(steps: int, seed: int) -> pa.Table:
    """Everything that a column can mean."""
    random = np.random.default_rng(seed)
    step = np.arange(steps)
    heat = np.sin(step / 5 + random.uniform(0, 6)) + random.normal(0, 0.1, steps)
    heat[random.random(steps) < 0.03] = np.nan
    start = np.datetime64("2026-01-01", "us") + np.timedelta64(1_000 * seed, "h")
    mode = np.array(["low", "high", None])[step // 30 % 3]
    mode[steps // 2 : steps // 2 + 3] = "rare"
    return pa.table(
        {
            "when": start + step * np.timedelta64(60_000_000, "us"),
            "heat": pa.array(heat, from_pandas=True),
            "speed": step % 7,
            "mode": mode,
            "state": np.array(["idle", "busy"])[step // 200 % 2],
            "fault": step % (steps // 3) > steps // 3 - 10,
        }
    )


def test_a_folder_of_parquet_trains_the_same_model_as_a_table(tmp_path: Path) -> None:
    """With gaps, times, labels, classes, and categories of which training misses one."""
    (tmp_path / "folder").mkdir()
    tables = [table(700, seed) for seed in range(3)]
    for i, one in enumerate(tables):
        parquet.write_table(one, tmp_path / "folder" / f"{i}.parquet", row_group_size=256)
    names = np.repeat(np.arange(3), 700)
    whole = pa.concat_tables(tables).append_column("machine", pa.array(names))
    parquet.write_table(whole, tmp_path / "whole.parquet")
    model = replace(SMALL, conditional=True, time=TimeConfig(encoding=2, calendar=("hour", "day")))
    one = trained(
        tmp_path / "whole.parquet", tmp_path / "a", replace(FULL, series="machine"), model
    )
    other = trained(tmp_path / "folder", tmp_path / "b", FULL, model)
    assert one.card.interval == 60
    require_equal(one, other)
    scores = [
        np.concatenate([analysis.score for _, _, analysis in Engine(one).scan(series)])
        for series in (
            read(tmp_path / "whole.parquet", replace(FULL, series="machine")).series,
            read(tmp_path / "folder", FULL, one.card.vocabulary).series,
        )
    ]
    first, second = scores
    np.testing.assert_array_equal(first, second)


def test_what_lies_on_disk_is_as_long_as_its_pieces_together(tmp_path: Path) -> None:
    """A label at the border of two pieces, and a normal class that is not in each of them."""
    steps = ROWS_PER_CHUNK + STEPS_PER_CHUNK
    faulty = np.zeros(steps, dtype=bool)
    faulty[[ROWS_PER_CHUNK, STEPS_PER_CHUNK - 1, STEPS_PER_CHUNK]] = True
    kinds = np.where(faulty, "fault", np.where(np.arange(steps) < 100, "start", "run"))
    times = np.datetime64("2026-01-01", "us") + np.arange(steps)
    content = pa.table({"x": np.arange(steps, dtype=float), "kind": kinds, "when": times})
    parquet.write_table(content, tmp_path / "a.parquet")
    reader = ReaderConfig(classes="kind", normal=("start", "run"), time="when")
    (series,) = read(tmp_path, reader).series
    np.testing.assert_array_equal(np.asarray(series.values)[:, 0], np.arange(steps))
    np.testing.assert_array_equal(series.anomalous, faulty)
    np.testing.assert_array_equal(series.clock(), times)
    np.testing.assert_array_equal(
        series.class_codes, np.array([0, 1, 2])[np.searchsorted(["fault", "run", "start"], kinds)]
    )
    with pytest.raises(FieldError, match="there is no class 'stop'"):
        read(tmp_path, replace(reader, normal=("stop",)))


@pytest.mark.parametrize("step", [0, 5, STEPS_PER_CHUNK - 1, STEPS_PER_CHUNK, STEPS_PER_CHUNK + 7])
def test_times_that_do_not_rise_are_found_wherever_they_are(tmp_path: Path, step: int) -> None:
    times = np.datetime64("2026-01-01", "us") + np.arange(STEPS_PER_CHUNK + 10)
    times[step + 1 :] -= 1
    parquet.write_table(pa.table({"x": np.zeros(len(times)), "t": times}), tmp_path / "a.parquet")
    with pytest.raises(FieldError, match=f"after step {step} of series a"):
        read(tmp_path, ReaderConfig(time="t"))


def test_more_files_than_a_process_may_have_open_by_default_are_read(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for i in range(40):
        np.save(tmp_path / f"{i:02}.npy", np.arange(3.0) + i)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (30, hard))
        series = read(tmp_path, ReaderConfig()).series
        assert [float(np.asarray(s.values)[0, 0]) for s in series] == list(range(40))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "rows"), [("npy", 20_000_000), ("parquet", 2_000_000)])
def test_memory_does_not_grow_with_a_folder(tmp_path: Path, kind: str, rows: int) -> None:
    """Here by the 320 MB of an array, or the 90 MB of a table with everything beside numbers.

    Reading .parquet takes buffers of 20 to 35 MB, whatever the size of the file.
    """
    for name, length in (("small", 100_000), ("large", rows)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "stride").write_text(str(length // 200))
        if kind == "parquet":
            parquet.write_table(table(length, 0), tmp_path / name / "a.parquet")
        else:
            np.save(tmp_path / name / "a.npy", np.resize(waves(50, 1000, 2), (length, 2)))
    done = subprocess.run(
        [sys.executable, "-c", FRUGAL, kind],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 60
