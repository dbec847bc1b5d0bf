"""What a model says of itself."""

from dataclasses import asdict
from typing import Any

from rvae.inference.artifact import software_versions
from rvae.inference.card import Card
from rvae.inference.engine import Engine
from rvae.serving.contract.description_shapes import (
    CalibrationSaid,
    CardSaid,
    CategoryChannel,
    NumberChannel,
    TimesSaid,
)
from rvae.serving.contract.options import FIELDS
from rvae.serving.contract.outputs import NAMES
from rvae.serving.contract.request_schema import request_schema

__all__ = ["describe"]

# At which a threshold is said, as far as the calibration can tell.
QUANTILES = (0.9, 0.95, 0.99, 0.995, 0.999, 0.9999)


def describe(engine: Engine) -> CardSaid:
    """What the model is, what it takes, and what its scores mean.

    What is not known is left out: TorchServe would drop a null on its way.
    """
    card = engine.card
    calibration = card.require_calibration()
    quantiles = {calibration.quantile, *QUANTILES}
    return {
        "window": card.window,
        "stride": card.stride,
        "channels": _channels(card),
        "classes": list(card.vocabulary.classes),
        "times": _times(card),
        "latent": card.model.latent,
        "tasks": list(FIELDS),
        "outputs": list(NAMES),
        "request": request_schema(card),
        "scoring": _known(asdict(card.scoring)),
        "threshold": calibration.threshold(),
        "thresholds": [
            {"quantile": quantile, "threshold": calibration.threshold(quantile)}
            for quantile in sorted(quantiles)
            if quantile <= calibration.largest_quantile
        ],
        "calibration": _calibration(card),
        "network": _known(asdict(card.model)),
        "training": _known(dict(card.training)),
        "versions": {"trained": dict(card.versions), "serving": software_versions()},
        "checksum": engine.checksum,
    }


def _channels(card: Card) -> list[NumberChannel | CategoryChannel]:
    low, high = card.bounds
    channels: list[NumberChannel | CategoryChannel] = []
    for i, name in enumerate(card.channels):
        if name in card.vocabulary.categories:
            words = list(card.vocabulary.categories[name])
            channels.append({"name": name, "kind": "category", "categories": words})
            continue
        channel: NumberChannel = {
            "name": name,
            "kind": "number",
            "low": float(low[i]),
            "high": float(high[i]),
            "mean": card.scaler.mean[i],
            "scale": card.scaler.scale[i],
        }
        if name in card.units:
            channel["unit"] = card.units[name]
        channels.append(channel)
    return channels


def _calibration(card: Card) -> CalibrationSaid:
    calibration, bands = card.require_calibration(), card.require_bands()
    said: CalibrationSaid = {
        "quantile": calibration.quantile,
        "windows": len(calibration.scores),
        "independent_windows": calibration.independent,
        "keeps_promise": calibration.keeps_promise,
        "largest_quantile": calibration.largest_quantile,
        "contamination": calibration.contamination,
    }
    if bands.largest_quantile > 0:  # of words there are no bands
        said["largest_quantile_of_bands"] = bands.largest_quantile
    return said


def _times(card: Card) -> TimesSaid:
    times: TimesSaid = {"needed": bool(card.model.time.calendar)}
    if card.interval is not None:
        times["interval_seconds"] = card.interval
    return times


def _known(content: Any) -> Any:
    """Without what is None, in mappings within mappings and lists."""
    match content:
        case dict():
            return {key: _known(value) for key, value in content.items() if value is not None}
        case list() | tuple():
            return [_known(one) for one in content]
        case _:
            return content
