"""The description of a model, in lines for people."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

__all__ = ["OF_REQUESTS", "aligned", "described_lines"]

# What only a client over HTTP needs of the description of a model.
OF_REQUESTS = ("request", "tasks", "outputs")
INDENT = 14


def aligned(lines: Iterable[tuple[str, str]]) -> str:
    """Lines of a name and a text, as they are printed."""
    return "\n".join(f"{name:{INDENT}}{text}" for name, text in lines)


def described_lines(model: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What a person wants to know of a model: a name and a text for each line."""
    from rvae.inference.runtimes.report import RuntimeReport
    from rvae.scoring.ranks import quantile_text

    network, calibration = model["network"], model["calibration"]
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
    parameters = f", {model['parameters']:,} parameters" if "parameters" in model else ""
    yield "size", f"{network['latent']} latent units{parameters}"
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
