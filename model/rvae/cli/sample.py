"""The command `rvae sample`: windows drawn from a model."""

from pathlib import Path

__all__ = ["sample"]


def sample(
    checkpoint: Path,
    output: Path,
    count: int = 10,
    label: str | None = None,
    seed: int = 0,
) -> None:
    """Draw windows from a model and write them to a .csv or .parquet file, or as a .npy array.

    Args:
        checkpoint: Checkpoint, archive, or a folder with one of them.
        output: File to write: one row per time step, or an array (S, T, C).
        count: Number of windows.
        label: Class of the windows, if the model is conditional.
        seed: Seed of the random latents.
    """
    import numpy as np

    from rvae.errors import require
    from rvae.inference import export
    from rvae.inference.engine import Engine

    require(count >= 1, "count", f"must be at least 1, got {count}")
    engine = Engine.load(checkpoint)
    drawn = engine.sample(count, label, seed)
    if output.suffix == ".npy":
        output.parent.mkdir(parents=True, exist_ok=True)
        np.save(output, drawn)
    else:
        export.write(output, export.sample_records(engine.card, drawn))
    print(f"Wrote {count} windows to {output}")
