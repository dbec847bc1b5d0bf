"""The command `rvae archive`, through `archive.sh`."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.paths import ROOT


def test_archive_sh(checkpoint: Path, tmp_path: Path) -> None:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        [ROOT / "archive.sh", checkpoint, "--version", "3", "--store", "s"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=os.environ | {"PATH": path},
    )
    told, wrote = done.stdout.splitlines()
    assert (done.returncode, wrote) == (0, "Wrote s/rvae-3.mar"), done.stderr
    assert told.startswith("The network is run by onnx, which differs from torch by at most")
