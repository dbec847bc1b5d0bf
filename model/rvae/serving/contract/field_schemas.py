"""The JSON Schema of each field of a request: of any model, or of one."""

from typing import Any

from rvae.inference.card import Card
from rvae.serving.contract.latents import FARTHEST
from rvae.serving.contract.options import BESIDE, FIELDS, MOST, Options

__all__ = ["NULL", "Schema", "field_schemas", "of_instances"]

Schema = dict[str, Any]

# What orjson reads as a whole number; beyond it reads a float, which is no category.
WORD: Schema = {
    "type": ["string", "integer", "boolean", "null"],
    "minimum": -(2**63),
    "maximum": 2**64 - 1,
}
CELL: Schema = {"type": ["number", "string", "boolean", "null"]}
NULL: Schema = {"type": "null"}
SOMETHING: Schema = {"contains": {"not": NULL}}


def field_schemas(card: Card | None = None) -> dict[str, Schema]:
    """Schemas by the names of fields, and of `of_instances` of those that are then lists.

    The forms in which series come, and latents, are there; any other field may be null.

    Args:
        card: Of the model; whatever a model might take, if left out.
    """
    said = Options.model_json_schema()["properties"]
    schemas: dict[str, Schema] = {}
    for name in dict.fromkeys(name for names in FIELDS.values() for name in names):
        schemas[name] = {k: v for k, v in said[name].items() if k not in ("title", "default")}
    narrowed = _of_any() if card is None else _of_one(card)
    for name in BESIDE:
        narrowed[of_instances(name)] |= {"description": "A list of each instance."}
    for name, schema in narrowed.items():
        about = {"description": schemas[name]["description"]} if name in schemas else {}
        schemas[name] = about | schema
    if card is not None:
        largest = card.require_calibration().largest_quantile
        schemas["quantile"]["anyOf"][0]["maximum"] = largest
    return schemas


def of_instances(name: str) -> str:
    """What a field is called where it has an entry for each of several instances."""
    return f"{name}_of_instances"


def _of_any() -> dict[str, Schema]:
    """What models differ in, as far as all agree."""
    cells = _list(CELL)
    times = _list({"type": "string"})
    label: Schema = {"type": ["string", "integer", "null"]}
    return {
        "data": {"anyOf": [cells, _list(cells)]},
        "columns": {"type": "object", "minProperties": 1, "additionalProperties": cells},
        "instances": _list({"anyOf": [cells, _list(cells)]}, most=MOST),
        "latent": _list(_list(_coordinate())),
        "timestamps": _or_null(times),
        of_instances("timestamps"): _or_null(_list(_or_null(times))),
        "label": label,
        of_instances("label"): _or_null(_list(label)),
    }


def _of_one(card: Card) -> dict[str, Schema]:
    """What models differ in, of one."""
    low, high = card.bounds
    of_channels: list[Schema] = [
        WORD
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
        "instances": _list(series, most=MOST),
        "latent": _list(_list(_coordinate(), card.model.latent, card.model.latent)),
        "timestamps": times if needs_times else _or_null(times),
        of_instances("timestamps"): many_times if needs_times else _or_null(many_times),
        "label": label,
        of_instances("label"): _list(label) if needs_label else _or_null(_list(label)),
    }


def _series(of_channels: list[Schema], window: int) -> Schema:
    """A series step by step; of a single channel also without an axis for it."""
    count = len(of_channels)
    row: Schema = {"type": "array", "minItems": count, "maxItems": count}
    row |= {"items": of_channels[0]} if count == 1 else {"prefixItems": of_channels}
    nested = _list(row, window) | {"contains": {"type": "array", **SOMETHING}}
    return {"anyOf": [_list(of_channels[0], window) | SOMETHING, nested]} if count == 1 else nested


def _columns(of_channels: dict[str, Schema], window: int) -> Schema:
    """A series channel by channel."""
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(of_channels),
        "properties": {name: _list(schema, window) for name, schema in of_channels.items()},
        "anyOf": [{"properties": {name: SOMETHING}} for name in of_channels],
    }


def _coordinate() -> Schema:
    return {"type": "number", "minimum": -FARTHEST, "maximum": FARTHEST}


def _spellings(word: str) -> list[str | int]:
    return [word, int(word)] if word.removeprefix("-").isdecimal() else [word]


def _list(items: Schema, least: int = 1, most: int | None = None) -> Schema:
    return {"type": "array", "items": items, "minItems": least} | (
        {} if most is None else {"maxItems": most}
    )


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, NULL]}
