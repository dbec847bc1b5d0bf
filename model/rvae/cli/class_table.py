"""A report of predicted classes, as a table."""

from typing import TYPE_CHECKING

from rvae.evaluation.class_report import ClassReport

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["class_table"]


def class_table(report: ClassReport, title: str) -> "Table":
    """One row per class: precision, recall, F1, and how many windows are predicted as what."""
    from rich.table import Table

    predictions = (f"as {word}" for word in report.classes)
    table = Table("class", "windows", "precision", "recall", "F1", *predictions, title=title)
    for word, one, counts in zip(report.classes, report.metrics, report.confusion, strict=True):
        numbers = (f"{number:.4g}" for number in (one.precision, one.recall, one.f1))
        table.add_row(word, str(one.support), *numbers, *map(str, counts))
    return table
