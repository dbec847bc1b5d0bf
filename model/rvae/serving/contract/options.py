"""The fields of a request: what they may be, and which of them go together."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
)

from rvae.errors import FieldError, require
from rvae.scoring.adaptive_threshold import MAX_ADAPTATION_RATE
from rvae.serving.contract.outputs import NAMES, Output

__all__ = ["BESIDE", "FIELDS", "FORMS", "MOST", "WHOLE", "Options", "Task", "first_fault"]

Task = Literal["score", "encode", "reconstruct", "decode", "sample"]

# How series may come.
FORMS = ("data", "columns", "instances")
# What may stand beside them.
BESIDE = ("timestamps", "label")
SERIES = (*FORMS, *BESIDE)

# What may be said of each task.
FIELDS: Mapping[Task, tuple[str, ...]] = {
    "score": (*SERIES, "output", "stride", "quantile", "threshold", "adapt", "gap"),
    "encode": (*SERIES, "stride"),
    "reconstruct": (*SERIES, "stride"),
    "decode": ("latent", "label"),
    "sample": ("count", "label", "seed"),
}

# Series of a request: each of them costs up to a millisecond, however short it is.
MOST = 4096

# A list, which is looked at where the names are: Pydantic would collect every wrong one first.
Column = Annotated[Any, WithJsonSchema({"type": "array", "items": {}})]

LARGEST_INT = 2**53 - 1  # that every parser of JSON reads as it was written


def _whole(value: Any) -> Any:
    # To JSON 8.0 is as whole a number as 8, and some clients know no other.
    return int(value) if type(value) is float and value.is_integer() else value


WHOLE = BeforeValidator(_whole)


class Options(BaseModel):
    """The body of a prediction request."""

    model_config = ConfigDict(strict=True)

    task: Annotated[
        Task | None, Field(description="What to do; score, unless another is named.")
    ] = None
    data: Annotated[
        list[Any] | None,
        Field(
            description="One series, [v, …] or [[c1, c2, …], …]; null is missing, a category text."
        ),
    ] = None
    columns: Annotated[
        dict[str, Column] | None,
        Field(description="One series, a list of values for each channel's name."),
    ] = None
    instances: Annotated[
        list[Any] | None,
        Field(description="Several series, answered in order.", min_length=1, max_length=MOST),
    ] = None
    timestamps: Annotated[
        list[Any] | None,
        Field(description="Time of every step in ISO 8601, rising; a list of each instance."),
    ] = None
    label: Annotated[
        Any, Field(description="Class of the series, for a conditional model; of each instance.")
    ] = None
    output: Annotated[
        list[Output] | None,
        Field(
            description="What to answer with.",
            min_length=1,
            max_length=len(NAMES),
            json_schema_extra={"uniqueItems": True},
        ),
    ] = None
    stride: Annotated[
        int | None, Field(description="Steps between windows.", ge=1, le=1_000_000_000), WHOLE
    ] = None
    quantile: Annotated[
        float | None, Field(description="Quantile of normal scores to flag above.", gt=0, lt=1)
    ] = None
    threshold: Annotated[
        float | None, Field(description="Score to flag above.", allow_inf_nan=False)
    ] = None
    adapt: Annotated[
        float | None,
        Field(
            description="How fast the threshold follows the series.", ge=0, le=MAX_ADAPTATION_RATE
        ),
    ] = None
    gap: Annotated[
        int | None,
        Field(description="Steps between events that are one.", ge=0, le=1_000_000_000),
        WHOLE,
    ] = None
    latent: Annotated[
        list[Any] | None, Field(description="Latents to decode, [[z1, z2, …], …].", min_length=1)
    ] = None
    count: Annotated[
        int | None, Field(description="How many windows to draw.", ge=1, le=1_000_000), WHOLE
    ] = None
    seed: Annotated[
        int | None,
        Field(description="Of what is drawn; drawn itself if left out.", ge=0, le=LARGEST_INT),
        WHOLE,
    ] = None

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        """Check fields one by one, and against each other.

        Raises:
            FieldError: If one is unknown, out of bounds, or does not go with another.
        """
        # Pydantic would collect every unknown field of a hostile body before it says the first.
        for name in fields:
            require(
                name in cls.model_fields,
                str(name),
                f"is unknown: a request may hold {', '.join(cls.model_fields)}",
            )
        try:
            options = cls.model_validate(fields)
        except ValidationError as error:
            raise FieldError(*first_fault(error)) from None
        options._require_together()
        return options

    @classmethod
    def beside(cls, fields: Mapping[str, Any]) -> Self:
        """Check the fields of a request whose values are elsewhere.

        Raises:
            FieldError: As `of` does, or if one holds values all the same.
        """
        for name in (*FORMS, "latent"):
            require(fields.get(name) is None, name, "cannot be given beside a body that holds it")
        return cls.of(fields)

    @property
    def given(self) -> list[str]:
        """Names of the fields that say something, but for the task."""
        return [
            name
            for name in type(self).model_fields
            if name != "task" and getattr(self, name) is not None
        ]

    def _require_together(self) -> None:
        task = self.task or "score"
        for name in self.given:
            require(
                name in FIELDS[task],
                name,
                f"is not for the task {task}, which takes {', '.join(FIELDS[task])}",
            )
        require(
            self.quantile is None or self.threshold is None,
            "threshold",
            "cannot be given together with quantile",
        )
        require(
            self.adapt is None or self.threshold is None,
            "adapt",
            "cannot be given together with threshold: it follows a quantile",
        )
        require(
            self.gap is None or "events" in (self.output or ()),
            "gap",
            "is only for events: name them in output",
        )
        require(
            self.output is None or len(set(self.output)) == len(self.output),
            "output",
            "names something twice",
        )


def first_fault(error: ValidationError) -> tuple[str, str]:
    """Which field of a body is the first that is wrong, and what is wrong with it."""
    first = error.errors(include_url=False, include_input=False)[0]
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"])
    return "".join(parts).removeprefix("."), first["msg"][:1].lower() + first["msg"][1:]
