"""Windows that a command generated → a file."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rvae.inference.card import ModelSpec

__all__ = ["require_windows_output", "write_windows"]

TABLES = (".csv", ".parquet", ".npy")


def require_windows_output(output: Path) -> None:
    """Raise a `FieldError` unless windows can be written to a file of this name."""
    from rvae.plots.saving import require_picture

    require_picture(output, TABLES)


def write_windows(card: ModelSpec, windows: NDArray[np.float64], output: Path, title: str) -> None:
    """Write windows (S, T, C) as a table, an array or, with this title, a picture, and say so.

    Raises:
        FieldError: If the file has another suffix.
    """
    from rvae.inference import export
    from rvae.plots.generation import plot_samples
    from rvae.plots.saving import save_axes

    if output.suffix == ".npy":
        output.parent.mkdir(parents=True, exist_ok=True)
        np.save(output, windows)
    elif output.suffix in TABLES:
        export.write(output, export.sample_records(card, windows))
    else:
        save_axes(plot_samples(card, windows, title), output)
    print(f"Wrote {len(windows)} windows to {output}")
