"""Handwritten digits as series of pixels, out of scikit-learn.

    python examples/digits.py FOLDER

scikit-learn carries the test images of the "Optical recognition of handwritten digits" (Alpaydin
and Kaynak 1998, UCI machine learning repository): 1,797 digits by 13 people. Each is a series of
eight steps, its rows from top to bottom, and eight channels, the pixels of a row.
"""

import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

SEED = 0
TEST = 0.2  # share of the images
BRIGHTEST = 16


def main(folder: Path) -> None:
    """Write digits-train.npz and digits-test.npz, in random order, every digit in its share.

    Both hold `images` (S, 8, 8) in [0, 1] and the `digit` (S,) that each shows.
    """
    folder.mkdir(parents=True, exist_ok=True)
    source = load_digits()
    train, test, train_digit, test_digit = train_test_split(
        source.images / BRIGHTEST,
        source.target,
        test_size=TEST,
        stratify=source.target,
        random_state=SEED,
    )
    np.savez(folder / "digits-train.npz", images=train, digit=train_digit)
    np.savez(folder / "digits-test.npz", images=test, digit=test_digit)
    print(f"{len(train)} digits to train on and {len(test)} to test with, in {folder}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
