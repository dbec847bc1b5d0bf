"""The JSON Schema of requests: of any model, or of one."""

from rvae.inference.card import Card
from rvae.serving.contract.options import (
    ANNOTATIONS,
    SERIES_FIELDS,
    TASK_FIELDS,
    Options,
    Task,
)
from rvae.serving.contract.outputs.events import EVENTS
from rvae.serving.contract.schema.field_schemas import (
    NULL,
    Schema,
    field_schemas,
    of_instances,
)

__all__ = ["request_schema"]

# What must hold for a request for a score, besides the types of its fields.
CONSISTENCY: Schema = {
    "allOf": [
        {
            "if": {"required": ["threshold"], "properties": {"threshold": {"type": "number"}}},
            "then": {"properties": {"quantile": NULL, "alarms": NULL, "adapt": NULL}},
        },
        {
            "if": {"required": ["alarms"], "properties": {"alarms": {"type": "string"}}},
            "then": {"properties": {"quantile": NULL}},
        },
        {
            "if": {"required": ["gap"], "properties": {"gap": {"type": "integer"}}},
            "then": {
                "required": ["output"],
                "properties": {"output": {"type": "array", "contains": {"const": EVENTS.name}}},
            },
        },
    ]
}


def request_schema(card: Card | None = None, references: str = "#/$defs/{model}") -> Schema:
    """The JSON Schema of a request in JSON.

    Of its definitions `scoring` is that of the explanations endpoint, and `options` that of the
    header Rvae-Options.

    No schema can express that times are times and rise, that annotations are as long as the series,
    that categories and classes are not written as floats, which rate of alarms the calibration
    carries, and the limits of a request.

    Args:
        card: Card of the model; None for what any model might accept.
        references: Template of references to definitions.
    """
    variants = _Variants(references, () if card is None else _needed(card))
    scoring = [variants.of(("score",), form) for form in SERIES_FIELDS]
    reading = [variants.of(("encode", "reconstruct"), form) for form in SERIES_FIELDS]
    drawing = [variants.of(("decode",), "latent"), variants.of(("sample",), None)]
    bodies: list[tuple[Task, ...]] = [("score",), ("encode", "reconstruct"), ("decode",)]
    return {
        "title": "Request",
        "description": "The task and its inputs: the fields of one of these.",
        "anyOf": [variants.reference("scoring"), *reading, *drawing],
        "$defs": {
            "scoring": {"anyOf": scoring},
            "options": {
                "description": "The fields of a request whose body is a table or an array.",
                "anyOf": [variants.of(tasks, "body") for tasks in bodies],
            },
            "together": CONSISTENCY,
            "names": {"enum": list(Options.model_fields)},
            **field_schemas(card),
        },
    }


def _needed(card: Card) -> tuple[str, ...]:
    """Annotations that the model needs."""
    return ("timestamps",) * bool(card.model.time.calendar) + ("label",) * card.model.conditional


class _Variants:
    """Schemas of requests for some tasks, with one field that holds the inputs.

    Args:
        references: Template of references to definitions.
        needed: Annotations that the model needs, where the body has a place for them.
    """

    def __init__(self, references: str, needed: tuple[str, ...]) -> None:
        self._references = references
        self._needed = needed

    def reference(self, name: str) -> Schema:
        return {"$ref": self._references.format(model=name)}

    def of(self, tasks: tuple[Task, ...], form: str | None) -> Schema:
        fields = {
            name: self._field(name, tasks[0], form)
            for name in TASK_FIELDS[tasks[0]]
            if name == form or name not in (*SERIES_FIELDS, "latent")
        }
        usual = tasks[0] == "score"
        required = [] if usual else ["task"]
        if form != "body":
            required += [name for name in fields if name == form or name in self._needed]
        schema: Schema = {
            "title": " or ".join(tasks) + (f" {form}" if form else ""),
            "type": "object",
            "required": required,
            "properties": {"task": {"enum": [*tasks, None] if usual else list(tasks)}, **fields},
            # Any other field may be there if it is null.
            "propertyNames": self.reference("names"),
            "additionalProperties": NULL,
        }
        return schema | ({"allOf": [self.reference("together")]} if usual else {})

    def _field(self, name: str, task: Task, form: str | None) -> Schema:
        if name in ANNOTATIONS and form == "instances":
            return self.reference(of_instances(name))
        if name in ANNOTATIONS and form == "body" and task != "decode":
            return {"anyOf": [self.reference(name), self.reference(of_instances(name))]}
        return self.reference(name)
