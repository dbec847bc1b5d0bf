"""The folder in which TorchServe looks for its own files and for its worker."""

import importlib.resources
import shutil
from pathlib import Path

import ts

__all__ = ["make_home"]

# Of TorchServe's package, what its Java reads or runs.
SHARED = ("configs", "metrics", "version.txt")


def make_home(folder: Path) -> Path:
    """Make a home for TorchServe in an empty folder, with the worker of `rvae_torchserve`."""
    package = folder / "ts"
    package.mkdir(parents=True)
    for name in SHARED:
        (package / name).symlink_to(Path(ts.__file__).parent / name)
    worker = importlib.resources.files("rvae_torchserve") / "worker.py"
    with importlib.resources.as_file(worker) as path:
        shutil.copyfile(path, package / "model_service_worker.py")
    return folder
