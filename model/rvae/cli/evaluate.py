"""The command `rvae evaluate`: how well a model performs on a file."""

import json as json_text
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rvae.config import FileFormat
from rvae.errors import FieldError

if TYPE_CHECKING:
    from rich.table import Table

    from rvae.evaluation.probes import ProbeResult, ProbesReport
    from rvae.evaluation.report import Report

__all__ = ["evaluate"]


def evaluate(
    checkpoint: Path,
    data: Path,
    label: str | None = None,
    array: str | None = None,
    layout: Literal["series", "rows"] | None = None,
    ignore: tuple[str, ...] = (),
    stride: int | None = None,
    probes: bool = False,
    seed: int = 0,
    reliability: Path | None = None,
    json: bool = False,
    format: FileFormat = FileFormat(),
) -> None:
    """Print how well a model performs on a file: detection if it has labels, else its scores.

    It also compares what the model promises with the normal windows of the file.

    Args:
        checkpoint: Checkpoint, archive, or a folder with one of them.
        data: File that is read like the training file, or "-" for .csv from standard input.
        label: Column or array with the labels, if its name differs from the training file.
        array: Array of an .npz, if its name differs from the training file.
        layout: Layout of the file, if it differs from the training file.
        ignore: Columns to leave out that the training file did not have.
        stride: Steps between windows; the model's own if left out.
        probes: Also change normal windows, and print how large a change must be to be flagged.
        seed: Seed of the changes.
        reliability: Picture to write of promised and measured rates: .png, .svg or .pdf.
        json: Print one JSON object instead of tables; not with probes.
        format: How the file is written, where it differs from the training file.
    """
    from rich.console import Console

    from rvae.cli.class_table import class_table
    from rvae.cli.reliability import draw_reliability, reliability_sentences, reliability_table
    from rvae.errors import require
    from rvae.evaluation import report
    from rvae.evaluation.probes import run_probes
    from rvae.inference.engine import Engine
    from rvae.inference.reading import read_for
    from rvae.plots.saving import require_picture

    require(not (json and probes), "json", "cannot be combined with probes")
    if reliability is not None:
        require_picture(reliability, field="reliability")
    engine = Engine.load(checkpoint)
    dataset = read_for(
        engine.card, data, label, array, layout, labels=True, ignore=ignore, format=format
    )
    console = Console()
    if not json:
        for note in dataset.notes:
            console.print(note)
    try:
        found = report.evaluate(engine, dataset.series, stride)
        if reliability is not None:
            draw_reliability(found.reliability, reliability)
        if json:
            json_text.dump(asdict(found), sys.stdout, indent=1, ensure_ascii=False)
            print()
            return
        console.print(_summary(found, data.name))
        if found.detection is not None:
            title = f"anomalous is what scores above {found.threshold:.4g}"
            console.print(class_table(found.detection.report, title))
        if found.reliability is not None:
            console.print(reliability_table(found.reliability))
            console.print(*reliability_sentences(found.reliability), sep="\n")
        if probes:
            console.print(_probes(run_probes(engine, dataset.series, stride, seed)))
    except FieldError as error:
        if error.field != "data":
            raise
        raise FieldError("data", f"{data.name} {error.message}") from None


def _summary(found: "Report", name: str) -> "Table":
    from rich.table import Table

    from rvae.evaluation.report import QUANTILES

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
            "false alarms among normal windows": detection.false_alarm_rate,
        }
    else:
        quantiles = zip(QUANTILES, found.score_quantiles, strict=True)
        rows |= {f"score, quantile {q:g}": value for q, value in quantiles}
        rows[f"share above threshold {found.threshold:.4g}"] = found.flagged
    table = Table("", "value", title=f"{name}: {found.windows} windows")
    for row, value in rows.items():
        table.add_row(row, f"{value:.4g}")
    return table


def _probes(found: "ProbesReport") -> "Table":
    from rich.table import Column, Table

    table = Table(
        Column("change (unit)", no_wrap=True),
        "size",
        "AUROC",
        "flagged",
        "median tail probability",
        "half are flagged at",
        title=f"{found.windows} normal windows, changed (unchanged: {found.flagged:.1%} flagged)",
    )
    for result in found.results:
        name, limit = f"{result.probe.name} ({result.probe.unit})", _limit(result)
        for one in result.sizes:
            table.add_row(
                name,
                f"{one.size:g}",
                f"{one.auroc:.3f}",
                f"{one.flagged:.1%}",
                f"{one.tail_probability:.2g}",
                limit,
            )
            name = limit = ""
        table.add_section()
    return table


def _limit(result: "ProbeResult") -> str:
    """The detection limit, or the end of the grid that it is beyond."""
    limit = result.detection_limit
    if limit is None:
        return f"more than {result.sizes[-1].size:g}"
    return f"{limit:g} or less" if limit == result.sizes[0].size else f"{limit:.3g}"
