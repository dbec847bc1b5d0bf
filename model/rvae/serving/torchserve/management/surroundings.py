"""What management needs of the server that it belongs to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rvae.serving.torchserve.registrations import Registration

__all__ = ["Surroundings"]


@dataclass(frozen=True)
class Surroundings:
    """What management needs of the server that it belongs to.

    Attributes:
        store: Folder of archives.
        logs: Folder of logs.
        predictions: Address of the predictions.
        metrics: Address of the metrics.
        check: Raises a `FieldError` if an archive must not be registered; it is given the `url` of
            the request: a file of the store, or the path of an unpacked one. It may take its time.
        changed: Told after every change what is served: versions that are still loading are not
            among it. It may take its time, and comes before the change is answered.
        previous: The default before the present one, by the name of the model.
    """

    store: Path
    logs: Path
    predictions: str
    metrics: str
    check: Callable[[str], object]
    changed: Callable[[Sequence[Registration]], object]
    previous: Callable[[], Mapping[str, str]]
