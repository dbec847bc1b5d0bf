"""A real arterial blood pressure with one anomaly, out of a package on the Python package index.

    python examples/pressure.py FOLDER

The wheel of aeon 1.6.0 carries series 135 of the UCR anomaly archive ("InternalBleeding16"; Wu and
Keogh 2021, "Current time series anomaly detection benchmarks are flawed and are creating the
illusion of progress"): 1,200 normal points to train on, and the 6,301 after them to test with, of
which 12 are anomalous. The data is fetched by pip and not kept here.
"""

import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

PACKAGE = "aeon==1.6.0"
SOURCE = "aeon-1.6.0-py3-none-any.whl"
SHA256 = "d05227086706f80111ac5fee8de4d5d3115bb3bcfd1c786c8629393055816409"
SERIES = "aeon/datasets/data/KDD-TSAD_135/135_UCR_Anomaly_InternalBleeding16"
NORMAL = 1200


def main(folder: Path) -> None:
    """Write pressure-train.csv, and pressure-test.csv with a further column `anomaly`."""
    with zipfile.ZipFile(wheel(PACKAGE, SOURCE, SHA256, folder)) as package:
        # The archive's second part begins with its first.
        _, *rows = package.read(f"{SERIES}_TEST.csv").decode().splitlines()
    columns = ("pressure", "anomaly")
    for part, some, count in (("train", rows[:NORMAL], 1), ("test", rows[NORMAL:], 2)):
        # A row begins with the number of the point.
        lines = [",".join(row.split(",")[1 : 1 + count]) for row in some]
        path = folder / f"pressure-{part}.csv"
        path.write_text("\n".join([",".join(columns[:count]), *lines, ""]))
        print(f"{len(lines)} points in {path}")


def wheel(package: str, name: str, checksum: str, folder: Path) -> Path:
    """Fetch the wheel of a package into a folder, unless it is there, and check what it holds.

    Args:
        package: Name and version, as pip wants them.
        name: Name of the wheel's file.
        checksum: SHA-256 of the file.
        folder: Where the file is, or will be.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    if not path.exists():
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        subprocess.run([*pip, "--only-binary", ":all:", package, "--dest", folder], check=True)
    if hashlib.sha256(path.read_bytes()).hexdigest() != checksum:
        raise SystemExit(f"{path} is not the file that is expected: remove it and try again")
    return path


if __name__ == "__main__":
    main(Path(sys.argv[1]))
