"""The command `rvae score --server`, with the real server."""

from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet

from rvae.serving.torchserve import Endpoint
from tests.support.command_line import rvae


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A series with a short anomaly and a long one."""
    random = np.random.default_rng(3)
    values = 20 + 3 * np.sin(np.arange(2500) * 2 * np.pi / 32) + random.normal(0, 0.1, 2500)
    values[100:110] = 40 - values[100:110]
    values[900:1500] = random.uniform(14, 26, 600)
    path = tmp_path_factory.mktemp("data") / "bumpy.csv"
    path.write_text("height\n" + "\n".join(map(str, values)) + "\n")
    return path


@pytest.mark.parametrize("rows", [(), ("--points",), ("--events", "--gap", "3")], ids=str)
def test_a_server_writes_the_rows_of_this_process(
    server: Endpoint, checkpoint: Path, data: Path, tmp_path: Path, rows: tuple[str, ...]
) -> None:
    options = (*rows, "--quantile", "0.95")
    asked = ("--server", server.url, "--model", "waves", "--version", "1.10", *options)
    served = rvae("score", data, "served.parquet", *asked, cwd=tmp_path)
    assert served.returncode == 0, served.stderr
    here = rvae("score", checkpoint, data, "here.parquet", *options, cwd=tmp_path)
    assert served.stdout == here.stdout.replace("here", "served")
    found, expected = (parquet.read_table(tmp_path / f"{n}.parquet") for n in ("served", "here"))
    assert found.schema == expected.schema and len(found) == len(expected) > 0
    for name in expected.column_names:
        mine, theirs = found[name].to_pylist(), expected[name].to_pylist()
        if isinstance(theirs[0], float):
            # The archive's graphs are not torch, which runs a checkpoint.
            np.testing.assert_allclose(mine, theirs, rtol=1e-3, atol=1e-4, err_msg=name)
        else:
            assert mine == theirs, name


def test_what_is_wrong_is_said_in_a_line(server: Endpoint, data: Path, tmp_path: Path) -> None:
    asked = ("score", data, "rows.csv", "--server")
    for options, said in (
        ((server.url,), "rvae: model: "),
        (
            ("http://127.0.0.1:1", "--timeout", "0.5"),
            "rvae: server: http://127.0.0.1:1: ",
        ),
        ((server.url, "--model", "waves", "--gap", "3"), "rvae: gap: is only valid with --events"),
        ((server.url, "--model", "waves", "--quantile", "0.99999"), "rvae: quantile: "),
    ):
        done = rvae(*asked, *options, cwd=tmp_path)
        assert done.returncode == 1 and done.stderr.startswith(said), done.stderr
        assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "rows.csv").exists()


def test_help_tells_of_the_server(tmp_path: Path) -> None:
    done = rvae("score", "--server", "http://here", "--help", cwd=tmp_path)
    assert "--connections" in done.stdout and "checkpoint" not in done.stdout
    said = " ".join(rvae("score", "--help", cwd=tmp_path).stdout.split())
    assert "see rvae score --server URL --help" in said
