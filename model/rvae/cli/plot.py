"""The command `rvae plot`: a scored series as a picture or an interactive page."""

from pathlib import Path
from typing import Literal

from rvae.config import FileFormat

__all__ = ["plot"]


def plot(
    checkpoint: Path,
    data: Path,
    output: Path,
    series: str | None = None,
    channels: tuple[str, ...] | None = None,
    start: str | None = None,
    end: str | None = None,
    array: str | None = None,
    layout: Literal["series", "rows"] | None = None,
    ignore: tuple[str, ...] = (),
    stride: int | None = None,
    quantile: float | None = None,
    alarms: str | None = None,
    adapt: float | None = None,
    gap: int | None = None,
    format: FileFormat = FileFormat(),
) -> None:
    """Draw a series with its reconstruction, band, score, threshold and events.

    Args:
        checkpoint: Checkpoint, archive, or a folder with one of them.
        data: File that is read like the training file; labels are not needed.
        output: File to write: .png, .svg, .pdf, or .html for a page to zoom and hover in.
        series: Name of the series, if the file has several; the first one if left out.
        channels: Names of the channels; if left out all, or of many those that lead in events.
        start: First step, or time, that is drawn. Steps before it are scored all the same.
        end: Step, or time, at which the picture ends.
        array: Array of an .npz, if its name differs from the training file.
        layout: Layout of the file, if it differs from the training file.
        ignore: Columns to leave out that the training file did not have.
        stride: Steps between windows; the model's own if left out.
        quantile: Quantile of normal scores for threshold and band; the model's own if left out.
        alarms: At most so many false events, "1 per week" or "1 per 10000 steps", in place of the
            quantile of the threshold.
        adapt: Rate from 0 to 0.1 at which the threshold follows the series, such as 0.002; fixed if
            left out.
        gap: Maximum steps between windows of one event; the stride if left out.
        format: How the file is written, where it differs from the training file.
    """
    from rvae.inference.engine import Engine
    from rvae.inference.reading import read_for
    from rvae.plots.pieces import find_pieces, score_pieces
    from rvae.plots.saving import require_picture, save_axes
    from rvae.plots.series import plot_scored_series

    require_picture(output, others=(".html",))
    engine = Engine.load(checkpoint)
    dataset = read_for(
        engine.card, data, None, array, layout, labels=False, ignore=ignore, format=format
    )
    pieces = find_pieces(dataset.series, series)
    scored = score_pieces(engine, pieces, stride, quantile, adapt, gap, alarms).part(start, end)
    if output.suffix == ".html":
        from rvae.plots.interactive import interactive_series, save_page

        save_page(interactive_series(scored, channels), output)
    else:
        save_axes(plot_scored_series(scored, channels)[0], output)
    count = len(scored.events)
    print(f"Drew series {scored.name} with {count} event{'s'[: count != 1]} to {output}")
