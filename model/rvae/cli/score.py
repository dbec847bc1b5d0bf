"""The command `rvae score`: scores of a file's windows, points or events."""

from pathlib import Path
from typing import Literal

from rvae.config import FileFormat

__all__ = ["score"]


def score(
    checkpoint: Path,
    data: Path,
    output: Path,
    points: bool = False,
    events: bool = False,
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
    """Write the scores of a file's windows, points or events to a .csv or .parquet file.

    Args:
        checkpoint: Checkpoint, archive, or a folder with one of them. There is none where a server
            computes the rows: see rvae score --server URL --help.
        data: File that is read like the training file, or "-" for .csv from standard input; labels
            are not needed.
        output: File to write.
        points: One row per point instead of one per window.
        events: One row per event instead of one per window.
        array: Array of an .npz, if its name differs from the training file.
        layout: Layout of the file, if it differs from the training file.
        ignore: Columns to leave out that the training file did not have.
        stride: Steps between windows; the model's own if left out.
        quantile: Flag scores above this quantile of normal scores; the model's own if left out.
        alarms: At most so many false events, "1 per week" or "1 per 10000 steps", in place of the
            quantile.
        adapt: Rate from 0 to 0.1 at which the threshold follows each series, such as 0.002; fixed
            if left out.
        gap: Maximum steps between windows of one event; the stride if left out.
        format: How the file is written, where it differs from the training file.
    """
    from rvae.errors import require
    from rvae.inference import export
    from rvae.inference.engine import Engine
    from rvae.inference.reading import read_for

    require(not (points and events), "events", "cannot be combined with points")
    require(gap is None or events, "gap", "is only valid with --events")
    engine = Engine.load(checkpoint)
    quantile = engine.card.quantile_of(quantile, alarms)
    dataset = read_for(
        engine.card,
        data,
        None,
        array,
        layout,
        labels=False,
        ignore=ignore,
        format=format,
        on_disk=True,
    )
    series = dataset.series
    if events:
        rows = export.event_records(engine, series, stride, adapt, gap, quantile)
    elif points:
        rows = export.point_records(engine, series, stride, adapt, quantile)
    else:
        rows = export.window_records(engine, series, stride, adapt, quantile)
    for note in dataset.notes:
        print(note)
    print(f"Wrote {export.write(output, rows)} rows to {output}")
