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
    import numpy as np

    from rvae.errors import require
    from rvae.inference.engine import Engine
    from rvae.inference.reading import read_classes_for, read_for
    from rvae.plots import latent
    from rvae.plots.encoded_windows import encode_windows
    from rvae.plots.saving import require_picture, save_axes

    require_picture(output)
    engine = Engine.load(checkpoint)
    chosen = colour or ("class" if engine.card.vocabulary.classes else "score")
    if chosen == "class":
        dataset = read_classes_for(engine.card, data, None, array, layout, ignore, format)
    else:
        dataset = read_for(
            engine.card,
            data,
            label,
            array,
            layout,
            labels=chosen == "label",
            ignore=ignore,
            format=format,
        )
    names = dataset.vocabulary.classes
    require(chosen != "class" or bool(names), "colour", "class: the training file had no classes")
    require(
        chosen != "label" or any(one.labels is not None for one in dataset.series),
        "colour",
        f"label: {data.name} has no labels; --label names their column",
    )
    windows = encode_windows(engine, dataset.series, stride)
    classes, class_names = {
        "class": (windows.classes, names),
        "label": (windows.anomalous.astype(np.int64), ("normal", "anomalous")),
        "score": (None, ()),
    }[chosen]
    axes = latent.plot_latent(windows.latent, classes, class_names, windows.scores, method, seed)
    save_axes(axes, output)
    print(f"Drew {len(windows.latent)} windows to {output}")
