"""Requests that are asked again: recorded ones, and those that are made of a file of data."""

import base64
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rvae.data.series import Series
from rvae.errors import FieldError, require
from rvae.inference.card import Card
from rvae.inference.reading import read_for
from rvae.serving.contract.formats.json import step_values
from rvae.serving.contract.formats.json_text import dump_json

__all__ = ["SUFFIX", "Recorded", "made_of", "read_traffic", "write_traffic"]

SUFFIX = ".jsonl"
# The paths at which a version is asked, by their first parts.
PATHS = {
    "predictions": "/predictions/{name}/{version}",
    "explanations": "/explanations/{name}/{version}",
    "v2": "/v2/models/{name}/versions/{version}/infer",
}


@dataclass(frozen=True)
class Recorded:
    """A request.

    Attributes:
        endpoint: One of `PATHS`.
        headers: That the contract reads.
        body: As it was sent.
    """

    endpoint: str
    headers: Mapping[str, str]
    body: bytes

    def path(self, name: str, version: str) -> str:
        """Where a version of a model is asked the same."""
        return PATHS[self.endpoint].format(name=name, version=version)


def write_traffic(path: Path, requests: Sequence[Mapping[str, Any]]) -> None:
    """Write recorded requests as the server gave them, one in a line, for this user alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        # Clients' data: others may not read it at any time.
        handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            file.writelines(f"{json.dumps(one)}\n" for one in requests)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def read_traffic(path: Path) -> list[Recorded]:
    """Read what `write_traffic` wrote.

    Raises:
        FieldError: If it is something else, or empty.
    """
    try:
        lines = path.read_text().splitlines()
    except UnicodeDecodeError:
        raise FieldError("replay", f"{path} is not recorded traffic") from None
    found = []
    for number, line in enumerate(lines, 1):
        try:
            found.append(_recorded(json.loads(line)))
        except (ValueError, KeyError, TypeError, AttributeError):
            message = f"line {number} of {path} is not a recorded request"
            raise FieldError("replay", message) from None
    require(bool(found), "replay", f"{path} holds no request")
    return found


def made_of(path: Path, card: Card, steps: int, most: int) -> list[Recorded]:
    """Requests for the scores of stretches of a file of data.

    Args:
        path: File that is read like the training file of the model.
        card: Card of the model.
        steps: Length of a stretch; a series that is shorter is asked for as a whole.
        most: Requests, at the most; stretches are left out evenly.

    Raises:
        FieldError: If the file does not fit the model.
    """
    dataset = read_for(card, path, None, None, None, labels=False, on_disk=True)
    stretches = [(one, start) for one in dataset.series for start in _starts(len(one), steps)]
    kept = np.linspace(0, len(stretches) - 1, min(most, len(stretches))).round().astype(int)
    chosen = [stretches[place] for place in kept]
    return [_asking_for(one.part(start, start + steps), card) for one, start in chosen]


def _starts(length: int, steps: int) -> Iterator[int]:
    """Where whole stretches begin; 0 for a series that is shorter than one."""
    yield from range(0, max(1, length - steps + 1), steps)


def _asking_for(series: Series, card: Card) -> Recorded:
    flat = len(card.channels) == 1
    fields: dict[str, Any] = {"data": step_values(np.asarray(series.values), flat, card)}
    if card.model.time.calendar and series.times is not None:
        fields["timestamps"] = [str(time) for time in np.ravel(np.asarray(series.times))]
    if card.model.conditional and series.classes is not None:
        fields["label"] = card.vocabulary.classes[int(np.ravel(np.asarray(series.classes))[0])]
    fields["output"] = ["score"]
    return Recorded("predictions", {"content-type": "application/json"}, dump_json(fields))


def _recorded(content: Mapping[str, Any]) -> Recorded:
    endpoint = content["path"].split("/")[1]
    if endpoint not in PATHS:
        raise ValueError(endpoint)
    headers = {str(name).lower(): str(value) for name, value in content["headers"].items()}
    return Recorded(endpoint, headers, base64.b64decode(content["body"], validate=True))
