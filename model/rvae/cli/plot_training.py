"""The command `rvae plot-training`: the losses of a training."""

from pathlib import Path

__all__ = ["plot_training"]


def plot_training(run: Path, output: Path) -> None:
    """Draw the losses of a training over its epochs, also while it goes on.

    Args:
        run: Output folder of `rvae fit`.
        output: File to write: .png, .svg or .pdf.
    """
    from rvae.plots.losses import plot_losses
    from rvae.plots.saving import require_picture, save_axes
    from rvae.training.history import read_history

    require_picture(output)
    history = read_history(run)
    save_axes(plot_losses(history)[0], output)
    best = min(history, key=lambda losses: losses.validation)
    print(f"Drew {len(history)} epochs, the best of them {best.epoch}, to {output}")
