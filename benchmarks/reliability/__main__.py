"""Promised rates compared with what happens on fresh normal data.

    python -m benchmarks.reliability simulate --output FOLDER [--jobs 1]
    python -m benchmarks.reliability table --output FOLDER

`simulate` draws scores of many kinds of series, without networks, see
`benchmarks.reliability.cells`.

Results are written to the output at once, line by line; what is there is not computed again.
`table` prints what they amount to, as tables of Markdown.
"""

import argparse
from pathlib import Path

from benchmarks.reliability.cells import cell_of, cells, measured_cell
from benchmarks.reliability.records import run


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reliability")
    commands = parser.add_subparsers(dest="command", required=True)
    simulate = commands.add_parser("simulate", help="scores of simulated series")
    simulate.add_argument("--output", type=Path, required=True)
    simulate.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    run(options.output / "simulation.jsonl", cells(), measured_cell, cell_of, options.jobs)


if __name__ == "__main__":
    main()
