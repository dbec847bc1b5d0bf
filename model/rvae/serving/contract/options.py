"""The fields of a request: the values that each allows, and which fields can be combined."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from rvae.config.alarms import ALARM_PATTERN, require_alarms
from rvae.errors import FieldError, require
from rvae.scoring.adaptive_threshold import MAX_ADAPTATION_RATE
from rvae.serving.contract.outputs import OUTPUTS
from rvae.serving.contract.outputs.events import EVENTS

__all__ = [
    "ANNOTATIONS",
    "MAX_INTEGER",
    "MAX_SERIES",
    "SERIES_FIELDS",
    "TASK_FIELDS",
    "WHOLE_NUMBER",
    "Options",
    "OutputName",
    "Task",
    "first_error",
]

Task = Literal["score", "encode", "reconstruct", "decode", "sample"]

# The fields that hold series.
SERIES_FIELDS = ("data", "columns", "instances")
# The fields that hold times and classes of series.
ANNOTATIONS = ("timestamps", "label")
SERIES = (*SERIES_FIELDS, *ANNOTATIONS)

# The fields that each task allows.
TASK_FIELDS: Mapping[Task, tuple[str, ...]] = {
    "score": (*SERIES, "output", "stride", "quantile", "alarms", "threshold", "adapt", "gap"),
    "encode": (*SERIES, "stride"),
    "reconstruct": (*SERIES, "stride"),
    "decode": ("latent", "label"),
    "sample": ("count", "label", "seed"),
}

# Series per request: each of them costs up to a millisecond, however short it is.
MAX_SERIES = 4096

# A list whose values are checked with the channels: Pydantic would collect every wrong one first.
Column = Annotated[Any, WithJsonSchema({"type": "array", "items": {}})]

MAX_INTEGER = 2**53 - 1  # the largest that every parser of JSON reads exactly


def _whole_number(value: Any) -> Any:
    # For JSON 8.0 is as whole a number as 8, and some clients know no other.
    return int(value) if type(value) is float and value.is_integer() else value


WHOLE_NUMBER = BeforeValidator(_whole_number)


def _known_output(name: str) -> str:
    if name not in OUTPUTS:
        names = ", ".join(OUTPUTS)
        raise PydanticCustomError("output", "expected one of {names}", {"names": names})
    return name


def _name_schema(schema: dict[str, Any]) -> None:
    schema["enum"] = list(OUTPUTS)


def _require_count(names: Any) -> Any:
    # Checked first: Pydantic would collect what is wrong with each of a million names.
    most = len(OUTPUTS)
    if isinstance(names, list) and not 0 < len(names) <= most:
        raise PydanticCustomError("output", "expected 1 to {most} names", {"most": most})
    return names


def _names_schema(schema: dict[str, Any]) -> None:
    # The schema of the list is one of two: the other one is null.
    names = next(one for one in schema["anyOf"] if one.get("type") == "array")
    names |= {"maxItems": len(OUTPUTS), "minItems": 1}
    schema["uniqueItems"] = True


# The registry is read when a request is checked or a schema made, not when this is imported.
OutputName = Annotated[str, AfterValidator(_known_output), Field(json_schema_extra=_name_schema)]


def _alarms_schema(schema: dict[str, Any]) -> None:
    # Pydantic would check it in a message of its own, and with digits of any alphabet.
    text = next(one for one in schema["anyOf"] if one.get("type") == "string")
    text["pattern"] = f"^{ALARM_PATTERN}$"


class Options(BaseModel):
    """The body of a prediction request."""

    model_config = ConfigDict(strict=True)

    task: Annotated[Task | None, Field(description="What to do; the default is score.")] = None
    data: Annotated[
        list[Any] | None,
        Field(
            description="One series, [v, …] or [[c1, c2, …], …]; null is missing, a category text."
        ),
    ] = None
    columns: Annotated[
        dict[str, Column] | None,
        Field(description="One series, a list of values per name of a channel."),
    ] = None
    instances: Annotated[
        list[Any] | None,
        Field(
            description="Several series, answered in order.", min_length=1, max_length=MAX_SERIES
        ),
    ] = None
    timestamps: Annotated[
        list[Any] | None,
        Field(description="Time of every step in ISO 8601, rising; for instances, a list each."),
    ] = None
    label: Annotated[
        Any,
        Field(description="Class of the series, for a conditional model; for instances, one each."),
    ] = None
    output: Annotated[
        list[OutputName] | None,
        BeforeValidator(_require_count),
        Field(description="What to answer with.", json_schema_extra=_names_schema),
    ] = None
    stride: Annotated[
        int | None,
        Field(description="Steps between windows.", ge=1, le=1_000_000_000),
        WHOLE_NUMBER,
    ] = None
    quantile: Annotated[
        float | None, Field(description="Quantile of normal scores to flag above.", gt=0, lt=1)
    ] = None
    alarms: Annotated[
        str | None,
        Field(
            description="At most so many false events, in place of a quantile: 1 per week, "
            "3 per 12h, 1 per 10000 steps.",
            json_schema_extra=_alarms_schema,
        ),
    ] = None
    threshold: Annotated[
        float | None, Field(description="Score to flag above.", allow_inf_nan=False)
    ] = None
    adapt: Annotated[
        float | None,
        Field(
            description="How far one flagged window raises the threshold, at the most, on the "
            "scale of severity. 0.002 is a good start.",
            ge=0,
            le=MAX_ADAPTATION_RATE,
        ),
    ] = None
    gap: Annotated[
        int | None,
        Field(
            description="Maximum steps between windows above the threshold of one event.",
            ge=0,
            le=1_000_000_000,
        ),
        WHOLE_NUMBER,
    ] = None
    latent: Annotated[
        list[Any] | None, Field(description="Latents to decode, [[z1, z2, …], …].", min_length=1)
    ] = None
    count: Annotated[
        int | None,
        Field(description="Number of windows to sample.", ge=1, le=1_000_000),
        WHOLE_NUMBER,
    ] = None
    seed: Annotated[
        int | None,
        Field(description="Seed of the samples; random if left out.", ge=0, le=MAX_INTEGER),
        WHOLE_NUMBER,
    ] = None

    @classmethod
    def parse(cls, fields: Mapping[str, Any]) -> Self:
        """Check fields one by one, and against each other.

        Raises:
            FieldError: If one is unknown, out of bounds, or cannot be combined with another.
        """
        # Pydantic would collect every unknown field of a hostile body before it reports the first.
        known = cls.model_fields
        for name in fields:
            if name not in known:
                raise FieldError(
                    str(name), f"is unknown: the fields of a request are {', '.join(known)}"
                )
        try:
            options = cls.model_validate(fields)
        except ValidationError as error:
            raise FieldError(*first_error(error)) from None
        options._require_consistent()
        return options

    @classmethod
    def parse_without_values(cls, fields: Mapping[str, Any]) -> Self:
        """Check the fields of a request whose body holds the values.

        Raises:
            FieldError: As `parse` does, or if a field holds values all the same.
        """
        for name in (*SERIES_FIELDS, "latent"):
            require(
                fields.get(name) is None, name, "is not allowed here: the body holds the values"
            )
        return cls.parse(fields)

    def without_values(self) -> Self:
        """The other fields alone: values as lists take several times the memory of arrays."""
        return self.model_copy(update=dict.fromkeys((*SERIES, "latent")))

    @property
    def set_fields(self) -> list[str]:
        """Names of the fields that are set, without the task."""
        return [name for name, value in vars(self).items() if name != "task" and value is not None]

    def _require_consistent(self) -> None:
        task = self.task or "score"
        allowed = TASK_FIELDS[task]
        for name in self.set_fields:
            if name not in allowed:
                raise FieldError(
                    name, f"is not valid for the task {task}, whose fields are {', '.join(allowed)}"
                )
        require(
            self.quantile is None or self.threshold is None,
            "threshold",
            "cannot be combined with quantile",
        )
        if self.alarms is not None:
            require_alarms(self.alarms, "alarms")
            for name in ("quantile", "threshold"):
                require(getattr(self, name) is None, "alarms", f"cannot be combined with {name}")
        require(
            self.adapt is None or self.threshold is None,
            "adapt",
            "cannot be combined with threshold: it follows a quantile",
        )
        require(
            self.gap is None or EVENTS.name in (self.output or ()),
            "gap",
            f"is only valid for events: add {EVENTS.name} to output",
        )
        require(
            self.output is None or len(set(self.output)) == len(self.output),
            "output",
            "holds a name twice",
        )


def first_error(error: ValidationError) -> tuple[str, str]:
    """The first field of a body that is wrong, and what is wrong with it."""
    first = error.errors(include_url=False, include_input=False)[0]
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"])
    return "".join(parts).removeprefix("."), first["msg"][:1].lower() + first["msg"][1:]
