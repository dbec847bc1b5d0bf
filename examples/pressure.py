"""A real arterial blood pressure with one anomaly, out of a package on the Python package index.

    python examples/pressure.py FOLDER

The wheel of aeon 1.6.0 carries series 135 of the UCR anomaly archive ("InternalBleeding16"; Wu and
Keogh 2021, "Current time series anomaly detection benchmarks are flawed and are creating the
illusion of progress"): 1,200 normal points to train on, and the 6,301 after them to test with, of
which 12 are anomalous. The data is fetched by pip and not kept here.
"""

import sys
import zipfile
from pathlib import Path

from packages import AEON

SERIES = "aeon/datasets/data/KDD-TSAD_135/135_UCR_Anomaly_InternalBleeding16"
NORMAL = 1200


def main(folder: Path) -> None:
    """Write pressure-train.csv, and pressure-test.csv with a further column `anomaly`."""
    with zipfile.ZipFile(AEON.fetch(folder)) as package:
        # The archive's second part begins with its first.
        _, *rows = package.read(f"{SERIES}_TEST.csv").decode().splitlines()
    columns = ("pressure", "anomaly")
    for part, some, count in (("train", rows[:NORMAL], 1), ("test", rows[NORMAL:], 2)):
        # A row begins with the number of the point.
        lines = [",".join(row.split(",")[1 : 1 + count]) for row in some]
        path = folder / f"pressure-{part}.csv"
        path.write_text("\n".join([",".join(columns[:count]), *lines, ""]))
        print(f"{len(lines)} points in {path}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
