"""The JSON Schema of each field of a request: of any model, or of one."""

from typing import Any

from rvae.config.alarms import alarm_text
from rvae.inference.card import Card
from rvae.inference.latents import MAX_COORDINATE
from rvae.serving.contract.options import ANNOTATIONS, MAX_SERIES, TASK_FIELDS, Options

__all__ = ["NULL", "Schema", "field_schemas", "of_instances"]

Schema = dict[str, Any]

# Whole numbers as orjson reads them; it reads larger ones as floats, which are not categories.
CATEGORY: Schema = {
    "type": ["string", "integer", "boolean", "null"],
    "minimum": -(2**63),
    "maximum": 2**64 - 1,
}
CELL: Schema = {"type": ["number", "string", "boolean", "null"]}
NULL: Schema = {"type": "null"}
NOT_ALL_NULL: Schema = {"contains": {"not": NULL}}


def field_schemas(card: Card | None = None) -> dict[str, Schema]:
    """Schemas by the names of fields, and by `of_instances` of the annotations of instances.

    The fields with series and latents are not null; any other field may be.

    Args:
        card: Card of the model; None for what any model might accept.
    """
    properties = Options.model_json_schema()["properties"]
    schemas: dict[str, Schema] = {}
    for name in dict.fromkeys(name for names in TASK_FIELDS.values() for name in names):
        schemas[name] = {k: v for k, v in properties[name].items() if k not in ("title", "default")}
    narrowed = _of_any() if card is None else _of_one(card)
    for name in ANNOTATIONS:
        narrowed[of_instances(name)] |= {"description": "A list with an entry per instance."}
    for name, schema in narrowed.items():
        about = {"description": schemas[name]["description"]} if name in schemas else {}
        schemas[name] = about | schema
    if card is not None:
        calibration = card.calibration
        schemas["quantile"]["anyOf"][0]["maximum"] = calibration.largest_quantile
        fewest = alarm_text(calibration.fewest_events_per_step, card.interval)
        schemas["alarms"]["description"] += f" No less than {fewest}."
    return schemas


def of_instances(name: str) -> str:
    """Name of the schema of an annotation with an entry per instance."""
    return f"{name}_of_instances"


def _of_any() -> dict[str, Schema]:
    """Fields in which models differ, as any model might accept them."""
    cells = _list(CELL)
    times = _list({"type": "string"})
    label: Schema = {"type": ["string", "integer", "null"]}
    return {
        "data": {"anyOf": [cells, _list(cells)]},
        "columns": {"type": "object", "minProperties": 1, "additionalProperties": cells},
        "instances": _list({"anyOf": [cells, _list(cells)]}, most=MAX_SERIES),
        "latent": _list(_list(_coordinate())),
        "timestamps": _or_null(times),
        of_instances("timestamps"): _or_null(_list(_or_null(times))),
        "label": label,
        of_instances("label"): _or_null(_list(label)),
    }


def _of_one(card: Card) -> dict[str, Schema]:
    """Fields in which models differ, as one model accepts them."""
    low, high = card.scaler.bounds
    of_channels: list[Schema] = [
        CATEGORY
        if name in card.vocabulary.categories
        else {"type": ["number", "null"], "minimum": float(low[i]), "maximum": float(high[i])}
        for i, name in enumerate(card.channels)
    ]
    series = _series(of_channels, card.window)
    times = _list({"type": "string"}, card.window)
    label: Schema = NULL
    if card.model.conditional:
        # Classes that are whole numbers may come as such.
        label = {"enum": [k for word in card.vocabulary.classes for k in _spellings(word)]}
    needs_times, needs_label = bool(card.model.time.calendar), card.model.conditional
    many_times = _list(times if needs_times else _or_null(times))
    return {
        "data": series,
        "columns": _columns(dict(zip(card.channels, of_channels, strict=True)), card.window),
        "instances": _list(series, most=MAX_SERIES),
        "latent": _list(_list(_coordinate(), card.model.latent, card.model.latent)),
        "timestamps": times if needs_times else _or_null(times),
        of_instances("timestamps"): many_times if needs_times else _or_null(many_times),
        "label": label,
        of_instances("label"): _list(label) if needs_label else _or_null(_list(label)),
    }


def _series(of_channels: list[Schema], window: int) -> Schema:
    """A series by steps; of a single channel also without an axis for it."""
    count = len(of_channels)
    row: Schema = {"type": "array", "minItems": count, "maxItems": count}
    row |= {"items": of_channels[0]} if count == 1 else {"prefixItems": of_channels}
    nested = _list(row, window) | {"contains": {"type": "array", **NOT_ALL_NULL}}
    return (
        {"anyOf": [_list(of_channels[0], window) | NOT_ALL_NULL, nested]} if count == 1 else nested
    )


def _columns(of_channels: dict[str, Schema], window: int) -> Schema:
    """A series by channels."""
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(of_channels),
        "properties": {name: _list(schema, window) for name, schema in of_channels.items()},
        "anyOf": [{"properties": {name: NOT_ALL_NULL}} for name in of_channels],
    }


def _coordinate() -> Schema:
    return {"type": "number", "minimum": -MAX_COORDINATE, "maximum": MAX_COORDINATE}


def _spellings(word: str) -> list[str | int]:
    return [word, int(word)] if word.removeprefix("-").isdecimal() else [word]


def _list(items: Schema, least: int = 1, most: int | None = None) -> Schema:
    return {"type": "array", "items": items, "minItems": least} | (
        {} if most is None else {"maxItems": most}
    )


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, NULL]}
