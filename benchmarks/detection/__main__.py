"""Detection of anomalies by rvae and others, on files in the format of the benchmark TSB-AD.

    python -m benchmarks.detection run --data FOLDER --output FOLDER [--sets tsb-ad-u tsb-ad-m]
                                       [--methods rvae knn ...] [--seeds 0 1] [--jobs 2]
    python -m benchmarks.detection summarise --output FOLDER [--methods rvae knn ...]
                                             [--against rvae] [--published FOLDER]
                                             [--choose rvae rvae_dense ...] [--markdown]

The data's FOLDER holds the sets, each a folder of CSV files with one column per channel and a last
column Label, called NUMBER_DATASET_id_K_DOMAIN_tr_TRAIN_1st_FIRST.csv. A method is trained on the
first TRAIN points of a file, without labels, and scores all of it. Each result is written at once
as a line of results.jsonl in the output. Existing results are not computed again, unless they
failed: use another output if a method or a configuration has changed.

The summary is over the files that all of its methods have completed. The published FOLDER holds
SET-published-vus-pr.csv, with the columns file and one for each method.
"""

import argparse
from pathlib import Path

from benchmarks.detection.methods import METHODS
from benchmarks.detection.records import read_records
from benchmarks.detection.report import report
from benchmarks.detection.running import run
from benchmarks.detection.summary import results_by_set
from rvae.errors import FieldError


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.detection")
    commands = parser.add_subparsers(dest="command", required=True)
    running = commands.add_parser("run", help="measure what is not measured yet")
    running.add_argument("--data", type=Path, required=True)
    running.add_argument("--output", type=Path, required=True)
    running.add_argument("--sets", nargs="+", default=["tsb-ad-u", "tsb-ad-m"])
    running.add_argument("--methods", nargs="+", default=list(METHODS))
    running.add_argument("--seeds", nargs="+", type=int, default=[0, 1])
    running.add_argument("--jobs", type=int, default=2)
    summing = commands.add_parser("summarise", help="say what the results amount to")
    summing.add_argument("--output", type=Path, required=True)
    summing.add_argument("--methods", nargs="+")
    summing.add_argument("--against", default="rvae")
    summing.add_argument("--published", type=Path)
    summing.add_argument("--choose", nargs="+", default=[])
    summing.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    try:
        if options.command == "run":
            _run(options)
        else:
            results = results_by_set(read_records(options.output), options.methods)
            report(results, options.against, options.published, options.choose, options.markdown)
    except FieldError as error:
        raise SystemExit(str(error)) from None


def _run(options: argparse.Namespace) -> None:
    records = run(
        options.data,
        options.output,
        options.sets,
        options.methods,
        options.seeds,
        options.jobs,
    )
    failed = [record for record in records if record.error is not None]
    for record in failed:
        print(*record.task, record.error)
    print(f"{len(records) - len(failed)} done, {len(failed)} failed")
    if failed:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
