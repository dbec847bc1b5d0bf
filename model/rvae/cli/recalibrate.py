"""The command `rvae recalibrate`: another threshold by new data, without training."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rvae.cli.promise import promise_sentences
from rvae.config import FileFormat

if TYPE_CHECKING:
    from rvae.inference.artifact import Artifact
    from rvae.inference.recalibration import Recalibrated

__all__ = ["recalibrate"]

ARCHIVE, CHECKPOINT = ".mar", ".ckpt"


def recalibrate(
    model: Path,
    data: Path,
    events: Path | None = None,
    output: Path | None = None,
    quantile: float | None = None,
    alarms: str | None = None,
    replace: bool = False,
    version: str | None = None,
    sign: Path | None = None,
    label: str | None = None,
    array: str | None = None,
    layout: Literal["series", "rows"] | None = None,
    ignore: tuple[str, ...] = (),
    format: FileFormat = FileFormat(),
) -> None:
    """Move threshold, tail probabilities, severities and bands by new normal data.

    Args:
        model: Checkpoint, archive, or a folder with one of them.
        data: File of new normal data that is read like the training file, or "-" for .csv from
            standard input; what is labelled as anomalous is left out.
        events: File that `rvae score --events` wrote for this data, with a column "verdict": false
            alarms are normal, events that are confirmed or not judged are left out.
        output: File to write, .ckpt, or .mar for an archive; a new one beside the model if left
            out.
        quantile: Quantile of normal scores that is the threshold; what was asked for at last if
            left out.
        alarms: Rate of events that defines the threshold instead, as "1 per week" or "1 per 10000
            steps".
        replace: New scores take the place of the old ones, because the data has changed for good,
            instead of being added.
        version: Version of the new archive in URLs.
        sign: File of an Ed25519 private key as PEM, which signs the new archive.
        label: Column or array with the labels, if its name differs from the training file.
        array: Array of an .npz, if its name differs from the training file.
        layout: Layout of the file, if it differs from the training file.
        ignore: Columns to leave out that the training file did not have.
        format: How the file is written, where it differs from the training file.
    """
    from rvae.data.judged_events import read_judged_events
    from rvae.errors import require
    from rvae.inference import recalibration
    from rvae.inference.artifact import Artifact
    from rvae.inference.engine import Engine
    from rvae.inference.model_files import find_model
    from rvae.inference.reading import read_for

    path = find_model(model)
    target = _target(path, output, version)
    signs = sign is not None
    require(not signs or target.suffix == ARCHIVE, "sign", "is only valid for an archive")
    artifact = Artifact.load(path)
    dataset = read_for(
        artifact.card, data, label, array, layout, labels=True, ignore=ignore, format=format
    )
    found = recalibration.recalibrate(
        Engine(artifact),
        artifact,
        dataset.series,
        None if events is None else read_judged_events(events, dataset.series),
        recalibration.Request(quantile, alarms),
        replace,
        recalibration.name_of(data),
    )
    _write(found.artifact, path, target, version, sign)
    for sentence in (*dataset.notes, *_sentences(found)):
        print(sentence)
    print(f"Saved {target}")


def _target(path: Path, output: Path | None, version: str | None) -> Path:
    """The file to write.

    Raises:
        FieldError: If it is of another kind, would be written over without being named, or an
            archive has no new version.
    """
    from rvae.errors import require
    from rvae.serving.model_store import read_archive

    is_archive = path.suffix == ARCHIVE
    target = output
    if target is None and is_archive:
        target = path.with_name(f"{read_archive(path).name}-{version}{ARCHIVE}")
    elif target is None:
        target = path.with_name(f"{path.stem}-recalibrated{CHECKPOINT}")
    suffixes = (CHECKPOINT, ARCHIVE) if is_archive else (CHECKPOINT,)
    hint = "" if is_archive else ": rvae archive makes an archive of it"
    require(
        target.suffix in suffixes,
        "output",
        f"must end in {' or '.join(suffixes)}, got {target.name}{hint}",
    )
    require(not target.is_dir(), "output", f"is a folder: {target}")
    if target.suffix == ARCHIVE:
        old = read_archive(path).version
        require(
            version not in (None, old),
            "version",
            f"is needed for an archive, and must be a new one: {path.name} is version {old}",
        )
    else:
        require(version is None, "version", "is only valid for an archive")
    require(
        output is not None or not target.exists(),
        "output",
        f"is needed, as there is a file already: {target}",
    )
    return target


def _write(
    artifact: "Artifact", path: Path, target: Path, version: str | None, key: Path | None
) -> None:
    if target.suffix == CHECKPOINT:
        artifact.save_checkpoint(target)
        return
    from rvae.serving.model_store import read_archive
    from rvae.serving.packaging import build_archive

    target.parent.mkdir(parents=True, exist_ok=True)
    # Beside its place, so that it can be moved there atomically.
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".") as scratch:
        name = read_archive(path).name
        built = build_archive(artifact, name, str(version), Path(scratch), key)
        built.replace(target)


def _sentences(found: "Recalibrated") -> Iterator[str]:
    """What a person wants to know of the change."""
    from rvae.scoring.ranks import quantile_text

    change = found.change
    how = "added" if change.kind == "added" else "in place of the old ones"
    yield f"{change.windows} normal windows in {change.blocks} independent blocks, {how}."
    if change.false_alarms or change.confirmed:
        yield _judged(found)
    if change.unjudged:
        yield (
            f"Left out: {_count(change.unjudged, 'event')} that nobody has judged. The promise "
            "holds if they are anomalies: judge them, too."
        )
    share, low, high = found.above_before
    yield (
        f"Above the threshold before were {share:.2%} of these windows (95 % interval {low:.2%} "
        f"to {high:.2%}), where at most {1 - change.quantile_before:.2%} were promised."
    )
    if found.differs and change.kind == "added":
        yield (
            "Warning: that is more than promised. If the data has changed for good, use --replace: "
            "the promise now is about a mixture of the old data and the new."
        )
    before = f"{change.threshold_before:.4g} at quantile {quantile_text(change.quantile_before)}"
    yield f"The threshold was {before}."
    yield from promise_sentences(found.artifact.card, change.asked_quantile, change.asked_alarms)


def _judged(found: "Recalibrated") -> str:
    change, flagged = found.change, found.still_flagged
    return (
        "Still flagged: "
        + " and ".join(
            f"{flagged[verdict]} of {_count(count, what)}"
            for verdict, count, what in (
                ("false alarm", change.false_alarms, "false alarm"),
                ("confirmed", change.confirmed, "confirmed event"),
            )
            if count
        )
        + "."
    )


def _count(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"
