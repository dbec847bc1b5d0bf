"""The command `rvae classify`: how well latents tell classes apart."""

from pathlib import Path
from typing import Literal

from rvae.config import FileFormat

__all__ = ["classify"]


def classify(
    checkpoint: Path,
    data: Path,
    test: Path | None = None,
    classes: str | None = None,
    array: str | None = None,
    layout: Literal["series", "rows"] | None = None,
    ignore: tuple[str, ...] = (),
    stride: int | None = None,
    folds: int = 5,
    seed: int = 0,
    format: FileFormat = FileFormat(),
) -> None:
    """Print how well logistic regression on latents tells classes apart, beside simpler features.

    Args:
        checkpoint: Checkpoint, archive, or a folder with one of them.
        data: File with classes that is read like the training file.
        test: File with classes to test with; if left out, every part of the series is predicted
            from the other parts.
        classes: Column or array with the classes, if its name differs from the training file.
        array: Array of an .npz, if its name differs from the training file.
        layout: Layout of the files, if it differs from the training file.
        ignore: Columns to leave out that the training file did not have.
        stride: Steps between windows; the model's own if left out.
        folds: Parts of the series, without a file to test with.
        seed: Seed of the parts.
        format: How the files are written, where they differ from the training file.
    """
    from rich.console import Console
    from rich.table import Table

    from rvae.cli.class_table import class_table
    from rvae.evaluation.classification import cross_validate, held_out
    from rvae.evaluation.latents import latents_of
    from rvae.inference.engine import Engine
    from rvae.inference.reading import read_classes_for

    engine = Engine.load(checkpoint)
    paths = [data] if test is None else [data, test]
    datasets = [
        read_classes_for(engine.card, p, classes, array, layout, ignore, format) for p in paths
    ]
    for note in (note for dataset in datasets for note in dataset.notes):
        print(note)
    latents, *testing = (latents_of(engine, dataset, stride) for dataset in datasets)
    probes = held_out(latents, *testing) if testing else cross_validate(latents, folds, seed)
    how = f"trained on {data.name}" if test else f"{folds} parts, each predicted from the others"
    table = Table(
        "logistic regression on",
        "numbers",
        "accuracy",
        "balanced accuracy",
        "mean F1",
        title=f"{(test or data).name}: {probes[0].report.windows} windows, {how}",
    )
    for one in probes:
        scores = (one.report.accuracy, one.report.balanced_accuracy, one.report.macro_f1)
        table.add_row(one.representation, str(one.features), *(f"{score:.4g}" for score in scores))
    console = Console()
    console.print(table)
    console.print(class_table(probes[0].report, "by latents"))
