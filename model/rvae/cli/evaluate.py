"""The command `rvae evaluate`: how well a model performs on a file."""

from pathlib import Path
from typing import Literal

from rvae.config import FileFormat
from rvae.errors import FieldError

__all__ = ["evaluate"]


def evaluate(
    checkpoint: Path,
    data: Path,
    label: str | None = None,
    array: str | None = None,
    layout: Literal["series", "rows"] | None = None,
    stride: int | None = None,
    format: FileFormat = FileFormat(),
) -> None:
    """Print how well a model performs on a file: detection if it has labels, else its scores.

    Args:
        checkpoint: Checkpoint, archive, or a folder with one of them.
        data: File that is read like the training file, or "-" for .csv from standard input.
        label: Column or array with the labels, if its name differs from the training file.
        array: Array of an .npz, if its name differs from the training file.
        layout: Layout of the file, if it differs from the training file.
        stride: Steps between windows; the model's own if left out.
        format: How the file is written, where it differs from the training file.
    """
    from rich.console import Console
    from rich.table import Table

    from rvae.evaluation import report
    from rvae.inference.engine import Engine
    from rvae.inference.reading import read_for

    engine = Engine.load(checkpoint)
    dataset = read_for(engine.card, data, label, array, layout, labels=True, format=format)
    try:
        found = report.evaluate(engine, dataset.series, stride)
    except FieldError as error:
        if error.field != "data":
            raise
        raise FieldError("data", f"{data.name} {error.message}") from None
    rows: dict[str, float] = {}
    if found.unobserved:
        rows["windows without a value, left out"] = found.unobserved
    if found.explained_variance is not None:
        rows["explained variance, normal"] = found.explained_variance
    if (detection := found.detection) is not None:
        rows |= {
            "anomalous windows": found.anomalous,
            "AUROC": detection.auroc,
            "average precision": detection.average_precision,
            f"F1 at threshold {found.threshold:.4g}": detection.f1,
            "precision": detection.precision,
            "recall": detection.recall,
            "false alarms among normal windows": detection.false_alarm_rate,
        }
    else:
        quantiles = zip(report.QUANTILES, found.score_quantiles, strict=True)
        rows |= {f"score, quantile {q:g}": value for q, value in quantiles}
        rows[f"share above threshold {found.threshold:.4g}"] = found.flagged
    table = Table("", "value", title=f"{data.name}: {found.windows} windows")
    for name, value in rows.items():
        table.add_row(name, f"{value:.4g}")
    Console().print(table)
