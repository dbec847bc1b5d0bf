"""The command `rvae plot-classes`: windows of every class of a conditional model."""

from pathlib import Path

__all__ = ["plot_classes"]


def plot_classes(
    checkpoint: Path, output: Path, count: int = 8, seed: int = 0, images: bool | None = None
) -> None:
    """Draw windows of every class of a conditional model, a class in each row.

    Args:
        checkpoint: Checkpoint, archive, or a folder with one of them.
        output: File to write: .png, .svg or .pdf.
        count: Windows of each class.
        seed: Seed of the latents, which all classes share.
        images: Whether windows are images; if left out, for values from 0 to 1 on 4 channels or
            more.
    """
    from rvae.inference.engine import Engine
    from rvae.plots import generation
    from rvae.plots.saving import require_picture, save_axes

    require_picture(output)
    engine = Engine.load(checkpoint)
    save_axes(generation.plot_classes(engine, count, seed, images), output)
    classes = len(engine.card.vocabulary.classes)
    print(f"Drew {count} windows of each of {classes} classes to {output}")
