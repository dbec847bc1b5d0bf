"""Promised rates compared with what happens on fresh normal data.

    python -m benchmarks.reliability simulate --output FOLDER [--jobs 1]
    python -m benchmarks.reliability models --output FOLDER [--jobs 1]
    python -m benchmarks.reliability files --data FOLDER --output FOLDER [--jobs 1]
    python -m benchmarks.reliability tables --output FOLDER

`simulate` draws scores of many kinds of series, without networks, and calibrates by them: see
`benchmarks.reliability.cells`. `models` trains on some of these series. `files` trains on the
normal part of real ones: its data's FOLDER holds sets of files as for `benchmarks.detection`.

Results are written to the output at once, line by line; what is there is not computed again.
`tables` prints what they amount to, as tables of Markdown.
"""

import argparse
from functools import partial
from pathlib import Path

from benchmarks.reliability.cells import cell_of, cells, measured_cell
from benchmarks.reliability.files import file_task_of, file_tasks, measured_file
from benchmarks.reliability.models import measured_model, model_task_of, model_tasks
from benchmarks.reliability.records import read_records, run
from benchmarks.reliability.tables import of_files, of_models, of_simulation
from rvae.errors import FieldError


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reliability")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, about in (
        ("simulate", "scores of simulated series"),
        ("models", "trained models on simulated series"),
        ("files", "trained models on real series"),
        ("tables", "what the results amount to"),
    ):
        command = commands.add_parser(name, help=about)
        command.add_argument("--output", type=Path, required=True)
        if name == "files":
            command.add_argument("--data", type=Path, required=True)
        if name != "tables":
            command.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    simulated, trained, real = (
        options.output / f"{name}.jsonl" for name in ("simulation", "models", "files")
    )
    try:
        if options.command == "simulate":
            run(simulated, cells(), measured_cell, cell_of, options.jobs)
        elif options.command == "models":
            run(trained, model_tasks(), measured_model, model_task_of, options.jobs)
        elif options.command == "files":
            task_of = partial(file_task_of, data=options.data)
            run(real, file_tasks(options.data), measured_file, task_of, options.jobs)
        else:
            print(of_simulation(read_records(simulated)))
            print(of_models(read_records(trained)))
            print(of_files(read_records(real)))
    except FieldError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
