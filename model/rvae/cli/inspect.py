"""The command `rvae inspect`: what is in a file, before training on it."""

import json as json_text
import shlex
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rvae.config import DataConfig, ReaderConfig, TrainingPlan

if TYPE_CHECKING:
    from rich.console import Console

    from rvae.training.rehearsal import Rehearsal

__all__ = ["inspect"]


def inspect(data: Path, reader: ReaderConfig = ReaderConfig(), json: bool = False) -> None:
    """Show what is in a file, what each column does to a training, and the command to type next.

    Args:
        data: Any file or folder that can be trained on; "-" is .csv from standard input.
        reader: What is known about it; the rest is proposed.
        json: Print the same as JSON.
    """
    from rich.console import Console

    from rvae.data.default_window import training_period
    from rvae.data.inspection import inspect_file
    from rvae.training.rehearsal import rehearse

    inspection, dataset = inspect_file(data, reader)
    start = TrainingPlan(DataConfig(str(data)))
    rehearsal = rehearse(dataset, start)
    period = training_period(dataset, rehearsal.plan.data, rehearsal.plan.training.seed)
    # Standard input, "-", has no name.
    output = Path("runs", data.expanduser().name.partition(".")[0].strip("-") or "latest")
    options = [
        *_options("data", rehearsal.plan.data, DataConfig("")),
        *_options("reader", inspection.reader, ReaderConfig()),
        *_options("training", rehearsal.plan.training, start.training),
    ]
    report = asdict(inspection) | {
        "training": _training(rehearsal, period),
        "command": shlex.join(["rvae", "fit", *options, "--output", str(output)]),
    }
    if json:
        print(json_text.dumps(report, indent=2, ensure_ascii=False))
    else:
        _print(report, Console())


def _training(rehearsal: "Rehearsal", period: int | None) -> dict[str, Any]:
    from rvae.scoring.promise import limit_text

    plan, prepared, held = rehearsal.plan, rehearsal.preparation, rehearsal.segments
    return {
        "obstacle": rehearsal.obstacle,
        "period": period,
        "window": None if prepared is None else prepared.spec.window,
        "windows": None if prepared is None else prepared.spec.training["windows"],
        "constant": plan.data.constant,
        "independent_windows": held,
        "limit": None
        if prepared is None
        else limit_text(
            held, max(prepared.spec.window, prepared.spec.stride), prepared.spec.interval
        ),
    }


def _options(section: str, chosen: Any, default: Any) -> list[str]:
    """The options of a section that are not left as they are by default."""
    options = []
    for field in fields(chosen):
        value, usual = getattr(chosen, field.name), getattr(default, field.name)
        name = f"{section}.{field.name}"
        if is_dataclass(value):
            options += _options(name, value, usual)
        elif value != usual:
            text = json_text.dumps(value, ensure_ascii=False)
            options += [f"--{name}", value if isinstance(value, str) else text]
    return options


def _print(report: dict[str, Any], console: "Console") -> None:
    from rich.table import Table

    duplicates = report["duplicate_rows"]
    console.print(
        f"{report['file']}: {report['format']}, {report['rows']} rows, {report['series']} series"
        + (f", {duplicates} rows repeat an earlier one" if duplicates else ""),
        markup=False,
        highlight=False,
    )
    table = Table(show_edge=False, pad_edge=False)
    for name in ("column", "type", "role", "missing", "remark"):
        # Names are told whole, on several lines if they are long.
        table.add_column(name, overflow="fold", justify="right" if name == "missing" else "left")
    for column in report["columns"]:
        row = [column[name] for name in ("name", "type", "role", "missing", "remark")]
        table.add_row(*map(str, [repr(row[0]) if not row[0].strip() else row[0], *row[1:]]))
    console.print(table, markup=False)
    for line in (*_sentences(report), *report["notes"]):
        console.print(line, markup=False, highlight=False)
    print(f"\nNext:\n{report['command']}")


def _sentences(report: dict[str, Any]) -> list[str]:
    """What there is to say on times, windows and the threshold."""
    said = []
    if times := report["times"]:
        said.append(
            f"Times from {times['first']} to {times['last']}, in steps of {times['step']}; "
            f"of {times['steps']} steps, {times['uneven']} uneven and {times['holes']} holes"
            + (
                f", the longest of {times['longest_hole']} after {times['longest_after']}."
                if times["holes"]
                else "."
            )
        )
    training = report["training"]
    if training["obstacle"] is not None:
        return [*said, f"Training would end with: {training['obstacle']}"]
    period = training["period"]
    said.append("No period was found." if period is None else f"Period: {period} steps.")
    windows = ", ".join(f"{count} for {part}" for part, count in training["windows"].items())
    said.append(f"Windows of {training['window']} steps: {windows}.")
    if training["constant"] == "keep":
        said.append("A channel does not vary in the training part: its first change is detected.")
    said.append(
        f"Windows for calibration that do not overlap: {training['independent_windows']}. They can "
        f"promise no less than {training['limit']}; more data could, or --training.folds 5, "
        "which holds out all of it in turn."
    )
    return said
