"""The notebooks of the examples, each run from its first cell to its last."""

import shutil
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

from tests.support.paths import ROOT

NOTEBOOKS = sorted((ROOT / "examples" / "notebooks").glob("*.ipynb"))
MAX_BYTES = 300_000
SECONDS_PER_CELL = 300


def code(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def kinds(cell: Any) -> list[Any]:
    """What a cell put out: the name of a stream, or the forms of a result."""
    return [output.get("name") or sorted(output.data) for output in cell.outputs]


@pytest.fixture
def examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the examples, and a kernel that finds and leaves nothing outside of it."""
    for variable in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR"):
        monkeypatch.setenv(variable, str(tmp_path / "jupyter"))
    folder = tmp_path / "examples"
    shutil.copytree(ROOT / "examples", folder, ignore=shutil.ignore_patterns("demo"))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_puts_out_what_is_stored(
    path: Path, examples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Under pytest, kernels do not hand on what other processes print, as they do for a user.
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    stored = nbformat.read(path, as_version=4)
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=SECONDS_PER_CELL,
        coalesce_streams=True,
        resources={"metadata": {"path": str(examples / "notebooks")}},
    )
    # Without folders of kernels, python3 is this interpreter and no other one.
    kernels = KernelSpecManager(kernel_dirs=[])
    # A kernel that the client is made with would not be ended by it.
    client.km = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=kernels)
    client.execute()
    assert [kinds(cell) for cell in code(notebook)] == [kinds(cell) for cell in code(stored)]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_stored_as_it_ran(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    cells = code(notebook)
    assert [cell.execution_count for cell in cells] == [*range(1, len(cells) + 1)]
    outputs = [kind for cell in cells for kind in kinds(cell)]
    assert "stderr" not in outputs
    assert any("image/png" in kind for kind in outputs)
    assert not any(cell.metadata for cell in notebook.cells)
    assert path.stat().st_size < MAX_BYTES


def test_there_are_notebooks() -> None:
    assert len(NOTEBOOKS) == 3
