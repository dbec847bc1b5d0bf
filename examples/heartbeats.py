"""Real heartbeats for training and testing, out of a package on the Python package index.

    python examples/heartbeats.py FOLDER

The source distribution of wfdb 4.3.0 carries record 0201 of the American Heart Association's
database of ventricular arrhythmias, as PhysioNet publishes it (the "sample excluded record";
Goldberger et al. 2000, "PhysioBank, PhysioToolkit, and PhysioNet"): 35 minutes of one patient's
electrocardiogram on two leads at 250 Hz. A cardiologist's mark stands at every beat of the last 30
minutes: 2,164 normal and 114 ventricular ones. The data is fetched by pip and not kept here.
"""

import sys
import tarfile
from pathlib import Path
from typing import IO, cast

import numpy as np
from packages import Package

WFDB = Package(
    "wfdb==4.3.0",
    "wfdb-4.3.0.tar.gz",
    "60df86bc5c9186a91930d1118218d9301d40a730ff730ec1c8571d1141d92bb9",
)
RECORD = "wfdb-4.3.0/tmp_dl_dir/0201"
UNITS_PER_MILLIVOLT = 400
BEFORE, AFTER = 60, 80  # samples around a beat's mark: 0.56 s
NORMAL, VENTRICULAR = 1, 5  # PhysioNet's codes of annotations


def main(folder: Path) -> None:
    """Write train.npz (every other normal beat) and test.npz (the other beats, with labels)."""
    signal, marks, ventricular = record(folder)
    beats = np.stack([signal[mark - BEFORE : mark + AFTER] for mark in marks])  # (S, 140, 2)
    training = ~ventricular & (np.cumsum(~ventricular) % 2 == 0)
    np.savez(folder / "train.npz", beats=beats[training])
    np.savez(folder / "test.npz", beats=beats[~training], ventricular=ventricular[~training])
    print(
        f"{training.sum()} normal beats to train on; {(~training & ~ventricular).sum()} normal and "
        f"{ventricular.sum()} ventricular ones to test with, in {folder}"
    )


def record(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The signal in millivolts (N, 2), the samples of the beats, and which are ventricular."""
    with tarfile.open(WFDB.fetch(folder)) as package:
        packed, annotations = (
            cast(IO[bytes], package.extractfile(f"{RECORD}.{suffix}")).read()
            for suffix in ("dat", "atr")
        )
    return samples(packed), *beats_of(annotations)


def samples(packed: bytes) -> np.ndarray:
    """WFDB's format 212: two 12-bit numbers in three bytes, here one of each lead."""
    low, middle, high = np.frombuffer(packed, np.uint8).reshape(-1, 3).astype(int).T
    leads = np.stack([low | (middle & 15) << 8, high | (middle >> 4) << 8], axis=1)
    return np.where(leads > 2047, leads - 4096, leads) / UNITS_PER_MILLIVOLT


def beats_of(annotations: bytes) -> tuple[np.ndarray, np.ndarray]:
    """MIT's annotation format: words of a code (6 bits) and the samples since the last (10 bits).

    The first three words skip to the first beat; a word of zero ends the list.
    """
    words = np.frombuffer(annotations, "<u2").astype(int)
    start = (words[1] << 16) + words[2]
    words = words[3 : 3 + np.flatnonzero(words[3:] == 0)[0]]
    codes = words >> 10
    if not np.isin(codes, (NORMAL, VENTRICULAR)).all():
        raise SystemExit("the annotations hold something else than beats")
    return start + np.cumsum(words & 1023), codes == VENTRICULAR


if __name__ == "__main__":
    main(Path(sys.argv[1]))
