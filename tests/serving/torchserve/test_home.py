"""The home of a server holds what TorchServe looks for there, and the worker of this package."""

from pathlib import Path

import ts

from rvae.serving.torchserve.home import make_home
from tests.support.paths import ROOT


def test_a_home_has_the_files_of_torchserve_and_the_worker_of_this_package(tmp_path: Path) -> None:
    package = make_home(tmp_path / "home") / "ts"
    theirs = Path(ts.__file__).parent
    for name in ("version.txt", "configs/metrics.yaml", "metrics/metric_collector.py"):
        assert (package / name).read_bytes() == (theirs / name).read_bytes()
    worker = (package / "model_service_worker.py").read_bytes()
    assert worker == (ROOT / "handler" / "worker.py").read_bytes()
    # Python must find TorchServe's package where it is installed.
    assert not (package / "__init__.py").exists()
