"""The command `rvae cluster`: groups of similar windows."""

from pathlib import Path
from typing import Literal

from rvae.config import FileFormat

__all__ = ["cluster"]


def cluster(
    checkpoint: Path,
    data: Path,
    output: Path,
    method: Literal["kmeans", "hdbscan"] = "kmeans",
    clusters: int | None = None,
    classes: str | None = None,
    array: str | None = None,
    layout: Literal["series", "rows"] | None = None,
    ignore: tuple[str, ...] = (),
    stride: int | None = None,
    seed: int = 0,
    format: FileFormat = FileFormat(),
) -> None:
    """Write the cluster of each window's latent, and print how clusters agree with classes.

    Args:
        checkpoint: Checkpoint, archive, or a folder with one of them.
        data: File that is read like the training file.
        output: File to write, .csv or .parquet: one row per window.
        method: "kmeans" puts each window into one of K clusters; "hdbscan" finds their number, and
            leaves windows between dense regions out as cluster -1.
        clusters: The K of kmeans; chosen by the silhouette, from 2 to 10, if left out.
        classes: Column or array with the classes, if its name differs from the training file. The
            clusters do not depend on them.
        array: Array of an .npz, if its name differs from the training file.
        layout: Layout of the file, if it differs from the training file.
        ignore: Columns to leave out that the training file did not have.
        stride: Steps between windows; the model's own if left out.
        seed: Seed of kmeans.
        format: How the file is written, where it differs from the training file.
    """
    from rich.console import Console
    from rich.table import Table

    from rvae.evaluation import clustering
    from rvae.evaluation.latents import latents_of
    from rvae.inference import export
    from rvae.inference.engine import Engine
    from rvae.inference.reading import read_classes_for

    engine = Engine.load(checkpoint)
    dataset = read_classes_for(engine.card, data, classes, array, layout, ignore, format)
    for note in dataset.notes:
        print(note)
    latents = latents_of(engine, dataset, stride)
    found = clustering.cluster(latents.latent, method, clusters, seed)
    fit, values = found.membership
    columns = latents.places | {"cluster": found.assignments, fit: values}
    known, clustered = latents.classified, found.assignments != clustering.NOISE
    if known.any():
        columns["class"] = latents.classes
    written = export.write(output, [columns])

    chosen = method == "kmeans" and clusters is None
    rows = {"clusters, by the best silhouette" if chosen else "clusters": str(found.clusters)}
    if latents.unobserved:
        rows["windows without a value, left out"] = str(latents.unobserved)
    if found.silhouette is not None:
        rows["silhouette"] = f"{found.silhouette:.3f}"
    compared = {"": known}
    if found.noise:
        rows["windows in no cluster"] = f"{found.noise:.1%}"
        compared = {", those in no cluster as one": known, ", without these": known & clustered}
    for how, which in compared.items():
        if which.any():
            agreement = clustering.agreement(found.assignments[which], latents.classes[which])
            rows[f"ARI with the classes{how}"] = f"{agreement.ari:.3f}"
            rows[f"NMI with the classes{how}"] = f"{agreement.nmi:.3f}"
    table = Table("", "value", title=f"{data.name}: {len(latents)} windows")
    for name, value in rows.items():
        table.add_row(name, value)
    Console().print(table)
    print(f"Wrote {written} rows to {output}")
