"""How clients fare with a version, as the metrics tell."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

from rvae.errors import FieldError
from rvae.serving.versions.bounds import Bounds
from rvae.serving.versions.management import Management

__all__ = ["Counts", "Observation", "counts_of"]

POLL_SECONDS = 0.5
REQUESTS, SECONDS = "rvae_requests", "rvae_request_seconds"
SERVER_ERROR = 500


@dataclass(frozen=True)
class Counts:
    """Answers of a version.

    Attributes:
        answers: How many.
        errors: How many of them say that the server failed.
        seconds: That all took.
    """

    answers: int = 0
    errors: int = 0
    seconds: float = 0.0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.answers + other.answers,
            self.errors + other.errors,
            self.seconds + other.seconds,
        )

    def __sub__(self, other: "Counts") -> "Counts":
        return Counts(
            self.answers - other.answers,
            self.errors - other.errors,
            self.seconds - other.seconds,
        )

    @property
    def failing(self) -> float:
        """Share of the answers that are errors."""
        return self.errors / self.answers if self.answers else 0.0

    def __str__(self) -> str:
        if not self.answers:
            return "no answers"
        mean = 1000 * self.seconds / self.answers
        return f"{self.answers} answers, {self.errors} errors, {mean:.1f} ms each"


def counts_of(metrics: str, name: str, version: str) -> Counts:
    """What metrics in the format of Prometheus tell of a version."""
    answers = errors = 0
    seconds = 0.0
    for family in text_string_to_metric_families(metrics):
        for sample in family.samples:
            labels = sample.labels
            if (labels.get("model"), labels.get("version")) != (name, version):
                continue
            if sample.name == f"{REQUESTS}_total":
                answers += int(sample.value)
                errors += int(sample.value) if int(labels["code"]) >= SERVER_ERROR else 0
            elif sample.name == f"{SECONDS}_sum":
                seconds += sample.value
    return Counts(answers, errors, seconds)


class Observation:
    """Looks at the answers of a version from now on, on all servers together.

    Args:
        managements: Of the servers.
        name: Of the model.
        versions: The version, and those that it is to replace.
    """

    def __init__(
        self, managements: Sequence[Management], name: str, versions: Sequence[str]
    ) -> None:
        self._managements = managements
        self._name = name
        self._versions = versions
        self._begin = self._counts()

    def last(self, seconds: float, bounds: Bounds) -> str:
        """Look on for some time.

        Returns:
            What was seen, in words.

        Raises:
            FieldError: At once, if too many answers are errors.
        """
        deadline = time.monotonic() + seconds
        while True:
            since = [now - then for now, then in zip(self._counts(), self._begin, strict=True)]
            new, old = since[0], sum(since[1:], Counts())
            if new.failing > old.failing + bounds.errors:
                raise FieldError("watch", f"{new.errors} of {new.answers} answers are errors")
            left = deadline - time.monotonic()
            if left <= 0:
                pairs = zip(self._versions, since, strict=True)
                return "; ".join(f"{version}: {counts}" for version, counts in pairs)
            time.sleep(min(left, POLL_SECONDS))

    def _counts(self) -> list[Counts]:
        """Of each version."""
        pages = [one.metrics() for one in self._managements]
        return [
            sum((counts_of(page, self._name, version) for page in pages), Counts())
            for version in self._versions
        ]
