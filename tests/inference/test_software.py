import platform
import subprocess
import sys
from importlib import metadata

import numpy as np
import pytest
import torch

from rvae._version import __version__
from rvae.inference import software
from rvae.inference.software import software_versions


def test_versions_are_those_in_use() -> None:
    found = software_versions()
    assert found["rvae"] == __version__ and found["python"] == platform.python_version()
    # What is installed has no more than its build besides.
    assert found["torch"].partition("+")[0] == torch.__version__.partition("+")[0]
    assert found["numpy"] == np.__version__


def test_what_is_not_installed_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        if name != "numpy":
            raise metadata.PackageNotFoundError(name)
        return "2.0"

    monkeypatch.setattr(software, "version", version)
    assert software_versions() == {
        "rvae": __version__,
        "numpy": "2.0",
        "python": platform.python_version(),
    }


def test_nothing_is_imported_for_it() -> None:
    code = (
        "import sys; from rvae.inference.software import software_versions as f; f();"
        "print({'torch', 'onnxruntime', 'openvino'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
