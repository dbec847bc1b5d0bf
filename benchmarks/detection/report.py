"""Tables of a summary, for a terminal or as Markdown."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.detection.choosing import choices
from benchmarks.detection.summary import RANKED_BY, Results, best_published, difference

__all__ = ["report"]

TITLES = {
    "vus_pr": "VUS-PR",
    "vus_roc": "VUS-ROC",
    "auc_pr": "AUC-PR",
    "auc_roc": "AUC-ROC",
    "event_f1": "event F1",
}
SECONDS = {"fit_seconds": "s to fit", "score_seconds": "s to score"}

# A narrower terminal would cut figures; the other width keeps rows of Markdown tables unbroken.
NARROWEST, WIDEST = 110, 1000

BEST_PUBLISHED = 5


def report(
    all_results: Sequence[Results],
    against: str,
    published: Path | None,
    choose: Sequence[str],
    markdown: bool,
) -> None:
    """Print tables of the results of each set.

    Args:
        all_results: Results, one per set.
        against: Method that all others are compared with.
        published: Folder with published figures, if any.
        choose: Variants among which a choice is cross-validated, if any.
        markdown: Whether tables are Markdown.

    Raises:
        FieldError: If a method has no results, or published ones are missing.
    """
    console = Console(width=WIDEST if markdown else max(NARROWEST, Console().width))
    for results in all_results:
        tables = [_means(results), _differences(results, against), _by_dataset(results)]
        if published is not None:
            tables.append(_published(results, published))
        if choose:
            tables.append(_choices(results, choose))
        for table in tables:
            console.print(f"\n{table.title}\n", highlight=False)
            table.title = None
            if markdown:
                table.box = box.MARKDOWN
            console.print(table)


def _means(results: Results) -> Table:
    title = f"{results.set}: means over {len(results.files)} files that all methods have done"
    if results.lacking:
        lacks = ", ".join(f"{name} {count}" for name, count in results.lacking.items())
        title += f" (files that others have done and these have not: {lacks})"
    table = _table(title, "method", *TITLES.values(), *SECONDS.values())
    for method in _ranked(results):
        worth = [f"{results.of(method, name).mean():.3f}" for name in TITLES]
        seconds = [f"{results.of(method, name).mean():.2f}" for name in SECONDS]
        table.add_row(method, *worth, *seconds)
    return table


def _differences(results: Results, against: str) -> Table:
    reference = results.of(against)
    table = _table(
        f"{results.set}: VUS-PR less that of {against}",
        *("method", "difference", "95 % interval", "wins", "losses"),
    )
    for method in _ranked(results):
        if method != against:
            one = difference(results.of(method), reference)
            interval = f"{one.low:+.3f} to {one.high:+.3f}"
            table.add_row(method, f"{one.mean:+.3f}", interval, str(one.wins), str(one.losses))
    return table


def _by_dataset(results: Results) -> Table:
    datasets = results.files_by_dataset
    names = (f"{dataset} ({len(files)})" for dataset, files in datasets.items())
    table = _table(f"{results.set}: VUS-PR by dataset (files)", "method", *names)
    for method in _ranked(results):
        of_each = results.of(method)
        table.add_row(method, *(f"{of_each[files].mean():.3f}" for files in datasets.values()))
    return table


def _published(results: Results, published: Path) -> Table:
    table = _table(
        f"{results.set}: best published VUS-PR, the same {len(results.files)} files",
        *("method", TITLES[RANKED_BY]),
    )
    for method, mean in best_published(published, results, BEST_PUBLISHED).items():
        table.add_row(method, f"{mean:.3f}")
    return table


def _choices(results: Results, methods: Sequence[str]) -> Table:
    table = _table(
        f"{results.set}: chosen on all datasets but one, VUS-PR on that one",
        *("left out", "chosen", TITLES[RANKED_BY]),
    )
    made = choices(results, methods)
    for one in made:
        table.add_row(f"{one.dataset} ({one.files})", one.method, f"{one.mean:.3f}")
    honest = np.average([one.mean for one in made], weights=[one.files for one in made])
    table.add_row(f"all ({len(results.files)})", "", f"{honest:.3f}")
    return table


def _ranked(results: Results) -> list[str]:
    return sorted(results.methods, key=lambda method: -results.of(method).mean())


def _table(title: str, first: str, *others: str) -> Table:
    table = Table(title=title)
    table.add_column(first, no_wrap=True)
    for name in others:
        table.add_column(name, justify="right")
    return table
