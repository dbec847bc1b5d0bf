"""The same requests asked of two versions."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rvae.serving.versions.management import Management
from rvae.serving.versions.traffic import Recorded

__all__ = ["Answers", "replay"]


@dataclass
class Answers:
    """What a version answered.

    Attributes:
        version: Of the model.
        statuses: Of every request.
        seconds: That each took.
        tails: Tail probabilities of all windows whose scores were answered.
        scores: Their scores.
        flags: Whether they were flagged.
        error: What the first answer of an error said; None if there was none.
    """

    version: str
    statuses: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    tails: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    flags: list[bool] = field(default_factory=list)
    error: str | None = None


def replay(
    management: Management, name: str, versions: Sequence[str], requests: Sequence[Recorded]
) -> list[Answers]:
    """Ask every version the same requests, one at a time.

    They are asked in turn, each time another one first, so that what else happens on the machine
    meets all of them.

    Args:
        management: Where they are asked.
        name: Of the model.
        versions: Of the model.
        requests: What is asked.

    Returns:
        What each version answered.
    """
    found = [Answers(version) for version in versions]
    for one in found:  # what a first request pays for is not of interest
        _ask(management, name, one.version, requests[0])
    for turn, request in enumerate(requests):
        for place in range(len(found)):
            _add(found[(turn + place) % len(found)], management, name, request)
    return found


def _add(answers: Answers, management: Management, name: str, request: Recorded) -> None:
    begin = time.monotonic()
    status, content = _ask(management, name, answers.version, request)
    answers.seconds.append(time.monotonic() - begin)
    answers.statuses.append(status)
    if status >= 400 and answers.error is None:
        said = content.get("message", "") if isinstance(content, Mapping) else ""
        answers.error = f"{status} {said}".strip()
    for fields in _predictions(content):
        answers.tails += _known(fields.get("tail_probability"))
        answers.scores += _known(fields.get("score"))
        answers.flags += map(bool, fields.get("is_anomaly", ()))


def _ask(management: Management, name: str, version: str, request: Recorded) -> tuple[int, Any]:
    """The status of an answer, and its content in JSON, which every kind of request can have."""
    path = request.path(name, version)
    headers = {**request.headers, "accept": "application/json"}
    answer = management.predict(path, request.body, headers)
    try:
        return answer.status_code, answer.json()
    except ValueError:
        return answer.status_code, None


def _predictions(content: Any) -> Iterator[Mapping[str, Any]]:
    """The fields of every series of an answer, also of the Open Inference Protocol."""
    if not isinstance(content, Mapping):
        return
    if "outputs" in content:
        yield {one["name"]: one["data"] for one in content["outputs"]}
    else:
        yield from content.get("predictions", (content,))


def _known(values: Any) -> list[float]:
    """The numbers of windows that have one."""
    return [float(value) for value in values or () if value is not None]
