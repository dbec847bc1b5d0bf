"""The command `rvae interpolate`: windows on the way from one latent to another."""

from pathlib import Path
from typing import Literal

from rvae.config import FileFormat

__all__ = ["interpolate"]


def interpolate(
    checkpoint: Path,
    output: Path,
    data: Path | None = None,
    windows: tuple[int, ...] = (0, 1),
    steps: int = 9,
    path: Literal["line", "sphere"] = "line",
    label: str | None = None,
    seed: int = 0,
    ignore: tuple[str, ...] = (),
    format: FileFormat = FileFormat(),
) -> None:
    """Decode the way between two windows of a file, or between two latents drawn from the prior.

    Args:
        checkpoint: Checkpoint, archive, or a folder with one of them.
        output: File to write: .csv or .parquet with one row per time step, .npy with an array
            (S, T, C), or a picture as .png, .svg or .pdf.
        data: File that is read like the training file; latents are drawn if left out.
        windows: Numbers of the two windows of the file, from 0 on, as 0,7: the rows of
            `rvae score`.
        steps: Number of windows on the way, both ends included.
        path: Straight, or on the sphere around the origin, where most of the prior lies.
        label: Class of the windows, if the model is conditional.
        seed: Seed of the latents that are drawn.
        ignore: Columns to leave out that the training file did not have.
        format: How the file is written, where it differs from the training file.
    """
    from rvae.cli.windows_output import require_windows_output, write_windows
    from rvae.errors import require
    from rvae.inference.engine import Engine
    from rvae.inference.reading import read_for

    require_windows_output(output)
    require(len(windows) == 2, "windows", f"must be two numbers as 0,7, got {list(windows)}")
    engine = Engine.load(checkpoint)
    if data is None:
        first, last = engine.prior(2, seed)
        title = f"between two latents of seed {seed}, {path}"
    else:
        dataset = read_for(
            engine.card, data, None, None, None, labels=False, ignore=ignore, format=format
        )
        first, last = engine.latents(dataset.series, windows)
        title = f"between windows {windows[0]} and {windows[1]} of {data.name}, {path}"
    found = engine.interpolate(first, last, steps, path, label)
    write_windows(engine.card, found, output, title)
