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
    """Draw windows from a model and write them to a file, as a table, an array or a picture.

    Args:
        checkpoint: Checkpoint, archive, or a folder with one of them.
        output: File to write: .csv or .parquet with one row per time step, .npy with an array
            (S, T, C), or a picture as .png, .svg or .pdf.
        count: Number of windows.
        label: Class of the windows, if the model is conditional.
        seed: Seed of the random latents.
    """
    from rvae.cli.windows_output import require_windows_output, write_windows
    from rvae.inference.engine import Engine

    require_windows_output(output)
    engine = Engine.load(checkpoint)
    windows = engine.sample(count, label, seed)
    title = f"windows drawn from the prior, seed {seed}"
    write_windows(engine.card, windows, output, title)
