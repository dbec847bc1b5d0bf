"""The description of a model."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rvae.config.alarms import SECONDS_PER_WEEK
from rvae.inference.card import Card
from rvae.scoring.calibration import Calibration
from rvae.scoring.promise import promise_text
from rvae.serving.contract.formats.tensor_metadata import tensor_metadata
from rvae.serving.contract.options import TASK_FIELDS
from rvae.serving.contract.outputs import OUTPUTS
from rvae.serving.contract.schema.description_schema import (
    CalibrationSaid,
    CardSaid,
    CategoryChannel,
    NumberChannel,
    PublicCard,
    ThresholdSaid,
    TimesSaid,
)
from rvae.serving.contract.schema.request_schema import request_schema

__all__ = ["describe", "describe_publicly"]

# Quantiles whose thresholds are described, up to the largest of the calibration.
QUANTILES = (0.9, 0.95, 0.99, 0.995, 0.999, 0.9999)


def describe(card: Card, checksum: str, versions: Mapping[str, str]) -> CardSaid:
    """Describe a model to those who run it: all that is said publicly, and where it comes from.

    What is unknown is left out: TorchServe would drop a null on its way.

    Args:
        card: Card of the model.
        checksum: Checksum of the weights.
        versions: Versions of the software that serves the model.
    """
    described: CardSaid = {
        **describe_publicly(card),  # type: ignore[typeddict-item] # of the key that is not there
        "history": [_known(asdict(change)) for change in card.history],
        "network": _known(asdict(card.model)),
        "training": _known(dict(card.training)),
        "versions": {"trained": dict(card.versions), "serving": dict(versions)},
        "checksum": checksum,
    }
    if card.runtime is not None:
        described["graphs"] = _known(asdict(card.runtime))
    return described


def describe_publicly(card: Card) -> PublicCard:
    """Describe a model to its clients: its inputs, and the meaning of its scores."""
    calibration = card.calibration
    quantiles = {calibration.quantile, calibration.largest_quantile, *QUANTILES}
    return {
        "window": card.window,
        "stride": card.stride,
        "channels": _channels(card),
        "classes": list(card.vocabulary.classes),
        "times": _times(card),
        "reader": _known(asdict(card.reader)),
        "latent": card.model.latent,
        "tasks": list(TASK_FIELDS),
        "outputs": list(OUTPUTS),
        "request": request_schema(card),
        "tensors": tensor_metadata(card),
        "scoring": _known(asdict(card.scoring)),
        "threshold": calibration.threshold(),
        "thresholds": [
            _threshold(calibration, quantile)
            for quantile in sorted(quantiles)
            if quantile <= calibration.largest_quantile
        ],
        "calibration": _calibration(card),
    }


def _channels(card: Card) -> list[NumberChannel | CategoryChannel]:
    low, high = card.scaler.bounds
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


def _threshold(calibration: Calibration, quantile: float) -> ThresholdSaid:
    threshold = calibration.threshold(quantile)
    return {
        "quantile": quantile,
        "threshold": threshold,
        "events_per_step": calibration.events_per_step(threshold),
    }


def _calibration(card: Card) -> CalibrationSaid:
    calibration, bands, blocks = card.calibration, card.bands, card.calibration.blocks
    events, fewest = (
        calibration.events_per_step(calibration.threshold()),
        calibration.fewest_events_per_step,
    )
    description: CalibrationSaid = {
        "quantile": calibration.quantile,
        "windows": len(calibration.scores),
        "independent_windows": blocks.count,
        "keeps_promise": not calibration.lowered,
        "largest_quantile": calibration.largest_quantile,
        "contamination": calibration.contamination,
        "promise": promise_text(calibration, card.interval),
        "flagged_share": 1 - calibration.quantile,
        "events_per_step": events,
        "fewest_events_per_step": fewest,
        "segment_steps": blocks.steps,
        "block_steps": blocks.mean_steps,
    }
    if card.interval is not None:
        steps_per_week = SECONDS_PER_WEEK / card.interval
        description["events_per_week"] = events * steps_per_week
        description["fewest_events_per_week"] = fewest * steps_per_week
    if bands.largest_quantile > 0:  # categories have no bands
        description["largest_quantile_of_bands"] = bands.largest_quantile
    return description


def _times(card: Card) -> TimesSaid:
    times: TimesSaid = {"needed": bool(card.model.time.calendar)}
    if card.interval is not None:
        times["interval_seconds"] = card.interval
    return times


def _known(content: Any) -> Any:
    """The content without entries that are None, in nested mappings and lists, too."""
    match content:
        case dict():
            return {key: _known(value) for key, value in content.items() if value is not None}
        case list() | tuple():
            return [_known(one) for one in content]
        case _:
            return content
