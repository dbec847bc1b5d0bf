"""The command `rvae info`: what a model is."""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rvae.inference.artifact import Artifact

__all__ = ["info"]

# What only a client over HTTP needs of the description of a model.
OF_REQUESTS = ("request", "tasks", "outputs")
INDENT = 14


def info(model: Path, json: bool = False) -> None:
    """Print what a model is: its inputs, its network, its threshold, how it was trained.

    Args:
        model: Checkpoint, archive, or a folder with one of them; or a model store, of which every
            archive is described.
        json: Print one JSON object, or a list of them for a model store.
    """
    from rvae.inference.model_files import find_model
    from rvae.serving.model_store import list_archives

    if is_store := model.is_dir() and next(model.glob("*.mar"), None) is not None:
        paths = [archive.path for archive in list_archives(model)]
    else:
        paths = [find_model(model)]
    found = [_described(path) for path in paths]
    if json:
        _write_json(found if is_store else found[0])
    else:
        texts = ["\n".join(f"{name:{INDENT}}{text}" for name, text in _lines(one)) for one in found]
        print("\n\n".join(texts))


def _write_json(content: Any) -> None:
    json.dump(content, sys.stdout, indent=1, ensure_ascii=False)
    print()


def _described(path: Path) -> dict[str, Any]:
    """The description that a server would give of a model, and what its file tells."""
    from rvae.inference.artifact import Artifact
    from rvae.inference.software import software_versions
    from rvae.serving.contract.description import describe
    from rvae.serving.model_store import read_archive

    artifact = Artifact.load(path)
    content: dict[str, Any] = {"path": str(path), "kind": "checkpoint", "bytes": _size(path)}
    if path.is_dir():
        content["kind"] = "folder of an artifact"
    elif path.suffix == ".mar":
        archive = read_archive(path)
        content |= {"kind": "archive", "name": archive.name, "version": archive.version}
        content["integrity"] = _integrity(path)
    content["parameters"] = _parameters(artifact)
    described = describe(artifact.card, artifact.checksum, software_versions())
    return content | {key: value for key, value in described.items() if key not in OF_REQUESTS}


def _integrity(path: Path) -> str:
    """Whether an archive is what was built; also of one that no server would take."""
    from rvae.errors import FieldError
    from rvae.serving.integrity import require_intact

    try:
        return require_intact(path).words
    except FieldError as error:
        return f"damaged: {error.message}"


def _size(path: Path) -> int:
    files = path.iterdir() if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files)


def _parameters(artifact: "Artifact") -> int:
    return sum(parameter.numel() for parameter in artifact.build().parameters())


def _lines(model: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What a person wants to know of a model: a name and a text for each line."""
    from rvae.inference.runtimes.report import RuntimeReport
    from rvae.scoring.ranks import quantile_text

    network, calibration = model["network"], model["calibration"]
    yield "model", f"{model['path']} ({model['kind']}, {model['bytes'] / 1e6:.3g} MB)"
    if "name" in model:
        yield "served as", f"{model['name']} {model['version']}"
        yield "integrity", model["integrity"]
    yield "channels", ", ".join(map(_channel, model["channels"]))
    if model["classes"]:
        told = ", which requests must name" if network["conditional"] else ""
        yield "classes", ", ".join(model["classes"]) + told
    interval = model["times"].get("interval_seconds")
    apart = "" if interval is None else f" of {interval:g} s"
    yield "window", f"{model['window']} steps{apart}, stride {model['stride']}"
    options = network.get(network["architecture"], network.get("options", {}))
    chosen = ", ".join(f"{name} {value}" for name, value in options.items())
    linear = " with a linear path" if network["linear"] else ""
    yield "network", f"{network['architecture']}{linear}" + (f" ({chosen})" if chosen else "")
    yield "size", f"{network['latent']} latent units, {model['parameters']:,} parameters"
    yield "likelihood", network["likelihood"]
    yield "posterior", network["posterior"]
    yield "score", model["scoring"]["score"]
    quantile = quantile_text(calibration["quantile"])
    yield "threshold", f"{model['threshold']:.4g} at quantile {quantile}"
    yield "promise", calibration["promise"]
    yield "calibration", _evidence(calibration)
    if "graphs" in model:
        yield "runtime", RuntimeReport.from_dict(model["graphs"]).sentence
    for change in model["history"]:
        yield "recalibrated", _change(change)
    if model["training"]:
        yield "training", _training(model)
    yield "trained with", _versions(model["versions"]["trained"])
    yield "read with", _versions(model["versions"]["serving"])
    yield "checksum", model["checksum"]


def _channel(channel: Mapping[str, Any]) -> str:
    if channel["kind"] == "category":
        return f"{channel['name']} ({', '.join(channel['categories'])})"
    return f"{channel['name']} [{channel['unit']}]" if "unit" in channel else channel["name"]


def _evidence(calibration: Mapping[str, Any]) -> str:
    counts = (
        f"{calibration['windows']} windows in {calibration['independent_windows']} independent "
        f"blocks of {calibration['block_steps']:.0f} steps"
    )
    if calibration["keeps_promise"]:
        return counts
    return f"{counts}, too few for what was asked for: the threshold is the highest score"


def _change(change: Mapping[str, Any]) -> str:
    from rvae.scoring.ranks import quantile_text

    source = f" of {change['data']}" if "data" in change else ""
    verdicts = {"false_alarms": "false alarms", "confirmed": "confirmed", "unjudged": "unknown"}
    judged = [f"{change[name]} {what}" for name, what in verdicts.items() if change[name]]
    events = f"; events judged: {', '.join(judged)}" if judged else ""
    return (
        f"{change['date']}: {change['windows']} windows in {change['blocks']} blocks{source} "
        f"{change['kind']}{events}; threshold {change['threshold_before']:.4g} at quantile "
        f"{quantile_text(change['quantile_before'])} became {change['threshold']:.4g} at quantile "
        f"{quantile_text(change['quantile'])}; by rvae {change['version']}"
    )


def _training(model: Mapping[str, Any]) -> str:
    training = model["training"]
    windows = ", ".join(f"{count} for {part}" for part, count in training["windows"].items())
    return (
        f"windows {windows}; epoch {training['epoch'] + 1} of {training['options']['epochs']}; "
        f"explained variance {training['explained_variance']:.1%}; "
        f"{training['active_units']} of {model['latent']} latent units active; "
        f"finished {training['finished']}"
    )


def _versions(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())
