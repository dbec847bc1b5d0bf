"""What the gateway has done for its clients, and holds for them now."""

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass

__all__ = ["HUNG_UP", "REPETITIONS", "REQUEST_SECONDS", "USUAL", "Load", "Traffic"]

# Bounds of the buckets of times.
REQUEST_SECONDS = (
    *(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05),
    *(0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0),
)
# The status of a request whose client has hung up, in the logs of many servers.
HUNG_UP = 499


# Those that are told before the first of them: what begins with one does not look like a rise.
USUAL = (200, 400, 422, 500, 503)
# Why requests are sent to the backend once more.
REPETITIONS = ("deferred", "died", "gone", "recalled", "unavailable")


class Traffic:
    """Counts since the start; of one event loop.

    A model that is not served, and no version, are empty names: others would be what clients say.

    Attributes:
        requests: By model, version and status.
        seconds: By model and version, how many requests took a time in each of the buckets of
            `REQUEST_SECONDS` and above, and the sum of their times.
        repetitions: By reason, see `REPETITIONS`.
    """

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, str, int]] = Counter()
        self.seconds: dict[tuple[str, str], list[float]] = {}
        self.repetitions = Counter(dict.fromkeys(REPETITIONS, 0))

    def answered(self, model: str, version: str, status: int, seconds: float) -> None:
        """Count a request that a version has answered.

        Args:
            model: Name of the model.
            version: The version.
            status: Status of the answer.
            seconds: From the last byte of the request to the answer.
        """
        numbers = self.seconds.get((model, version))
        if numbers is None:
            numbers = self.seconds[model, version] = [0.0] * (len(REQUEST_SECONDS) + 2)
            self.requests.update({(model, version, one): 0 for one in USUAL})
        self.requests[model, version, status] += 1
        numbers[bisect_left(REQUEST_SECONDS, seconds)] += 1
        numbers[-1] += seconds

    def refused(self, status: int, model: str = "") -> None:
        """Count a request that came to no version, perhaps for a model that is served."""
        self.requests[model, "", status] += 1

    def repeated(self, reason: str) -> None:
        """Count that a request is sent once more."""
        self.repetitions[reason] += 1


@dataclass(frozen=True)
class Load:
    """What a gateway holds for clients at a moment.

    Attributes:
        connections: Open connections.
        waiting: Requests that wait for their turn.
        forwarded: Requests in the backend.
        bytes: Bodies and answers in memory, small bodies aside.
    """

    connections: int
    waiting: int
    forwarded: int
    bytes: int
