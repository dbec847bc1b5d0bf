"""What a server says of a model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import orjson
from numpy.typing import NDArray

from rvae.client.errors import AnswerError
from rvae.client.transport import Answer
from rvae.config import ReaderConfig
from rvae.data.series import Series
from rvae.data.vocabulary import Vocabulary
from rvae.errors import FieldError, require

__all__ = ["Description"]


@dataclass(frozen=True)
class Description:
    """What a client needs to know of a model.

    Attributes:
        model: Name by which the server is asked for the model.
        version: Its version, which answers all requests of a call.
        channels: Names of the channels.
        bounds: Lowest and highest value of each channel of numbers, by name.
        vocabulary: Words of categories and classes.
        window: Time steps T of a window.
        stride: Default steps between windows.
        latent: Size D of a latent.
        reader: How the training file was read.
        conditional: Whether a series must have a class.
        timed: Whether a series must have times.
        threshold: Score above which a window is anomalous by default.
        values: Most values of a request, counting a categorical channel once per category.
        answer_bytes: Most bytes of an answer.
    """

    model: str
    version: str
    channels: tuple[str, ...]
    bounds: Mapping[str, tuple[float, float]]
    vocabulary: Vocabulary
    window: int
    stride: int
    latent: int
    reader: ReaderConfig
    conditional: bool
    timed: bool
    threshold: float
    values: int
    answer_bytes: int

    @classmethod
    def read(cls, answer: Answer, model: str) -> Self:
        """The description in an answer.

        Args:
            answer: The answer.
            model: Name by which the server was asked.

        Raises:
            AnswerError: If it is none.
        """
        try:
            content = orjson.loads(answer.body)
            return cls._of(model, content, content["card"], content["limits"])
        except (orjson.JSONDecodeError, LookupError, TypeError, FieldError) as error:
            raise AnswerError(
                answer.status, "server", f"does not describe a model of this rvae: {error!r}"
            ) from error

    @classmethod
    def _of(
        cls,
        model: str,
        content: Mapping[str, Any],
        card: Mapping[str, Any],
        limits: Mapping[str, Any],
    ) -> Self:
        channels = card["channels"]
        categories = {
            one["name"]: tuple(one["categories"]) for one in channels if one["kind"] == "category"
        }
        numbers = (one for one in channels if one["kind"] == "number")
        return cls(
            model=model,
            version=content["version"],
            channels=tuple(one["name"] for one in channels),
            bounds={one["name"]: (one["low"], one["high"]) for one in numbers},
            vocabulary=Vocabulary(categories, tuple(card["classes"])),
            window=card["window"],
            stride=card["stride"],
            latent=card["latent"],
            reader=ReaderConfig(**card["reader"]),
            conditional="label" in content["example"],
            timed=card["times"]["needed"],
            threshold=card["threshold"],
            values=limits["values"],
            answer_bytes=limits["response_bytes"],
        )

    @property
    def path(self) -> str:
        """Path of its predictions, by this version."""
        return f"/predictions/{self.model}/{self.version}"

    @property
    def width(self) -> int:
        """Values of a step as limits count them."""
        sizes = self.vocabulary.sizes(self.channels)
        return sum(max(1, size) for size in sizes)

    @property
    def filling(self) -> NDArray[np.float64]:
        """Values of a step (C,) that the model takes; of categories, the first one."""
        return np.array([np.mean(self.bounds.get(name, (1, 1))) for name in self.channels])

    def require_fits(self, series: Series) -> None:
        """Raise a `FieldError` if a series does not fit the model, as the model itself would."""
        shape = series.values.shape
        require(
            len(shape) == 2 and shape[1] == len(self.channels),
            "series",
            f"expected (N, {len(self.channels)}), got {shape}",
        )
        passed = 0
        for piece in series.pieces():
            values = np.asarray(piece.values)
            for i, name in enumerate(self.channels):
                low, high = self.bounds.get(name, (-np.inf, np.inf))
                beyond = (values[:, i] < low) | (values[:, i] > high)
                if beyond.any():
                    step = int(np.argmax(beyond))
                    raise FieldError(
                        name,
                        f"is {values[step, i]:g} at step {passed + step} of series {series.name}, "
                        f"but the model takes values from {low:.4g} to {high:.4g}",
                    )
            passed += len(piece)
