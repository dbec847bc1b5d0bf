"""The command `rvae plot-grid`: what a model decodes across its latent space."""

from pathlib import Path

from rvae.config import FileFormat

__all__ = ["plot_grid"]


def plot_grid(
    checkpoint: Path,
    output: Path,
    dimensions: tuple[int, ...] | None = None,
    data: Path | None = None,
    size: int = 9,
    extent: float = 2.0,
    label: str | None = None,
    images: bool | None = None,
    ignore: tuple[str, ...] = (),
    format: FileFormat = FileFormat(),
) -> None:
    """Draw decoded windows on a plane of latent space.

    Args:
        checkpoint: Checkpoint, archive, or a folder with one of them.
        output: File to write: .png, .svg or .pdf.
        dimensions: One or two latent dimensions, as 0,3; those with the most information about
            a window if left out.
        data: File that is read like the training file, whose first two principal components in
            latent space are the plane instead.
        size: Windows in a row and in a column.
        extent: Standard deviations from the centre to each side.
        label: Class of the windows, if the model is conditional.
        images: Whether windows are images; if left out, for values from 0 to 1 on 4 channels or
            more.
        ignore: Columns to leave out that the training file did not have.
        format: How the file is written, where it differs from the training file.
    """
    from rvae.inference.engine import Engine
    from rvae.inference.reading import read_for
    from rvae.plots.encoded_windows import encode_windows
    from rvae.plots.generation import plot_latent_grid
    from rvae.plots.saving import require_picture, save_axes

    require_picture(output)
    engine = Engine.load(checkpoint)
    latent = None
    if data is not None:
        dataset = read_for(
            engine.card, data, None, None, None, labels=False, ignore=ignore, format=format
        )
        latent = encode_windows(engine, dataset.series).latent
    axes = plot_latent_grid(engine, dimensions, latent, size, extent, label, images)
    save_axes(axes, output)
    print(f"Drew {size} × {size} windows to {output}")
