"""The command `rvae score --server`: the same rows as `rvae score`, computed by a server."""

import sys
from pathlib import Path
from typing import Literal

from rvae.config import FileFormat
from rvae.errors import require

__all__ = ["score_served"]


def score_served(
    data: Path,
    output: Path,
    server: str = "http://localhost:8080",
    model: str = "rvae",
    version: str | None = None,
    points: bool = False,
    events: bool = False,
    array: str | None = None,
    layout: Literal["series", "rows"] | None = None,
    ignore: tuple[str, ...] = (),
    stride: int | None = None,
    quantile: float | None = None,
    alarms: str | None = None,
    adapt: float | None = None,
    gap: int | None = None,
    connections: int = 8,
    timeout: float = 60.0,
    key: Path | None = None,
    certificate: Path | None = None,
    format: FileFormat = FileFormat(),
) -> None:
    """Write what a server says of a file's windows, points or events to a .csv or .parquet file.

    Args:
        data: File that is read like the training file, or "-" for .csv from standard input; labels
            are not needed.
        output: File to write.
        server: Address of the server.
        model: Name of the model there.
        version: Its version; the server's default if left out.
        points: One row per point instead of one per window.
        events: One row per event instead of one per window.
        array: Array of an .npz, if its name differs from the training file.
        layout: Layout of the file, if it differs from the training file.
        ignore: Columns to leave out that the training file did not have.
        stride: Steps between windows; the model's own if left out.
        quantile: Flag scores above this quantile of normal scores; the model's own if left out.
        alarms: At most so many false events, "1 per week" or "1 per 10000 steps", in place of the
            quantile.
        adapt: Rate from 0 to 0.1 at which the threshold follows each series, such as 0.002; fixed
            if left out. A series must then fit into one request.
        gap: Maximum steps between windows of one event; the stride if left out.
        connections: Requests at the same time.
        timeout: Seconds that a request may take, with all its repetitions.
        key: File with the key that a proxy before the server asks for.
        certificate: File with certificates to trust, as PEM; those of the system if left out.
        format: How the file is written, where it differs from the training file.
    """
    from rvae.client import records
    from rvae.client.bulk import Bulk
    from rvae.client.client import Client
    from rvae.inference import export
    from rvae.inference.reading import read_for

    require(not (points and events), "events", "cannot be combined with points")
    require(gap is None or events, "gap", "is only valid with --events")
    for name, path in (("key", key), ("certificate", certificate)):
        require(path is None or path.is_file(), name, f"no such file: {path}")
    judging = records.Judging(quantile, alarms, adapt, gap)

    def work(bulk: Bulk) -> int:
        dataset = read_for(
            bulk.description,
            data,
            None,
            array,
            layout,
            labels=False,
            ignore=ignore,
            format=format,
            on_disk=True,
        )
        if events:
            rows = records.event_records(bulk, dataset.series, stride, judging)
        elif points:
            rows = records.point_records(bulk, dataset.series, stride, judging)
        else:
            rows = records.window_records(bulk, dataset.series, stride, judging)
        for note in dataset.notes:
            print(note)
        return export.write(output, rows)

    shown = sys.stderr.isatty()
    with Client(
        server,
        model,
        version,
        timeout,
        connections=connections,
        progress=shown,
        headers={} if key is None else _authorization(key),
        verify=True if certificate is None else str(certificate),
    ) as client:
        print(f"Wrote {client.run(work)} rows to {output}")


def _authorization(file: Path) -> dict[str, str]:
    """The header that brings the key in a file."""
    key = file.read_text(encoding="utf-8", errors="replace").strip()
    # Not quoted: it may be half of a key.
    require(
        key.isascii() and len(key.split()) == 1, "key", f"{file} must hold a key and nothing else"
    )
    return {"Authorization": f"Bearer {key}"}
