"""A report of predicted classes, as a table."""

import io

import numpy as np
from rich.console import Console

from rvae.cli.class_table import class_table
from rvae.evaluation.class_report import class_report


def test_a_row_holds_the_metrics_and_the_predictions_of_a_class() -> None:
    report = class_report(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1]), ("calm", "wild"))
    console = Console(width=100, file=io.StringIO())
    with console.capture() as captured:
        console.print(class_table(report, "by hand"))
    lines = captured.get().splitlines()
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines if "│" in line]
    assert rows == [
        ["calm", "3", "1", "0.6667", "0.8", "2", "1"],
        ["wild", "1", "0.5", "1", "0.6667", "0", "1"],
    ]
