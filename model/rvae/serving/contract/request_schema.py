"""The JSON Schema of requests: of any model, or of one."""

from rvae.inference.card import Card
from rvae.serving.contract.field_schemas import NULL, Schema, field_schemas, of_instances
from rvae.serving.contract.options import BESIDE, FIELDS, FORMS, Options, Task

__all__ = ["request_schema"]

# What must hold of a request for a score beside the types of its fields.
TOGETHER: Schema = {
    "allOf": [
        {
            "if": {"required": ["threshold"], "properties": {"threshold": {"type": "number"}}},
            "then": {"properties": {"quantile": NULL, "adapt": NULL}},
        },
        {
            "if": {"required": ["gap"], "properties": {"gap": {"type": "integer"}}},
            "then": {
                "required": ["output"],
                "properties": {"output": {"type": "array", "contains": {"const": "events"}}},
            },
        },
    ]
}


def request_schema(card: Card | None = None, references: str = "#/$defs/{model}") -> Schema:
    """What a request in JSON may be.

    Of its definitions `scoring` is what may be asked where explanations are, and `options` what the
    header Rvae-Options may hold.

    No schema can say that times are times and rise, that what stands beside a series must be as
    long as it, that a category or class that is a number has no point, and what a request may cost.

    Args:
        card: Of the model; whatever a model might take, if left out.
        references: How definitions are referred to.
    """
    variants = _Variants(references, () if card is None else _needed(card))
    scoring = [variants.of(("score",), form) for form in FORMS]
    reading = [variants.of(("encode", "reconstruct"), form) for form in FORMS]
    drawing = [variants.of(("decode",), "latent"), variants.of(("sample",), None)]
    beside: list[tuple[Task, ...]] = [("score",), ("encode", "reconstruct"), ("decode",)]
    return {
        "title": "Request",
        "description": "What is to be done, and with what: the fields of one of these.",
        "anyOf": [variants.reference("scoring"), *reading, *drawing],
        "$defs": {
            "scoring": {"anyOf": scoring},
            "options": {
                "description": "What is to be done with what the body holds.",
                "anyOf": [variants.of(tasks, "body") for tasks in beside],
            },
            "together": TOGETHER,
            "names": {"enum": list(Options.model_fields)},
            **field_schemas(card),
        },
    }


def _needed(card: Card) -> tuple[str, ...]:
    """What must stand beside series."""
    return ("timestamps",) * bool(card.model.time.calendar) + ("label",) * card.model.conditional


class _Variants:
    """Requests for some tasks about what comes in one form.

    Args:
        references: How definitions are referred to.
        needed: What must stand beside series, where the body has a place for it.
    """

    def __init__(self, references: str, needed: tuple[str, ...]) -> None:
        self._references = references
        self._needed = needed

    def reference(self, name: str) -> Schema:
        return {"$ref": self._references.format(model=name)}

    def of(self, tasks: tuple[Task, ...], form: str | None) -> Schema:
        fields = {
            name: self._field(name, tasks[0], form)
            for name in FIELDS[tasks[0]]
            if name == form or name not in (*FORMS, "latent")
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
            # Any other field may be there that says nothing.
            "propertyNames": self.reference("names"),
            "additionalProperties": NULL,
        }
        return schema | ({"allOf": [self.reference("together")]} if usual else {})

    def _field(self, name: str, task: Task, form: str | None) -> Schema:
        if name in BESIDE and form == "instances":
            return self.reference(of_instances(name))
        if name in BESIDE and form == "body" and task != "decode":
            return {"anyOf": [self.reference(name), self.reference(of_instances(name))]}
        return self.reference(name)
