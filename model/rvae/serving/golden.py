"""An answer that a model gave when it was packaged, and has to give wherever it is served.

Checksums tell that an archive is what was built. This tells that it computes what it did: with the
libraries, the processor and the runtime of the machine that serves it.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from numpy.typing import NDArray

from rvae.errors import FieldError, require
from rvae.inference.model_files import opened
from rvae.inference.runtimes.report import RuntimeReport
from rvae.serving.contract.messages import Request
from rvae.serving.example import NOT_FINITE

if TYPE_CHECKING:
    from rvae.serving.service import Service

__all__ = ["GOLDEN_FILE", "Golden", "check_golden", "compare_golden", "make_golden"]

GOLDEN_FILE = "golden.json"

# Both have a scale of their own: the spread of the prior, and the distance of the threshold.
COMPARED = ("latent", "severity")
# Enough for the tolerance, and few enough to be the same on most machines.
DIGITS = 4
# Another processor adds in another order, and a GPU multiplies shorter numbers.
LEAST_TOLERANCE = 0.01


@dataclass(frozen=True)
class Golden:
    """A request and what the model answered.

    Attributes:
        request: A body in JSON.
        answer: The fields of the answer that are compared.
        tolerance: Largest difference of a number, or share of it if that is above 1.
    """

    request: Mapping[str, Any]
    answer: Mapping[str, Any]
    tolerance: float

    @classmethod
    def read(cls, path: Path) -> "Golden | None":
        """Read it from an archive or its folder; None if that was made by an earlier version.

        Raises:
            FieldError: If it cannot be read.
        """
        with opened(path) as files:
            if files is None or not (file := files / GOLDEN_FILE).exists():
                return None
            try:
                golden = cls(**json.loads(file.read_bytes()))
                unknown = set(golden.answer) - set(COMPARED)
            except (ValueError, TypeError):
                raise FieldError("model", f"{GOLDEN_FILE} in {path} cannot be read") from None
            words = f"{GOLDEN_FILE} in {path} compares {', '.join(sorted(unknown))}"
            require(not unknown, "model", f"{words}, which this version of rvae does not know")
            return golden

    def write(self, folder: Path) -> None:
        """Write it into the folder of an archive."""
        (folder / GOLDEN_FILE).write_bytes(orjson.dumps(asdict(self)))


def make_golden(service: "Service", report: RuntimeReport | None) -> Golden:
    """What a model answers to its own example.

    Args:
        service: Of the model.
        report: On the runtime of the model's graphs, if it has such.

    Raises:
        FieldError: If the answer is not finite.
    """
    request = service.example()
    answer = _finite(_answer(service, request))
    tolerance = LEAST_TOLERANCE
    if report is not None:
        tolerance = max(tolerance, report.parity.tolerance)
    rounded = {name: values.round(DIGITS).tolist() for name, values in answer.items()}
    return Golden(request, rounded, tolerance)


def check_golden(service: "Service", golden: Golden) -> None:
    """Raise a `FieldError` unless a model answers as it did when it was packaged."""
    compare_golden(golden, _answer(service, golden.request))


def compare_golden(golden: Golden, answer: Mapping[str, Any]) -> None:
    """Raise a `FieldError` unless the answer of a server is that of the model when it was packaged.

    Args:
        golden: What it answered then, and to what.
        answer: What it answers now.
    """
    found = _finite(answer)
    for name, values in golden.answer.items():
        expected = np.array(values)
        same_shape = found[name].shape == expected.shape
        require(same_shape, "model", f"the {name} of its example has another shape")
        size = np.abs(expected).clip(min=1.0)
        off = float((np.abs(found[name] - expected) / size).max(initial=0.0))
        require(
            off <= golden.tolerance,
            "model",
            f"the {name} of its example is off by {off:.2g} from what it was when the model was "
            f"packaged; the limit is {golden.tolerance:g}",
        )


def _answer(service: "Service", request: Mapping[str, Any]) -> Mapping[str, Any]:
    (reply,) = service.answer([Request(orjson.dumps(request), content_type="application/json")])
    answer = orjson.loads(reply.body)
    refusal = f"its own example is refused: {answer.get('field')}: {answer.get('message')}"
    require(reply.status == 200, "model", refusal)
    return answer


def _finite(answer: Mapping[str, Any]) -> dict[str, NDArray[np.float64]]:
    """The fields of an answer that are compared."""
    found = {name: _numbers(answer.get(name)) for name in COMPARED}
    unknown = [name for name, values in found.items() if not np.isfinite(values).all()]
    words = f"the {' and the '.join(unknown)} of its example cannot be told: {NOT_FINITE}"
    require(not unknown, "model", words)
    return found


def _numbers(values: Any) -> NDArray[np.float64]:
    try:
        return np.array(values, np.float64)
    except (ValueError, TypeError):
        return np.array(np.nan)
