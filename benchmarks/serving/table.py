"""Medians of rounds, and their ratios to the other servers with the spread over rounds."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from rich.table import Table

from benchmarks.serving.results import Record, Results
from benchmarks.serving.servers import PEERS, PLAIN

__all__ = ["METRICS", "Metric", "in_process_rows", "markdown", "ratios", "rich_table", "rows"]

Row = list[str]

# All records of one server with as many workers, by round.
Rounds = Mapping[int, Mapping[str, float]]


@dataclass(frozen=True)
class Metric:
    """A column.

    Attributes:
        name: Name among the values of a record.
        title: Title of the column.
        digits: Digits after the point.
        least_is_best: Whether less is better.
    """

    name: str
    title: str
    digits: int
    least_is_best: bool


METRICS = (
    Metric("lone_p50", "lone client, p50 ms", 2, True),
    Metric("lone_p99", "p99 ms", 2, True),
    Metric("rate_32", "32 clients, requests/s", 0, False),
    Metric("cpu_32", "processor time a request then, ms", 2, True),
    Metric("rate_128", "128 clients, requests/s", 0, False),
    Metric("bulk_json", "bulk JSON, windows/s", 0, False),
    Metric("bulk_npy", "bulk .npy, windows/s", 0, False),
    Metric("memory_pss", "memory, MB", 0, True),
    Metric("cold_start", "cold start, s", 1, True),
)

IN_PROCESS = (
    Metric("windows_1", "1 window, windows/s", 0, False),
    Metric("windows_32", "32 windows", 0, False),
    Metric("windows_256", "256 windows", 0, False),
    Metric("gemm_lstm", "matrix products of its size, GFLOP/s", 0, False),
    Metric("gemm_large", "large matrix products, GFLOP/s", 0, False),
    Metric("gemm_share", "share of products of its size", 2, False),
)


def rows(results: Results) -> tuple[Row, list[Row]]:
    """Titles, and for each server its medians, and their ratios.

    A ratio is taken within each round; its median is followed by the least and the greatest.
    """
    servers = _by_server(record for record in results.records if record.workers)
    made = []
    for (server, workers), rounds in servers.items():
        made.append([f"{server}, {_counted(workers)}", *_medians(METRICS, rounds)])
        plain = servers.get((PLAIN.name, workers))
        if plain is not None and server != PLAIN.name:
            made.append([f"× {PLAIN.name}", *_ratio_cells(rounds, [plain])])
        peers = [servers[peer.name, workers] for peer in PEERS if (peer.name, workers) in servers]
        if peers and server not in {peer.name for peer in PEERS}:
            made.append(["× best of the others", *_ratio_cells(rounds, peers)])
    return ["", *(metric.title for metric in METRICS)], made


def in_process_rows(results: Results) -> tuple[Row, list[Row]]:
    """Titles and medians of what was measured without a server."""
    measured = _by_server(record for record in results.records if not record.workers)
    made = [[name, *_medians(IN_PROCESS, rounds)] for (name, _), rounds in measured.items()]
    return ["", *(metric.title for metric in IN_PROCESS)], made


def ratios(metric: Metric, rounds: Rounds, others: Sequence[Rounds]) -> list[float]:
    """In each round the ratio of a value to the best of some others."""
    best = min if metric.least_is_best else max
    found = []
    for number, values in rounds.items():
        theirs = [
            other[number][metric.name] for other in others if metric.name in other.get(number, {})
        ]
        if theirs and metric.name in values:
            found.append(values[metric.name] / best(theirs))
    return found


def rich_table(titles: Row, body: Sequence[Row]) -> Table:
    """A table for the terminal."""
    table = Table(*titles)
    for row in body:
        table.add_row(*row)
    return table


def markdown(titles: Row, body: Sequence[Row]) -> str:
    """A table in Markdown."""
    lines = [titles, ["---"] * len(titles), *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _by_server(records: Iterable[Record]) -> dict[tuple[str, int], dict[int, dict[str, float]]]:
    """Values of each round, of servers in the order of their first records."""
    found: dict[tuple[str, int], dict[int, dict[str, float]]] = {}
    for record in records:
        found.setdefault((record.server, record.workers), {})[record.round] = record.values
    return dict(sorted(found.items(), key=lambda item: item[0][1]))  # by workers; it is stable


def _medians(metrics: Sequence[Metric], rounds: Rounds) -> Row:
    cells = []
    for metric in metrics:
        values = [one[metric.name] for one in rounds.values() if metric.name in one]
        cells.append(f"{np.median(values):,.{metric.digits}f}" if values else "–")
    return cells


def _ratio_cells(rounds: Rounds, others: Sequence[Rounds]) -> Row:
    cells = []
    for metric in METRICS:
        found = ratios(metric, rounds, others)
        cells.append(
            f"{np.median(found):.2f} ({min(found):.2f}–{max(found):.2f})" if found else "–"
        )
    return cells


def _counted(workers: int) -> str:
    return f"{workers} worker{'s' if workers > 1 else ''}"
