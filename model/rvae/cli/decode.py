"""The command `rvae decode`: windows of given latents."""

from pathlib import Path

__all__ = ["decode"]


def decode(checkpoint: Path, latents: Path, output: Path, label: str | None = None) -> None:
    """Decode latents and write the windows to a file, as a table, an array or a picture.

    Args:
        checkpoint: Checkpoint, archive, or a folder with one of them.
        latents: File .npy with an array (S, D), a latent in each row.
        output: File to write: .csv or .parquet with one row per time step, .npy with an array
            (S, T, C), or a picture as .png, .svg or .pdf.
        label: Class of the windows, if the model is conditional.
    """
    import numpy as np

    from rvae.cli.windows_output import require_windows_output, write_windows
    from rvae.errors import FieldError
    from rvae.inference.engine import Engine

    require_windows_output(output)
    engine = Engine.load(checkpoint)
    try:
        values = np.load(latents, allow_pickle=False)
    except (ValueError, EOFError):
        values = None
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "fiu":
        raise FieldError("latents", f"{latents} is not a .npy file with an array of numbers")
    write_windows(engine.card, engine.decode(values, label), output, f"decoded {latents.name}")
