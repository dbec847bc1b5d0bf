"""Serving a recurrent VAE: rvae beside what a user would write by hand, in one run.

    python -m benchmarks.serving [--rounds 3] [--seconds 4] [--only rvae FastAPI ...]
                                 [--workers 1 2] [--runtimes default ...] [--threads 1]
                                 [--json FILE] [--picture FILE] [--markdown]
    python -m benchmarks.serving --read FILE [--picture FILE] [--markdown]

All servers serve the same network (LSTM of 2 x 90, latent 20, window 140, one channel) and give the
same answer, latents, scores, threshold and flags, which is compared before anything is measured.
Each is started alone, in turn, and round after round. docs/performance.md says what is measured.
Needs the extra "bench", and wrk (apt-get install wrk).
"""

import argparse
import signal
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from benchmarks.serving.in_process import run_in_process
from benchmarks.serving.load import require_wrk
from benchmarks.serving.machine import describe_machine
from benchmarks.serving.measuring import measure
from benchmarks.serving.model import prepare, waves
from benchmarks.serving.picture import draw
from benchmarks.serving.processes import adopting
from benchmarks.serving.requests import BULK, make_posted
from benchmarks.serving.results import Record, Results, read_results, write_results
from benchmarks.serving.servers import PEERS, RUNTIMES, Server, rvae_servers
from benchmarks.serving.table import in_process_rows, markdown, rich_table, rows
from rvae.errors import FieldError, require
from rvae.inference.engine import Engine

WIDTH = 200  # of the table


def main() -> None:
    """Entry point."""
    options = parsed()
    # Both end all processes first. A shell starts background jobs with SIGINT ignored.
    for asking in (signal.SIGINT, signal.SIGTERM):
        signal.signal(asking, signal.default_int_handler)
    try:
        results = run(options) if options.read is None else read_results(options.read)
    except FieldError as error:
        raise SystemExit(str(error)) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    if options.picture is not None:
        draw(results, options.picture)
    report(results, options.markdown)


def parsed() -> argparse.Namespace:
    """Options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.serving", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--rounds", type=int, default=3, help="rounds, at least 1")
    parser.add_argument("--seconds", type=int, default=4, help="duration of each load")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="names of servers")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--runtimes", nargs="+", default=list(RUNTIMES), help="of rvae archive")
    parser.add_argument("--threads", type=int, default=1, help="of each worker")
    parser.add_argument("--json", type=Path, help="file for all rounds, written after each server")
    parser.add_argument("--read", type=Path, help="report what --json has written")
    parser.add_argument("--picture", type=Path, help="file for bars, .svg or .png")
    parser.add_argument("--markdown", action="store_true", help="tables in Markdown")
    return parser.parse_args()


def chosen(options: argparse.Namespace) -> list[Server]:
    """The servers that are measured.

    Raises:
        FieldError: If there is none of a name.
    """
    servers = [*rvae_servers(options.runtimes), *PEERS]
    if options.only is None:
        return servers
    for name in options.only:
        names = [server.name for server in servers]
        require(name in names, "only", f"{name!r} is none of {', '.join(names)}")
    return [server for server in servers if server.name in options.only]


def run(options: argparse.Namespace) -> Results:
    """Measure every server in every round.

    Raises:
        FieldError: If wrk is missing, or a server fails; see `measure`.
    """
    require_wrk()
    servers = chosen(options)
    results = Results(describe_machine(), options.threads, options.seconds, [])

    def keep(record: Record) -> None:
        results.records.append(record)
        if options.json is not None:
            write_results(results, options.json)
        shown = ", ".join(f"{name} {value:.4g}" for name, value in record.values.items())
        print(f"{record.round + 1}: {record.server} {record.workers}: {shown}", file=sys.stderr)

    with adopting(), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = prepare(options.runtimes, folder)
        posted = make_posted(waves(BULK, seed=2), Engine.load(model.checkpoint), folder / "bodies")
        for number in range(options.rounds):
            for runtime, archive in model.archives.items():
                measured = run_in_process(archive, options.threads)
                keep(Record(f"rvae {runtime}", 0, number, measured))
            for workers in options.workers:
                for server in servers:
                    values = measure(
                        server, workers, options.threads, model, posted, options.seconds
                    )
                    keep(Record(server.name, workers, number, values))
    return results


def report(results: Results, as_markdown: bool) -> None:
    """Print the tables and the machine."""
    tables = [rows(results), in_process_rows(results)]
    loads = [record.values["other_load"] for record in results.records if record.workers]
    told = {
        **results.machine,
        "measured": f"{results.rounds} rounds of {results.seconds:g} s, {results.threads} thread(s)"
        " a worker",
        "load of the machine before a server was started": f"{min(loads):.0f}–{max(loads):.0f} %",
    }
    if as_markdown:
        for titles, body in tables:
            print(markdown(titles, body) + "\n")
        for name, value in told.items():
            print(f"- {name}: {value}")
        return
    console = Console(width=WIDTH)
    for titles, body in tables:
        console.print(rich_table(titles, body))
    for name, value in told.items():
        console.print(f"{name}: {value}")


if __name__ == "__main__":
    main()
