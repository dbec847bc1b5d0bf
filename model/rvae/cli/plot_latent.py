"""The command `rvae plot-latent`: windows as points of latent space."""

from pathlib import Path
from typing import Literal

from rvae.config import FileFormat

__all__ = ["plot_latent"]


def plot_latent(
    checkpoint: Path,
    data: Path,
    output: Path,
    method: Literal["direct", "pca", "tsne", "umap"] | None = None,
    colour: Literal["class", "label", "score"] | None = None,
    label: str | None = None,
    array: str | None = None,
    layout: Literal["series", "rows"] | None = None,
    ignore: tuple[str, ...] = (),
    stride: int | None = None,
    seed: int = 0,
    format: FileFormat = FileFormat(),
) -> None:
    """Draw the latent of every window as a point, coloured by class, label or score.

    Args:
        checkpoint: Checkpoint, archive, or a folder with one of them.
        data: File that is read like the training file.
        output: File to write: .png, .svg or .pdf.
        method: How latents become points; direct for two dimensions, else pca, if left out.
        colour: What colours a point; class if the training file had classes, else score, if left
            out.
        label: Column or array with the labels, if its name differs from the training file.
        array: Array of an .npz, if its name differs from the training file.
        layout: Layout of the file, if it differs from the training file.
        ignore: Columns to leave out that the training file did not have.
        stride: Steps between windows; the model's own if left out.
        seed: Seed of tsne and umap.
        format: How the file is written, where it differs from the training file.
    """
    from rvae.inference.engine import Engine
    from rvae.plots.data_latent import default_colour, plot_data_latent, read_for_colour
    from rvae.plots.saving import require_picture, save_axes

    require_picture(output)
    engine = Engine.load(checkpoint)
    chosen = colour or default_colour(engine.card)
    dataset = read_for_colour(engine.card, data, chosen, label, array, layout, ignore, format)
    axes, count = plot_data_latent(engine, dataset, chosen, method, stride, seed)
    save_axes(axes, output)
    print(f"Drew {count} windows to {output}")
